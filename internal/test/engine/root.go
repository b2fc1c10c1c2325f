package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// module is the first line of this repository's go.mod.
const module = "module github.com/replicatedtable/cdk-go"

// Root is the repository's root: the nearest folder from the working directory
// upwards whose go.mod is this module's. Tests and commands run in many folders;
// everything that they install and write is below this one.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if first, _, _ := strings.Cut(string(content), "\n"); err == nil && strings.TrimSpace(first) == module {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("%s and the folders above it have no go.mod with %q", start, module)
		}
	}
}
