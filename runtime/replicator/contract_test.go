package replicator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
)

// everyType is an item with all ten attribute types and their corner cases.
func everyType() attributes {
	return attributes{
		"string":      s("plain"),
		"emptyString": s(""),
		"unicode":     s("žluť 😀 \u0000\u2028 <&> \"quoted\" \\ /"),
		"number":      n("12345678901234567890123456789012345678"),
		"small":       n("-1E-130"),
		"large":       n("9.9999999999999999999999999999999999999E+125"),
		"binary":      b("\x00\x01\xff"),
		"emptyBinary": b(""),
		"true":        &types.AttributeValueMemberBOOL{Value: true},
		"false":       &types.AttributeValueMemberBOOL{Value: false},
		"null":        &types.AttributeValueMemberNULL{Value: true},
		"map": &types.AttributeValueMemberM{Value: attributes{
			"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{s("a"), n("1"),
				&types.AttributeValueMemberM{Value: attributes{"deep": b("x")}}}},
		}},
		"emptyMap":                      &types.AttributeValueMemberM{Value: attributes{}},
		"emptyList":                     &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
		"strings":                       &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"numbers":                       &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}},
		"binaries":                      &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}},
		"a.name # with \"signs\" and é": s("x"),
	}
}

// with returns item with more attributes.
func with(item attributes, more attributes) attributes {
	sum := attributes{}
	for name, value := range item {
		sum[name] = value
	}
	for name, value := range more {
		sum[name] = value
	}
	return sum
}

func TestAllAttributeTypesArriveUnderKeysOfEachType(t *testing.T) {
	values := map[spec.AttributeType][]types.AttributeValue{
		spec.String: {s("a"), s("é \"#\" \\"), s("x/y")},
		spec.Number: {n("1"), n("-0.5"), n("12345678901234567890123456789012345678")},
		spec.Binary: {b("\x00"), b("\xff\xfe"), b("text")},
	}
	typesOfKeys := []spec.AttributeType{spec.String, spec.Number, spec.Binary}
	for _, id := range typesOfKeys {
		for _, group := range typesOfKeys {
			t.Run(fmt.Sprintf("[C2] source %s, target %s and %s", id, group, id), func(t *testing.T) {
				sp := uniqueSpec(all)
				sp.Source.PartitionKey.Type = id
				sp.Targets[0].PartitionKey.Type = group
				sp.Targets[0].SortKey.Type = id
				p := newPair(t, sp)
				for i := range 3 {
					p.put(with(everyType(), attributes{"id": values[id][i], "group": values[group][i]}))
				}
				p.drain()
				p.wantTarget("every item arrives unchanged", p.items(p.source)...)

				p.put(attributes{"id": values[id][0], "group": values[group][1]})
				p.delete(attributes{"id": values[id][1]})
				p.drain()
				p.wantTarget("one item moved, one went, one stayed", p.items(p.source)...)
			})
		}
	}
}

func TestTheTargetFollowsTheSource(t *testing.T) {
	p := newPair(t, uniqueSpec(spec.Projection{Type: spec.Exclude, Attributes: []string{"secret"}}))
	user := func(id, group string) attributes { return attributes{"id": s(id), "group": s(group)} }

	p.put(with(user("1", "a"), attributes{"secret": s("x")}))
	p.put(user("2", "a"))
	p.put(attributes{"id": s("3")})
	p.drain()
	p.wantTarget("[C1] projected; [K6] no target item without a target key", user("1", "a"), user("2", "a"))

	p.put(user("1", "b"))
	p.put(user("1", "c"))
	p.put(user("3", "a"))
	p.delete(attributes{"id": s("2")})
	p.drain()
	p.wantTarget("[D1][D2] moved, gained and removed", user("1", "c"), user("3", "a"))

	p.put(attributes{"id": s("1")})
	p.drain()
	p.wantTarget("[K6] losing the target key deletes the target item", user("3", "a"))
}

func TestAnyCutAndAnyRedeliveryEndInTheSameTarget(t *testing.T) {
	// D8, for one history with every kind of change. Every batch is cut in two at every
	// place, and then redelivered from every earlier place.
	for _, test := range []struct {
		name string
		spec spec.Spec
	}{
		{"unique", uniqueSpec(all)},
		{"last writer wins", guardedSpec()},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPair(t, test.spec)
			put := func(id, group, note string) {
				p.put(attributes{"id": s(id), "group": s(group), "note": s(note)})
			}
			put("1", "a", "x")
			put("2", "b", "x")
			put("1", "c", "x")
			put("1", "a", "y")
			p.delete(attributes{"id": s("2")})
			put("2", "d", "z")
			put("3", "e", "z")
			p.delete(attributes{"id": s("3")})
			put("1", "c", "z")
			records := p.records()
			want := []attributes{
				{"id": s("1"), "group": s("c"), "note": s("z")},
				{"id": s("2"), "group": s("d"), "note": s("z")},
			}
			for cut := range records {
				for again := 0; again <= cut; again++ {
					if failed := p.deliver(records[:cut]...); failed != nil {
						t.Fatal(failed)
					}
					if failed := p.deliver(records[again:]...); failed != nil {
						t.Fatal(failed)
					}
					p.wantTarget(fmt.Sprintf("delivered 0 to %d, then everything from %d", cut, again), want...)
				}
			}
		})
	}
}

// guardedSpec maps id -> group: two items can have one target key, the newest change wins.
func guardedSpec() spec.Spec {
	sp := uniqueSpec(all)
	sp.Targets[0].SortKey = nil
	sp.Targets[0].OnKeyCollision = spec.LastWriterWins
	sp.Targets[0].VersionAttribute = spec.DefaultVersionAttribute
	return sp
}

func TestTheLastWriterWinsATargetKey(t *testing.T) {
	ann := attributes{"email": s("ann"), "state": s("NY"), "city": s("Albany")}
	bob := attributes{"email": s("bob"), "state": s("NY"), "city": s("Albany")}
	moved := attributes{"email": s("ann"), "state": s("NY"), "city": s("Buffalo")}
	insert := func(second int, who attributes) string { return guardedRecord("INSERT", second, second, nil, who) }

	for _, test := range []struct {
		name, why string
		batches   []string
		want      []attributes
	}{
		{"newer over older", "K3: the newest change wins",
			[]string{insert(1, ann), insert(2, bob)}, []attributes{bob}},
		{"older after newer", "K3: shards may be read in any order",
			[]string{insert(2, bob), insert(1, ann)}, []attributes{bob}},
		{"redelivered older", "D8: a redelivery does not bring an older writer back",
			[]string{insert(1, ann), insert(2, bob), insert(1, ann)}, []attributes{bob}},
		{"loser removed", "K3: deleting one source item never removes another one's target item",
			[]string{insert(1, ann), insert(2, bob), guardedRecord("REMOVE", 3, 3, ann, nil)}, []attributes{bob}},
		{"loser moved", "K3: nor does moving it",
			[]string{insert(1, ann), insert(2, bob), guardedRecord("MODIFY", 3, 3, ann, moved)},
			[]attributes{bob, moved}},
		{"winner removed", "K3: a stated limit: the loser does not come back",
			[]string{insert(1, ann), insert(2, bob), guardedRecord("REMOVE", 3, 3, bob, nil)}, nil},
		{"removed, then the old change again", "D8: the redelivery ends with the removal again",
			[]string{insert(1, ann), guardedRecord("REMOVE", 2, 2, ann, nil),
				insert(1, ann), guardedRecord("REMOVE", 2, 2, ann, nil)}, nil},
		{"sequence numbers of different widths", "10 comes after 9 although its text sorts before",
			[]string{guardedRecord("INSERT", 1, 9, nil, ann),
				guardedRecord("MODIFY", 1, 10, ann, with(ann, attributes{"note": s("new")}))},
			[]attributes{with(ann, attributes{"note": s("new")})}},
		{"a clock that steps back within one item",
			"one item's changes are ordered by sequence number, whatever the clock says",
			[]string{guardedRecord("INSERT", 5, 1, nil, ann),
				guardedRecord("MODIFY", 4, 2, ann, with(ann, attributes{"note": s("new")}))},
			[]attributes{with(ann, attributes{"note": s("new")})}},
		{"sequence numbers of another shard",
			"between items the time decides: sequence numbers of different shards do not compare",
			[]string{guardedRecord("INSERT", 1, 900, nil, ann), guardedRecord("INSERT", 2, 100, nil, bob)},
			[]attributes{bob}},
		{"one batch", "D7: in one batch any order is right too",
			[]string{insert(2, bob) + "," + insert(1, ann)}, []attributes{bob}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPair(t, usersSpec())
			for _, batch := range test.batches {
				if failed := p.deliver([]byte(batch)); failed != nil {
					t.Fatal(failed)
				}
			}
			p.wantTarget(test.why, test.want...)
		})
	}
}

// guardedRecord returns a record of the users table with a time and a sequence number.
func guardedRecord(event string, second, sequence int, oldImage, newImage attributes) string {
	image := func(image attributes) string {
		if image == nil {
			return ""
		}
		var pairs []string
		for _, name := range []string{"email", "state", "city", "note"} {
			if v, ok := image[name].(*types.AttributeValueMemberS); ok {
				pairs = append(pairs, name, v.Value)
			}
		}
		return item(pairs...)
	}
	owner := newImage
	if owner == nil {
		owner = oldImage
	}
	text := record(event, sequence, item("email", owner["email"].(*types.AttributeValueMemberS).Value),
		image(oldImage), image(newImage))
	text = strings.Replace(text, fmt.Sprintf("%d", 1700000000+sequence), fmt.Sprintf("%d", 1700000000+second), 1)
	// Not padded: widths vary in a real stream.
	return strings.Replace(text, fmt.Sprintf(`"%024d"`, sequence), fmt.Sprintf(`"%d"`, sequence), 1)
}

func TestEveryTargetItemUnderLastWriterWinsHasItsVersionAndNothingElseIsAdded(t *testing.T) {
	p := newPair(t, usersSpec())
	ann := attributes{"email": s("ann"), "state": s("NY"), "city": s("Albany")}
	if failed := p.deliver([]byte(guardedRecord("INSERT", 1, 42, nil, ann))); failed != nil {
		t.Fatal(failed)
	}
	out := p.scan("target")
	want := with(ann, attributes{spec.DefaultVersionAttribute: &types.AttributeValueMemberM{Value: attributes{
		"at":    n("1700000001"),
		"names": s(mapping.Fingerprint([][]byte{[]byte("city"), []byte("email"), []byte("state")})),
		"seq":   s("2026-01-02T03:04:05.678/" + strings.Repeat("0", 38) + "42"),
	}}})
	if len(out) != 1 || show(out[0]) != show(want) {
		t.Errorf("got %s, want %s", showAll(out), show(want))
	}
}

func TestUnprocessedItemsAreSentAgainUntilAllAreWritten(t *testing.T) {
	// F2. DynamoDB Local processes every item, so a proxy in front of it holds back most
	// writes of every call, as a throttled table does.
	p := newPair(t, uniqueSpec(all))
	for i := range 60 {
		p.put(attributes{"id": s(fmt.Sprint(i)), "group": s("old")})
	}
	p.drain()
	var want []attributes
	for i := range 60 {
		id := attributes{"id": s(fmt.Sprint(i))}
		if i%3 == 0 {
			p.delete(id)
			continue
		}
		item := with(id, attributes{"group": s("new")})
		p.put(item)
		want = append(want, item)
	}
	holding := httptest.NewServer(keepBack(t, *p.config.BaseEndpoint, 10))
	defer holding.Close()
	p.replicator = p.replicatorAt(holding.URL)
	p.drain()
	p.wantTarget("unprocessed puts and deletes both arrive", want...)
}

func TestTheAnswerComesBeforeTheDeadlineWhateverTheTableDoes(t *testing.T) {
	// F2 and F4: a table that never executes a write uses up the time to send. The
	// remaining records must be reported before Lambda would kill the function.
	p := newPair(t, uniqueSpec(all))
	for i := range 30 {
		p.put(attributes{"id": s(fmt.Sprint(i)), "group": s("g")})
	}
	var calls atomic.Int64
	stuck := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		var body struct{ RequestItems json.RawMessage }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"UnprocessedItems": body.RequestItems})
	}))
	defer stuck.Close()
	ctx, cancel := context.WithTimeout(t.Context(), minReserve+failureQueueTime+time.Second)
	defer cancel()
	answer, err := p.replicatorAt(stuck.URL).Invoke(ctx, eventsource.Event(p.records()...))
	if err != nil || ctx.Err() != nil {
		t.Fatalf("got error %v, and the deadline is over: %v", err, ctx.Err())
	}
	if got := strings.Count(string(answer), "itemIdentifier"); got != 30 {
		t.Errorf("%d records are reported, want all 30: %s", got, answer)
	}
	if calls.Load() <= 2 {
		t.Errorf("the 2 batches were sent %d times: nothing was tried again", calls.Load())
	}
}

// keepBack returns a proxy to DynamoDB that executes only the first writes of a
// BatchWriteItem call and returns the others as unprocessed.
func keepBack(t *testing.T, endpoint string, executed int) http.Handler {
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchWriteItem") {
			proxy.ServeHTTP(w, r)
			return
		}
		var body struct{ RequestItems map[string][]json.RawMessage }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("the replicator sent a body that is not a BatchWriteItem call: %v", err)
		}
		kept := map[string][]json.RawMessage{}
		for table, writes := range body.RequestItems {
			if len(writes) > executed {
				kept[table] = writes[executed:]
				body.RequestItems[table] = writes[:executed]
			}
		}
		forward, err := json.Marshal(body)
		if err != nil {
			t.Error(err)
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(forward)), int64(len(forward))
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		w.WriteHeader(answer.Code)
		if answer.Code != http.StatusOK {
			_, _ = w.Write(answer.Body.Bytes())
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"UnprocessedItems": kept}); err != nil {
			t.Error(err)
		}
	})
}

func TestAWriteThatFailsIsReportedAndItsOldItemStays(t *testing.T) {
	// D1 and F2: the target table refuses the put of a moved item. Its old
	// key must not be deleted, and the record must be redelivered.
	p := newPair(t, uniqueSpec(all))
	p.put(attributes{"id": s("1"), "group": s("a")})
	p.drain()
	p.put(attributes{"id": s("1"), "group": s("b")})
	records := p.records()

	healthy := p.replicator
	failing := httptest.NewServer(refusePuts(t, *p.config.BaseEndpoint))
	defer failing.Close()
	p.replicator = p.replicatorAt(failing.URL)
	if failed := p.deliver(records...); len(failed) != 1 {
		t.Errorf("got %v reported, want the one record", failed)
	}
	p.wantTarget("the put failed, so the old item stays", attributes{"id": s("1"), "group": s("a")})

	p.replicator = healthy
	if failed := p.deliver(records...); failed != nil {
		t.Fatal(failed)
	}
	p.wantTarget("the redelivery moves it", attributes{"id": s("1"), "group": s("b")})
}

// refusePuts returns a proxy to DynamoDB that refuses calls with a put.
func refusePuts(t *testing.T, endpoint string) http.Handler {
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if bytes.Contains(body, []byte("PutRequest")) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w,
				`{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","message":"no"}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	})
}

func TestNumbersThatAreEqualAreOneKey(t *testing.T) {
	// The stream normalizes numbers; a test or another reader of the stream may
	// not. BatchWriteItem refuses a call that names one key twice.
	sp := uniqueSpec(all)
	sp.Source.PartitionKey.Type = spec.Number
	sp.Targets[0].SortKey.Type = spec.Number
	p := newPair(t, sp)
	image := func(id, note string) string {
		return fmt.Sprintf(`{"id":{"N":%q},"group":{"S":"g"},"note":{"S":%q}}`, id, note)
	}
	if failed := p.deliver(
		[]byte(record("INSERT", 1, `{"id":{"N":"1"}}`, "", image("1", "a"))),
		[]byte(record("MODIFY", 2, `{"id":{"N":"1.0"}}`, image("1.0", "a"), image("1e0", "b"))),
	); failed != nil {
		t.Fatal(failed)
	}
	p.wantTarget("one item, its last state", attributes{"id": n("1"), "group": s("g"), "note": s("b")})
}

func TestAPayloadThatIsNotAnEventFailsTheInvocation(t *testing.T) {
	p := newPair(t, uniqueSpec(all))
	if _, err := p.replicator.Invoke(t.Context(), []byte(`{"not":"an event"}`)); err == nil {
		t.Error("got no error: Lambda would count the batch as done")
	}
	if answer, err := p.replicator.Invoke(t.Context(), eventsource.Event()); err != nil ||
		string(answer) != `{"batchItemFailures":[]}` {
		t.Errorf("an empty batch: got %s, %v", answer, err)
	}
}
