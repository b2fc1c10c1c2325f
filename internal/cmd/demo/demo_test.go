package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

// newRunner returns a runner with a state folder and settings of its own, so
// that what a developer left running stays untouched.
func newRunner(t *testing.T, settings map[string]string) (*runner, *bytes.Buffer) {
	t.Helper()
	root := enginetest.Require(t, tools.Node, tools.Python)
	var out bytes.Buffer
	getenv := func(name string) string { return settings[name] }
	return &runner{root: root, state: t.TempDir(), out: &out, getenv: getenv}, &out
}

func TestDemoHoldsAndStopsEverything(t *testing.T) {
	r, out := newRunner(t, nil)
	err := r.run(t.Context(), "demo")
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
	source, article := tablesOf(t, out.String(), "source table", 2), tablesOf(t, out.String(), "article's target", 3)
	lossless := tablesOf(t, out.String(), "lossless target", 2)
	for _, u := range append(slices.Clone(users), neighbor) {
		late, hidden := u == neighbor, u == users[0]
		for _, has := range []struct {
			table string
			want  bool
		}{
			{source[0], !late}, {source[1], !late},
			{article[0], !late}, {article[1], !hidden}, {article[2], !hidden && !late},
			{lossless[0], true}, {lossless[1], !late},
		} {
			if strings.Contains(has.table, u.Email) != has.want {
				t.Errorf("%s is in the table: %v, want %v\n%s", u.Email, !has.want, has.want, has.table)
			}
		}
		if !late && !strings.Contains(source[0], u.Zipcode) {
			t.Errorf("the zip code %s of %s is not in the source table", u.Zipcode, u.Email)
		}
		if targets := strings.Join(append(article, lossless...), ""); strings.Contains(targets, u.Zipcode) ||
			strings.Contains(targets, "zipcode") {
			t.Errorf("the zip code of %s is in a target table", u.Email)
		}
		if u.State == neighbor.State && !strings.Contains(out.String(), u.Email+" lives in "+u.City+", "+u.State) {
			t.Errorf("%s is not in the answer for %s", u.Email, u.State)
		}
	}
	if !strings.Contains(lossless[0], "Brooklyn#user1@example.com") {
		t.Error("the lossless target does not join city and email")
	}
	if got := strings.Count(out.String(), " lives in "); got != 5 {
		t.Errorf("the queries found %d users, want 2 in the state, 1 in the city, and then 2 there", got)
	}
	if endpoint := endpointIn(t, out.String()); answers(endpoint) {
		t.Errorf("MiniStack still answers at %s", endpoint)
	}
}

// TestUpLeavesTheExampleRunningUntilDown also runs the demo on what up left running, as on
// any emulator named by AWS_ENDPOINT_URL.
func TestUpLeavesTheExampleRunningUntilDown(t *testing.T) {
	r, out := newRunner(t, nil)
	t.Cleanup(func() {
		if d, err := engine.FindDetached(r.recordFile()); err == nil && d != nil {
			_ = d.Stop()
		}
	})
	if err := r.run(t.Context(), "down"); err != nil || !strings.Contains(out.String(), "Nothing is running") {
		t.Fatalf("down with nothing running: %v, %s", err, out)
	}
	if err := r.run(t.Context(), "up"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(r.outputsFile())
	if err != nil {
		t.Fatal(err)
	}
	var o map[string]string
	if err := json.Unmarshal(content, &o); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"endpoint", "apiId", "sourceTable", "targetTable", "losslessTable"} {
		if o[key] == "" {
			t.Errorf("outputs.json has no %s: %s", key, content)
		}
	}
	if len(o) != 5 {
		t.Errorf("outputs.json has %d keys, want 5: %s", len(o), content)
	}
	runPrintedCommand(t, out.String(), "-d", "HTTP/1.1 201 ")

	t.Run("a second up deploys again and keeps the items", func(t *testing.T) {
		out.Reset()
		err := r.run(t.Context(), "up")
		if err != nil || !strings.Contains(out.String(), "already running at "+o["endpoint"]) {
			t.Fatalf("%v\n%s", err, out)
		}
		runPrintedCommand(t, out.String(), "/users/"+users[0].Email, `"zipcode":"`+users[0].Zipcode+`"`)
	})
	t.Run("the demo runs on it, twice", func(t *testing.T) {
		onExisting, out := newRunner(t, map[string]string{"AWS_ENDPOINT_URL": o["endpoint"]})
		for range 2 {
			if err := onExisting.run(t.Context(), "demo"); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		if !answers(o["endpoint"]) {
			t.Error("the demo stopped an emulator that it did not start")
		}
	})
	t.Run("without one of its rights, a function fails", func(t *testing.T) {
		testRights(t, r, o["apiId"])
	})

	if err := r.run(t.Context(), "down"); err != nil {
		t.Fatal(err)
	}
	if answers(o["endpoint"]) {
		t.Errorf("%s still answers after down", o["endpoint"])
	}
	if _, err := os.Stat(r.outputsFile()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("outputs.json is still there after down: %v", err)
	}
}

// testRights takes each action away that a function of the example uses, on the MiniStack
// that up left running after a demo.
func testRights(t *testing.T, r *runner, apiID string) {
	running, err := engine.FindDetached(r.recordFile())
	if err != nil || running == nil {
		t.Fatal(running, err)
	}
	c := &cdk.Cloud{Endpoint: running.Endpoint, Log: running.Log}
	a := newAPI(c, &stackOutputs{APIID: apiID})
	ctx, cancel := context.WithTimeout(t.Context(), arrivalTimeout)
	defer cancel()
	const replicator, answersAPI = "UsersRole293586EA", "ApiFunctionRoleF04A0202"

	stays, leaves := users[1], users[2]
	newcomer := func(name string) user { return user{Email: name + "@example.com", State: "Ohio", City: "Akron"} }
	for _, row := range []struct {
		role, action, method, path string
		body                       any
		status                     int // without the action
		restored                   int // with it, for the same request
	}{
		{answersAPI, "dynamodb:PutItem", "POST", "/", newcomer("user7"), 500, 201},
		{answersAPI, "dynamodb:GetItem", "GET", "/users/" + stays.Email, nil, 500, 200},
		{answersAPI, "dynamodb:Query", "GET", usersPath(stays.State, ""), nil, 500, 200},
		{answersAPI, "dynamodb:DeleteItem", "DELETE", "/users/user7@example.com", nil, 500, 204},
		{replicator, "dynamodb:BatchWriteItem", "POST", "/", newcomer("user8"), 201, 201},
		{replicator, "dynamodb:PutItem", "POST", "/", newcomer("user9"), 201, 201},
		{replicator, "dynamodb:DeleteItem", "DELETE", "/users/" + leaves.Email, nil, 204, 404},
	} {
		role, err := c.PhysicalID(ctx, stackName, row.role)
		if err != nil {
			t.Fatal(err)
		}
		giveBack, err := c.TakeAway(ctx, role, row.action)
		if err != nil {
			t.Fatal(err)
		}
		_, failed := a.call(ctx, row.method, row.path, row.body, row.status)
		if row.role == replicator {
			// MiniStack takes every answer of a function for success, so the log must say it.
			failed = errors.Join(failed, c.AwaitDenial(ctx, row.action))
		}
		failed = errors.Join(failed, giveBack())
		_, err = a.call(ctx, row.method, row.path, row.body, row.restored)
		if err := errors.Join(failed, err); err != nil {
			t.Errorf("%s without %s: %v", row.role, row.action, err)
		}
	}
}

func TestInterruptStopsEverything(t *testing.T) {
	root := enginetest.Require(t, tools.Node, tools.Python)
	binary := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	stdout, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	cmd := exec.CommandContext(t.Context(), binary, "demo")
	cmd.Dir = root
	mark := "REPLICATEDTABLE_TEST_RUN=" + t.TempDir()
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL=", mark)
	cmd.Stdout, cmd.Stderr = stdout, stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := func() string {
		content, err := os.ReadFile(stdout.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	// In the middle of the longest step, when cdk has started the app.
	inTheMiddle := func() bool {
		isApp := func(command string) bool { return strings.HasPrefix(command, "go run") }
		return strings.Contains(printed(), "cdk synth") &&
			(runtime.GOOS != "linux" || slices.ContainsFunc(processesWith(t, mark), isApp))
	}
	for end := time.Now().Add(2 * time.Minute); !inTheMiddle(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			_ = cmd.Process.Kill()
			t.Fatalf("it never came to cdk synth:\n%s", printed())
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(printed(), "interrupted") {
		t.Errorf("exit %v, want status 1 and a word on why:\n%s", err, printed())
	}
	if endpoint := endpointIn(t, printed()); answers(endpoint) {
		t.Errorf("MiniStack still answers at %s", endpoint)
	}
	if left := processesWith(t, mark); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
}

// processesWith lists the command lines of the processes that have a variable in
// their environment. It lists none on systems other than Linux.
func processesWith(t *testing.T, variable string) []string {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, file := range environments {
		// Processes come and go, and some belong to others.
		environment, err := os.ReadFile(file)
		if err != nil || !slices.Contains(strings.Split(string(environment), "\x00"), variable) {
			continue
		}
		command, err := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if err == nil {
			commands = append(commands, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return commands
}

func TestUnknownCommandIsAnError(t *testing.T) {
	if err := (&runner{}).run(t.Context(), "deploy"); err == nil || !strings.Contains(err.Error(), "demo, up or down") {
		t.Errorf("error %v, want the commands there are", err)
	}
}

// runPrintedCommand pastes one of the commands that up printed into a shell.
func runPrintedCommand(t *testing.T, printed, with, want string) {
	t.Helper()
	for command := range strings.SplitSeq(strings.ReplaceAll(printed, "\\\n", ""), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(command), "curl ") || !strings.Contains(command, with) {
			continue
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", command).Output()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, want %s in\n%s", command, err, want, out)
		}
		return
	}
	t.Errorf("up printed no curl command with %s:\n%s", with, printed)
}

// tablesOf returns the n tables with a title that the demo printed.
func tablesOf(t *testing.T, printed, title string, n int) []string {
	t.Helper()
	var tables []string
	for block := range strings.SplitSeq(printed, "\n\n") {
		if strings.HasPrefix(block, "  "+title) {
			tables = append(tables, block)
		}
	}
	if len(tables) != n {
		t.Fatalf("the %s is printed %d times, want %d", title, len(tables), n)
	}
	return tables
}

func endpointIn(t *testing.T, printed string) string {
	t.Helper()
	endpoint := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(printed)
	if endpoint == "" {
		t.Fatalf("no endpoint is printed:\n%s", printed)
	}
	return endpoint
}

func answers(endpoint string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return true
}
