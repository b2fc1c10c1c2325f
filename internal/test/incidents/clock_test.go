package incidents

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockVariable names the file with the time of the function's process, in nanoseconds.
const clockVariable = "REPLICATEDTABLE_TEST_CLOCK"

// clockSource is the replicator's clock in a function of these tests.
const clockSource = `package replicator

import (
	"os"
	"strconv"
	"time"
)

func storyNow() time.Time {
	text, err := os.ReadFile(os.Getenv("` + clockVariable + `"))
	if err != nil {
		panic(err)
	}
	nanoseconds, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		panic(err)
	}
	return time.Unix(0, nanoseconds)
}

func storySince(t time.Time) time.Duration { return storyNow().Sub(t) }
`

// clocks are the calls that decide by the clock, by the replicator's file. All others measure
// or limit the time that requests take.
var clocks = []struct{ file, old, new string }{
	{"health.go", "time.Now()", "storyNow()"},
	{"health.go", "time.Since(", "storySince("},
	{"handler.go", "&health{started: time.Now()}", "&health{started: storyNow()}"},
	{"change.go", "time.Since(", "storySince("},
	{"metrics.go", "append(w.lines[:0], time.Now(),", "append(w.lines[:0], storyNow(),"},
}

// buildFunction builds the function into a folder, with the clock of a story.
func buildFunction(root, folder string) (program string, err error) {
	replicator := filepath.Join(root, "runtime", "replicator")
	sources := map[string]string{"story_clock.go": clockSource}
	for _, c := range clocks {
		text, known := sources[c.file]
		if !known {
			content, err := os.ReadFile(filepath.Join(replicator, c.file))
			if err != nil {
				return "", err
			}
			text = string(content)
		}
		if !strings.Contains(text, c.old) {
			return "", fmt.Errorf("%s has no %s any more: say in this test what the function decides by the clock", c.file, c.old)
		}
		sources[c.file] = strings.ReplaceAll(text, c.old, c.new)
	}

	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, text := range sources {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
		overlay.Replace[filepath.Join(replicator, name)] = path
	}
	content, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	list := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(list, content, 0o600); err != nil {
		return "", err
	}

	return buildProgram(root, filepath.Join(folder, "function"),
		"-overlay="+list, "-tags=lambda.norpc", "./internal/test/incidents/testdata/function")
}

// buildProgram builds a program of this repository.
func buildProgram(root, program string, args ...string) (string, error) {
	build := exec.Command("go", append([]string{"build", "-o", program}, args...)...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return program, nil
}

// setClock writes the time of the bubble into the file that the function's process reads.
func setClock(file string) error {
	return os.WriteFile(file, strconv.AppendInt(nil, time.Now().UnixNano(), 10), 0o600)
}

// What the replicator decides by the clock is in these files: a call in another one would see
// the real time.
func TestNoOtherFileOfTheReplicatorAsksForTheTime(t *testing.T) {
	root := engineRoot(t)
	// These measure or limit the time that requests take.
	known := map[string]int{"health.go": 3, "handler.go": 2, "change.go": 1, "metrics.go": 2, "deadline.go": 1, "write.go": 5}
	files, err := filepath.Glob(filepath.Join(root, "runtime", "replicator", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		for _, call := range []string{"time.Now(", "time.Since(", "time.Until("} {
			calls += strings.Count(string(content), call)
		}
		if calls != known[filepath.Base(file)] {
			t.Errorf("%s asks for the time %d times, this test knows of %d", file, calls, known[filepath.Base(file)])
		}
	}
}
