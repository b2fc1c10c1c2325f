package spec

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Parse reads what Encode wrote. A text that is not a spec, or a spec with problems, is
// an error that names the field.
func Parse(text string) (Spec, error) {
	if text == "" {
		return Spec{}, fmt.Errorf("%s is not set: the ReplicatedTable construct sets it", EnvironmentVariable)
	}
	s, err := read(text)
	if err != nil {
		return Spec{}, fmt.Errorf("%s is not a spec this version understands: %w", EnvironmentVariable, err)
	}

	var errs []error
	for _, p := range s.Problems() {
		errs = append(errs, fmt.Errorf("%s: %s", EnvironmentVariable, p))
	}
	if len(errs) > 0 {
		return Spec{}, errors.Join(errs...)
	}

	return s, nil
}

// read reads a spec, sound or not. The standard decoder is too lenient: it accepts
// unknown names, names in another case, names that appear twice, null, and half
// characters. A spec with one of them does not encode to the text that it was read
// from. So only a text that differs from its spec's encoding is searched for faults.
func read(text string) (Spec, error) {
	var s Spec
	err := json.Unmarshal([]byte(text), &s)
	if err == nil && s.Encode() == text {
		return s, nil
	}

	f := faults{text: text, tokens: json.NewDecoder(strings.NewReader(text))}
	f.value("", reflect.TypeFor[Spec]())

	return s, cmp.Or(f.first, err)
}
