package faults_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

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
		late := &dynamodb.PutItemInput{TableName: table, Item: key("late")}
		_, err := c.PutItem(t.Context(), late, func(o *dynamodb.Options) {
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
