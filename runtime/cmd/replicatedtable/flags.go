package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/replicatedtable/cdk-go/runtime/reconciler"
)

// command is one run of the program.
type command struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// terminal says that a person reads stderr and can answer questions.
	terminal bool
	// stopping is closed when the run should end as soon as nothing is half done.
	stopping <-chan struct{}

	name  string
	flags settings
}

// settings are the values of the flags.
type settings struct {
	function, spec, target string
	segments               int
	writeUnits, readUnits  float64
	grace                  time.Duration
	progress, onAWS        string
	dryRun, strict, yes    bool
	keys, json             bool
	deadLetters            bool
}

// subcommands are the words after the program's name, with one line about each.
var subcommands = []struct {
	name, about string
	run         func(*command, context.Context) (int, error)
}{
	{"show", "print the mapping of a deployed function", (*command).show},
	{"backfill", "put the target items that are missing", (*command).reconcile},
	{"verify", "compare the tables in both directions; exit code 1 when they differ", (*command).reconcile},
	{"repair", "compare the tables, and mend each difference", (*command).reconcile},
	{"redrive", "make right what the messages in the failure queue are about", (*command).redrive},
}

// run reads the arguments, and does what they say.
func (c *command) run(ctx context.Context, args []string) (int, error) {
	if len(args) == 0 {
		c.help()
		return exitUsage, nil
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		c.help()
		return exitDone, nil
	}

	for _, s := range subcommands {
		if s.name != args[0] {
			continue
		}
		c.name = s.name
		err := c.parse(args[1:])
		if errors.Is(err, flag.ErrHelp) {
			return exitDone, nil
		}
		if err != nil {
			return exitUsage, err
		}
		return s.run(c, ctx)
	}

	return exitUsage, usageError("there is no command %q: run replicatedtable help", args[0])
}

func (c *command) help() {
	fmt.Fprint(c.stderr, "usage: replicatedtable COMMAND -function NAME [flags]\n\n")
	for _, s := range subcommands {
		fmt.Fprintf(c.stderr, "  %-9s %s\n", s.name, s.about)
	}
	fmt.Fprint(c.stderr, "\nreplicatedtable COMMAND -help lists the flags of a command.\n")
}

// parse reads the flags of the subcommand.
func (c *command) parse(args []string) error {
	f := flag.NewFlagSet("replicatedtable "+c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	s := &c.flags
	s.grace = reconciler.DefaultGrace
	f.StringVar(&s.function, "function", "", "`name` or ARN of the function of the ReplicatedTable")
	f.StringVar(&s.spec, "spec", "", "`file` with the mapping, instead of a function: what show -json prints")
	f.BoolVar(&s.json, "json", false, "print one JSON object a line")

	compares := c.name == "verify" || c.name == "repair"
	loops := compares || c.name == "backfill"
	reads := loops || c.name == "redrive"
	if c.name == "show" || loops {
		f.StringVar(&s.target, "target", "", "one target `table`; all by default")
	}
	if reads && c.name != "verify" {
		f.BoolVar(&s.dryRun, "dry-run", false, "read and count, and write nothing to a table")
		f.Float64Var(&s.writeUnits, "write-units", 0, "limit of each target table's write `units` a second; 0 is none")
	}
	if reads {
		f.BoolVar(&s.keys, "keys", false, "print key values")
		f.Float64Var(&s.readUnits, "read-units", 0, "limit of each table's read `units` a second; 0 is none")
	}
	if loops {
		f.IntVar(&s.segments, "segments", 0, "`number` of parts that are scanned at once, 1 to 1,000; "+
			"by default one for each 128 MiB of the table, at most 8")
		f.StringVar(&s.progress, "progress", "", "`file` to continue from, and to keep the progress in")
		f.BoolVar(&s.yes, "yes", false, "do not ask before a run that may cost more than a dollar")
		f.StringVar(&s.onAWS, "on-aws", "", "`ARN` of the state machine of AddReconciler, which does the work then")
	}
	if compares {
		f.DurationVar(&s.grace, "grace", s.grace,
			"how long a difference is read again before it counts, in whole seconds, at least 1s")
		f.BoolVar(&s.strict, "strict", false, "count empty keys with live claimants under LAST_WRITER_WINS as differences")
	}
	if c.name == "redrive" {
		f.BoolVar(&s.deadLetters, "dead-letters", false, "work through the dead-letter queue of the failure queue")
	}

	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(c.stderr)
		f.Usage()
		return err
	case err != nil:
		return usageError("%s: replicatedtable %s -help lists the flags", err, c.name)
	case f.NArg() > 0:
		return usageError("%q is not a flag: names come after a flag, as in -function NAME", f.Arg(0))
	}

	return s.check()
}

// maxSegments is the highest number of segments: more scans at once than one process can serve.
// DynamoDB itself allows 1,000,000.
const maxSegments = 1000

func (s *settings) check() error {
	var problems []string
	require := func(ok bool, problem string) {
		if !ok {
			problems = append(problems, problem)
		}
	}
	require(s.function == "" || s.spec == "", "-function and -spec exclude each other")
	require(s.segments >= 0 && s.segments <= maxSegments, fmt.Sprintf("-segments is not 1 to %d", maxSegments))
	require(s.writeUnits >= 0, "-write-units is negative")
	require(s.readUnits >= 0, "-read-units is negative")
	// An execution takes whole seconds, and 0 for its default.
	require(s.grace >= time.Second && s.grace%time.Second == 0,
		fmt.Sprintf("-grace is %s: use whole seconds, at least 1s", s.grace))
	require(s.onAWS == "" || s.progress == "",
		"-on-aws and -progress exclude each other: the execution keeps its own progress")
	require(s.onAWS == "" || s.target == "" && !s.keys, "-on-aws works on all target tables and prints no keys")
	if len(problems) > 0 {
		return usageError("%s", strings.Join(problems, "; "))
	}

	return nil
}
