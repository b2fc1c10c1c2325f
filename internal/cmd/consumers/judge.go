package main

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// assembly is what a synthesis wrote.
type assembly struct {
	// functions are the hashes of the assets with a function, by its program and its processor.
	functions map[string]string
	templates []string
	resources []resource
}

type resource struct {
	Type       string
	Properties map[string]json.RawMessage
}

// readAssembly reads a cloud assembly, with those of its stages.
func readAssembly(folder string) (assembly, error) {
	read := assembly{functions: map[string]string{}}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		hash, isAsset := strings.CutPrefix(filepath.Base(filepath.Dir(path)), "asset.")
		switch {
		case isAsset && entry.Name() == "bootstrap":
			return read.addFunction(path, hash)
		case strings.HasSuffix(path, ".template.json"):
			return read.addTemplate(path)
		default:
			return nil
		}
	})

	return read, err
}

func (a *assembly) addFunction(path, hash string) error {
	binary, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("the asset %s has no function: %w", hash, err)
	}
	defer binary.Close()
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	function := program(content) + " for " + binary.Machine.String()
	if other, ok := a.functions[function]; ok && other != hash {
		return fmt.Errorf("two functions %s: %s and %s", function, other, hash)
	}
	a.functions[function] = hash

	return nil
}

// program tells a function by the packages that it links.
func program(content []byte) string {
	if bytes.Contains(content, []byte(modulePath+"/runtime/reconciler.")) {
		return "reconciler"
	}
	return "replicator"
}

func (a *assembly) addTemplate(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var template struct{ Resources map[string]resource }
	if err := json.Unmarshal(text, &template); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	a.templates = append(a.templates, string(text))
	for _, r := range template.Resources {
		a.resources = append(a.resources, r)
	}

	return nil
}

// accept returns what is wrong with the assembly of a situation.
func (s situation) accept(got assembly) error {
	var problems []error
	tables := 0
	for _, r := range got.resources {
		if r.Type == "AWS::DynamoDB::GlobalTable" {
			tables++
		}
		if property, ok := s.every[r.Type]; ok && r.Properties[property] == nil {
			problems = append(problems, fmt.Errorf("a resource of the type %s has no %s", r.Type, property))
		}
	}
	if want := max(s.tables, 2); tables != want {
		problems = append(problems, fmt.Errorf("%d tables, want %d", tables, want))
	}
	if !strings.Contains(strings.Join(got.templates, ""), s.contains) {
		problems = append(problems, fmt.Errorf("no template contains %q", s.contains))
	}
	if len(got.functions) == 0 {
		problems = append(problems, errors.New("no function was built"))
	}
	reconcilers := 0
	for function := range got.functions {
		if strings.HasPrefix(function, "reconciler ") {
			reconcilers++
		}
	}
	if reconcilers != s.reconcilers {
		problems = append(problems, fmt.Errorf("%d functions of reconcilers, want %d", reconcilers, s.reconcilers))
	}

	return errors.Join(problems...)
}

// built is the one function of a program that all situations with the same dependencies must share.
type built struct {
	hash       string
	situations int
}

// compare returns how the functions differ from those that the same dependencies led to
// in earlier situations.
func (l *lab) compare(s situation, got assembly) error {
	for function, hash := range got.functions {
		key := fmt.Sprintf("%s, %s", cmp.Or(s.versions, "the README's dependencies"), function)
		earlier, ok := l.functions[key]
		if ok && earlier.hash != hash {
			return fmt.Errorf("another function than before, with %s: asset %.8s, want %.8s", key, hash, earlier.hash)
		}
		l.functions[key] = built{hash, earlier.situations + 1}
	}
	return nil
}

// printFunctions prints the functions that the situations share.
func (l *lab) printFunctions() {
	for _, key := range slices.Sorted(maps.Keys(l.functions)) {
		f := l.functions[key]
		fmt.Printf("function: %.8s, with %s (situations: %d)\n", f.hash, key, f.situations)
	}
}
