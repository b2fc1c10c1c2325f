package faults_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

func TestAFaultIsAnsweredAndItsRequestExecutedOrNot(t *testing.T) {
	for _, c := range []struct {
		kind     faults.Kind
		codes    []string // of the error; none: an error of the connection
		status   int
		executed bool
	}{
		{kind: faults.Throttled, status: 400, codes: []string{
			"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded",
		}},
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
		for _, kind := range []faults.Kind{
			faults.Throttled, faults.InternalServerError, faults.ServiceUnavailable, faults.ResetBefore, faults.ResetAfter,
		} {
			db, injector, c := setup(t, 2, faults.Rule{Kind: kind, Probability: 0.5})
			for i := range 20 {
				input := &dynamodb.PutItemInput{TableName: table, Item: key(strconv.Itoa(i))}
				_, err := c.PutItem(t.Context(), input, func(o *dynamodb.Options) { o.Retryer = retrying() })
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
	deletes := func(w faults.Write) bool { return !w.Put }
	_, _, c := setup(t, 6, faults.Rule{Kind: faults.Throttled, Probability: 1, Select: deletes})
	_, deleted := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: key("x")})
	if put := put(t.Context(), c, "x"); put != nil || deleted == nil {
		t.Errorf("put %v, delete %v", put, deleted)
	}
}

func TestTheFirstRuleThatHitsDecides(t *testing.T) {
	_, injector, c := setup(t, 7, faults.Rule{Kind: faults.Throttled, Probability: 0},
		faults.Rule{Kind: faults.AccessDenied, Probability: 1}, faults.Rule{Kind: faults.NotFound, Probability: 1})
	err := put(t.Context(), c, "x")
	if err == nil || injector.Injected()[faults.AccessDenied] != 1 || len(injector.Injected()) != 1 {
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
