package tools

import (
	"strings"
	"testing"
)

func TestVersionsAreReadFromWhatTheProgramsPrint(t *testing.T) {
	for _, row := range []struct {
		program prerequisite
		printed string
		want    string // part of the error; empty when the version will do
	}{
		{goToolchain, "go version go1.26.8 linux/amd64", ""},
		{goToolchain, "go version go1.26rc1 darwin/arm64", ""},
		{goToolchain, "go version go1.30 linux/amd64", ""},
		{goToolchain, "go version go1.9.7 linux/amd64", "Go 1.26 or newer is needed, found"},
		{goToolchain, "go version devel", "printed no version"},
		{nodeJS, "v20.20.2\n", ""},
		{nodeJS, "v100.0.1", ""},
		{nodeJS, "v18.19.0", "Node.js 20 or newer is needed, found"},
		{nodeJS, "", "printed no version"},
		{python, "Python 3.10.0", ""},
		{python, "Python 3.9.18", "Python 3.10 or newer is needed, found"},
		{python, "Python 2.7.18", "Python 3.10 or newer is needed, found"},
	} {
		err := row.program.accept(row.printed)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%q: error %v, want %q", row.printed, err, row.want)
		}
	}
}

func TestEveryMissingProgramIsNamedAtOnce(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Check(t.Context())
	if err == nil {
		t.Fatal("nothing is missing on an empty PATH")
	}
	for _, want := range []string{
		"Go 1.26 or newer is needed", "Node.js 20 or newer is needed", "Python 3.10 or newer is needed",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
