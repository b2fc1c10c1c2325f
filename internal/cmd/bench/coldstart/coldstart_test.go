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
	construct, err := os.ReadFile("../../../../replicatedtable/asset.go")
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
	if generated == nil || !strings.HasSuffix(string(own), "\n"+strings.ReplaceAll(string(generated[1]), "%[1]s", "replicator")) {
		t.Errorf("the construct's main is\n%s\nnot\n%s", generated, own)
	}
}

func TestEveryFunctionStartsAndAnswersABatch(t *testing.T) {
	api, err := serveRuntimeAPI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer api.close()
	e, closeServer, err := serveTLS(t.TempDir())
	defer closeServer()
	if err != nil {
		t.Fatal(err)
	}
	all := make([]built, len(functions))
	for i, f := range functions {
		f.flags = constructFlags // one set, so that the SDK is compiled once
		all[i] = built{function: f, binary: filepath.Join(t.TempDir(), f.name)}
		if all[i].size, err = compile(t.Context(), f, all[i].binary, runtime.GOOS, runtime.GOARCH); err != nil {
			t.Fatal(err)
		}
		p, err := api.start(t.Context(), f, all[i].binary, dynamoDB{url: "http://" + api.address})
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		p.end()
		all[i].starts = append(all[i].starts, p.took)
		if !f.writes {
			continue
		}
		if err := all[i].measureFirstBatch(t.Context(), api, e, nil); err != nil {
			t.Fatalf("%s with TLS: %v", f.name, err)
		}
		if took := all[i].firstBatches[0].batch; took < delay {
			t.Errorf("%s with TLS: answered after %v", f.name, took)
		}
	}
	var out strings.Builder
	report(&out, all)
	reportFirstBatch(&out, all, nil)
	for _, f := range functions {
		for _, text := range []string{
			"| " + f.title + " |", "ratio cold start_ms:" + f.name + " ", "ratio cold binary_mb:" + f.name + " ",
		} {
			if !strings.Contains(out.String(), text) {
				t.Errorf("no %q in\n%s", text, out.String())
			}
		}
		if got := strings.Contains(out.String(), "ratio cold first_batch_ms:"+f.name+" "); got != f.writes {
			t.Errorf("a first batch of %s: %t, want %t in\n%s", f.name, got, f.writes, out.String())
		}
	}
}

func TestAFunctionThatEndsIsAnError(t *testing.T) {
	api, err := serveRuntimeAPI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer api.close()
	if _, err := api.start(
		t.Context(),
		function{},
		"true",
		dynamoDB{},
	); err == nil ||
		!strings.Contains(err.Error(), "ended before") {
		t.Errorf("got %v", err)
	}
}
