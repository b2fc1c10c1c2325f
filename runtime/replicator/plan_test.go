package replicator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/mapping"
)

func TestAChainIsWrittenOnceWithItsLastStateAndAllItsOldKeysAreDeleted(t *testing.T) {
	keys := item("id", "1")
	in := func(group, note string) string { return item("id", "1", "group", group, "note", note) }
	for _, test := range []struct {
		name, why string
		records   []string
		want      []string
	}{
		{"insert", "D1: a new source item has a new target item",
			[]string{record("INSERT", 1, keys, "", in("a", ""))},
			[]string{"put a/1"}},
		{"modify in place", "D1: the target item is replaced, nothing is deleted",
			[]string{record("MODIFY", 1, keys, in("a", "x"), in("a", "y"))},
			[]string{"put a/1"}},
		{"remove", "D1: the target item goes with its source item",
			[]string{record("REMOVE", 1, keys, in("a", ""), "")},
			[]string{"delete a/1"}},
		{"move", "D1: put first, delete only after that put: briefly twice, never missing",
			[]string{record("MODIFY", 1, keys, in("a", ""), in("b", ""))},
			[]string{"put b/1", "then delete a/1"}},
		{"change nothing", "D3: the target item stays as it is",
			[]string{record("MODIFY", 1, keys, in("a", "x"), in("a", "x"))},
			nil},
		{"several changes", "D2: only the last state is written, once",
			[]string{
				record("INSERT", 1, keys, "", in("a", "1")),
				record("MODIFY", 2, keys, in("a", "1"), in("a", "2")),
				record("MODIFY", 3, keys, in("a", "2"), in("a", "3"))},
			[]string{"put a/1"}},
		{"move twice", "D2: an earlier attempt may have stopped at the middle key, so it is deleted too",
			[]string{
				record("MODIFY", 1, keys, in("a", ""), in("b", "")),
				record("MODIFY", 2, keys, in("b", ""), in("c", ""))},
			[]string{"put c/1", "then delete a/1", "then delete b/1"}},
		{"move and back",
			"D2 and D3: first and last image are equal, yet an earlier attempt may have written the middle one",
			[]string{
				record("MODIFY", 1, keys, in("a", ""), in("b", "")),
				record("MODIFY", 2, keys, in("b", ""), in("a", ""))},
			[]string{"put a/1", "then delete b/1"}},
		{"change and back", "D3: every change must keep the item unchanged, not only the first and the last together",
			[]string{
				record("MODIFY", 1, keys, in("a", "x"), in("a", "y")),
				record("MODIFY", 2, keys, in("a", "y"), in("a", "x"))},
			[]string{"put a/1"}},
		{"insert, move, remove", "D2: all old keys of the item are deleted, at once",
			[]string{
				record("INSERT", 1, keys, "", in("a", "")),
				record("MODIFY", 2, keys, in("a", ""), in("b", "")),
				record("REMOVE", 3, keys, in("b", ""), "")},
			[]string{"delete a/1", "delete b/1"}},
		{"remove and insert again", "D2: the last state counts",
			[]string{
				record("REMOVE", 1, keys, in("a", ""), ""),
				record("INSERT", 2, keys, "", in("a", "new"))},
			[]string{"put a/1"}},
		{"sparse insert", "K6: an item without a target key attribute has no target item",
			[]string{record("INSERT", 1, keys, "", keys)},
			nil},
		{"lose the key attribute", "K6: losing it deletes the target item",
			[]string{record("MODIFY", 1, keys, in("a", ""), keys)},
			[]string{"delete a/1"}},
		{"gain the key attribute", "K6: gaining it puts the target item",
			[]string{record("MODIFY", 1, keys, keys, in("a", ""))},
			[]string{"put a/1"}},
		{"two items", "D7: chains of different source items do not meet",
			[]string{
				record("INSERT", 1, keys, "", in("a", "")),
				record("INSERT", 2, item("id", "2"), "", item("id", "2", "group", "a")),
				record("REMOVE", 3, keys, in("a", ""), "")},
			[]string{"delete a/1", "put a/2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, failures := planOf(t, uniqueSpec(all), payload(test.records...))
			if !slices.Equal(got, test.want) || len(failures) > 0 {
				t.Errorf("%s\n got %q, failures %v\nwant %q", test.why, got, failures, test.want)
			}
		})
	}
}

func TestADerivedKeyMovesItsItemWhenAPartOfItChanges(t *testing.T) {
	keys := item("id", "1")
	in := func(city string) string {
		return `{"id":{"S":"1"},"address":{"M":{"country":{"S":"US"},"city":{"S":"` + city + `"}}}}`
	}
	for _, test := range []struct {
		name, why string
		records   []string
		want      []string
	}{
		{"insert", "K4 and K5: the key is derived from a nested attribute and a composite",
			[]string{record("INSERT", 1, keys, "", in("Albany"))},
			[]string{"put US/Albany#1"}},
		{"move", "K4: another part is another key",
			[]string{record("MODIFY", 1, keys, in("Albany"), in("Buffalo"))},
			[]string{"put US/Buffalo#1", "then delete US/Albany#1"}},
		{"lose a part", "K6: without a part there is no key, and no target item",
			[]string{record("MODIFY", 1, keys, in("Albany"), item("id", "1"))},
			[]string{"delete US/Albany#1"}},
		{"gain a part", "K6: with the last part there is a target item",
			[]string{record("MODIFY", 1, keys, item("id", "1"), in("Albany"))},
			[]string{"put US/Albany#1"}},
		{"a member's name is half a surrogate pair", "it hides no member behind it",
			[]string{record("MODIFY", 1, keys, in("Albany"),
				strings.Replace(in("Buffalo"), `"M":{`, `"M":{"\ud800":{"S":"n"},`, 1))},
			[]string{"put US/Buffalo#1", "then delete US/Albany#1"}},
		{"a map becomes a string", "K6: there is no attribute at the path then",
			[]string{record("MODIFY", 1, keys, in("Albany"), item("id", "1", "address", "Albany"))},
			[]string{"delete US/Albany#1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, failures := planOf(t, derivedSpec(all), payload(test.records...))
			if !slices.Equal(got, test.want) || len(failures) > 0 {
				t.Errorf("%s\n got %q, failures %v\nwant %q", test.why, got, failures, test.want)
			}
		})
	}
}

func TestANewImageThatCannotBeProjectedStillDeletesTheOldItem(t *testing.T) {
	// D6: no later record will name the old target item again.
	keys := item("id", "1")
	got, failures := planOf(t, uniqueSpec(all), payload(
		record("MODIFY", 1, keys, item("id", "1", "group", "a"), `{"id":{"S":"1"},"group":{"N":"7"}}`)))
	if want := []string{"delete a/1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(failures) != 1 || failures[0].change != 0 {
		t.Errorf("the record must be reported: got %v", failures)
	}
}

func TestAPoisonedMiddleChangeDoesNotHoldBackTheLastState(t *testing.T) {
	keys := item("id", "1")
	bad := `{"id":{"S":"1"},"group":{"N":"7"}}`
	got, failures := planOf(t, uniqueSpec(all), payload(
		record("MODIFY", 1, keys, item("id", "1", "group", "a"), bad),
		record("MODIFY", 2, keys, bad, item("id", "1", "group", "b"))))
	if want := []string{"put b/1", "then delete a/1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(failures) != 1 || failures[0].change != 0 {
		t.Errorf("only the record whose new image is bad must be reported: got %v", failures)
	}
}

func TestBatchesAreCutByCount(t *testing.T) {
	unguarded := newReplicator(uniqueSpec(all), nil, nil, minInFlight, nil).writer
	guarded := newReplicator(usersSpec(), nil, nil, minInFlight, nil).writer
	alone := newReplicator(usersSpec(), nil, nil, minInFlight, nil)
	singly(alone)
	for _, test := range []struct {
		name, why string
		writer    *writer
		writes    int
		want      []int // writes per batch
	}{
		{"none", "nothing to send", unguarded, 0, nil},
		{"25", "a BatchWriteItem call has at most 25 writes", unguarded, 25, []int{25}},
		{"26", "the 26th goes into the next call", unguarded, 26, []int{25, 1}},
		{"guarded", "a BatchExecuteStatement call has at most 25 statements", guarded, 26, []int{25, 1}},
		{"without statements", "a request with a condition has one write", alone.writer, 3, []int{1, 1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []int
			writes := make([]write, test.writes)
			for i := range writes {
				writes[i].item = &mapping.TargetItem{Key: fmt.Append(nil, i)}
			}
			test.writer.fallBack(0, writes)
			for _, b := range test.writer.group(nil, 0, writes) {
				got = append(got, len(b.writes))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: got %v, want %v", test.why, got, test.want)
			}
		})
	}
}

func TestChainsOfThousandsOfItemsStayApart(t *testing.T) {
	var records, want []string
	for i := range 3000 {
		id := fmt.Sprint(i)
		records = append(records, record("INSERT", i, item("id", id), "", item("id", id, "group", "a")))
		want = append(want, "put a/"+id)
	}
	got, _ := planOf(t, uniqueSpec(all), payload(records...))
	if !slices.Equal(got, want) {
		t.Errorf("got %d writes, want %d, in the order of the records", len(got), len(want))
	}
}
