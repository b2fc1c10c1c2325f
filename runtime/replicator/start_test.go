package replicator

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestABadConfigurationIsAnErrorThatNamesTheField(t *testing.T) {
	// F6. Every case is a complete environment with one fault.
	complete := map[string]string{
		spec.EnvironmentVariable: uniqueSpec(all).Encode(),
		"AWS_REGION":             "eu-west-1",
		"AWS_ACCESS_KEY_ID":      "id",
		"AWS_SECRET_ACCESS_KEY":  "secret",
	}
	for _, test := range []struct{ name, variable, value, want string }{
		{"complete", "OTHER", "x", ""},
		{"no spec", spec.EnvironmentVariable, "", "REPLICATEDTABLE_SPEC is not set"},
		{"no JSON", spec.EnvironmentVariable, "{", "REPLICATEDTABLE_SPEC is not a spec"},
		{"unknown field", spec.EnvironmentVariable, `{"Sauce":{}}`, "Sauce is not a field"},
		{"bad field", spec.EnvironmentVariable,
			strings.Replace(complete[spec.EnvironmentVariable], `"ALL"`, `"SOME"`, 1),
			`Targets[0].Projection has type "SOME"`},
		{"no region", "AWS_REGION", "", "AWS_REGION is not set"},
		{"no credentials", "AWS_SECRET_ACCESS_KEY", "", "AWS_SECRET_ACCESS_KEY is not set"},
	} {
		t.Run(test.name, func(t *testing.T) {
			environment := maps.Clone(complete)
			environment[test.variable] = test.value
			r, err := New(func(name string) string { return environment[name] },
				slog.New(slog.NewTextHandler(io.Discard, nil)))
			if test.want == "" {
				if err != nil || r == nil {
					t.Errorf("got error %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestAFunctionStartsFromTheFileOfItsLayer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mapping.json")
	want := uniqueSpec(all)
	names := want.Names()
	names.MappingFile = path
	getenv := func(name string) string {
		return map[string]string{
			spec.EnvironmentVariable: names.Encode(),
			"AWS_REGION":             "eu-west-1",
			"AWS_ACCESS_KEY_ID":      "id",
			"AWS_SECRET_ACCESS_KEY":  "secret",
		}[name]
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))

	if _, err := New(getenv, log); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("without the file, got error %v, want one that names it", err)
	}
	if err := os.WriteFile(path, []byte(want.WithoutNames().Encode()), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := New(getenv, log)
	if err != nil || r.spec.Encode() != want.Encode() {
		t.Errorf("got %+v, %v, want %s", r, err, want.Encode())
	}
}
