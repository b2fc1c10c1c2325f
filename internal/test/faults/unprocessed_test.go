package faults_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

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
	t.Run("all, every time", func(t *testing.T) {
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

// A changed body has another length, and only a connection notices.
func TestAChangedBatchIsAcceptedOverHTTP(t *testing.T) {
	db := memorydb.New()
	create(t, client(db))
	server := httptest.NewServer(db)
	defer server.Close()
	injector := faults.New(http.DefaultClient, 1,
		faults.Rule{Kind: faults.Unprocessed, Probability: 1, Select: with(`"2"`)})
	overHTTP := dynamodb.New(client(injector).Options(), func(o *dynamodb.Options) { o.BaseEndpoint = &server.URL })

	unprocessed, err := batch(t.Context(), overHTTP, "1", "2", "3")
	if err != nil || !slices.Equal(unprocessed, []string{"2"}) {
		t.Errorf("unprocessed %v, %v", unprocessed, err)
	}
	if stored(db) != 2 {
		t.Errorf("stored %v", db.Items(*table))
	}
}
