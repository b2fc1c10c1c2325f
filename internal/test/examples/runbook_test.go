package examples_test

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/runbook"
)

// runRunbook runs every command of the runbook, from its beginning to its end, as somebody on call
// who pastes all of them into one terminal. Each has to end with an exit code that the document
// names. Before some headings, something happens that the commands below it have to mend.
func runRunbook(t *testing.T, root string, i *incidents) {
	t.Helper()
	book, err := runbook.Read(root)
	check(t, err)
	i.t, i.endpoint = t, behindTLS(t, i.cloud)
	i.shell, err = runbook.NewShell(t.Context(), root, t.TempDir(), (&cdk.Cloud{Endpoint: i.endpoint}).Environment())
	check(t, err)
	i.connect()

	happens, effects := i.happens(), i.effects()
	told, checked := map[string]bool{}, map[string]bool{}
	for _, c := range book.Commands {
		if happen := happens[c.Heading]; happen != nil && !told[c.Heading] {
			told[c.Heading] = true
			happen()
		}
		output, exitCode := i.run(c)
		for part, effect := range effects {
			if strings.Contains(c.Line, part) {
				checked[part] = true
				effect(c, output, exitCode)
			}
		}
		if t.Failed() {
			t.Fatalf("after %s\nwhich ended with exit code %d:\n%s", c, exitCode, output)
		}
	}

	// A heading or a command that has another text now would go unnoticed.
	for heading := range happens {
		if !told[heading] {
			t.Errorf("nothing happened before %q: there is no command under that heading", heading)
		}
	}
	for part := range effects {
		if !checked[part] {
			t.Errorf("no effect of %q was checked: no command has it", part)
		}
	}
}

// assignment is a command that sets a variable to what another one prints.
var assignment = regexp.MustCompile(`^([A-Z]+)=`)

// run runs a command, and checks its exit code. A variable that it sets has a value: the exit code of
// a pipeline is that of its last command only.
func (i *incidents) run(c runbook.Command) (output string, exitCode int) {
	i.t.Helper()
	output, exitCode, err := i.shell.Run(i.t.Context(), c.Line)
	check(i.t, err)
	if !c.Allows(exitCode) {
		i.t.Errorf("want one of the exit codes %d", c.ExitCodes)
	}
	if m := assignment.FindStringSubmatch(c.Line); m != nil {
		if value := i.get(m[1]); value == "" || value == "None" || strings.ContainsAny(value, " \t\n") {
			i.t.Errorf("the command sets %s to %q", m[1], value)
		}
	}

	return output, exitCode
}

// behindTLS returns the endpoint of a proxy that says of each request that it came over TLS. The
// policies of the queues deny all others, to the root user too.
func behindTLS(t *testing.T, cloud *cdk.Cloud) string {
	t.Helper()
	endpoint, err := url.Parse(cloud.Endpoint)
	check(t, err)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(endpoint)
		r.Out.Host = r.In.Host // it is signed
		r.Out.Header.Set("X-Forwarded-Proto", "https")
	}})
	t.Cleanup(proxy.Close)

	return proxy.URL
}

// get returns a variable of the terminal.
func (i *incidents) get(name string) string {
	i.t.Helper()
	value, err := i.shell.Get(i.t.Context(), name)
	check(i.t, err)
	return value
}

// set sets a variable of the terminal.
func (i *incidents) set(name, value string) {
	i.t.Helper()
	check(i.t, i.shell.Set(i.t.Context(), name, value))
}

// do runs a command that is not in the runbook, and returns what it prints.
func (i *incidents) do(format string, args ...any) string {
	i.t.Helper()
	return succeed(i.t, i.shell, fmt.Sprintf(format, args...))
}

// succeed runs a command that has to succeed, and returns what it prints.
func succeed(t *testing.T, shell *runbook.Shell, line string) string {
	t.Helper()
	output, exitCode, err := shell.Run(t.Context(), line)
	check(t, err)
	if exitCode != 0 {
		t.Fatalf("%s\nended with exit code %d:\n%s", line, exitCode, output)
	}
	return strings.TrimSpace(output)
}
