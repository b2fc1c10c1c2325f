package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// What is measured must be what the construct builds. It cannot be imported: a
// program that links it starts jsii's machinery.
func TestOursIsBuiltAsTheConstructBuildsIt(t *testing.T) {
	construct, err := os.ReadFile("../../../replicatedtable/asset.go")
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`const buildFlags = "(.*)"`).FindSubmatch(construct)
	if flags == nil || string(flags[1]) != strings.Join(constructFlags, " ") {
		t.Errorf("the construct's flags are %q, not %q", flags, constructFlags)
	}
	generated := regexp.MustCompile("(?s)const functionMain = `[^`]*(package main.*?)`").FindSubmatch(construct)
	own, err := os.ReadFile("functions/replicator/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if generated == nil || !strings.HasSuffix(string(own), "\n"+string(generated[1])) {
		t.Errorf("the construct's main is\n%s\nnot\n%s", generated, own)
	}
}

func TestEveryFunctionAsksForAnInvocation(t *testing.T) {
	api, err := serveRuntimeAPI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer api.close()
	all := make([]built, len(functions))
	for i, f := range functions {
		all[i] = built{function: f, binary: filepath.Join(t.TempDir(), f.name)}
		if all[i].size, err = compile(t.Context(), f, all[i].binary, runtime.GOOS, runtime.GOARCH); err != nil {
			t.Fatal(err)
		}
		took, err := api.start(t.Context(), f, all[i].binary)
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		all[i].starts = append(all[i].starts, took)
	}
	var out strings.Builder
	report(&out, all)
	for _, f := range functions {
		for _, text := range []string{"| " + f.title + " |", "ratio cold start_ms:" + f.name + " ", "ratio cold binary_mb:" + f.name + " "} {
			if !strings.Contains(out.String(), text) {
				t.Errorf("no %q in\n%s", text, out.String())
			}
		}
	}
}

func TestAFunctionThatEndsIsAnError(t *testing.T) {
	api, err := serveRuntimeAPI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer api.close()
	if _, err := api.start(t.Context(), function{}, "true"); err == nil || !strings.Contains(err.Error(), "ended before") {
		t.Errorf("got %v", err)
	}
}
