package main

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// The state machines of this test have the input and the outputs of the real one, and do nothing.
func TestAnExecutionOnAWSIsStartedAndWatched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cloud := r.besideCloud()
	s := usersSpec("onaws")
	r.create(s)
	file := r.file("spec.json", s.Encode())
	client := sfn.NewFromConfig(cloud)
	machine := func(state string) string {
		out, err := client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
			Name: aws.String(unique("machine")), Definition: aws.String(`{"StartAt":"Only","States":{"Only":` + state + `}}`),
			RoleArn: aws.String("arn:aws:iam::000000000000:role/functions"),
		})
		check(t, err)
		return *out.StateMachineArn
	}

	good := machine(
		`{"Type":"Pass","Result":{"operation":"verify","counts":{"Read":7,"Equal":6,"Kept":1}},"End":true}`)
	e := r.want(exitDone, "done: 7 read, 6 equal", "verify", "-spec", file, "-on-aws", good,
		"-segments", "3", "-read-units", "50", "-grace", "30s", "-strict")
	wantInput(t, client, e, map[string]any{"operation": "verify", "sourceTable": s.Source.TableName,
		"segments": 3.0, "readUnits": 50.0, "graceSeconds": 30.0, "strict": true})
	function := createFunction(t, cloud, s.Environment(0))
	e = r.want(exitDone, "done", "verify", "-function", function, "-on-aws", good)
	wantInput(t, client, e, map[string]any{"operation": "verify", "sourceTable": s.Source.TableName,
		"functionName": function, "graceSeconds": 60.0})

	collisions := s
	collisions.Targets = slices.Clone(s.Targets)
	collisions.Targets[0].SortKey = nil
	collisions.Targets[0].OnKeyCollision, collisions.Targets[0].VersionAttribute = spec.LastWriterWins, "v"
	empty := machine(`{"Type":"Pass","Result":{"operation":"verify","passes":[` +
		`{"Operation":"verify","Counts":{"Read":7,"Unclaimed":7}},` +
		`{"Operation":"verify","Target":"` + s.Targets[0].TableName + `","Counts":{"Read":0}}],` +
		`"counts":{"Read":7,"Unclaimed":7}},"End":true}`)
	r.want(exitDone, s.Targets[0].TableName+" is empty, and 7 source items",
		"verify", "-spec", r.file("collisions.json", collisions.Encode()), "-on-aws", empty)

	different := machine(`{"Type":"Fail","Error":"Differences","Cause":"2 differences are left"}`)
	r.want(exitDifferences, "2 differences are left", "verify", "-spec", file, "-on-aws", different)
	var end struct {
		Type, Error, Cause string
		ExitCode           int
	}
	e = r.want(exitDifferences, "", "verify", "-spec", file, "-on-aws", different, "-json")
	lines := strings.Split(strings.TrimSpace(e.stdout), "\n")
	check(t, json.Unmarshal([]byte(lines[len(lines)-1]), &end))
	if end.Type != "end" || end.ExitCode != exitDifferences || end.Cause != "2 differences are left" {
		t.Errorf("the last line is not the end: %s", e)
	}
	refusing := machine(`{"Type":"Fail","Error":"InputError","Cause":"segments is 2000"}`)
	r.want(exitUsage, "segments is 2000", "verify", "-spec", file, "-on-aws", refusing)
	broken := machine(`{"Type":"Fail","Error":"States.Timeout","Cause":"too slow"}`)
	r.want(exitUnfinished, "redrive-execution", "verify", "-spec", file, "-on-aws", broken)
	r.want(exitUsage, "there is no state machine", "verify", "-spec", file, "-on-aws",
		strings.Replace(good, "machine-", "lost-", 1))
	r.want(exitUsage, "-on-aws works on all target tables", "verify", "-spec", file, "-on-aws", good, "-keys")
}

// wantInput compares the input of the execution that the command has started.
func wantInput(t *testing.T, client *sfn.Client, e ended, want map[string]any) {
	t.Helper()
	_, execution, _ := strings.Cut(e.stderr, "started ")
	execution, _, _ = strings.Cut(execution, "\n")
	described, err := client.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	check(t, err)
	var input map[string]any
	check(t, json.Unmarshal([]byte(*described.Input), &input))
	if !reflect.DeepEqual(input, want) {
		t.Errorf("the input is %v, want %v", input, want)
	}
}
