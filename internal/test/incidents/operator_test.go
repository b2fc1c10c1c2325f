package incidents

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/internal/test/runbook"
)

// operator is who does what the runbook says, command by command, in a shell. The command
// replicatedtable is the real one. The command aws notes its arguments, and what they ask for
// is done to the run.
type operator struct {
	run     *run
	runbook *runbook.Runbook
	env     []string
	calls   string // file
}

// awsCommand notes its arguments, one a line, with an empty line at the end. It answers one
// question, whose answer another command needs.
const awsCommand = `#!/bin/sh
if [ "$1 $2" = "sqs get-queue-attributes" ]; then
	printf '%s\n' "$QUEUE_ARN"
fi
printf '%s\n' "$@" "" >> "$AWS_CALLS"
`

func newOperator(r *run, command string) *operator {
	book, err := runbook.Read(engineRoot(r.t))
	check(r.t, err)
	o := &operator{run: r, runbook: book, calls: filepath.Join(r.folder, "calls")}
	programs := filepath.Join(r.folder, "bin")
	check(r.t, os.Mkdir(programs, 0o700))
	check(r.t, os.Symlink(command, filepath.Join(programs, "replicatedtable")))
	check(r.t, os.WriteFile(filepath.Join(programs, "aws"), []byte(awsCommand), 0o700))
	queue := ""
	for _, id := range r.template.Find("AWS::SQS::Queue") {
		if r.template.Refs[id] == r.spec.FailureQueueURL {
			queue = r.template.Attributes[id+".Arn"]
		}
	}
	o.env = []string{
		"HOME=" + r.folder, "PATH=" + programs + string(os.PathListSeparator) + os.Getenv("PATH"), "AWS_REGION=" + cdk.Region,
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL=" + r.gateway.endpoints[byOperator],
		"AWS_CALLS=" + o.calls, "QUEUE_ARN=" + queue,
		"FUNCTION=" + r.functionName, "MAPPING=" + r.uuid, "QUEUE=" + r.spec.FailureQueueURL, "STACK=App", "LOG=log", "ROLE=role",
		"SOURCE=" + r.spec.Source.TableName, "TARGET=" + r.spec.Targets[byPlace].TableName, "INDEX=" + wrongIndex, "KEY=key",
	}
	return o
}

// follow does what the runbook says under a heading. After a command that changes something,
// time passes.
func (r *run) follow(heading string) {
	commands, err := r.operator.runbook.Under(heading)
	r.must(err)
	var differs, changed bool
	for i, c := range commands {
		words := strings.Fields(c.Line)
		switch {
		case strings.HasPrefix(c.Line, r.without.step) && r.without.step != "":
			continue
		case r.without.step != "" && len(words) > 1 && words[1] == "verify" && c.Allows(1):
			differs = true // which is why something was taken away; the last one decides
			continue
		case len(words) > 1 && words[1] == "repair" && !differs:
			continue // nothing to repair
		}

		isLast := i == len(commands)-1
		exitCode, calls := r.operator.enter(c.Line)
		if words[0] == "replicatedtable" {
			differs = words[1] == "verify" && exitCode == 1 || differs && words[1] == "repair"
		}
		for _, call := range calls {
			changed = r.operator.carryOut(call) || changed
		}
		if changed {
			r.pass(catchUp)
			changed = false
		}
		if !c.Allows(exitCode) || isLast && exitCode != 0 {
			r.problem("%s: exit code %d", c, exitCode)
		}
	}
}

// catchUp is how long an operator waits after a change.
const catchUp = 20 * time.Minute

// grace is how long a command waits for differences to go away. This is real time, and nothing
// happens in it, so it is as short as it can be, also where the runbook has the default.
var grace = regexp.MustCompile(`^(replicatedtable (?:verify|repair) .*?)(?: -grace \S+)?$`)

// enter enters a command line.
func (o *operator) enter(line string) (exitCode int, calls [][]string) {
	r := o.run
	line = grace.ReplaceAllString(line, "$1 -grace 1s")
	var out bytes.Buffer
	r.must(r.outside.run(func() error {
		if err := os.RemoveAll(o.calls); err != nil {
			return err
		}
		shell := exec.Command("sh", "-c", line)
		shell.Dir, shell.Env, shell.Stdout, shell.Stderr = r.folder, o.env, &out, &out
		err := shell.Run()
		if shell.ProcessState == nil {
			return err
		}
		exitCode = shell.ProcessState.ExitCode()
		noted, err := os.ReadFile(o.calls)
		if os.IsNotExist(err) {
			return nil
		}
		for call := range strings.SplitSeq(strings.TrimSuffix(string(noted), "\n\n"), "\n\n") {
			calls = append(calls, strings.Split(call, "\n"))
		}
		return err
	}))
	r.t.Logf("%s: %s after the deployment: %s: exit code %d: %s", r.name, time.Since(r.start).Round(time.Minute), line, exitCode, lastLine(out.String()))
	return exitCode, calls
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}

// looks are the verbs of commands that change nothing.
var looks = regexp.MustCompile(`^(describe|get|list|filter|detect|lookup)-`)

// carryOut does what a command of the AWS CLI asks for, and reports whether that changes
// something.
func (o *operator) carryOut(call []string) bool {
	if len(call) < 2 || looks.MatchString(call[1]) {
		return false
	}
	flags := flagsOf(call[2:])
	switch call[0] + " " + call[1] {
	case "lambda update-event-source-mapping":
		o.run.must(updateMapping(o.run, flags))
	case "sqs create-queue", "sqs set-queue-attributes":
		return false // the queue is there
	case "kms enable-key":
		o.run.gateway.end(keyFault)
		o.run.gateway.end(queueKeyFault)
	case "dynamodb update-table":
		if flags["global-secondary-index-updates"] != "Delete={IndexName="+wrongIndex+"}" {
			o.run.t.Fatalf("the runbook says %q", call)
		}
		o.run.deleteIndex(byPlace)
	default:
		o.run.t.Fatalf("the runbook says %q, and these tests cannot do it", call)
	}
	return true
}

// flagsOf returns the values of flags, by their names. A flag without a value has "".
func flagsOf(arguments []string) map[string]string {
	flags := map[string]string{}
	for i, argument := range arguments {
		name, isFlag := strings.CutPrefix(argument, "--")
		if !isFlag {
			continue
		}
		flags[name] = ""
		if i+1 < len(arguments) && !strings.HasPrefix(arguments[i+1], "--") {
			flags[name] = arguments[i+1]
		}
	}
	return flags
}

// updateMapping does what update-event-source-mapping does with its flags. Source: AWS CLI
// Command Reference, "update-event-source-mapping".
func updateMapping(r *run, flags map[string]string) error {
	var problems []string
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			problems = append(problems, err.Error())
		}
		return n
	}
	for name, value := range flags {
		switch name {
		case "uuid", "query", "output":
		case "enabled":
			r.poller.Enable(true)
		case "no-enabled":
			r.poller.Enable(false)
		case "batch-size":
			r.poller.Change(func(m *eventsource.Mapping) { m.BatchSize = number(value) })
		case "maximum-batching-window-in-seconds":
			r.others.window = number(value)
		case "parallelization-factor":
			r.others.parallelization = number(value)
		case "filter-criteria":
			r.others.filters = value
		case "metrics-config":
			var meter *eventsource.Meter
			if value == "Metrics=EventCount" {
				meter = r.mapping.Meter
			}
			r.poller.Change(func(m *eventsource.Mapping) { m.Meter = meter })
		case "function-response-types":
			r.poller.Change(func(m *eventsource.Mapping) { m.PartialResponses = value == "ReportBatchItemFailures" })
		case "bisect-batch-on-function-error", "no-bisect-batch-on-function-error":
			r.poller.Change(func(m *eventsource.Mapping) { m.Bisect = !strings.HasPrefix(name, "no-") })
		case "maximum-record-age-in-seconds":
			r.poller.Change(func(m *eventsource.Mapping) { m.MaxRecordAge = time.Duration(number(value)) * time.Second })
		case "maximum-retry-attempts":
			r.poller.Change(func(m *eventsource.Mapping) { m.MaxRetryAttempts = number(value) })
		case "destination-config":
			var send func(eventsource.Discarded) error
			if slices.Contains(r.operator.env, "QUEUE_ARN="+strings.TrimSuffix(strings.TrimPrefix(value, "OnFailure={Destination="), "}")) {
				send = r.sendPosition
			}
			r.poller.Change(func(m *eventsource.Mapping) { m.OnFailure = send })
		default:
			problems = append(problems, "nobody knows --"+name)
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("update-event-source-mapping: %q", problems)
	}
	return nil
}

// otherSettings are those of an event source mapping that change nothing in these tests. They say
// whether a command sets them.
type otherSettings struct {
	window, parallelization int
	filters                 string
}

// changeEverything changes every setting of the event source mapping, as somebody might who tries
// what helps.
func (r *run) changeEverything() {
	r.poller.Enable(false)
	r.poller.Change(func(m *eventsource.Mapping) {
		m.BatchSize, m.Bisect, m.PartialResponses, m.MaxRecordAge, m.MaxRetryAttempts = 7, false, false, time.Minute, 0
		m.OnFailure, m.Meter = nil, nil
	})
	r.others = otherSettings{5, 10, `{"Filters":[{"Pattern":"{\"eventName\":[\"INSERT\"]}"}]}`}
}

// wantMapping wants the event source mapping to have the settings of the template.
func (r *run) wantMapping() {
	settings := func(m eventsource.Mapping, others otherSettings) string {
		return fmt.Sprintf("%d %v %v %s %d %v %v %+v", m.BatchSize, m.Bisect, m.PartialResponses, m.MaxRecordAge, m.MaxRetryAttempts,
			m.OnFailure != nil, m.Meter != nil, others)
	}
	var now eventsource.Mapping
	r.poller.Change(func(m *eventsource.Mapping) { now = *m })
	if got, want := settings(now, r.others), settings(r.mapping, r.templateOthers); got != want {
		r.problem("the event source mapping has %s, the template says %s", got, want)
	}
}
