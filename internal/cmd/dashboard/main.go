// Command dashboard draws a picture of the construct's dashboard: the widgets of the golden
// template, with sample data of an incident. The picture is in the documentation.
//
//	go run ./internal/cmd/dashboard
//
// The same template makes the same bytes, and a test compares them with the file.
package main

import (
	"fmt"
	"os"
)

// The files, from the root of the repository.
const (
	template = "replicatedtable/testdata/monitored.golden.json"
	picture  = "replicatedtable/dashboard.svg"
)

func main() {
	if err := run(template, picture); err != nil {
		fmt.Fprintf(os.Stderr, "dashboard: %v\n", err)
		os.Exit(1)
	}
}

func run(template, picture string) error {
	text, err := os.ReadFile(template)
	if err != nil {
		return err
	}
	widgets, err := read(text)
	if err != nil {
		return fmt.Errorf("%s: %w", template, err)
	}
	return os.WriteFile(picture, draw(widgets), 0o644)
}
