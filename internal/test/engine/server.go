// Package engine starts the local engines that the tests and the demo run
// against: DynamoDB Local for everything about data and streams, MiniStack for
// wiring end to end. Both listen on a free loopback port of their own, write
// their log below .local/logs, and never outlive the process that started them
// unless asked to.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/replicatedtable/cdk-go/internal/tools"
)

const (
	// startTimeout is the longest time from an engine's start to its first answer.
	// DynamoDB Local needs 2 to 3 s on a 2-core machine, several times that when
	// other packages' tests compile at the same time.
	startTimeout = 60 * time.Second
	// stopTimeout is the longest time from SIGTERM to an engine's end before it is
	// killed. Both end in under a second.
	stopTimeout = 10 * time.Second
	// portAttempts is how often a start is tried when another process gets the port
	// first.
	portAttempts = 5
)

// Server is a running engine.
type Server struct {
	// Endpoint is the engine's URL, such as http://127.0.0.1:10000.
	Endpoint string
	// Log is the file with everything the engine wrote.
	Log string

	process *os.Process
	// temporary is the engine's working directory, removed by Stop.
	temporary string
	exited    chan struct{} // closed when the process has ended and was waited for
	watchdog  *exec.Cmd
	stop      sync.Once
	stopErr   error
}

// launch says how to start one kind of engine.
type launch struct {
	name string
	// command listens on the port and keeps its files in the temporary folder.
	command func(port int, temporary string) *exec.Cmd
	// health is the path that answers when the engine is ready, with this status.
	health string
	status int
	// keeps is a file that the engine holds open as long as it lives. An engine with
	// one outlives the process that started it.
	keeps *os.File
}

// errPortTaken means that another process listens on the port.
var errPortTaken = errors.New("the port is taken")

// start starts an engine and waits until it answers. ctx bounds the start only;
// cancelling it later does not stop the engine.
func start(ctx context.Context, root string, l launch) (*Server, error) {
	for attempt := 1; ; attempt++ {
		port, err := freePort(ctx)
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", l.name, err)
		}
		s, err := startOn(ctx, root, port, l)
		if errors.Is(err, errPortTaken) && attempt < portAttempts {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", l.name, err)
		}
		return s, nil
	}
}

// tried counts the ports this process has tried.
var tried atomic.Int64

// freePort returns a port that nothing listens on. Neither engine can listen on port
// 0, so another process could get the port between this check and the engine's own
// bind. To make that rare, the port is below the range for outgoing connections (32768
// and up), and processes with different ids try different ports. start tries again
// where it happens all the same.
func freePort(ctx context.Context) (int, error) {
	const first, count, perProcess = 10000, 20000, 16
	for range count {
		port := first + (os.Getpid()*perProcess+int(tried.Add(1)))%count
		// All interfaces, as DynamoDB Local does: the port must be free on each.
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port from %d to %d", first, first+count-1)
}

func startOn(ctx context.Context, root string, port int, l launch) (*Server, error) {
	logs, temporaries := filepath.Join(root, tools.Directory, "logs"), filepath.Join(root, tools.Directory, "tmp")
	if err := errors.Join(os.MkdirAll(logs, 0o755), os.MkdirAll(temporaries, 0o755)); err != nil {
		return nil, err
	}

	temporary, err := os.MkdirTemp(temporaries, l.name+"-")
	if err != nil {
		return nil, err
	}
	s := &Server{
		Endpoint:  fmt.Sprintf("http://127.0.0.1:%d", port),
		Log:       filepath.Join(logs, fmt.Sprintf("%s-%d.log", l.name, port)),
		exited:    make(chan struct{}),
		temporary: temporary,
	}
	log, err := os.Create(s.Log)
	if err != nil {
		return nil, err
	}
	defer log.Close()

	cmd := l.command(port, temporary)
	cmd.Dir = temporary
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own: Ctrl-C at the terminal reaches the starting process
	// only, which then ends the engine in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if l.keeps != nil {
		cmd.ExtraFiles = []*os.File{l.keeps}
		// A session of its own too, so that closing the terminal does not end it.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	}

	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.process = cmd.Process
	go func() {
		// The log says more than the exit status.
		_ = cmd.Wait()
		close(s.exited)
	}()
	if l.keeps == nil {
		if err := s.watch(); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
	}
	if err := s.awaitHealth(ctx, l); err != nil {
		return nil, errors.Join(err, s.Stop())
	}

	return s, nil
}

// watch ends the engine when this process ends in any way, even killed: the
// watchdog reads from a pipe that only this process holds open for writing.
func (s *Server) watch() error {
	const script = `read -r line; kill -s TERM -- "-$1"; sleep 1; rm -rf -- "$2"`
	s.watchdog = exec.Command("sh", "-c", script, "watchdog", strconv.Itoa(s.process.Pid), s.temporary)
	s.watchdog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// The write end stays referenced by the Cmd and open until Stop.
	if _, err := s.watchdog.StdinPipe(); err != nil {
		return err
	}
	return s.watchdog.Start()
}

func (s *Server) awaitHealth(ctx context.Context, l launch) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("no answer within %s", startTimeout))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		// DynamoDB Local stays alive, and silent, when it could not bind its port.
		log := s.logText()
		switch {
		case strings.Contains(strings.ToLower(log), "already in use"):
			return fmt.Errorf("%s: %w", s.Endpoint, errPortTaken)
		case l.answers(ctx, s.Endpoint):
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("it ended at once; %s says:\n%s", s.Log, log)
		case <-ctx.Done():
			return fmt.Errorf("%w; %s says:\n%s", context.Cause(ctx), s.Log, log)
		case <-tick.C:
		}
	}
}

func (l launch) answers(ctx context.Context, endpoint string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+l.health, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == l.status
}

func (s *Server) logText() string {
	log, err := os.ReadFile(s.Log)
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// Stop ends the engine, with the processes it started, and waits until it has ended.
// Another call returns the first call's result.
func (s *Server) Stop() error {
	s.stop.Do(func() { s.stopErr = s.end() })
	return s.stopErr
}

func (s *Server) end() error {
	if s.watchdog != nil && s.watchdog.Process != nil {
		// Before the engine, whose process id others may get once it has ended.
		_ = s.watchdog.Process.Kill()
		_ = s.watchdog.Wait()
	}
	_ = s.process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopTimeout):
	}

	// The rest of the engine's own process group: functions that MiniStack runs as
	// processes, or the engine itself when it ignored the signal.
	err := syscall.Kill(-s.process.Pid, syscall.SIGKILL)
	<-s.exited
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the processes of %s: %w", s.Endpoint, err)
	}
	return os.RemoveAll(s.temporary)
}
