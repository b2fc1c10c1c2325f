package runbook_test

import (
	"os"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/runbook"
)

func TestAShellKeepsVariablesAndExitCodes(t *testing.T) {
	root, err := engine.Root()
	if err != nil {
		t.Fatal(err)
	}
	shell, err := runbook.NewShell(t.Context(), root, t.TempDir(), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Set(t.Context(), "A", "it's"); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		line, output string
		exitCode     int
	}{
		{`B=$(printf '%s b' "$A")`, "", 0},
		{`printf '%s' "$B"; false`, "it's b", 1},
		{`export C=`, "", 0},
		{`no-such-command 2> /dev/null`, "", 127},
		{`replicatedtable help 2> /dev/null`, "", 0},
	} {
		output, exitCode, err := shell.Run(t.Context(), tt.line)
		if err != nil || output != tt.output || exitCode != tt.exitCode {
			t.Errorf("%s: got %q, %d, %v", tt.line, output, exitCode, err)
		}
	}
	if got, err := shell.Get(t.Context(), "B"); err != nil || got != "it's b" {
		t.Errorf("B is %q, %v", got, err)
	}
}
