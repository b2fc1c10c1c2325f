package spec

import (
	"fmt"
	"strings"
)

// Load reads the spec of a function from the text in its environment. Usually that is
// the whole spec, as Encode writes it. Otherwise it is Names, and readFile reads the
// mapping from the file that they name. Errors name the file and the field.
func Load(text string, readFile func(path string) ([]byte, error)) (Spec, error) {
	if !strings.HasPrefix(text, `{"MappingFile":`) {
		return Parse(text)
	}

	n, err := read[Names](text)
	if err != nil {
		return Spec{}, fmt.Errorf("%s does not hold names that this version understands: %w", EnvironmentVariable, err)
	}
	mapping, err := readFile(n.MappingFile)
	if err != nil {
		return Spec{}, fmt.Errorf("%s says that the mapping is in the file %q, which cannot be read: "+
			"the function needs the layer that the ReplicatedTable construct adds: %w",
			EnvironmentVariable, n.MappingFile, err)
	}
	s, err := read[Spec](string(mapping))
	if err != nil {
		return Spec{}, fmt.Errorf("the file %q is not a mapping that this version understands: %w", n.MappingFile, err)
	}
	if len(s.Targets) != len(n.Targets) {
		return Spec{}, fmt.Errorf("the file %q has %d targets and %s names %d tables: deploy both together",
			n.MappingFile, len(s.Targets), EnvironmentVariable, len(n.Targets))
	}

	s = s.withNames(n)
	return s, s.check(fmt.Sprintf("the file %q, with the names in %s", n.MappingFile, EnvironmentVariable))
}
