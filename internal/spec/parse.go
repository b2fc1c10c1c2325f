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
	s, err := read[Spec](text)
	if err != nil {
		return Spec{}, fmt.Errorf("%s is not a spec this version understands: %w", EnvironmentVariable, err)
	}

	return s, s.check(EnvironmentVariable)
}

// check joins the problems of s. Each names the place that s was read from.
func (s Spec) check(place string) error {
	var errs []error
	for _, p := range s.Problems() {
		errs = append(errs, fmt.Errorf("%s: %s", place, p))
	}
	return errors.Join(errs...)
}

// read reads a value of type T that encode wrote, sound or not. The standard decoder is
// too lenient: it accepts unknown names, names in another case, names that appear twice,
// null, and half characters. A value with one of them does not encode to the text that
// it was read from. So only a text that differs from its value's encoding is searched
// for faults.
func read[T Spec | Names](text string) (T, error) {
	var v T
	err := json.Unmarshal([]byte(text), &v)
	if err == nil && encode(v) == text {
		return v, nil
	}

	f := faults{text: text, tokens: json.NewDecoder(strings.NewReader(text))}
	f.value("", reflect.TypeFor[T]())

	return v, cmp.Or(f.first, err)
}
