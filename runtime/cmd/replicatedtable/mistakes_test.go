package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// mistake is a way to run the program that cannot work, and what it says.
type mistake struct {
	name string
	args []string
	env  []string
	want string
}

func (m mistake) test(r *rig) {
	r.t.Helper()
	cmd := r.command(m.args...)
	cmd.Env = append(cmd.Env, m.env...)
	e := r.end(cmd)
	if e.code != exitUsage || !strings.Contains(e.stderr, m.want) || strings.Count(e.stderr, "\n") != 1 {
		r.t.Errorf("%s: want exit code %d and one line with %q\n%s", m.name, exitUsage, m.want, e)
	}
}

func TestEveryMistakeHasOneLine(t *testing.T) {
	r := newRig(t)
	s := usersSpec("mistakes")
	r.create(s)
	good := r.file("good.json", s.Encode())

	noTables := usersSpec("nowhere")
	noStream := usersSpec("still")
	r.createTable(noStream.Source, "")
	r.createTable(noStream.Targets[0].Table, "")
	oneImage := usersSpec("half")
	r.createTable(oneImage.Source, types.StreamViewTypeNewImage)
	r.createTable(oneImage.Targets[0].Table, "")
	later := s
	later.MappingVersion = spec.MappingVersion + 1

	for _, m := range []mistake{
		{name: "a word that is no command", args: []string{"backfil"}, want: `no command "backfil"`},
		{name: "a flag that is none", args: []string{"verify", "-functoin", "x"}, want: "replicatedtable verify -help"},
		{name: "a name without its flag", args: []string{"verify", "Users-Function"}, want: "-function NAME"},
		{name: "two mappings", args: []string{"verify", "-function", "x", "-spec", "y"}, want: "exclude each other"},
		{name: "too many segments", args: []string{"verify", "-spec", good, "-segments", "1001"}, want: "1 to 1000"},
		{name: "no grace", args: []string{"verify", "-spec", good, "-grace", "0"}, want: "-grace is 0s: use whole seconds"},
		{name: "no grace on AWS", args: []string{"verify", "-spec", good, "-on-aws", "x", "-grace", "0s"},
			want: "-grace is 0s: use whole seconds, at least 1s"},
		{name: "less than a second", args: []string{"repair", "-spec", good, "-grace", "500ms"}, want: "-grace is 500ms"},
		{name: "a part of a second", args: []string{"verify", "-spec", good, "-grace", "1500ms"}, want: "-grace is 1.5s"},
		{name: "a rate of writes that verify does not do", args: []string{"verify", "-spec", good, "-write-units", "5"},
			want: "flag provided but not defined: -write-units: replicatedtable verify -help"},
		{name: "a grace that backfill does not have", args: []string{"backfill", "-spec", good, "-grace", "2s"},
			want: "not defined: -grace"},
		{name: "another service's ARN", args: []string{"verify", "-function", "arn:aws:s3:::bucket"},
			want: `"arn:aws:s3:::bucket" is not the ARN of a Lambda function`},
		{name: "no mapping", args: []string{"verify"}, want: spec.EnvironmentVariable},
		{name: "no file", args: []string{"verify", "-spec", "nowhere.json"}, want: "no such file"},
		{name: "no mapping in the file", args: []string{"verify", "-spec", r.file("bad.json", "[]")},
			want: "is not an object"},
		{name: "a later mapping", args: []string{"verify", "-spec", r.file("later.json", later.Encode())}, want: sameRelease},
		{name: "a field of a later release", want: sameRelease, args: []string{"verify", "-spec",
			r.file("field.json", strings.Replace(s.Encode(), "{", `{"Later":true,`, 1))}},
		{name: "no Region", args: []string{"verify", "-spec", good}, env: []string{"AWS_REGION="}, want: "AWS_REGION"},
		{name: "no credentials", args: []string{"verify", "-spec", good}, want: "AWS_PROFILE or log in", env: []string{
			"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_EC2_METADATA_DISABLED=true"}},
		{name: "another target", args: []string{"verify", "-spec", good, "-target", "x"}, want: s.Targets[0].TableName},
		{name: "no tables", args: []string{"verify", "-spec", r.file("none.json", noTables.Encode())},
			want: "no source table " + noTables.Source.TableName + " in the Region us-east-1"},
		{name: "no stream", args: []string{"backfill", "-spec", r.file("still.json", noStream.Encode())},
			want: "is off or lacks"},
		{name: "one image", args: []string{"backfill", "-spec", r.file("half.json", oneImage.Encode())},
			want: "is off or lacks"},
	} {
		m.test(r)
	}
}

func TestEveryMistakeAboutTheFunctionHasOneLine(t *testing.T) {
	r := newRig(t)
	cloud := r.withCloud()
	s := usersSpec("function")
	r.create(s)
	later := s
	later.MappingVersion = spec.MappingVersion + 1
	good := createFunction(t, cloud, s.Environment(0))
	another := createFunction(t, cloud, map[string]string{"A": "B"})
	laterOne := createFunction(t, cloud, later.Environment(0))
	lostLayer := createFunction(t, cloud, s.Names().Environment(0))

	// A role without a policy.
	role, err := sts.NewFromConfig(cloud).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/functions"), RoleSessionName: aws.String("nobody")})
	check(t, err)
	powerless := []string{"AWS_ACCESS_KEY_ID=" + *role.Credentials.AccessKeyId,
		"AWS_SECRET_ACCESS_KEY=" + *role.Credentials.SecretAccessKey, "AWS_SESSION_TOKEN=" + *role.Credentials.SessionToken}

	mistakes := []mistake{
		{name: "no such function", args: []string{"verify", "-function", "Nobody"},
			want: "no function Nobody in account 000000000000, Region us-east-1"},
		{name: "another account",
			args: []string{"verify", "-function", "arn:aws:lambda:us-east-1:111111111111:function:Good"},
			want: "in account 111111111111, and the credentials are those of account 000000000000"},
		{name: "not an ARN", args: []string{"verify", "-function", "arn:aws"}, want: "is not the ARN of a Lambda function"},
		{name: "another function", args: []string{"verify", "-function", another},
			want: "not the function of a ReplicatedTable"},
		{name: "a later mapping", args: []string{"verify", "-function", laterOne}, want: sameRelease},
		{name: "no layer", args: []string{"verify", "-function", lostLayer},
			want: "has the file replicatedtable/mapping.json"},
		{name: "no rights", args: []string{"verify", "-function", good}, env: powerless, want: "a permission is missing"},
		{name: "no event source mapping", args: []string{"backfill", "-function", good}, want: "does not read the stream"},
	}
	for _, m := range mistakes {
		m.test(r)
	}

	mapping, err := lambda.NewFromConfig(cloud).CreateEventSourceMapping(t.Context(),
		&lambda.CreateEventSourceMappingInput{
			FunctionName: &good, EventSourceArn: aws.String(r.streamARN(s.Source.TableName)),
			StartingPosition: "TRIM_HORIZON", Enabled: aws.Bool(false)})
	check(t, err)
	mistake{name: "a disabled event source mapping", args: []string{"backfill", "-function", good},
		want: "enable it first"}.test(r)
	_, err = lambda.NewFromConfig(cloud).DeleteEventSourceMapping(t.Context(),
		&lambda.DeleteEventSourceMappingInput{UUID: mapping.UUID})
	check(t, err)
}

func TestAProgressFileIsOfOneRun(t *testing.T) {
	r := newRig(t)
	s := usersSpec("progress")
	r.create(s)
	good := r.file("good.json", s.Encode())
	r.want(exitDone, "done", "backfill", "-spec", good, "-progress", "done.json", "-segments", "2")
	r.want(exitDone, "was finished on", "backfill", "-spec", good, "-progress", "done.json")

	other := s
	other.Targets = append([]spec.Target{}, s.Targets...)
	other.Targets[0].Projection.Type = spec.KeysOnly
	moved := usersSpec("moved")
	r.create(moved)
	lock := r.file("used.json.lock", "")
	held, err := os.Open(lock)
	check(t, err)
	defer held.Close()
	check(t, syscall.Flock(int(held.Fd()), syscall.LOCK_EX))

	for _, m := range []mistake{
		{name: "another operation", args: []string{"verify", "-spec", good}, want: "done.json is of a backfill"},
		{name: "a dry run", args: []string{"backfill", "-spec", good, "-dry-run"},
			want: "done.json is of a run that is not dry"},
		{name: "another mapping", args: []string{"backfill", "-spec", r.file("other.json", other.Encode())},
			want: "done.json is of another mapping"},
		{name: "other tables", args: []string{"backfill", "-spec", r.file("moved.json", moved.Encode())},
			want: "done.json is of other tables"},
		{name: "other segments", args: []string{"backfill", "-spec", good, "-segments", "3"},
			want: "done.json is of 2 segments"},
	} {
		m.args = append(m.args, "-progress", "done.json")
		m.test(r)
	}
	r.want(exitDone, "done", "backfill", "-spec", good, "-progress", "dry.json", "-dry-run")
	for _, m := range []mistake{
		{name: "a run that is not dry", args: []string{"backfill", "-spec", good, "-progress", "dry.json"},
			want: "dry.json is of a dry run"},
		{name: "in use", args: []string{"backfill", "-spec", good, "-progress", "used.json"}, want: "in use by another run"},
		{name: "another file", args: []string{"backfill", "-spec", good, "-progress", good}, want: "not a progress file"},
		{name: "no folder", args: []string{"backfill", "-spec", good, "-progress", "no/file.json"},
			want: "whose folder is not there"},
	} {
		m.test(r)
	}
}

func TestAReadOnlyFolderIsAMistake(t *testing.T) {
	r := newRig(t)
	s := usersSpec("readonly")
	r.create(s)
	good := r.file("good.json", s.Encode())
	folder := filepath.Join(r.folder, "readonly")
	check(t, os.Mkdir(folder, 0o555))
	cmd := r.command("backfill", "-spec", good, "-progress", filepath.Join(folder, "progress.json"))
	if os.Getuid() == 0 {
		// Permissions do not stop root: the program runs as a user who is nobody.
		check(t, os.Chmod(r.folder, 0o755))
		check(t, os.Chmod(filepath.Dir(r.folder), 0o755))
		check(t, os.Chmod(good, 0o644))
		check(t, os.Chmod(filepath.Dir(r.program), 0o755))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	e := r.end(cmd)
	if e.code != exitUsage || !strings.Contains(e.stderr, "whose folder cannot be written") {
		t.Error(e)
	}
}
