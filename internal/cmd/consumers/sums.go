package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// foreignSums returns the lines that the construct adds to a consumer's go.sum for
// modules from which neither the construct nor a function has a package. A consumer
// downloads these, and audits them, for nothing.
func (l *lab) foreignSums() ([]string, error) {
	blank, err := os.ReadFile(filepath.Join(l.work, "blank", "users", "go.sum"))
	if err != nil {
		return nil, err
	}
	base, err := os.ReadFile(filepath.Join(l.work, "base", "users", "go.sum"))
	if err != nil {
		return nil, err
	}
	list, err := l.app("base/users").run("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}",
		modulePath+"/replicatedtable", modulePath+"/runtime/replicator", modulePath+"/runtime/reconciler")
	if err != nil {
		return nil, err
	}

	needed, before := strings.Fields(list), strings.Split(string(blank), "\n")
	var foreign []string
	for line := range strings.Lines(string(base)) {
		line = strings.TrimSpace(line)
		module, _, _ := strings.Cut(line, " ")
		if !slices.Contains(before, line) && !slices.Contains(needed, module) {
			foreign = append(foreign, line)
		}
	}

	return foreign, nil
}

// checkSums prints the result of foreignSums.
func (l *lab) checkSums() error {
	foreign, err := l.foreignSums()
	if err != nil {
		return err
	}
	fmt.Printf("go.sum: %d lines of modules that neither the construct nor a function needs\n", len(foreign))
	if len(foreign) > 0 {
		return fmt.Errorf("a consumer's go.sum has lines for nothing:\n%s", strings.Join(foreign, "\n"))
	}

	return nil
}
