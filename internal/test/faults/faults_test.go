package faults_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

var table = aws.String("table")

// setup returns a table, an injector in front of it, and a client of the
// injector that does not retry.
func setup(t *testing.T, seed uint64, rules ...faults.Rule) (*memorydb.DB, *faults.Injector, *dynamodb.Client) {
	t.Helper()
	db := memorydb.New()
	create(t, client(db))
	injector := faults.New(db, seed, rules...)
	return db, injector, client(injector)
}

func client(http faults.Client) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		HTTPClient: http, Region: "us-east-1", Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

// retrying returns the SDK's own rules of what is retried, at most 20 times.
func retrying() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.RateLimiter = 20, ratelimit.None })
}

func create(t *testing.T, c *dynamodb.Client) {
	t.Helper()
	_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

type attributes = map[string]types.AttributeValue

func key(pk string) attributes { return attributes{"pk": &types.AttributeValueMemberS{Value: pk}} }

func put(ctx context.Context, c *dynamodb.Client, pk string) error {
	item := key(pk)
	// More than one attribute: the SDK writes them in random order.
	item["a"], item["b"] = &types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberNULL{Value: true}
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: item})
	return err
}

// batch puts items and returns the keys of the unprocessed ones.
func batch(ctx context.Context, c *dynamodb.Client, pks ...string) ([]string, error) {
	var writes []types.WriteRequest
	for _, pk := range pks {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: key(pk)}})
	}
	out, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*table: writes}})
	if err != nil {
		return nil, err
	}
	var unprocessed []string
	for _, w := range out.UnprocessedItems[*table] {
		unprocessed = append(unprocessed, w.PutRequest.Item["pk"].(*types.AttributeValueMemberS).Value)
	}
	return unprocessed, nil
}

// stored returns how many items the table has.
func stored(db *memorydb.DB) int { return len(db.Items(*table)) }

// with selects the writes whose JSON contains a text.
func with(text string) func(faults.Write) bool {
	return func(w faults.Write) bool { return strings.Contains(string(w.Attributes), text) }
}

func TestAFaultIsAnsweredAndItsRequestExecutedOrNot(t *testing.T) {
	for _, c := range []struct {
		kind     faults.Kind
		codes    []string // of the error; none: an error of the connection
		status   int
		executed bool
	}{
		{kind: faults.Throttled, codes: []string{"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}, status: 400},
		{kind: faults.InternalServerError, codes: []string{"InternalServerError"}, status: 500},
		{kind: faults.ServiceUnavailable, codes: []string{"ServiceUnavailable"}, status: 503},
		{kind: faults.AccessDenied, codes: []string{"AccessDeniedException"}, status: 400},
		{kind: faults.NotFound, codes: []string{"ResourceNotFoundException"}, status: 400},
		{kind: faults.Poison, codes: []string{"ValidationException"}, status: 400},
		{kind: faults.ResetBefore},
		{kind: faults.ResetAfter, executed: true},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			db, injector, client := setup(t, 1, faults.Rule{Kind: c.kind, Probability: 1})
			met := map[string]bool{}
			for i := range 20 {
				err := put(t.Context(), client, strconv.Itoa(i))
				if err == nil {
					t.Fatal("the request succeeded")
				}
				var api smithy.APIError
				var answered interface{ HTTPStatusCode() int }
				switch {
				case !errors.As(err, &api):
					met["connection"] = true
				case errors.As(err, &answered) && answered.HTTPStatusCode() == c.status:
					met[api.ErrorCode()] = true
				default:
					t.Errorf("not status %d: %v", c.status, err)
				}
			}
			want := slices.Clone(c.codes)
			if len(want) == 0 {
				want = []string{"connection"}
			}
			slices.Sort(want)
			if got := slices.Sorted(maps.Keys(met)); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if executed := stored(db) == 20; executed != c.executed || executed != (injector.Executed() == 20) {
				t.Errorf("%d items stored, %d requests executed", stored(db), injector.Executed())
			}
			if got := injector.Injected(); got[c.kind] != 20 || len(got) != 1 {
				t.Errorf("counted %v", got)
			}
		})
	}
}

func TestTheSDKRetriesWhatIsTransient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, kind := range []faults.Kind{faults.Throttled, faults.InternalServerError, faults.ServiceUnavailable, faults.ResetBefore, faults.ResetAfter} {
			db, injector, c := setup(t, 2, faults.Rule{Kind: kind, Probability: 0.5})
			for i := range 20 {
				_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: key(strconv.Itoa(i))}, func(o *dynamodb.Options) {
					o.Retryer = retrying()
				})
				if err != nil {
					t.Errorf("%s: %v", kind, err)
				}
			}
			if stored(db) != 20 || injector.Injected()[kind] == 0 {
				t.Errorf("%s: %d items stored, %v injected", kind, stored(db), injector.Injected())
			}
		}
	})
}

func TestASlowAnswerMayComeTooLateForAnExecutedRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, injector, client := setup(t, 3, faults.Rule{Kind: faults.Slow, Probability: 1, Delay: time.Second})
		start := time.Now()
		if err := put(t.Context(), client, "patient"); err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited != time.Second || stored(db) != 1 {
			t.Errorf("waited %s, %d items stored", waited, stored(db))
		}
		const requests = 100
		for i := range requests {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if err := put(ctx, client, strconv.Itoa(i)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a request whose time is up: %v", err)
			}
			cancel()
		}
		if n := stored(db) - 1; n < requests/4 || n > requests*3/4 || injector.Executed() != n+1 {
			t.Errorf("%d of %d requests whose time was up were stored, %d executed", n, requests, injector.Executed())
		}
	})
}

func TestUnprocessedWritesAreNotExecutedAndComeBack(t *testing.T) {
	pks := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	t.Run("some by chance", func(t *testing.T) {
		db, injector, c := setup(t, 4, faults.Rule{Kind: faults.Unprocessed, Probability: 0.5})
		left, rounds := pks, 0
		for ; len(left) > 0; rounds++ {
			before := stored(db)
			unprocessed, err := batch(t.Context(), c, left...)
			if err != nil {
				t.Fatal(err)
			}
			if stored(db)-before != len(left)-len(unprocessed) {
				t.Fatalf("sent %v, unprocessed %v, stored %d more", left, unprocessed, stored(db)-before)
			}
			left = unprocessed
		}
		if rounds < 2 || stored(db) != len(pks) || injector.Injected()[faults.Unprocessed] != rounds-1 {
			t.Errorf("%d rounds, %d items, %v", rounds, stored(db), injector.Injected())
		}
	})
	t.Run("all, forever", func(t *testing.T) {
		db, injector, c := setup(t, 4, faults.Rule{Kind: faults.Unprocessed, Probability: 1})
		for range 5 {
			unprocessed, err := batch(t.Context(), c, pks...)
			if err != nil || !slices.Equal(unprocessed, pks) {
				t.Errorf("unprocessed %v, %v", unprocessed, err)
			}
		}
		if stored(db) != 0 || injector.Executed() != 0 {
			t.Errorf("%d items, %d requests executed", stored(db), injector.Executed())
		}
	})
	t.Run("selected ones", func(t *testing.T) {
		db, _, c := setup(t, 4, faults.Rule{Kind: faults.Unprocessed, Probability: 1, Select: with(`"3"`)})
		unprocessed, err := batch(t.Context(), c, pks...)
		if err != nil || !slices.Equal(unprocessed, []string{"3"}) || stored(db) != 9 {
			t.Errorf("unprocessed %v, %v, %d items", unprocessed, err, stored(db))
		}
	})
	t.Run("added to those of the engine", func(t *testing.T) {
		db := memorydb.New()
		create(t, client(db))
		engine := faults.New(db, 4, faults.Rule{Kind: faults.Unprocessed, Probability: 1, Select: with(`"1"`)})
		c := client(faults.New(engine, 4, faults.Rule{Kind: faults.Unprocessed, Probability: 1, Select: with(`"2"`)}))
		unprocessed, err := batch(t.Context(), c, "1", "2", "3")
		if slices.Sort(unprocessed); err != nil || !slices.Equal(unprocessed, []string{"1", "2"}) || stored(db) != 1 {
			t.Errorf("unprocessed %v, %v, %d items", unprocessed, err, stored(db))
		}
	})
	t.Run("not in a single write", func(t *testing.T) {
		db, injector, c := setup(t, 4, faults.Rule{Kind: faults.Unprocessed, Probability: 1})
		if err := put(t.Context(), c, "x"); err != nil || stored(db) != 1 || len(injector.Injected()) != 0 {
			t.Errorf("%v, %d items, %v", err, stored(db), injector.Injected())
		}
	})
}

func TestOnePoisonedWriteRefusesTheCallEveryTime(t *testing.T) {
	db, _, c := setup(t, 5, faults.Rule{Kind: faults.Poison, Probability: 1, Select: with(`"bad"`)})
	for range 3 {
		var api smithy.APIError
		if _, err := batch(t.Context(), c, "good", "bad"); !errors.As(err, &api) || api.ErrorCode() != "ValidationException" {
			t.Errorf("a batch with a poisoned write: %v", err)
		}
	}
	if stored(db) != 0 {
		t.Errorf("%d items of a refused batch", stored(db))
	}
	if _, err := batch(t.Context(), c, "good", "better"); err != nil || stored(db) != 2 {
		t.Errorf("a batch without a poisoned write: %v, %d items", err, stored(db))
	}

	db, _, c = setup(t, 5, faults.Rule{Kind: faults.Poison, Probability: 0.5})
	poisoned := 0
	for i := range 100 {
		pk := strconv.Itoa(i)
		_, alone := batch(t.Context(), c, pk)
		_, again := batch(t.Context(), c, pk)
		_, beside := batch(t.Context(), c, pk, pk+" neighbour", pk+" another")
		if alone != nil {
			poisoned++
		}
		if (alone == nil) != (again == nil) || (alone != nil && beside == nil) {
			t.Errorf("%s is poison by chance: alone %v, again %v, beside others %v", pk, alone, again, beside)
		}
	}
	if poisoned < 25 || poisoned > 75 {
		t.Errorf("%d of 100 writes are poison, not about half; %d items", poisoned, stored(db))
	}
}

func TestASelectedItemIsHitInAnyRequestThatContainsIt(t *testing.T) {
	_, injector, c := setup(t, 6, faults.Rule{Kind: faults.InternalServerError, Probability: 1, Select: with(`"x"`)})
	_, deleted := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: key("x")})
	_, batched := batch(t.Context(), c, "y", "x")
	_, other := batch(t.Context(), c, "y")
	_, read := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: key("x")})
	if put := put(t.Context(), c, "x"); put == nil || deleted == nil || batched == nil {
		t.Errorf("not hit: put %v, delete %v, batch %v", put, deleted, batched)
	}
	if other != nil || read != nil {
		t.Errorf("hit: another item %v, a read %v", other, read)
	}
	if injector.Injected()[faults.InternalServerError] != 3 {
		t.Errorf("counted %v", injector.Injected())
	}
}

func TestSelectTellsPutsFromDeletes(t *testing.T) {
	_, _, c := setup(t, 6, faults.Rule{Kind: faults.Throttled, Probability: 1, Select: func(w faults.Write) bool { return !w.Put }})
	_, deleted := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: key("x")})
	if put := put(t.Context(), c, "x"); put != nil || deleted == nil {
		t.Errorf("put %v, delete %v", put, deleted)
	}
}

func TestTheFirstRuleThatHitsDecides(t *testing.T) {
	_, injector, c := setup(t, 7, faults.Rule{Kind: faults.Throttled, Probability: 0},
		faults.Rule{Kind: faults.AccessDenied, Probability: 1}, faults.Rule{Kind: faults.NotFound, Probability: 1})
	if err := put(t.Context(), c, "x"); err == nil || injector.Injected()[faults.AccessDenied] != 1 || len(injector.Injected()) != 1 {
		t.Errorf("%v, %v", err, injector.Injected())
	}
}

func TestUseSwitchesAFaultOnForAPeriod(t *testing.T) {
	_, injector, c := setup(t, 8)
	before := put(t.Context(), c, "x")
	injector.Use(faults.Rule{Kind: faults.AccessDenied, Probability: 1})
	during := put(t.Context(), c, "x")
	injector.Use()
	after := put(t.Context(), c, "x")
	if before != nil || during == nil || after != nil {
		t.Errorf("before %v, during %v, after %v", before, during, after)
	}
}

func TestAnUnknownKindIsAnError(t *testing.T) {
	_, _, c := setup(t, 8, faults.Rule{Kind: "flood", Probability: 1})
	if err := put(t.Context(), c, "x"); err == nil || !strings.Contains(err.Error(), "flood") {
		t.Errorf("got %v", err)
	}
}

func TestACrashEndsAllRequestsUntilRecovery(t *testing.T) {
	db, injector, c := setup(t, 9, faults.Rule{Kind: faults.ResetBefore, Probability: 1, Select: with(`"reset"`)})
	injector.CrashAfter(2)
	if err := put(t.Context(), c, "reset"); err == nil {
		t.Error("a request that is reset succeeded")
	}
	for i := range 2 { // a request that was not executed does not count
		if err := put(t.Context(), c, strconv.Itoa(i)); err != nil {
			t.Errorf("request %d before the crash: %v", i, err)
		}
	}
	for range 3 {
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: key("late")}, func(o *dynamodb.Options) {
			o.Retryer = retrying() // must not wait and try again
		})
		if !errors.Is(err, faults.ErrCrashed) {
			t.Errorf("after the crash: %v", err)
		}
	}
	if stored(db) != 2 || injector.Executed() != 2 {
		t.Errorf("%d items stored, %d requests executed", stored(db), injector.Executed())
	}
	injector.Recover()
	if err := put(t.Context(), c, "late"); err != nil || stored(db) != 3 {
		t.Errorf("after recovery: %v, %d items", err, stored(db))
	}
}

func TestARequestThatWaitsForItsExecutionDiesInTheCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, injector, c := setup(t, 10, faults.Rule{Kind: faults.Slow, Probability: 1, Delay: time.Second})
		const requests = 20
		var failed sync.Map
		var workers sync.WaitGroup
		for i := range requests {
			workers.Go(func() {
				if err := put(t.Context(), c, strconv.Itoa(i)); errors.Is(err, faults.ErrCrashed) {
					failed.Store(i, true)
				}
			})
		}
		time.Sleep(time.Second / 2)
		early := stored(db)
		injector.CrashAfter(0)
		workers.Wait()
		dead := 0
		for range failed.Range {
			dead++
		}
		if early == 0 || early == requests || stored(db) != early || dead != requests-early {
			t.Errorf("%d items before the crash, %d after it, %d requests failed", early, stored(db), dead)
		}
	})
}

func TestTheSameFaultsHitWhateverTheConcurrency(t *testing.T) {
	rules := []faults.Rule{
		{Kind: faults.Throttled, Probability: 0.2},
		{Kind: faults.ResetAfter, Probability: 0.2},
		{Kind: faults.Poison, Probability: 0.1},
	}
	// outcomes sends each of 50 puts three times, by a number of goroutines, and
	// returns what each was answered.
	outcomes := func(seed uint64, goroutines int) string {
		_, _, c := setup(t, seed, rules...)
		answers := make([]string, 50)
		work := make(chan int, len(answers))
		for i := range answers {
			work <- i
		}
		close(work)
		var workers sync.WaitGroup
		for range goroutines {
			workers.Go(func() {
				for i := range work {
					for range 3 {
						err := put(t.Context(), c, strconv.Itoa(i))
						var api smithy.APIError
						switch {
						case err == nil:
							answers[i] += " ok"
						case errors.As(err, &api):
							answers[i] += " " + api.ErrorCode()
						default:
							answers[i] += " reset"
						}
					}
				}
			})
		}
		workers.Wait()
		return strings.Join(answers, "\n")
	}
	alone := outcomes(1, 1)
	if together := outcomes(1, 8); together != alone {
		t.Errorf("1 goroutine:\n%s\n8 goroutines:\n%s", alone, together)
	}
	if other := outcomes(2, 1); other == alone {
		t.Error("another seed gives the same faults")
	}
	for _, line := range strings.Split(alone, "\n") {
		if strings.Contains(line, " ok") && strings.Contains(line, "ThrottlingException") {
			return
		}
	}
	t.Errorf("no put was throttled and then succeeded: the attempt makes no difference:\n%s", alone)
}

// TestAChangedBatchIsAcceptedOverHTTP is about what only a connection has: the
// length and the signature of the body.
func TestAChangedBatchIsAcceptedOverHTTP(t *testing.T) {
	endpoint := enginetest.DynamoDBLocal(t)
	atEndpoint := func(o *dynamodb.Options) { o.BaseEndpoint = &endpoint }
	engine := dynamodb.New(client(http.DefaultClient).Options(), atEndpoint)
	create(t, engine)
	injector := faults.New(http.DefaultClient, 1, faults.Rule{Kind: faults.Unprocessed, Probability: 1, Select: with(`"2"`)})
	unprocessed, err := batch(t.Context(), dynamodb.New(client(injector).Options(), atEndpoint), "1", "2", "3")
	if err != nil || !slices.Equal(unprocessed, []string{"2"}) {
		t.Errorf("unprocessed %v, %v", unprocessed, err)
	}
	scan, err := engine.Scan(t.Context(), &dynamodb.ScanInput{TableName: table, ConsistentRead: aws.Bool(true)})
	if err != nil || len(scan.Items) != 2 {
		t.Errorf("%v, stored %v", err, scan)
	}
}

// queue answers every request as SQS would a successful one.
type queue struct{}

func (queue) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{}`))}, nil
}

func TestAQueueMeetsTheGenericFaults(t *testing.T) {
	send := func(rule faults.Rule) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://queue", strings.NewReader(`{"QueueUrl":"q","MessageBody":"m"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
		response, err := faults.New(queue{}, 1, rule).Do(r)
		if err != nil {
			return "error"
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(string(body), "#")
		code, _, _ = strings.Cut(code, `"`)
		return fmt.Sprint(response.StatusCode, " ", code)
	}
	all := func(faults.Write) bool { return true }
	for _, c := range []struct {
		rule faults.Rule
		want string
	}{
		{faults.Rule{Kind: faults.InternalServerError, Probability: 1}, "500 InternalServerError"},
		{faults.Rule{Kind: faults.AccessDenied, Probability: 1}, "400 AccessDeniedException"},
		{faults.Rule{Kind: faults.NotFound, Probability: 1}, "400 QueueDoesNotExist"},
		{faults.Rule{Kind: faults.ResetBefore, Probability: 1}, "error"},
		// A queue has no items.
		{faults.Rule{Kind: faults.Poison, Probability: 1}, "200 "},
		{faults.Rule{Kind: faults.Unprocessed, Probability: 1}, "200 "},
		{faults.Rule{Kind: faults.Throttled, Probability: 1, Select: all}, "200 "},
	} {
		if got := send(c.rule); got != c.want {
			t.Errorf("%s: got %q, want %q", c.rule.Kind, got, c.want)
		}
	}
}

func BenchmarkInjector(b *testing.B) {
	const body = `{"TableName":"table","Item":{"pk":{"S":"x"},"email":{"S":"a@b.c"},"state":{"S":"WA"},"city":{"S":"Seattle"},"age":{"N":"42"}}}`
	for name, rules := range map[string][]faults.Rule{
		"PerRequest": {{Kind: faults.Throttled}},
		"PerWrite":   {{Kind: faults.Throttled}, {Kind: faults.Poison, Select: with("nothing")}},
	} {
		b.Run(name, func(b *testing.B) {
			injector := faults.New(queue{}, 1, rules...)
			header := http.Header{"X-Amz-Target": {"DynamoDB_20120810.PutItem"}}
			b.ReportAllocs()
			for b.Loop() {
				r := (&http.Request{Method: http.MethodPost, Header: header, Body: io.NopCloser(strings.NewReader(body))}).WithContext(b.Context())
				//nolint:bodyclose // it is in memory
				if _, err := injector.Do(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
