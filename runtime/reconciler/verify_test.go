package reconciler

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// composite is a target with a composite key, so that an item can name a wrong owner.
func composite() spec.Spec {
	s := unique()
	s.Targets[0].SortKey = nil
	s.Targets[0].PartitionKey.Name = "key"
	s.Targets[0].KeySources = map[string]spec.KeySource{
		"key": {Parts: [][]string{{"city"}, {"id"}}, Separator: "#"},
	}
	return s
}

func TestABackfillReplacesAWrongOwner(t *testing.T) {
	h := start(t, composite(), Options{})
	h.put("source", "id=a", "city=c")
	h.put("target", "key=c#a", "id=b", "city=c")
	if c := h.run(Backfill, 1); c.Changed != 1 || c.Collisions != 0 {
		t.Errorf("%+v", c)
	}
	h.want("target", item("key=c#a", "id=a", "city=c"))
}

func TestVerifyFindsEachDifferenceAndRepairMendsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, composite(), Options{})
		var want []string
		for i := range 2000 {
			id := fmt.Sprint("id=", i)
			right := []string{fmt.Sprintf("key=c#%d", i), id, "city=c", "note=1"}
			want = append(want, item(right...))
			h.put("source", id, "city=c", "note=1")
			switch i {
			case 100: // missing
			case 200:
				h.put("target", right[0], id, "city=c", "note=0")
			case 300:
				h.put("target", right[0], "id=other", "city=c", "note=1")
			case 400:
				h.put("target", append(right, "third-party=1")...)
			default:
				h.put("target", right...)
			}
		}
		h.put("target", "key=c#nobody", "id=nobody", "city=c", "note=1")
		h.put("target", "key=x")

		c := h.run(Verify, 3)
		if c.Missing != 1 || c.Stale != 2 || c.WrongOwner != 1 || c.Extra != 3 || c.Equal != 1996 {
			t.Errorf("verify: %+v", c)
		}
		kinds := map[Kind]int{}
		for _, f := range h.found {
			kinds[f.Kind]++
			if f.Repaired || f.TargetTable != "target" {
				t.Errorf("%+v", f)
			}
		}
		if fmt.Sprint(kinds) != "map[extra:3 missing:1 stale:2 wrong owner:1]" {
			t.Error(kinds)
		}

		c = h.run(Repair, 3)
		if c.Missing != 1 || c.Stale != 2 || c.WrongOwner != 1 || c.Extra != 2 || c.Repaired != 5 || c.Unrepaired != 1 {
			t.Errorf("repair: %+v", c)
		}
		h.want("target", append(want, item("key=x"))...) // it names no owner
		h.delete("target", "key=x")
		if c := h.run(Verify, 1); c.Differences(true) != 0 || c.Equal != 2000 {
			t.Errorf("verify again: %+v", c)
		}
	})
}

func TestADifferenceIsReadAgainUntilTheGraceTimeIsOver(t *testing.T) {
	for _, test := range []struct {
		behind  time.Duration
		missing int64
	}{{50 * time.Second, 0}, {70 * time.Second, 1}} {
		synctest.Test(t, func(t *testing.T) {
			h := start(t, unique(), Options{})
			h.put("source", "id=a", "city=1")
			time.AfterFunc(test.behind, func() { h.put("target", "id=a", "city=1") })
			began := time.Now()
			if c := h.run(Verify, 1); c.Missing != test.missing || c.Equal != 1-test.missing {
				t.Errorf("%s behind: %+v", test.behind, c)
			}
			if took := time.Since(began); took > DefaultGrace {
				t.Errorf("it took %s", took)
			}
			time.Sleep(test.behind)
		})
	}
}

func TestManyPagesWithDifferencesWaitTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{})
		long := strings.Repeat("n", 100_000)
		for i := range 100 {
			h.put("source", fmt.Sprint("id=", i), "city=1", "note="+long)
		}
		began := time.Now()
		if c := h.run(Verify, 1); c.Missing != 100 || c.Pages < 10 {
			t.Errorf("%+v", c)
		}
		if took := time.Since(began); took > 2*DefaultGrace {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAnItemThatIsTooLargeForTheTargetIsUnmappable(t *testing.T) {
	const others = len("id"+"a"+"city"+"1"+"x"+"v") + len("0/") + 40 + len("/") + 20 // with the version
	for _, test := range []struct {
		name string
		spec spec.Spec
		size int
		want Counts
	}{
		{"just small enough", guarded(), 400<<10 - others, Counts{Missing: 1}},
		{"a byte more", guarded(), 400<<10 - others + 1, Counts{Unmappable: 1}},
		{"where a key may be empty", lastWriterWins(), 400<<10 - others + 1, Counts{Unmappable: 1}},
		{"without a version", unique(), 400<<10 - others + 1, Counts{Missing: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := start(t, test.spec, Options{})
				h.put("source", "id=a", "city=1", "x="+strings.Repeat("x", test.size))
				for range 2 {
					if c := h.run(Verify, 1); c.Missing != test.want.Missing || c.Unmappable != test.want.Unmappable || c.Unclaimed != 0 {
						t.Errorf("verify: missing %d, unclaimed %d, unmappable %d", c.Missing, c.Unclaimed, c.Unmappable)
					}
				}
				c := h.run(Repair, 1)
				if c.Repaired != test.want.Missing || c.Unmappable != test.want.Unmappable || c.Unrepaired != 0 {
					t.Errorf("repair: repaired %d, unrepaired %d, unmappable %d", c.Repaired, c.Unrepaired, c.Unmappable)
				}
				if c := h.run(Verify, 1); c.Equal != test.want.Missing || c.Differences(true) != 0 {
					t.Errorf("verify again: equal %d, %d differences", c.Equal, c.Differences(true))
				}
			})
		})
	}
}

// The stream has put an earlier state of the item, which must not stay.
func TestAnEarlierStateOfAnItemThatIsTooLargeIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, guarded(), Options{})
		h.put("source", "id=a", "city=1", "x="+strings.Repeat("x", 400<<10-40))
		h.put("target", "id=a", "city=1", "v="+sequence(7)+"/"+names("city", "id"))
		if c := h.run(Verify, 1); c.Stale != 1 || c.Unmappable != 0 {
			t.Errorf("verify: stale %d, unmappable %d", c.Stale, c.Unmappable)
		}
		if c := h.run(Repair, 1); c.Unmappable != 1 || c.Unrepaired != 0 {
			t.Errorf("repair: unmappable %d, unrepaired %d", c.Unmappable, c.Unrepaired)
		}
		h.want("target")
		if c := h.run(Verify, 1); c.Differences(true) != 0 || c.Unmappable != 1 {
			t.Errorf("verify again: %d differences, unmappable %d", c.Differences(true), c.Unmappable)
		}
	})
}

// What a wrong table refuses is as missing for a repair as it is for a verification after it.
func TestADifferenceThatTheTableRefusesToMendIsNotRepaired(t *testing.T) {
	for _, operation := range []Operation{Repair, Backfill} {
		h := start(t, unique(), Options{})
		p := &page{r: h.r, segment: &Segment{Pass: Pass{Operation: operation}}}
		p.repaired(Finding{Kind: Missing, TargetTable: "target"}, TargetResult{"target", Refused, "an index refuses it"})
		if p.Missing != 1 || p.Unrepaired != 1 || p.Unmappable != 0 {
			t.Errorf("%s: %+v", operation, p.Counts)
		}
		if len(h.found) != 1 || h.found[0].Reason != "an index refuses it" || h.found[0].Repaired {
			t.Errorf("%s: %+v", operation, h.found)
		}
	}
}

func TestVerifyUnderLastWriterWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, lastWriterWins(), Options{})
		lowestOf := func(pairs ...string) []string { return append(pairs, version(0, lowest, names("city", "id"))) }
		h.put("source", "id=a", "city=1")
		h.put("source", "id=b", "city=1") // the other claimant
		h.put("target", lowestOf("id=a", "city=1")...)
		h.put("source", "id=c", "city=2") // empty
		h.put("source", "id=d", "city=3")
		h.put("target", lowestOf("id=gone", "city=3")...)

		c := h.run(Verify, 1)
		if c.Equal != 1 || c.Collisions != 1 || c.Unclaimed != 1 || c.WrongOwner != 1 || c.Extra != 1 {
			t.Errorf("verify: %+v", c)
		}
		if c.Differences(false) != 2 || c.Differences(true) != 3 {
			t.Errorf("%d and %d differences", c.Differences(false), c.Differences(true))
		}
		c = h.run(Repair, 1)
		if c.Repaired != 2 || c.Unrepaired != 0 {
			t.Errorf("repair: %+v", c)
		}
		h.want("target",
			item(lowestOf("id=a", "city=1")...), item(lowestOf("id=c", "city=2")...),
			item("id=d", "city=3", version(1, lowest, names("city", "id"))))
		if c := h.run(Verify, 1); c.Differences(true) != 0 {
			t.Errorf("verify again: %+v", c)
		}
	})
}

func TestAFingerprintMustFitTheItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, guarded(), Options{})
		for i, fingerprint := range []string{"", "/" + names("city", "id"), "/" + names("city", "id", "note")} {
			h.put("source", fmt.Sprint("id=", i), "city=1")
			h.put("target", fmt.Sprint("id=", i), "city=1", "v="+sequence(1)+fingerprint)
		}
		h.put("source", "id=none", "city=1")
		h.put("target", "id=none", "city=1")
		if c := h.run(Verify, 1); c.Equal != 3 || c.Stale != 1 {
			t.Errorf("%+v", c)
		}
	})
}

// keyCounter counts the keys of each BatchGetItem call to the source table.
type keyCounter struct {
	engine
	mu   sync.Mutex
	keys []int
}

func (c *keyCounter) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(body), `"RequestItems":{"source"`) {
		c.mu.Lock()
		c.keys = append(c.keys, strings.Count(string(body), `"id":`))
		c.mu.Unlock()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))

	return c.engine.Do(r)
}

// A page of small target items may have source items of hundreds of megabytes.
func TestTheReversePassReadsSourceItemsByPartsOfSomeMegabytes(t *testing.T) {
	for _, test := range []struct {
		name  string
		bytes int
		want  []int
	}{
		{"small source items", 1, []int{25, 100, 100, 100, 75}},
		{"large ones", 100_000, []int{25, 83, 83, 83, 83, 43}},
		{"the largest", 390_000, slices.Concat([]int{25}, slices.Repeat([]int{21}, 17), []int{18})},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := unique()
			s.Targets[0].Projection = spec.Projection{Type: spec.KeysOnly}
			counter := &keyCounter{engine: memorydb.New()}
			h := startIn(t, counter, s, Options{InFlight: 1})
			for i := range 400 {
				h.put("source", fmt.Sprint("id=", i), "city=1", "note="+strings.Repeat("n", test.bytes))
				h.put("target", fmt.Sprint("id=", i), "city=1")
			}
			reverse := Segment{Pass: Pass{Verify, "target"}, Of: 1}
			h.finish(&reverse)
			if c := reverse.Counts; c.Differences(true) != 0 || c.Read != 400 || c.Pages != 1 {
				t.Errorf("%+v", c)
			}
			if !slices.Equal(counter.keys, test.want) {
				t.Errorf("got calls of %d keys, want %d", counter.keys, test.want)
			}
		})
	}
}

func TestEqualityIsDynamoDBs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, unique(), Options{})
		h.put("source", "id=a", "city=1", `n={"N":"1e2"}`, `s={"SS":["x","y"]}`, `l={"L":[{"N":"1.50"},{"NULL":true}]}`,
			`m={"M":{"p":{"B":"AA=="},"q":{"BOOL":true}}}`)
		h.put("target", "id=a", "city=1", `n={"N":"100"}`, `s={"SS":["y","x"]}`, `l={"L":[{"N":"1.5"},{"NULL":true}]}`,
			`m={"M":{"q":{"BOOL":true},"p":{"B":"AA=="}}}`)
		if c := h.run(Verify, 1); c.Equal != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestExpiredItemsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := unique()
		s.Targets[0].ExpiredItems = spec.KeepExpired
		h := start(t, s, Options{})
		expired := item("id=a", "city=1")
		h.put("target", "id=a", "city=1")
		h.put("target", "id=a", "city=2")
		if c := h.run(Repair, 1); c.Kept != 2 || c.Differences(true) != 0 {
			t.Errorf("%+v", c)
		}

		got := h.reconcile(item("id=a"), Key{TargetTable: "target", Key: []byte(expired), Last: true},
			Key{TargetTable: "target", Key: []byte(item("id=a", "city=2"))})
		if !got.Gone || got.Targets[0].Outcome != Kept {
			t.Errorf("%+v", got)
		}
		h.want("target", expired)
	})
}

func TestAKeptItemKeepsItsKey(t *testing.T) {
	// R5: a has won the key, and has expired. b maps there too.
	synctest.Test(t, func(t *testing.T) {
		s := lastWriterWins()
		s.Targets[0].ExpiredItems = spec.KeepExpired
		h := start(t, s, Options{})
		h.put("source", "id=b", "city=1")
		kept := []string{"id=a", "city=1", version(100, sequence(9), names("city", "id"))}
		h.put("target", kept...)
		for _, operation := range []Operation{Verify, Repair} {
			if c := h.run(operation, 1); c.Differences(false) != 0 || c.Collisions != 1 || c.Kept != 1 {
				t.Errorf("%s: %+v", operation, c)
			}
		}
		if got := h.reconcile(item("id=b")).Targets[0].Outcome; got != Collision {
			t.Errorf("got outcome %d", got)
		}
		h.want("target", item(kept...))
	})
}

func TestABackfillDoesNotDeleteWhatTheStreamHasKept(t *testing.T) {
	// R5: the stream puts a change after the backfill's put, and keeps it when the item expires.
	for _, guard := range []string{"", "v"} {
		s := unique()
		s.Targets[0].ExpiredItems = spec.KeepExpired
		s.Targets[0].VersionAttribute = guard
		h := start(t, s, Options{})
		h.put("source", "id=a", "city=1")
		pairs := []string{"id=a", "city=1", "note=new"}
		if guard != "" {
			pairs = append(pairs, "v="+sequence(7)+"/"+names("city", "id", "note"))
		}
		h.before = func(operation string, number int) {
			if operation == "Scan" && number == 2 {
				h.put("target", pairs...)
				h.delete("source", "id=a")
			}
		}
		if c := h.run(Backfill, 1); c.Kept != 1 {
			t.Errorf("%+v", c)
		}
		h.want("target", item(pairs...))
	}
}

func TestAnItemOfAnEarlierLifeIsKept(t *testing.T) {
	// R5: its source item has expired, and lives again under another target key.
	synctest.Test(t, func(t *testing.T) {
		s := unique()
		s.Targets[0].ExpiredItems = spec.KeepExpired
		h := start(t, s, Options{})
		h.put("source", "id=a", "city=2")
		h.put("target", "id=a", "city=1")
		if c := h.run(Repair, 1); c.Kept != 1 || c.Missing != 1 || c.Extra != 0 {
			t.Errorf("%+v", c)
		}
		h.want("target", item("id=a", "city=1"), item("id=a", "city=2"))
		if c := h.run(Verify, 1); c.Kept != 1 || c.Differences(true) != 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestABackfillDoesNotDeleteAnItemThatIsKept(t *testing.T) {
	s := unique()
	s.Targets[0].ExpiredItems = spec.KeepExpired
	h := start(t, s, Options{})
	h.put("source", "id=a", "city=1")
	h.put("source", "id=b", "city=1")
	h.put("target", "id=a", "city=1")
	h.before = func(operation string, number int) {
		if operation == "BatchExecuteStatement" && number == 1 {
			h.delete("source", "id=a") // it expires
		}
	}
	if c := h.run(Backfill, 1); c.Put != 1 || c.Kept != 1 {
		t.Errorf("%+v", c)
	}
	h.want("target", item("id=a", "city=1"), item("id=b", "city=1"))
}
