package spec

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// written is s as a function gets it whose mapping is in a file.
func written(t *testing.T, s Spec) (text, path string) {
	t.Helper()

	n := s.Names()
	n.MappingFile = filepath.Join(t.TempDir(), "mapping.json")
	write(t, n.MappingFile, s.WithoutNames().Encode())

	return n.Encode(), n.MappingFile
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestASpecInAFileIsTheOneThatWasCutInTwo(t *testing.T) {
	two := sound()
	two.Targets = append(two.Targets, unique().Targets...)
	two.Targets[1].TableName = "target2"

	for _, want := range []Spec{sound(), unique(), derived(), two} {
		before := want.Encode()
		text, path := written(t, want)
		got, err := Load(text, os.ReadFile)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
		if want.Encode() != before {
			t.Errorf("cutting it in two changed the spec to %s", want.Encode())
		}
		for _, name := range []string{"queue", "target2", `"source"`} {
			if file, _ := os.ReadFile(path); strings.Contains(string(file), name) {
				t.Errorf("the file contains the name %s: %s", name, file)
			}
		}
	}
}

func TestASpecInTheEnvironmentNeedsNoFile(t *testing.T) {
	text := sound().Encode()
	noFile := func(path string) ([]byte, error) {
		t.Fatalf("it reads %s", path)
		return nil, nil
	}

	got, err := Load(text, noFile)
	if err != nil || !reflect.DeepEqual(got, sound()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAFileThatCannotBeUsedIsNamed(t *testing.T) {
	good := sound().WithoutNames().Encode()
	for _, test := range []struct{ name, file, want string }{
		{"empty", "", `the file %q is not a mapping that this version understands: the whole is cut off`},
		{"cut off", good[:20], `the file %q is not a mapping that this version understands: Source`},
		{"a field of the future", strings.Replace(good, "{", `{"Sauce":1,`, 1), "the file %q is not a mapping that this version understands: Sauce is not a field"},
		{"no targets", `{}`, "the file %q has 0 targets and REPLICATEDTABLE_SPEC names 1 tables: deploy both together"},
		{"problems", strings.Replace(good, `"EXCLUDE"`, `"OMIT"`, 1), `the file %q, with the names in REPLICATEDTABLE_SPEC: Targets[0].Projection has type "OMIT"`},
		{"rules of another version", strings.Replace(good, "{", `{"MappingVersion":7,`, 1), `the file %q, with the names in REPLICATEDTABLE_SPEC: MappingVersion is 7`},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, path := written(t, sound())
			write(t, path, test.file)
			want := fmt.Sprintf(test.want, path)
			if _, err := Load(text, os.ReadFile); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got error %v, want one with %q", err, want)
			}
		})
	}
}

func TestAMissingFileIsNamedWithTheLayer(t *testing.T) {
	missing := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	_, err := Load(sound().Names().Encode(), missing)
	want := `REPLICATEDTABLE_SPEC says that the mapping is in the file "/opt/replicatedtable/mapping.json", ` +
		`which cannot be read: the function needs the layer that the ReplicatedTable construct adds: ` +
		`file does not exist`
	if err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestATextThatIsNotNamesIsRefused(t *testing.T) {
	good := sound().Names().Encode()
	for _, test := range []struct{ name, text, want string }{
		{"unset", "", "REPLICATEDTABLE_SPEC is not set"},
		{"cut off", good[:40], "REPLICATEDTABLE_SPEC does not hold names that this version understands: MappingFile is cut off"},
		{"a field of the future", strings.Replace(good, `,"Source"`, `,"Sauce":1,"Source"`, 1), "Sauce is not a field"},
		{"no table", strings.Replace(good, `["target"]`, `[]`, 1), "has 1 targets and REPLICATEDTABLE_SPEC names 0 tables"},
		{"white space first", strings.Replace(good, `{`, `{ `, 1), "MappingFile is not a field that this version knows"},
	} {
		file := func(string) ([]byte, error) { return []byte(sound().WithoutNames().Encode()), nil }
		if _, err := Load(test.text, file); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
	}
}

func TestASpecOfThisReleaseNamesNoVersionThatIsImplied(t *testing.T) {
	if got := New().MappingVersion; got != 0 {
		t.Errorf("it names version %d: the templates of all apps change", got)
	}
	if got := named(impliedMappingVersion + 1); got != impliedMappingVersion+1 {
		t.Errorf("the next version is named %d", got)
	}
}

// FuzzLoad: no text and no file makes Load panic.
func FuzzLoad(f *testing.F) {
	f.Add(sound().Names().Encode(), sound().WithoutNames().Encode())
	f.Add(sound().Encode(), "")
	f.Fuzz(func(t *testing.T, text, file string) {
		s, err := Load(text, func(string) ([]byte, error) { return []byte(file), nil })
		if err == nil && len(s.Problems()) > 0 {
			t.Errorf("%s and %s are accepted with %v", text, file, s.Problems())
		}
	})
}
