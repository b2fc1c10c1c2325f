package engine_test

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

func TestRootIsFoundFromEveryFolderOfTheRepository(t *testing.T) {
	root, err := engine.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{".", "examples/users", "internal/test/engine"} {
		t.Run(folder, func(t *testing.T) {
			t.Chdir(filepath.Join(root, folder))
			if got, err := engine.Root(); err != nil || got != root {
				t.Errorf("Root() = %q, %v, want %q", got, err, root)
			}
		})
	}
	t.Run("outside the repository it is an error", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if got, err := engine.Root(); err == nil {
			t.Errorf("Root() = %q, want an error", got)
		}
	})
}

func TestEnginesStartedAtTheSameTimeGetPortsOfTheirOwn(t *testing.T) {
	root := enginetest.Require(t, tools.Python)
	servers := make([]*engine.Server, 3)
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() {
			s, err := engine.StartMiniStack(t.Context(), root)
			if err != nil {
				t.Error(err)
				return
			}
			servers[i] = s
		})
	}
	wg.Wait()
	endpoints := map[string]bool{}
	for _, s := range servers {
		if s == nil {
			continue
		}
		endpoints[s.Endpoint] = true
		if !answers(t, s.Endpoint) {
			t.Errorf("%s does not answer", s.Endpoint)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		if answers(t, s.Endpoint) {
			t.Errorf("%s answers after Stop", s.Endpoint)
		}
	}
	if len(endpoints) != len(servers) {
		t.Errorf("%d engines have the endpoints %v", len(servers), endpoints)
	}
}

// TestEngineEndsWithTheProcessThatStartedIt runs this test binary again as the
// process that starts the engine, and kills it so that it cannot clean up.
func TestEngineEndsWithTheProcessThatStartedIt(t *testing.T) {
	const child = "REPLICATEDTABLE_TEST_CHILD"
	root := enginetest.Require(t, tools.Python)
	if os.Getenv(child) != "" {
		s, err := engine.StartMiniStack(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(os.Stdout, s.Endpoint+"\n")
		select {} // until killed
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable, "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 256)
	n, err := stdout.Read(line)
	endpoint := strings.TrimSpace(string(line[:n]))
	if killErr := cmd.Process.Kill(); err != nil || killErr != nil {
		t.Fatal(err, killErr)
	}
	_ = cmd.Wait() // killed, as intended
	if !strings.HasPrefix(endpoint, "http://127.0.0.1:") {
		t.Fatalf("the child printed %q, want an endpoint", endpoint)
	}
	for end := time.Now().Add(20 * time.Second); answers(t, endpoint); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s still answers after its starter was killed", endpoint)
		}
	}
}

func TestDetachedMiniStackIsFoundAndStopped(t *testing.T) {
	root, record := enginetest.Require(t, tools.Python), filepath.Join(t.TempDir(), "ministack.json")
	if found, err := engine.FindDetached(record); found != nil || err != nil {
		t.Fatalf("FindDetached before the start = %v, %v, want nothing", found, err)
	}
	started, err := engine.StartDetachedMiniStack(t.Context(), root, record)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-started.PID, syscall.SIGKILL) })
	found, err := engine.FindDetached(record)
	if err != nil || found == nil || *found != *started {
		t.Fatalf("FindDetached = %+v, %v, want %+v", found, err, started)
	}
	if _, err := engine.StartDetachedMiniStack(t.Context(), root, record); !errors.Is(err, engine.ErrBusy) {
		t.Errorf("a second start = %v, want ErrBusy", err)
	}
	if err := found.Stop(); err != nil {
		t.Fatal(err)
	}
	if answers(t, started.Endpoint) {
		t.Errorf("%s answers after Stop", started.Endpoint)
	}
	if _, err := os.Stat(started.Temporary); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there after Stop: %v", started.Temporary, err)
	}
	if found, err := engine.FindDetached(record); found != nil || err != nil {
		t.Errorf("FindDetached after Stop = %v, %v, want nothing", found, err)
	}
}

func answers(t *testing.T, endpoint string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return true
}
