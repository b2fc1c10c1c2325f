package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// checkGoldens synthesizes one app as the snapshot tests of consumers do, with the
// function and without, and compares the templates byte by byte: twice in one place,
// and in another folder under another home with a build cache of its own.
func (l *lab) checkGoldens() error {
	var differences []error
	for name, context := range map[string]string{
		"bundled":   `{"shape": "one table"}`,
		"unbundled": `{"shape": "one table", "aws:cdk:bundling-stacks": []}`,
	} {
		var first []byte
		for i, place := range []string{"one", "one", "two"} {
			template, err := l.golden(place, context)
			if err != nil {
				return err
			}
			if i == 0 {
				first = template
			} else if !bytes.Equal(template, first) {
				differences = append(differences, fmt.Errorf("run %d has another %s golden than run 1", i+1, name))
			}
		}
	}
	fmt.Printf("goldens: %d of 4 comparisons differ, bundled and unbundled, "+
		"over three runs, two folders, and two homes with build caches of their own\n", len(differences))

	return errors.Join(differences...)
}

// golden synthesizes the app in a place and returns its template.
func (l *lab) golden(place, context string) ([]byte, error) {
	a := l.app(filepath.Join("golden", place, "users "+place))
	if err := a.copy(filepath.Join(l.work, "base", "users")); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	home := a.sibling("home")
	a.env = []string{
		"HOME=" + home, "GOCACHE=" + filepath.Join(home, ".cache", "go-build"), "GOMODCACHE=" + l.moduleCache,
		"CDK_CONTEXT_JSON=" + context,
	}
	if _, err := a.synthWithout("shapes"); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(a.out, "App.template.json"))
}
