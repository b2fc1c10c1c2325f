package replicator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// newPairSetAside returns a function whose second target is about to be set aside.
func newPairSetAside(t *testing.T) *function {
	t.Helper()
	f, c := newPairFunction(t, pairSpec())
	c.failing["second"] = "AccessDeniedException"
	f.invoke(t, both(1, "0"))
	time.Sleep(2 * defaultGrace)
	return f
}

// hotItem returns changes of one item, each with a target key of its own.
func hotItem(changes int) []string {
	var records []string
	image := func(i int) string {
		return item("id", "hot", "group", "g", "kind", fmt.Sprintf("%s%04d", strings.Repeat("k", 800), i))
	}
	for i := range changes {
		records = append(records, record("MODIFY", i+1, item("id", "hot"), image(i), image(i+1)))
	}
	return records
}

func TestSetAsideKeysOfOneItemThatDoNotFitAreInSeveralMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newPairSetAside(t)
		records := append(hotItem(1500), both(1501, "next"))
		if again := f.invoke(t, records...); again != nil {
			t.Errorf("%d records are redelivered, from %s", len(again), again[0])
		}
		var marked []string
		keys := map[string]bool{}
		messages := f.queue.messages(t)
		for i, m := range messages {
			if size := len(f.queue.bodies[i]); size > maxQueueBytes {
				t.Errorf("message %d has %d bytes", i, size)
			}
			hot := m.Items[0]
			if string(hot.SourceKey) != item("id", "hot") || len(hot.TargetKeys) == 0 {
				t.Errorf("message %d has %d keys of %s", i, len(hot.TargetKeys), hot.SourceKey)
			}
			for _, k := range hot.TargetKeys {
				keys[string(k.Key)] = true
				if k.Last {
					marked = append(marked, string(k.Key))
				}
			}
		}
		if len(keys) != 1501 || len(marked) != 1 || !strings.Contains(marked[0], "k1500") {
			t.Errorf("got %d of 1501 keys, and %d are marked as the last: %s", len(keys), len(marked), marked)
		}
		if len(messages) != 2 || len(messages[1].Items) != 2 {
			t.Errorf("%d messages; the next item fits in the second", len(messages))
		}
	})
}

func TestSetAsideItemIsRedeliveredUntilTheQueueHasAllItsParts(t *testing.T) {
	for _, refused := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			f := newPairSetAside(t)
			n := -1
			f.queue.refuse = func(string) error {
				n++
				if n == refused {
					return errors.New("no")
				}
				return nil
			}
			records := append([]string{insertion(1, "before")}, hotItem(1500)[1:]...)
			if again := f.invoke(t, records...); !slices.Equal(again, []string{"2"}) {
				t.Errorf("part %d is refused: %d are redelivered: %.3v", refused, len(again), again)
			}
			if strings.Contains(f.log.String(), `"sent"`) {
				t.Errorf("part %d is refused: the log says that the item was sent: %s", refused, f.log)
			}
			if again := f.invoke(t, records...); again != nil {
				t.Errorf("%d are redelivered after that: %.3v", len(again), again)
			}
		})
	}
}

func TestSetAsideMessagesFitWhateverTheirCharacters(t *testing.T) {
	// encodeMessage writes some characters in more bytes than the stream has.
	for name, character := range map[string]string{
		"noncharacter": "\uffff", "noncharacters": strings.Repeat("\ufffe", 50), "invalid": "\xff",
		"invalid, between others": strings.Repeat("a\xff", 10), "line separator": "\u2028", "markup": "<&>",
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newPairSetAside(t)
			f.writer.brakes[0].disabled = true // a table refuses what is not UTF-8
			long := strings.Repeat("x", 800)
			var records []string
			for i := range 1500 {
				id := fmt.Sprintf("%s%d%s", long, i, character)
				records = append(records, strings.ReplaceAll(both(i+1, "ID"), "ID", id))
			}
			if again := f.invoke(t, records...); again != nil {
				t.Errorf("%s: %d are redelivered", name, len(again))
			}
			items := 0
			for i, m := range f.queue.messages(t) {
				first := items == 0 && m.Kind == failurequeue.KindKeys
				items += len(m.Items)
				if size := len(f.queue.bodies[i]); size > maxQueueBytes || first && size < maxQueueBytes-5_000 {
					t.Errorf("%s: message %d has %d bytes", name, i, size)
				}
				if !utf8.ValidString(f.queue.bodies[i]) {
					t.Errorf("%s: message %d is not UTF-8", name, i)
				}
			}
			if items != len(records) {
				t.Errorf("%s: the messages have %d of %d items", name, items, len(records))
			}
		})
	}
}

func TestSetAsideMessageReachesToTheLastChangeOfAllItsItems(t *testing.T) {
	// The first item changes again after the second.
	synctest.Test(t, func(t *testing.T) {
		f := newPairSetAside(t)
		v := func(kind string) string { return item("id", "1", "group", "g", "kind", kind) }
		f.invoke(t, both(1, "1"), both(2, "2"), record("MODIFY", 3, item("id", "1"), v("k"), v("l")))
		m := f.queue.messages(t)[0]
		first, last := strings.TrimLeft(m.SequenceNumber, "0"), strings.TrimLeft(m.LastSequenceNumber, "0")
		if first != "1" || last != "3" || len(m.Items) != 2 {
			t.Errorf("from %s to %s, %d items; want from 1 to 3, 2 items", first, last, len(m.Items))
		}
	})
}

func TestSetAsideKeysThatTheQueueRefusesHoldBackTheFailuresBehindThem(t *testing.T) {
	// These are redelivered anyway, and one message about each is enough.
	synctest.Test(t, func(t *testing.T) {
		f := newPairSetAside(t)
		f.queue.refuse = func(body string) error {
			if strings.Contains(body, `"kind":"keys"`) {
				return errors.New("no")
			}
			return nil
		}
		bad := func(n int) string {
			return record("INSERT", n, item("id", fmt.Sprint(n)), "", fmt.Sprintf(`{"id":{"S":"%d"},"group":{"BOOL":true}}`, n))
		}
		for range 3 {
			f.invoke(t, bad(1), both(2, "2"), bad(3))
		}
		for _, m := range f.queue.messages(t) {
			if m.Kind != failurequeue.KindRecord || string(m.SourceKey) != item("id", "1") {
				t.Errorf("got a message about %s", m.SourceKey)
			}
		}
		f.queue.refuse, f.queue.bodies = nil, nil
		if again := f.invoke(t, both(2, "2"), bad(3)); again != nil || len(f.queue.bodies) != 2 {
			t.Errorf("%v are redelivered, %d messages, want 2", again, len(f.queue.bodies))
		}
	})
}
