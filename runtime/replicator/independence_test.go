package replicator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/awsconfig"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

// bothOf returns count records from a sequence number on, each inserting an item of its
// own into both targets.
func bothOf(count, sequence int) []string {
	var records []string
	for i := range count {
		records = append(records, both(sequence+i, fmt.Sprint(sequence+i)))
	}
	return records
}

func TestAKeptItemOfOneTargetDoesNotWaitForAnother(t *testing.T) {
	// T1, T3: the item that is back needs a second plan, whether the other target holds up
	// the stream or was set aside.
	for _, aside := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := pairSpec()
			s.Targets[0].ExpiredItems = spec.KeepExpired
			f, c := newPairFunction(t, s)
			c.failing["second"] = "AccessDeniedException"
			if aside {
				f.invoke(t, both(1, "0"))
				time.Sleep(defaultGrace)
				f.invoke(t, both(1, "0"))
			}

			old := item("id", "1", "group", "g", "kind", "k")
			expired := expiry(3, "1", old)
			records := append([]string{both(2, "1"), expired, both(4, "1")}, bothOf(100, 10)...)
			again := f.invoke(t, records...)
			if aside != (again == nil) {
				t.Errorf("aside %t: %v are redelivered", aside, again)
			}
			want := 101
			if aside {
				want++
			}
			if items := f.db.Items("target"); len(items) != want {
				t.Errorf("aside %t: the healthy target has %d items, want %d", aside, len(items), want)
			}
		})
	}
}

func TestATargetThatFailsGetsNoSecondPlan(t *testing.T) {
	// The effects behind a kept item wait until it is written.
	synctest.Test(t, func(t *testing.T) {
		s := pairSpec()
		s.Targets[0].ExpiredItems = spec.KeepExpired
		f, c := newPairFunction(t, s)
		c.failing["target"] = "ThrottlingException"
		old := item("id", "1", "group", "g", "kind", "k")
		expired := expiry(2, "1", old)
		if again := f.invoke(t, both(1, "1"), expired, both(3, "1")); len(again) == 0 || again[0] != "1" {
			t.Errorf("%v are redelivered, want them from 1 on", again)
		}
		if items := f.db.Items("second"); len(items) != 1 {
			t.Errorf("the other target has %d items, want 1", len(items))
		}
	})
}

// wrongIndex refuses every put to the second target, as an index key of another type does.
func wrongIndex(f *function, only string) {
	f.faults.Use(faults.Rule{Kind: faults.Poison, Probability: 1, Message: faults.WrongIndexKey,
		Select: func(w faults.Write) bool {
			return w.Put && w.Table == "second" && bytes.Contains(w.Attributes, []byte(only))
		}})
}

func TestADeleteDoesNotEndTheSettingAsideOfATableThatRefusesPuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newPairFunction(t, pairSpec())
		wrongIndex(f, "")
		records := bothOf(60, 1)
		f.invoke(t, records...)
		time.Sleep(defaultGrace)
		for i, batch := range [][]string{
			records,
			{record("REMOVE", 101, item("id", "5"), item("id", "5", "group", "g", "kind", "k"), "")},
			{both(102, "102")},
		} {
			if again := f.invoke(t, batch...); again != nil {
				t.Errorf("batch %d: %v are redelivered, but the target is set aside", i, again)
			}
		}
	})
}

func TestPutsFromBeforeATableBecameWrongDoNotRestartTheGraceTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pairSpec()
		s.Targets[1].VersionAttribute = spec.DefaultVersionAttribute
		f, _ := newPairFunction(t, s)
		var records []string
		for i := range 110 { // so many that the order of the answers does not matter
			note := "old"
			if i >= 10 {
				note = "new"
			}
			records = append(records, insertion(i+1, fmt.Sprint(i), "kind", "k", "note", note))
		}
		f.invoke(t, records[:10]...)
		wrongIndex(f, "new")
		expectSetAsideAfterTheGraceTime(t, f, records)
	})
}

func TestATargetWhosePutsAreDeniedIsSetAsideAlthoughDeletesAreNot(t *testing.T) {
	denied := map[bool]string{true: "PutItem", false: "DeleteItem"}
	for puts, action := range denied {
		synctest.Test(t, func(t *testing.T) {
			s := pairSpec()
			s.Targets[1].VersionAttribute = spec.DefaultVersionAttribute
			f, c := newPairFunction(t, s)
			f.Replicator = f.at(doFunc(func(r *http.Request) (*http.Response, error) {
				target := r.Header.Get("X-Amz-Target")
				if strings.HasSuffix(target, action) || strings.HasSuffix(target, ".BatchExecuteStatement") {
					return refusalAnswer(r, "AccessDeniedException"), nil
				}
				return c.Do(r)
			}), s)
			old := item("id", "9", "group", "g", "kind", "k")
			t.Logf("puts are denied: %t", puts)
			expectSetAsideAfterTheGraceTime(t, f, []string{record("REMOVE", 1, item("id", "9"), old, ""), both(2, "1")})
		})
	}
}

// expectSetAsideAfterTheGraceTime delivers records once a minute.
func expectSetAsideAfterTheGraceTime(t *testing.T, f *function, records []string) {
	t.Helper()
	start := time.Now()
	for f.invoke(t, records...) != nil {
		if time.Since(start) > time.Hour {
			t.Fatal("the target was not set aside within an hour")
		}
		time.Sleep(time.Minute)
	}
	if after := time.Since(start); after != defaultGrace {
		t.Errorf("the target was set aside after %s, want %s", after, defaultGrace)
	}
}

func TestOldRecordsDoNotShortenTheGraceTimeOfATargetThatWorked(t *testing.T) {
	// T3: a stream that lags says nothing about a target that this process saw working.
	synctest.Test(t, func(t *testing.T) {
		s := pairSpec()
		f, c := newPairFunction(t, s)
		time.Sleep(time.Until(time.Unix(1_700_000_000, 0).Add(time.Hour)))
		f.Replicator = f.at(c, s)
		f.invoke(t, both(1, "1"))
		c.failing["second"] = "AccessDeniedException"
		expectSetAsideAfterTheGraceTime(t, f, []string{both(2, "2")})
	})
}

func TestAThrottledTargetDoesNotTakeTheSendersOfOthers(t *testing.T) {
	// T3: guarded writes are one per request, and so a thousand requests that wait.
	synctest.Test(t, func(t *testing.T) {
		s := pairSpec()
		s.Targets[0].VersionAttribute = spec.DefaultVersionAttribute
		f, c := newPairFunction(t, s)
		c.failing["target"] = "ThrottlingException"
		again := f.invoke(t, bothOf(1000, 1)...)
		if items := f.db.Items("second"); len(again) == 0 || len(items) != 1000 {
			t.Errorf("the other target has %d of 1000 items, %d records are redelivered", len(items), len(again))
		}
	})
}

func TestATargetThatDoesNotAnswerHoldsUpNoOther(t *testing.T) {
	// T3: neither with all its requests, nor with the one that shows whether a target that
	// was set aside works again.
	for _, aside := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := pairSpec()
			f, c := newPairFunction(t, s)
			silent, other := "target", "second"
			if aside {
				silent, other = other, silent
			}
			hangs := false
			f.Replicator = f.at(doFunc(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				if !hangs || !bytes.Contains(body, []byte(`"`+silent+`"`)) {
					return c.Do(r)
				}
				select {
				case <-time.After(awsconfig.AnswerTimeout):
					return nil, fmt.Errorf("no answer")
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}), s)
			if aside {
				c.failing["second"] = "AccessDeniedException"
				f.invoke(t, both(1, "1"))
				time.Sleep(defaultGrace)
				f.invoke(t, both(1, "1"))
				delete(c.failing, "second")
			}

			hangs = true
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			if _, err := f.Invoke(ctx, payload(bothOf(1000, 1)...)); err != nil {
				t.Fatal(err)
			}
			if items := f.db.Items(other); len(items) != 1000 {
				t.Errorf("aside %t: the other target has %d of 1000 items", aside, len(items))
			}
		})
	}
}

// doFunc is a client of one function.
type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }
