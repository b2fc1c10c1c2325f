package replicator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

// unknown is a rule: the table refuses the puts that contain text, with an unknown
// message.
func unknown(text string) faults.Rule {
	rule := refusing(text)
	rule.Message = "an unknown text"
	return rule
}

// oneBad returns n records, of which only the first one holds text.
func oneBad(n int, text string) []string {
	records := []string{insertion(1, "1", "note", text)}
	for i := 2; i <= n; i++ {
		records = append(records, insertion(i, fmt.Sprint(i)))
	}
	return records
}

func TestAPoisonRecordDoesNotHoldUpAThrottledStream(t *testing.T) {
	// F1, F2: the table accepts 6 writes per second, so that no invocation reaches the last
	// record.
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var second int64
		capacity := 0
		throttle := faults.Rule{Kind: faults.Throttled, Probability: 1, Select: func(faults.Write) bool {
			mu.Lock()
			defer mu.Unlock()
			if now := time.Now().Unix(); now != second {
				second, capacity = now, 6
			}
			capacity--
			return capacity < 0
		}}
		f := newFunction(t, guarded(uniqueSpec(all)), unknown("poison"), throttle)
		rest := oneBad(100, "poison")
		for range 30 {
			again := f.invoke(t, rest...)
			if again == nil {
				break
			}
			next, err := strconv.Atoi(again[0])
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[len(rest)-(100-next+1):]
			time.Sleep(time.Second)
		}
		if len(f.queue.bodies) != 1 || len(f.db.Items("target")) != 99 {
			t.Errorf("%d records went to the failure queue, the target has %d items, want 1 and 99",
				len(f.queue.bodies), len(f.db.Items("target")))
		}
	})
}

func TestOneHotWriteDoesNotHoldUpAPoisonRecordBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunction(t, uniqueSpec(all), unknown("poison"),
			faults.Rule{Kind: faults.Throttled, Probability: 1, Select: selects("hot")})
		records := oneBad(100, "poison")
		records[89] = insertion(90, "90", "note", "hot")
		if again := f.invoke(t, records...); slices.Contains(again, "1") || len(f.queue.bodies) != 1 {
			t.Errorf("%v are redelivered, %d records went to the failure queue", again, len(f.queue.bodies))
		}
	})
}

func TestATableThatRefusesEverythingForTwoReasonsIsWrong(t *testing.T) {
	// F7: an index on an attribute that is a number in some items and empty in others.
	other := refusing("empty")
	other.Message = "One or more parameter values are not valid. " +
		"A value specified for a secondary index key is not supported."
	f := newFunction(t, uniqueSpec(all))
	records := modifications(t, f, 1000)
	for i := range records {
		records[i] = strings.Replace(records[i], "new", []string{"number", "empty"}[i%2], 1)
	}
	before := f.db.Items("target")
	f.faults.Use(refusing("number"), other)
	if again := f.invoke(t, records...); !slices.Equal(again, []string{"1001"}) || len(f.queue.bodies) > 0 {
		t.Errorf("%d records are redelivered, %d went to the failure queue", len(again), len(f.queue.bodies))
	}
	if after := f.db.Items("target"); !slices.Equal(after, before) {
		t.Errorf("the target has %d of %d items", len(after), len(before))
	}
}

func TestThePercentageIsOfAllPutsOfTheInvocation(t *testing.T) {
	// The invocation has two plans: item 1 expires, is kept, and is inserted again.
	s := uniqueSpec(all)
	s.Targets[0].ExpiredItems = spec.KeepExpired
	f := newFunction(t, s, refusing("refused"))
	var records []string
	for i := 1; i <= 1000; i++ {
		records = append(records, insertion(i, fmt.Sprint(i)))
	}
	expiry := strings.TrimSuffix(record("REMOVE", 1001, item("id", "1"), item("id", "1", "group", "g"), ""), "}") +
		`,"userIdentity":{"principalId":"dynamodb.amazonaws.com"}}`
	records = append(records, expiry, insertion(1002, "1"))
	for i := range 25 {
		note := "refused"
		if i == 12 {
			note = "fine"
		}
		records = append(records, insertion(2000+i, fmt.Sprint(2000+i), "note", note))
	}
	if again := f.invoke(t, records...); again != nil || len(f.queue.bodies) != 24 {
		t.Errorf("%v are redelivered, %d records went to the failure queue, want 24", again, len(f.queue.bodies))
	}
}

func TestAPutThatIsNotStoredDoesNotEndTheBrake(t *testing.T) {
	// A redelivered change whose condition does not hold says nothing about the table.
	f := newFunction(t, guarded(uniqueSpec(all)))
	records := modifications(t, f, 100)
	f.faults.Use(refusing("new"))
	f.invoke(t, records...)
	stale := insertion(1, "0")
	for batch := range slices.Chunk(records, 20) {
		f.invoke(t, append([]string{stale}, batch...)...)
	}
	if len(f.queue.bodies) > 0 || len(f.db.Items("target")) != 100 {
		t.Errorf("%d records went to the failure queue, the target has %d items",
			len(f.queue.bodies), len(f.db.Items("target")))
	}
}

func TestTheLogSaysHowToInvestigateAnUnknownText(t *testing.T) {
	f := newFunction(t, uniqueSpec(all))
	records := modifications(t, f, 100)
	f.faults.Use(unknown("new"))
	f.invoke(t, records...)
	if log := f.log.String(); !strings.Contains(log, "put one of the items by hand") ||
		strings.Contains(log, "an unknown text") {
		t.Errorf("the log says %s", log)
	}
}
