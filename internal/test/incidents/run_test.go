package incidents

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/alarms"
	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/cdktest"
	"github.com/replicatedtable/cdk-go/internal/test/emf"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
)

const (
	// pollEvery and retryEvery are how often the event source mapping polls, and retries. An
	// alarm's period has several of them, as in Lambda, where both are shorter.
	pollEvery  = time.Minute
	retryEvery = 4 * time.Minute
	// retention is how long DynamoDB keeps a stream record. Source: Amazon DynamoDB Developer
	// Guide, "Change data capture for DynamoDB Streams".
	retention = 24 * time.Hour
	// warmUp is when the alarms are first looked at: until then they lack the periods before
	// the deployment.
	warmUp = 20 * time.Minute
)

// run is one telling of a story.
type run struct {
	t       testing.TB
	name    string
	without without
	// problems are what the story finds wrong.
	problems []string

	template *alarms.Template
	spec     spec.Spec
	mapping  eventsource.Mapping // the template's
	// others are the settings of the mapping that are not in it, now and in the template.
	others, templateOthers otherSettings

	config   aws.Config // for everything, from outside of the fake time
	db       *dynamodb.Client
	sqs      *sqs.Client
	outside  *world
	gateway  *gateway
	queues   *queueMeter
	function *function
	folder   string
	operator *operator
	// writeEvery is how often the application writes.
	writeEvery time.Duration

	stream *eventsource.Stream
	poller *eventsource.Poller

	functionName, uuid, queue string
	start                     time.Time
	random                    *rand.Rand

	mu      sync.Mutex
	samples []emf.Sample
}

// without is what is taken away from a story, to see that it notices.
type without struct {
	// alarm is an alarm that the template lacks, by its accessor.
	alarm string
	// brake is a target, by its place in the spec, whose prop WriteBrake is false.
	brake int
	// step is the beginning of the commands of the runbook that nobody runs.
	step string
	// notices is a part of the problem that the story is expected to find then. It ends the
	// story.
	notices string
}

// nothing is taken away.
var nothing = without{brake: noTarget}

const noTarget = -1

var runs atomic.Int64

// tell tells a story from the deployment on, and returns what it finds wrong.
func tell(t *testing.T, s story, w without) (problems []string) {
	t.Helper()
	dynamoDB, others, p := engines(t)
	r := &run{t: t, name: s.name, without: w, folder: t.TempDir(), outside: newWorld(t),
		random: rand.New(rand.NewPCG(1, 1)), writeEvery: often}
	prefix := fmt.Sprintf("story%d", runs.Add(1))
	r.functionName, r.uuid, r.queue = prefix+"-function", prefix+"-mapping", prefix+"-failures"
	r.queues = &queueMeter{now: r.outside.time, emit: r.emit, queues: map[string]*queue{}}
	r.gateway = newGateway(t, dynamoDB, others, r.queues)
	r.config = aws.Config{Region: cdk.Region, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		APIOptions: awsconfig.APIOptions}
	r.db = dynamodb.NewFromConfig(r.config, func(o *dynamodb.Options) { o.BaseEndpoint = &dynamoDB })
	r.sqs = sqs.NewFromConfig(r.config, func(o *sqs.Options) { o.BaseEndpoint = aws.String(r.gateway.endpoints[byMapping]) })
	check(t, r.deploy(prefix, dynamoDB, others, p.function))
	r.operator = newOperator(r, p.command)

	// The bubble's clock begins in the past, and a record that is older than the function
	// would have another mapping.
	now := time.Now().Add(time.Hour).Truncate(time.Hour)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(now.Sub(time.Now().Round(0)))
		r.start = time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		polling := make(chan error)
		go func() { polling <- r.poller.Run(ctx) }()
		go func() {
			time.Sleep(pollEvery / 2)
			for ctx.Err() == nil {
				r.queues.sample()
				time.Sleep(time.Minute)
			}
		}()

		time.Sleep(pollEvery / 4) // never at the moment of a poll
		r.tell(s)
		cancel()
		r.must(<-polling)
		time.Sleep(time.Minute) // until the meter has ended
	})

	return r.problems
}

// noticed is the panic that ends a story which has found what it was expected to find.
type noticed struct{}

func (r *run) tell(s story) {
	defer func() {
		if p := recover(); p != nil && p != (noticed{}) {
			panic(p)
		}
	}()
	s.tell(r)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must ends the test when the rig, and not the story, has failed.
func (r *run) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%s, %s after the deployment: %v", r.name, time.Since(r.start), err)
	}
}

// problem notes what the story finds wrong.
func (r *run) problem(format string, arguments ...any) {
	at := time.Since(r.start).Round(time.Minute)
	r.problems = append(r.problems, fmt.Sprintf("at %s: %s", at, fmt.Sprintf(format, arguments...)))
	if n := r.without.notices; n != "" && strings.Contains(r.problems[len(r.problems)-1], n) {
		panic(noticed{})
	}
}

func (r *run) emit(s emf.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
}

// deploy creates what the template says, each part where it is.
func (r *run) deploy(prefix, dynamoDB, others, program string) error {
	golden, err := os.ReadFile(filepath.Join(engineRoot(r.t), "replicatedtable", "testdata", "monitored.golden.json"))
	if err != nil {
		return err
	}
	if r.template, err = alarms.ParseTemplate(golden); err != nil {
		return err
	}
	for _, id := range r.template.Find("AWS::DynamoDB::GlobalTable") {
		r.template.Refs[id] = prefix + "-" + id
	}
	cloud := r.config.Copy()
	cloud.BaseEndpoint = &others
	queues := sqs.NewFromConfig(cloud)
	for _, id := range r.template.Find("AWS::SQS::Queue") {
		name := r.queue
		if strings.Contains(id, "DeadLetter") {
			name += "-dead"
		}
		out, err := queues.CreateQueue(r.t.Context(), &sqs.CreateQueueInput{QueueName: &name})
		if err != nil {
			return err
		}
		r.template.Refs[id], r.template.Attributes[id+".QueueName"] = *out.QueueUrl, name
		r.template.Attributes[id+".Arn"] = "arn:aws:sqs:" + cdk.Region + ":000000000000:" + name
		r.queues.watch(name)
	}
	r.template.Refs[r.only("AWS::Lambda::Function")] = r.functionName
	r.template.Refs[r.only("AWS::Lambda::EventSourceMapping")] = r.uuid

	variables, err := r.readSpec()
	if err != nil {
		return err
	}
	if err := r.createTables(dynamoDB); err != nil {
		return err
	}
	if err := r.createFunction(cloud, program, variables); err != nil {
		return err
	}
	if r.without.alarm != "" {
		if err := r.template.Remove(r.alarm(r.without.alarm)); err != nil {
			return err
		}
	}
	return r.createMapping()
}

func (r *run) only(resourceType string) string {
	found := r.template.Find(resourceType)
	if len(found) != 1 {
		r.t.Fatalf("the template has %d resources of type %s", len(found), resourceType)
	}
	return found[0]
}

// readSpec reads the function's environment.
func (r *run) readSpec() (map[string]string, error) {
	var function struct {
		Environment struct{ Variables map[string]string }
	}
	if err := r.template.Decode(r.only("AWS::Lambda::Function"), &function); err != nil {
		return nil, err
	}
	variables := function.Environment.Variables
	var err error
	if r.spec, err = spec.Load(variables[spec.EnvironmentVariable], nil); err != nil {
		return nil, err
	}
	if r.without.brake >= 0 {
		r.spec.Targets[r.without.brake].WriteBrakeDisabled = true
		variables[spec.EnvironmentVariable] = r.spec.Encode()
	}
	return variables, nil
}

func (r *run) createTables(dynamoDB string) error {
	create := func(table spec.Table, stream bool) (*dynamodb.CreateTableOutput, error) {
		in := &dynamodb.CreateTableInput{TableName: &table.TableName, BillingMode: types.BillingModePayPerRequest}
		for i, a := range table.Attributes() {
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
				AttributeName: &a.Name, AttributeType: types.ScalarAttributeType(a.Type)})
			in.KeySchema = append(in.KeySchema, types.KeySchemaElement{
				AttributeName: &a.Name, KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]})
		}
		if stream {
			in.StreamSpecification = &types.StreamSpecification{
				StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
		}
		return r.db.CreateTable(r.t.Context(), in)
	}
	for _, target := range r.spec.Targets {
		if _, err := create(target.Table, false); err != nil {
			return err
		}
	}
	out, err := create(r.spec.Source, true)
	if err != nil {
		return err
	}
	streams := r.config.Copy()
	streams.BaseEndpoint = &dynamoDB
	r.stream = eventsource.Open(streams, *out.TableDescription.LatestStreamArn)
	return nil
}

// createFunction creates the function's configuration, which the command reads, and its
// process.
func (r *run) createFunction(cloud aws.Config, program string, variables map[string]string) error {
	code, err := cdktest.Zip("bootstrap", "#!/bin/sh\n")
	if err != nil {
		return err
	}
	if _, err := lambda.NewFromConfig(cloud).CreateFunction(r.t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &r.functionName, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role:        aws.String("arn:aws:iam::000000000000:role/functions"),
		Code:        &lambdatypes.FunctionCode{ZipFile: code},
		Environment: &lambdatypes.Environment{Variables: variables},
	}); err != nil {
		return err
	}

	env := []string{
		clockVariable + "=" + r.clock(), "AWS_REGION=" + cdk.Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_ENDPOINT_URL=" + r.gateway.endpoints[byFunction], "AWS_LAMBDA_FUNCTION_NAME=" + r.functionName,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
	}
	for name, value := range variables {
		env = append(env, name+"="+value)
	}
	r.function = newFunction(r.t, program, filepath.Join(r.folder, "log"), env)
	return nil
}

func (r *run) clock() string { return filepath.Join(r.folder, "clock") }

// createMapping creates the event source mapping with the template's settings.
func (r *run) createMapping() error {
	var m struct {
		BatchSize                      int
		BisectBatchOnFunctionError     bool
		DestinationConfig              struct{ OnFailure struct{ Destination string } }
		FilterCriteria                 json.RawMessage
		FunctionResponseTypes          []string
		MaximumBatchingWindowInSeconds int
		MaximumRecordAgeInSeconds      int
		MaximumRetryAttempts           int
		MetricsConfig                  struct{ Metrics []string }
		ParallelizationFactor          int
	}
	if err := r.template.Decode(r.only("AWS::Lambda::EventSourceMapping"), &m); err != nil {
		return err
	}
	if !slices.Contains(m.MetricsConfig.Metrics, "EventCount") {
		return errors.New("the event source mapping has no metrics")
	}
	r.mapping = eventsource.Mapping{
		BatchSize: m.BatchSize, Bisect: m.BisectBatchOnFunctionError, MaxRetryAttempts: m.MaximumRetryAttempts,
		PartialResponses: slices.Contains(m.FunctionResponseTypes, "ReportBatchItemFailures"),
		MaxRecordAge:     time.Duration(m.MaximumRecordAgeInSeconds) * time.Second,
		Retention:        retention, RetryDelay: retryEvery,
		Meter: &eventsource.Meter{FunctionName: r.functionName, UUID: r.uuid, Emit: r.emit},
	}
	if m.DestinationConfig.OnFailure.Destination != "" {
		r.mapping.OnFailure = r.sendPosition
	}
	r.others = otherSettings{m.MaximumBatchingWindowInSeconds, max(1, m.ParallelizationFactor), cmp.Or(string(m.FilterCriteria), "{}")}
	r.templateOthers = r.others
	r.poller = eventsource.NewPoller(r.mapping, pollEvery, r.invoke)
	return nil
}

// sendPosition sends the position of discarded records to the failure queue.
func (r *run) sendPosition(d eventsource.Discarded) error {
	message := string(d.Message("arn:aws:lambda:"+r.functionName, r.stream.ARN(), time.Now()))
	return r.outside.run(func() error {
		_, err := r.sqs.SendMessage(context.Background(), &sqs.SendMessageInput{
			QueueUrl: &r.spec.FailureQueueURL, MessageBody: &message})
		return err
	})
}

// invoke is the handler of the event source mapping.
func (r *run) invoke(_ context.Context, payload []byte) (answer []byte, err error) {
	if err := setClock(r.clock()); err != nil {
		return nil, err
	}
	var samples []emf.Sample
	var logErr error
	err = r.outside.run(func() error {
		var err error
		// The process has the deadline in a header.
		answer, err = r.function.invoke(context.Background(), payload)
		samples, logErr = r.function.metrics()
		return err
	})
	if logErr != nil {
		return nil, logErr
	}
	for _, s := range samples {
		r.emit(s)
	}
	return answer, err
}

// alarm is the logical ID of an alarm, by its accessor: of a target's, with the target's ID in
// front.
func (r *run) alarm(accessor string) string {
	named := regexp.MustCompile(`^Users(TargetAlarms)?` + accessor + `[0-9A-F]{8}$`)
	for id := range r.template.Resources {
		if named.MatchString(id) {
			return id
		}
	}
	r.t.Fatalf("the template has no alarm %s", accessor)
	return ""
}

// accessor is the other way round.
func accessor(id string) string {
	id = strings.TrimPrefix(strings.TrimPrefix(id, "Users"), "TargetAlarms")
	return id[:len(id)-8]
}

// timeline evaluates the alarms until now.
func (r *run) timeline() *alarms.Timeline {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, err := alarms.Evaluate(r.template, r.samples, r.start.Add(warmUp), time.Now().Truncate(time.Minute))
	r.must(err)
	return l
}

// since returns the alarms that were on at some time since another, with that time.
func (r *run) since(at time.Time) map[string]time.Time {
	on := map[string]time.Time{}
	l := r.timeline()
	for _, id := range l.IDs() {
		changes := l.Changes(id)
		for i, c := range changes {
			ended := i == len(changes)-1 || changes[i+1].At.After(at)
			if _, known := on[accessor(id)]; c.To == alarms.Alarm && ended && !known {
				on[accessor(id)] = c.At
			}
		}
	}
	return on
}

// wantCalm finds every alarm wrong that has been on, but for some.
func (r *run) wantCalm(but ...string) {
	for name, at := range r.since(r.start) {
		if !slices.Contains(but, name) {
			r.problem("%s went off after %s, before the incident", name, at.Sub(r.start))
		}
	}
}

// expected is an alarm that goes off at a time after the incident began.
type expected struct {
	alarm           string
	atLeast, atMost time.Duration
}

// wantAlarms wants exactly these alarms to have been on since the incident began, and the
// composite alarm with the first of the urgent ones.
func (r *run) wantAlarms(began time.Time, want ...expected) {
	on := r.since(began)
	first := time.Time{}
	for _, e := range want {
		at, isOn := on[e.alarm]
		switch {
		case !isOn:
			r.problem("%s did not go off", e.alarm)
			continue
		case at.Sub(began) < e.atLeast, at.Sub(began) > e.atMost:
			r.problem("%s went off after %s, want %s to %s", e.alarm, at.Sub(began), e.atLeast, e.atMost)
		}
		r.t.Logf("%s: %s went off after %s", r.name, e.alarm, at.Sub(began).Round(time.Minute))
		if !slices.Contains(waiting, e.alarm) && (first.IsZero() || at.Before(first)) {
			first = at
		}
		delete(on, e.alarm)
	}
	switch at, isOn := on["CompositeAlarm"]; {
	case isOn == first.IsZero():
		r.problem("CompositeAlarm did %sgo off", map[bool]string{false: "not "}[isOn])
	case !at.Equal(first):
		r.problem("CompositeAlarm went off at %s, the first urgent alarm at %s", at, first)
	}
	delete(on, "CompositeAlarm")
	for _, name := range slices.Sorted(maps.Keys(on)) {
		r.problem("%s went off too, after %s", name, on[name].Sub(began))
	}
}

// waiting are the alarms about messages that wait, which the composite alarm leaves out.
var waiting = []string{"FailureQueueAlarm", "FailureDeadLetterQueueAlarm", "OldestFailureAlarm"}

// wantOn wants alarms to be on, and the others to be off.
func (r *run) wantOn(names ...string) {
	l, now := r.timeline(), time.Now()
	for _, id := range l.IDs() {
		name, isOn := accessor(id), l.At(id, now) == alarms.Alarm
		if name != "CompositeAlarm" && isOn != slices.Contains(names, name) {
			r.problem("%s is %s", name, l.At(id, now))
		}
		urgent := slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(waiting, n) })
		if name == "CompositeAlarm" && isOn != urgent {
			r.problem("the composite alarm is %s while %q are on", l.At(id, now), names)
		}
	}
}

// total adds up a metric that the function reports of a target.
func (r *run) total(metric string, target int) (sum float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.samples {
		if s.Name == metric && s.Dimensions[spec.TargetDimension] == r.spec.Targets[target].TableName {
			sum += s.Value
		}
	}
	return sum
}
