package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/cdktest"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// build builds the program once for all tests of this package.
var build = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "replicatedtable-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "replicatedtable")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// rig is what the program works on: DynamoDB Local, and where a test needs functions and queues,
// MiniStack.
type rig struct {
	t       testing.TB
	config  aws.Config // for DynamoDB
	db      *dynamodb.Client
	program string
	env     []string
	folder  string
}

func newRig(t testing.TB) *rig {
	t.Helper()
	endpoint := enginetest.DynamoDBLocal(t)
	program, err := build()
	check(t, err)
	r := &rig{t: t, program: program, folder: t.TempDir(), config: aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint, APIOptions: awsconfig.APIOptions,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}}
	r.db = dynamodb.NewFromConfig(r.config)
	r.env = []string{
		"HOME=" + r.folder, "PATH=" + os.Getenv("PATH"), "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_ENDPOINT_URL=" + endpoint,
	}

	return r
}

// withCloud adds MiniStack, with all tables there.
func (r *rig) withCloud() aws.Config {
	r.t.Helper()
	cloud := r.besideCloud()
	r.db = dynamodb.NewFromConfig(cloud)
	r.env = append(r.env, "AWS_ENDPOINT_URL_DYNAMODB=", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS=")
	return cloud
}

// besideCloud adds MiniStack for all but DynamoDB and its streams.
func (r *rig) besideCloud() aws.Config {
	r.t.Helper()
	cloud := cdktest.MiniStack(r.t)
	r.env = append(r.env,
		"AWS_ENDPOINT_URL="+cloud.Endpoint,
		"AWS_ENDPOINT_URL_DYNAMODB="+*r.config.BaseEndpoint,
		"AWS_ENDPOINT_URL_DYNAMODB_STREAMS="+*r.config.BaseEndpoint)
	c := r.config.Copy()
	c.BaseEndpoint = &cloud.Endpoint
	return c
}

// ended is how a run of the program has ended.
type ended struct {
	code           int
	stdout, stderr string
}

func (e ended) String() string {
	return fmt.Sprintf("exit code %d\nstdout: %s\nstderr: %s", e.code, e.stdout, e.stderr)
}

// command returns the program with its arguments, ready to start.
func (r *rig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.program, args...)
	cmd.Dir, cmd.Env = r.folder, r.env
	return cmd
}

// run runs the program to its end.
func (r *rig) run(args ...string) ended {
	r.t.Helper()
	return r.end(r.command(args...))
}

func (r *rig) end(cmd *exec.Cmd) ended {
	r.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	return ended{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// want runs the program, and expects an exit code and a text in what it prints.
func (r *rig) want(code int, text string, args ...string) ended {
	r.t.Helper()
	e := r.run(args...)
	if e.code != code || !strings.Contains(e.stdout+e.stderr, text) {
		r.t.Errorf("replicatedtable %s: want exit code %d and %q\n%s", strings.Join(args, " "), code, text, e)
	}
	return e
}

// lastCounts returns the counts of the last line of a run with -json.
func (e ended) lastCounts(t testing.TB) map[string]float64 {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(e.stdout), "\n")
	var end struct {
		Type   string
		Counts map[string]float64
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &end); err != nil || end.Type != "end" {
		t.Fatalf("the last line is not the end: %v\n%s", err, e)
	}
	return end.Counts
}

// file writes a file into the folder of the rig.
func (r *rig) file(name, content string) string {
	r.t.Helper()
	path := filepath.Join(r.folder, name)
	check(r.t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// create creates the tables of a spec. The source has a stream.
func (r *rig) create(s spec.Spec) {
	r.t.Helper()
	r.createTable(s.Source, types.StreamViewTypeNewAndOldImages)
	for _, target := range s.Targets {
		r.createTable(target.Table, "")
	}
}

func (r *rig) createTable(table spec.Table, view types.StreamViewType) (streamARN string) {
	r.t.Helper()
	in := &dynamodb.CreateTableInput{TableName: &table.TableName, BillingMode: types.BillingModePayPerRequest}
	for i, a := range table.Attributes() {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &a.Name, AttributeType: types.ScalarAttributeType(a.Type)})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{
			AttributeName: &a.Name, KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
	}
	if view != "" {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view}
	}
	out, err := r.db.CreateTable(r.t.Context(), in)
	check(r.t, err)
	return aws.ToString(out.TableDescription.LatestStreamArn)
}

func (r *rig) streamARN(table string) string {
	r.t.Helper()
	out, err := r.db.DescribeTable(r.t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	check(r.t, err)
	return aws.ToString(out.Table.LatestStreamArn)
}

var names atomic.Int64

// unique returns a name that no other test has, nor the same one when it runs again.
func unique(name string) string { return fmt.Sprintf("%s-%d", name, names.Add(1)) }

// createFunction creates a function with the environment that the construct gives it, and returns its
// name.
func createFunction(t testing.TB, cloud aws.Config, variables map[string]string, layers ...string) string {
	t.Helper()
	name := unique("function")
	_, err := lambda.NewFromConfig(cloud).CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role:        aws.String("arn:aws:iam::000000000000:role/functions"),
		Code:        &lambdatypes.FunctionCode{ZipFile: zipped(t, "bootstrap", "#!/bin/sh\n")},
		Environment: &lambdatypes.Environment{Variables: variables},
		Layers:      layers,
	})
	check(t, err)
	return name
}

// zipped returns an archive with one file.
func zipped(t testing.TB, name, content string) []byte {
	t.Helper()
	archive, err := cdktest.Zip(name, content)
	check(t, err)
	return archive
}

// usersSpec is a unique mapping between two tables whose names begin with prefix.
func usersSpec(prefix string) spec.Spec {
	prefix = unique(prefix)
	s := spec.New()
	s.Source = spec.Table{TableName: prefix + "-users", KeySchema: spec.KeySchema{
		PartitionKey: spec.Attribute{Name: "id", Type: spec.String}}}
	s.Targets = []spec.Target{{
		Table: spec.Table{TableName: prefix + "-by-city", KeySchema: spec.KeySchema{
			PartitionKey: spec.Attribute{Name: "city", Type: spec.String},
			SortKey:      &spec.Attribute{Name: "id", Type: spec.String},
		}},
		Projection: spec.Projection{Type: spec.All},
	}}
	s.FailureQueueURL = "http://127.0.0.1/failures"

	return s
}
