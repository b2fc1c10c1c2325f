package replicator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
	"github.com/replicatedtable/cdk-go/internal/test/faults"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

var (
	modelSeed  = flag.Uint64("model.seed", 1, "the first history of the model test")
	modelSteps = flag.Int("model.steps", 20_000, "source writes of the model test in all")
)

// The model test: random mappings, random histories of a source table, random
// batch boundaries, redeliveries, faults and crashes. Once the stream is drained,
// the target must be what the oracle says: a map and the few lines of
// world.apply.
//
// Time is fake, so retries and throttling cost nothing.

// world is one random mapping and one random history, with its oracle.
type world struct {
	random *rand.Rand
	spec   spec.Spec
	// poisonable says that some items carry the attribute that the table refuses,
	// mostlyPoison that most do.
	poisonable, mostlyPoison bool
	ids                      []string // the source key members of each source item, as JSON
	groups                   []string // attribute values of the target's own key attribute, bad ones included
	cities                   []string // attribute values of a nested attribute that a target key is made of

	source map[int]map[string]string // live source items: attributes by name, as JSON
	shards []eventsource.Shard
	writes int

	// emit takes a change of the source table to its stream and to the oracle.
	emit func(c sourceChange)

	// The oracle.
	target  map[string]owned // target items by target key
	newest  map[string]owned // under LAST_WRITER_WINS: the newest write of each target key
	version map[int]owned    // the last change of each source item that changed its target item
	// poison holds the sequence numbers of the records that must go to the failure
	// queue; refused those that may, because the table refuses their item when it
	// is the last of its chain.
	poison, refused map[string]bool
	// changes tells of every record whose change it is, and whether it leaves the
	// source item with a target item.
	changes map[string]ownedChange
}

type ownedChange struct {
	owner  int
	mapped bool
}

// sourceChange is a change of one source item; a nil item is none.
type sourceChange struct {
	id            int
	before, after map[string]string
	expired       bool
}

// owned is a target item, who put it there and when.
type owned struct {
	owner    int
	item     string // its members, in order; "" for none
	key      string
	at       int
	seq      string
	number   string // the sequence number as it is
	poisoned bool   // the table refuses the item
}

func (o owned) newer(than owned) bool {
	return o.at > than.at || o.at == than.at && o.seq > than.seq
}

const (
	modelLabel  = "2026-01-02T03:04:05.678"
	poisonMark  = `{"BOOL":true}`
	modelShards = 3
)

func newWorld(seed uint64) *world {
	w := &world{
		random: rand.New(rand.NewPCG(seed, 0)),
		source: map[int]map[string]string{}, target: map[string]owned{}, newest: map[string]owned{}, version: map[int]owned{},
		poison: map[string]bool{}, refused: map[string]bool{}, changes: map[string]ownedChange{},
	}
	w.mapping()
	return w
}

// newHistory returns a world with a history whose records are made up.
func newHistory(seed uint64, writes int) *world {
	w := newWorld(seed)
	w.emit = w.record
	for i := range modelShards {
		w.shards = append(w.shards, eventsource.Shard{ID: fmt.Sprint("shard", i)})
	}
	for w.writes < writes {
		w.write()
	}
	return w
}

func (w *world) one(in int) bool { return w.random.IntN(in) == 0 }

// mapping chooses the spec and the values that items are made of.
func (w *world) mapping() {
	types := []spec.AttributeType{spec.String, spec.Number, spec.Binary}
	key := func(name string) spec.Attribute { return spec.Attribute{Name: name, Type: types[w.random.IntN(3)]} }
	id, group := key("id"), key("group")
	w.spec.Source = spec.Table{TableName: "source", KeySchema: spec.KeySchema{PartitionKey: id}}
	t := spec.Target{Table: spec.Table{TableName: "target"}}
	var since *spec.Attribute
	if w.one(3) {
		a := key("since")
		since = &a
		w.spec.Source.SortKey = since
	}
	collide := w.one(2)
	switch {
	case collide && w.one(2):
		t.KeySchema = spec.KeySchema{PartitionKey: group}
	case collide && since != nil:
		t.KeySchema = spec.KeySchema{PartitionKey: group, SortKey: since}
	case collide:
		other := spec.Attribute{Name: "other", Type: spec.String}
		t.KeySchema = spec.KeySchema{PartitionKey: group, SortKey: &other}
	case since != nil:
		t.KeySchema = spec.KeySchema{PartitionKey: *since, SortKey: &id}
	case w.one(2):
		t.KeySchema = spec.KeySchema{PartitionKey: id, SortKey: &group}
	default:
		t.KeySchema = spec.KeySchema{PartitionKey: group, SortKey: &id}
	}
	if collide {
		t.OnKeyCollision = spec.LastWriterWins
	}
	if collide || w.one(3) {
		t.VersionAttribute = spec.DefaultVersionAttribute
	}
	w.poisonable, w.mostlyPoison = w.one(2), w.one(4)
	t.Projection = []spec.Projection{
		{Type: spec.All},
		{Type: spec.KeysOnly},
		{Type: spec.Include, Attributes: []string{"note", "mark"}},
		{Type: spec.Exclude, Attributes: []string{"flag"}},
	}[w.random.IntN(4)]
	if t.Projection.Type == spec.KeysOnly {
		w.poisonable = false // the table would not see the mark
	}
	if w.one(3) {
		t.Filter = []*spec.Condition{
			{Path: []string{"flag"}, Operator: spec.Equals, Values: []spec.Value{{Type: "S", Text: "on"}}},
			{Path: []string{"flag"}, Operator: spec.NotEquals, Values: []spec.Value{{Type: "S", Text: "off"}}},
		}[w.random.IntN(2)]
	}
	if !collide && w.one(4) {
		t.ExpiredItems = spec.KeepExpired
	}
	made := w.one(3)
	if made {
		w.makeKeys(&t, group.Name, id.Name)
	}
	if t.Projection.Type != spec.KeysOnly && w.one(3) {
		t.Projection.Renames = map[string]string{"note": "remark"}
	}
	w.spec.Targets = []spec.Target{t}
	w.spec.FailureQueueURL = "queue"

	w.cities = []string{`{"S":"x"}`, `{"S":"x#y"}`, `{"S":"\\"}`, `{"N":"1"}`, `{"B":"AA=="}`, `{"S":""}`, `{"NULL":true}`}
	if w.one(3) {
		w.cities = append(w.cities, `{"BOOL":true}`)
	}
	if made && id.Type == spec.String {
		// With the cities, parts that meet in one composite unless they are escaped.
		for _, text := range []string{"z", "y#z"} {
			member := fmt.Sprintf(`"id":{"S":%q}`, text)
			if since != nil {
				member += `,"since":` + w.keyValue(since.Type, 0)
			}
			w.ids = append(w.ids, member)
		}
	}
	items := 3 + w.random.IntN(12)
	if w.one(3) { // invocations of more puts than one request takes
		items += 8 * maxRefusedInRow
	}
	for range items {
		member := `"id":` + w.keyValue(id.Type, len(w.ids))
		if since != nil {
			member += `,"since":` + w.keyValue(since.Type, w.random.IntN(3))
		}
		if !slices.Contains(w.ids, member) {
			w.ids = append(w.ids, member)
		}
	}
	for i := range 1 + w.random.IntN(4) {
		w.groups = append(w.groups, w.keyValue(group.Type, i))
	}
	if w.one(3) { // a value that the target key cannot hold
		w.groups = append(w.groups, badGroups[w.random.IntN(len(badGroups))])
	}
	if w.one(3) {
		w.groups = append(w.groups, []string{null, `{"S":""}`, `{"B":""}`}[w.random.IntN(3)])
	}
}

// makeKeys makes the target key of other attributes than those of its names: one
// of a nested attribute or of a renamed one, or a composite for the source key.
func (w *world) makeKeys(t *spec.Target, group, id string) {
	t.KeySources = map[string]spec.KeySource{}
	if t.SortKey != nil { // the source's own, perhaps
		own := *t.SortKey
		t.SortKey = &own
	}
	for _, a := range []*spec.Attribute{&t.PartitionKey, t.SortKey} {
		switch {
		case a == nil:
		case a.Name == id:
			a.Name, a.Type = "place", spec.String
			t.KeySources[a.Name] = spec.KeySource{Parts: [][]string{{"address", "city"}, {id}}, Separator: "#"}
		case a.Name == group && w.one(2):
			a.Name = "team"
			t.KeySources[a.Name] = spec.KeySource{Parts: [][]string{{group}}}
		case a.Name == group:
			a.Name, a.Type = "city", spec.String
			t.KeySources[a.Name] = spec.KeySource{Parts: [][]string{{"address", "city"}}}
		}
	}
}

// keyValue returns the value number i of a key type.
func (w *world) keyValue(typ spec.AttributeType, i int) string {
	switch typ {
	case spec.String:
		return fmt.Sprintf(`{"S":%q}`, []string{"a", `b "quoted" é`, "c/#"}[i%3]+fmt.Sprint(i))
	case spec.Number:
		return fmt.Sprintf(`{"N":"%d"}`, i-3)
	default:
		return fmt.Sprintf(`{"B":%q}`, base64.StdEncoding.EncodeToString([]byte{0, 255, byte(i)}))
	}
}

// badGroups are the values that no target key can hold, of whatever type it is.
var badGroups = []string{`{"BOOL":true}`, `{"M":{"S":{"S":"x"}}}`, `{"S":"` + strings.Repeat("x", maxPartitionKeyBytes+1) + `"}`}

const null = `{"NULL":true}`

// write makes one write to the source table, and its record if it changes
// anything.
func (w *world) write() {
	w.writes++
	id := w.random.IntN(len(w.ids))
	before := w.source[id]
	var after map[string]string
	expires := false
	switch w.random.IntN(10) {
	case 0:
	case 1:
		expires = true
	default:
		after = w.item(id, before)
	}
	if maps.Equal(before, after) {
		return // DynamoDB writes no record for it, nor for the deletion of nothing
	}
	if after == nil {
		delete(w.source, id)
	} else {
		w.source[id] = after
	}
	w.emit(sourceChange{id, before, after, expires && after == nil})
}

// item returns a new state of a source item: any, or one near the state before.
func (w *world) item(id int, before map[string]string) map[string]string {
	after := map[string]string{}
	if before != nil && w.one(2) {
		maps.Copy(after, before)
	}
	set := func(name string, in int, values ...string) {
		switch {
		case after[name] != "" && !w.one(3):
		case w.one(in):
			delete(after, name)
		default:
			after[name] = values[w.random.IntN(len(values))]
		}
	}
	set("group", 8, w.groups...)
	set("other", 8, `{"S":"x"}`, `{"S":"y"}`)
	if city := w.cities[w.random.IntN(len(w.cities))]; w.spec.Targets[0].KeySources != nil {
		set("address", 8, `{"M":{"street":{"S":"s"},"city":`+city+`}}`, `{"M":{"city":`+city+`}}`, `{"M":{}}`, `{"S":"city"}`)
	}
	if w.spec.Targets[0].Projection.Renames != nil {
		set("remark", 2, `{"S":"mine"}`)
	}
	set("note", 3, `{"N":"1"}`, `{"L":[{"S":"é"},{"M":{}}]}`, `{"SS":["a","b"]}`)
	set("flag", 3, `{"S":"on"}`, `{"S":"off"}`, `{"N":"1"}`)
	switch {
	case w.poisonable && w.mostlyPoison:
		set("mark", 20, poisonMark)
	case w.poisonable:
		set("mark", 2, poisonMark, `{"BOOL":false}`)
	}
	for _, member := range strings.Split(w.ids[id], "},") {
		name, value, _ := strings.Cut(member, ":")
		after[strings.Trim(name, `"`)] = strings.TrimSuffix(value, "}") + "}"
	}
	return after
}

// record appends the stream record of a change to its shard, and applies the
// change to the oracle.
func (w *world) record(c sourceChange) {
	shard := &w.shards[c.id%modelShards]
	second := 1_700_000_000 + w.writes/4
	// Sequence numbers of different shards have nothing to do with each other,
	// and those of one cross a power of ten.
	first, _ := new(big.Int).SetString([]string{"100000000000000000000", "999999999999999999990", "5" + strings.Repeat("0", 39)}[c.id%modelShards], 10)
	sequence := first.Add(first, big.NewInt(int64(len(shard.Records)*3))).String()

	event, images := "MODIFY", ""
	switch {
	case c.before == nil:
		event = "INSERT"
	case c.after == nil:
		event = "REMOVE"
	}
	if c.before != nil {
		images += `,"OldImage":` + w.json(c.before)
	}
	if c.after != nil {
		images += `,"NewImage":` + w.json(c.after)
	}
	identity := ""
	if c.expired {
		identity = `,"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}`
	}
	text := fmt.Sprintf(`{"eventID":"%d","eventName":%q,"dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{%s}%s,"SequenceNumber":%q},"eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/source/stream/%s"%s}`,
		w.writes, event, second, w.ids[c.id], images, sequence, modelLabel, identity)
	shard.Records = append(shard.Records, eventsource.Record{JSON: []byte(text), SequenceNumber: sequence, Item: fmt.Sprint(c.id), Created: time.Unix(int64(second), 0)})
	w.apply(c, second, modelLabel, sequence)
}

// json writes an item with its attributes in any order.
func (w *world) json(item map[string]string) string {
	members := membersOf(item)
	w.random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, ",") + "}"
}

func membersOf(item map[string]string) []string {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(item)) {
		members = append(members, fmt.Sprintf("%q:%s", name, item[name]))
	}
	return members
}

// apply is the oracle: what a change does to the target.
func (w *world) apply(c sourceChange, at int, label, sequenceNumber string) {
	was, _ := w.view(c.before)
	is, poison := w.view(c.after)
	if poison {
		w.poison[sequenceNumber] = true
	}
	w.changes[sequenceNumber] = ownedChange{c.id, is.key != "" && !is.poisoned}
	if c.expired && w.spec.Targets[0].ExpiredItems == spec.KeepExpired || was == is {
		return
	}
	is.owner, is.at, is.number = c.id, at, sequenceNumber
	is.seq = label + "/" + strings.Repeat("0", 40-len(sequenceNumber)) + sequenceNumber
	if is.poisoned {
		w.refused[sequenceNumber] = true
	}
	w.version[c.id] = is
	delete(w.target, was.key)
	delete(w.target, is.key)
	if is.key != "" && !is.poisoned {
		w.target[is.key] = is
		if is.newer(w.newest[is.key]) {
			w.newest[is.key] = is
		}
	}
}

// view is the mapping: the target item of a source item, without its version.
func (w *world) view(item map[string]string) (v owned, poison bool) {
	t := w.spec.Targets[0]
	if item == nil {
		return owned{}, false
	}
	if f := t.Filter; f != nil && (item["flag"] == fmt.Sprintf(`{"S":%q}`, f.Values[0].Text)) != (f.Operator == spec.Equals) {
		return owned{}, false
	}
	values := map[string]string{}
	for _, k := range t.Attributes() {
		var parts []string
		for _, path := range t.KeySource(k.Name).Parts {
			part := item[path[0]]
			if len(path) > 1 { // {"M":{…"city":VALUE}}, the last member
				_, part, _ = strings.Cut(part, `"city":`)
				part = strings.TrimSuffix(part, "}}")
			}
			empty := part == `{"S":""}` || part == `{"B":""}`
			if part == "" || part == null || empty && len(t.KeySource(k.Name).Parts) == 1 {
				return owned{}, false
			}
			parts = append(parts, part)
		}
		values[k.Name] = parts[0]
		if len(parts) > 1 {
			values[k.Name] = compose(parts)
		}
	}
	for _, k := range t.Attributes() {
		value := values[k.Name]
		if slices.Contains(badGroups, value) || !strings.HasPrefix(value, fmt.Sprintf(`{%q:`, k.Type)) {
			return owned{}, true
		}
		v.key += value
	}
	carried := map[string]string{}
	for source, value := range item {
		listed, name := slices.Contains(t.Projection.Attributes, source), source
		if to, renamed := t.Projection.Renames[source]; renamed {
			name = to
		}
		if values[name] != "" || w.spec.Source.Contains(name) || t.Projection.Type == spec.All ||
			t.Projection.Type == spec.Include && listed || t.Projection.Type == spec.Exclude && !listed {
			if carried[name] != "" {
				return owned{}, true // two attributes of one name
			}
			carried[name] = value
		}
	}
	maps.Copy(carried, values)
	v.item = strings.Join(membersOf(carried), ",")
	v.poisoned = carried["mark"] == poisonMark
	return v, false
}

// compose joins parts, values as JSON, into a composite, or into none when one of
// them has none of the three types.
func compose(parts []string) string {
	escape := strings.NewReplacer(`\`, `\\`, `#`, `\#`)
	var texts []string
	for _, part := range parts {
		var value struct {
			S, N, B *string
			BOOL    *bool
		}
		if err := json.Unmarshal([]byte(part), &value); err != nil {
			panic(err)
		}
		text := cmp.Or(value.S, value.N, value.B)
		if text == nil {
			return ""
		}
		texts = append(texts, escape.Replace(*text))
	}
	joined, err := json.Marshal(map[string]string{"S": strings.Join(texts, "#")})
	if err != nil {
		panic(err)
	}
	return string(joined)
}

// item is the text of a target item with its version, in canonical form.
func (w *world) targetItem(o owned) string {
	text := o.item
	if t := w.spec.Targets[0]; t.OnKeyCollision != "" {
		text += fmt.Sprintf(`,%q:{"M":{"at":{"N":"%d"},"seq":{"S":%q}}}`, t.VersionAttribute, o.at, o.seq)
	} else if t.VersionAttribute != "" {
		text += fmt.Sprintf(`,%q:{"S":%q}`, t.VersionAttribute, o.seq)
	}
	canonical, err := memorydb.Canonical([]byte("{" + text + "}"))
	if err != nil {
		panic(err)
	}
	return canonical
}

// divergences compares what is in the target table and the failure queue with
// the oracle.
func (w *world) divergences(table []string, given map[string]bool) []string {
	var found []string
	diverged := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	allowed, required := map[string]bool{}, map[string]bool{}
	if w.spec.Targets[0].OnKeyCollision == "" {
		for _, o := range w.target {
			required[w.targetItem(o)] = true
		}
		allowed = required
	} else {
		for id := range w.source {
			if o := w.version[id]; o.key != "" && !o.poisoned {
				allowed[w.targetItem(o)] = true
				if w.newest[o.key] == o {
					required[w.targetItem(o)] = true
				}
			}
		}
	}
	for _, item := range table {
		if !allowed[item] {
			diverged("the target has an item it must not have: %s", item)
		}
		delete(required, item)
	}
	for item := range required {
		diverged("the target lacks %s", item)
	}
	for sequenceNumber := range w.poison {
		if !given[sequenceNumber] {
			diverged("the failure queue lacks the record %s, which cannot be projected", sequenceNumber)
		}
	}
	for sequenceNumber := range given {
		if !w.poison[sequenceNumber] && !w.refused[sequenceNumber] {
			diverged("the failure queue has the record %s, which can be applied", sequenceNumber)
		}
	}
	for id := range w.source {
		if o := w.version[id]; o.poisoned && !given[o.number] {
			diverged("the failure queue lacks the record %s, whose item the table refuses", o.number)
		}
	}
	return found
}

// memoryQueue is a failure queue that refuses messages now and then.
type memoryQueue struct {
	t      testing.TB
	mu     sync.Mutex
	random *rand.Rand
	odds   float64
	// given holds the sequence numbers of the records that were taken.
	given map[string]bool
}

func (q *memoryQueue) send(ctx context.Context, bodies []string) map[int]error {
	q.mu.Lock()
	defer q.mu.Unlock()
	errs, size := map[int]error{}, 0
	for i, body := range bodies {
		size += len(body)
		var m FailureMessage
		d := json.NewDecoder(strings.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&m); err != nil || m.Version != FailureMessageVersion || m.Reason == "" || m.SourceKey == nil {
			q.t.Errorf("a message of the failure queue is not one: %v: %s", err, body)
		}
		if ctx.Err() != nil || q.random.Float64() < q.odds {
			errs[i] = errors.New("the queue does not take it")
			continue
		}
		q.given[m.SequenceNumber] = true
	}
	if len(bodies) > maxQueueBatchMessages || size > maxQueueBytes {
		q.t.Errorf("a call to the failure queue has %d messages of %d bytes", len(bodies), size)
	}
	return errs
}

// tally counts what happened in a run.
type tally struct {
	eventsource.Stats
	steps  int
	faults map[faults.Kind]int
	// lost counts the records that were given up to a table that refused every put,
	// braked the invocations that stopped at one.
	lost, braked int
}

// cloud is the table that a world is drained into.
type cloud struct {
	config config
	rules  []faults.Rule
	// refuses says that the table refuses every put now and then, for a while.
	refuses bool
	// retryDelay is that of the event source mapping.
	retryDelay time.Duration
	// around is told of every invocation before it begins, and returns what is to
	// be called after it.
	around func(payload []byte) func()
}

// drain drains the world's history through replicators, with faults, crashes and
// redeliveries, and returns what went to the failure queue.
func (w *world) drain(t testing.TB, seed uint64, in cloud) (given map[string]bool, violations []string, sum tally, err error) {
	random := rand.New(rand.NewPCG(seed, 1))
	q := &memoryQueue{t: t, random: rand.New(rand.NewPCG(seed, 2)), odds: 0.2 * float64(random.IntN(2)), given: map[string]bool{}}
	m := eventsource.Mapping{
		BatchSize:             1 + random.IntN(200),
		Bisect:                random.IntN(2) == 0,
		PartialResponses:      true,
		MaxRetryAttempts:      -1,
		ParallelizationFactor: 1 + random.IntN(3),
		Timeout:               10 * time.Second,
		RetryDelay:            in.retryDelay,
		Disturb:               eventsource.Seeded(seed, eventsource.Odds{Cut: 0.5, Crash: 0.02, Rewind: 0.1, Reach: 100}),
	}
	// One environment for each lane, as Lambda would start them.
	environments := make(chan *environment, len(w.shards)*m.ParallelizationFactor)
	for range cap(environments) {
		environments <- w.environment(seed, in, q)
	}
	// Long enough for any run of bad luck. In the fast form the time is fake.
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
	defer cancel()
	stats, err := m.Drain(ctx, w.shards, func(ctx context.Context, payload []byte) ([]byte, error) {
		e := <-environments
		defer func() { environments <- e }()
		return e.invoke(ctx, payload)
	})
	sum = tally{Stats: stats, steps: w.writes, faults: map[faults.Kind]int{}}
	lost := map[string]bool{}
	for range cap(environments) {
		e := <-environments
		for kind, n := range e.injector.Injected() {
			sum.faults[kind] += n
		}
		maps.Copy(lost, e.lost)
		violations = append(violations, e.violations...)
		sum.braked += e.braked
	}
	sum.lost = len(lost)
	if err == nil {
		err = w.applyAgain(ctx, lost, w.environment(seed, cloud{config: in.config, rules: in.rules[:1]}, q))
	}
	for sequenceNumber := range lost {
		if !w.poison[sequenceNumber] && !w.refused[sequenceNumber] {
			delete(q.given, sequenceNumber)
		}
	}
	return q.given, violations, sum, err
}

// applyAgain delivers what was given up to a table that refused every put: the
// changes of each source item, from the first lost one on.
func (w *world) applyAgain(ctx context.Context, lost map[string]bool, e *environment) error {
	var shards []eventsource.Shard
	for _, shard := range w.shards {
		from := map[string]bool{} // by source item
		shard.Records = slices.DeleteFunc(slices.Clone(shard.Records), func(r eventsource.Record) bool {
			from[r.Item] = from[r.Item] || lost[r.SequenceNumber]
			return !from[r.Item]
		})
		shards = append(shards, shard)
	}
	m := eventsource.Mapping{BatchSize: 1000, PartialResponses: true, MaxRetryAttempts: -1, Timeout: 10 * time.Second}
	_, err := m.Drain(ctx, shards, e.replicator.Invoke)
	return err
}

// run drains the world into an in-memory table and returns what diverged.
func (w *world) run(t testing.TB, seed uint64) (divergences []string, sum tally) {
	db := memorydb.New()
	createTarget(t, db, w.spec.Targets[0])
	watch := &watch{world: w, db: db, staying: map[int]bool{}, owner: map[string]int{}}
	rules := randomFaults(rand.New(rand.NewPCG(seed, 4)))
	given, violations, sum, err := w.drain(t, seed, cloud{
		config:     inMemory(watch),
		rules:      rules,
		retryDelay: time.Second,
		refuses:    seed%2 == 0,
		around:     watch.invocation,
	})
	if err != nil {
		return []string{fmt.Sprintf("the stream does not drain: %v", err)}, sum
	}
	return slices.Concat(w.divergences(db.Items("target"), given), watch.vanished, violations), sum
}

// environment is an execution environment of the function.
type environment struct {
	cloud
	start      func() *Replicator
	replicator *Replicator
	injector   *faults.Injector
	random     *rand.Rand
	queue      *memoryQueue

	// refusing is how many more invocations meet a table that refuses every put.
	refusing int
	// inWindow holds the sequence numbers of the records that the process has given up
	// since the table began to, lost those of all processes.
	inWindow, lost map[string]bool
	braked         int // invocations
	// violations are what F7 does not allow.
	violations []string
}

func (w *world) environment(seed uint64, in cloud, q *memoryQueue) *environment {
	c := in.config
	injector := faults.New(c.http, seed, in.rules...)
	c.http = injector
	e := &environment{cloud: in, injector: injector, random: rand.New(rand.NewPCG(seed, 3)), queue: q, inWindow: map[string]bool{}, lost: map[string]bool{}}
	e.start = func() *Replicator {
		r := c.replicator(w.spec, slog.New(slog.DiscardHandler))
		r.failureQueue.queue = e
		return r
	}
	e.replicator = e.start()
	return e
}

// send is the environment's failure queue. It notes what is given up to a table that
// refuses every put.
func (e *environment) send(ctx context.Context, bodies []string) map[int]error {
	errs := e.queue.send(ctx, bodies)
	for i, body := range bodies {
		var m FailureMessage
		if json.Unmarshal([]byte(body), &m) == nil && errs[i] == nil && strings.Contains(m.Reason, faults.WrongIndexKey) {
			e.lost[m.SequenceNumber], e.inWindow[m.SequenceNumber] = true, true
		}
	}
	return errs
}

// invoke invokes the function once. Now and then it is killed, and a new process
// takes its place; for a while its table refuses every put.
func (e *environment) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if e.refuses && e.refusing == 0 && e.random.IntN(10) == 0 {
		e.refusing = 1 + e.random.IntN(20)
		clear(e.inWindow)
	}
	many := e.puts(payload) > maxRefusedInRow
	before, window := len(e.inWindow), e.refusing > 0
	if window {
		e.refusing--
		e.injector.Use(refusingEverything(e.rules)...)
		defer e.injector.Use(e.rules...)
	}
	if !window || many {
		defer e.around(payload)()
	}
	crash := e.random.IntN(20) == 0
	if crash {
		e.injector.CrashAfter(e.random.IntN(5))
		defer e.injector.Recover()
	}

	answer, err := e.replicator.Invoke(ctx, payload)
	if given := len(e.inWindow); given > maxRefusedInRow || many && given > before {
		e.violations = append(e.violations, fmt.Sprintf("%d records were given up to a table that refused every put, %d of them now, in an invocation of more than %d puts: %t",
			given, given-before, maxRefusedInRow, many))
	}
	if e.replicator.writer.brakes[0].isOn() {
		e.braked++
	}
	if crash {
		e.replicator = e.start()
		clear(e.inWindow)
		return nil, faults.ErrCrashed // a function that was killed has no answer
	}
	return answer, err
}

// refusingEverything returns rules with one by which the table refuses every put. Only
// faults in front of the table come before it.
func refusingEverything(rules []faults.Rule) []faults.Rule {
	inFront := []faults.Kind{faults.Throttled, faults.InternalServerError, faults.ServiceUnavailable, faults.ResetBefore}
	before := func(r faults.Rule) bool { return slices.Contains(inFront, r.Kind) }
	refuse := faults.Rule{Kind: faults.Poison, Probability: 1, Message: faults.WrongIndexKey, Select: func(w faults.Write) bool { return w.Put }}
	return slices.Concat(slices.DeleteFunc(slices.Clone(rules), func(r faults.Rule) bool { return !before(r) }),
		[]faults.Rule{refuse}, slices.DeleteFunc(slices.Clone(rules), before))
}

// puts returns how many puts the payload makes.
func (e *environment) puts(payload []byte) int {
	w := e.replicator.workspace()
	defer e.replicator.leave(w)
	event, err := w.decoder.decode(payload)
	if err != nil {
		return 0
	}
	plan, _ := w.planner.plan(event, w.projector.project(event))
	return countPuts(plan.first[0])
}

// randomFaults returns rules for some kinds of faults, and for the items that the
// table refuses.
func randomFaults(random *rand.Rand) []faults.Rule {
	rules := []faults.Rule{{Kind: faults.Poison, Probability: 1, Select: func(w faults.Write) bool {
		return w.Put && bytes.Contains(w.Attributes, []byte(`"mark":`+poisonMark))
	}}}
	for _, rule := range []faults.Rule{
		{Kind: faults.Throttled, Probability: 0.2},
		{Kind: faults.InternalServerError, Probability: 0.1},
		{Kind: faults.ServiceUnavailable, Probability: 0.1},
		{Kind: faults.ResetBefore, Probability: 0.1},
		{Kind: faults.ResetAfter, Probability: 0.1},
		{Kind: faults.Slow, Probability: 0.1, Delay: 3 * time.Second},
		{Kind: faults.Slow, Probability: 0.05, Delay: time.Minute},
		{Kind: faults.Unprocessed, Probability: []float64{0.1, 0.8}[random.IntN(2)]},
		{Kind: faults.AccessDenied, Probability: 0.03},
		{Kind: faults.NotFound, Probability: 0.01},
	} {
		if random.IntN(3) == 0 {
			rules = append(rules, rule)
		}
	}
	return rules
}

// watch looks at the target after every request that deletes: an item that has a
// target key after each of its changes must never be missing, not even between
// two requests.
type watch struct {
	world *world
	db    *memorydb.DB

	mu       sync.Mutex
	staying  map[int]bool   // the owners of the items that must not be missing now
	owner    map[string]int // by item
	vanished []string
}

// Do passes a request on to the table.
func (v *watch) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	response, err := v.db.Do(r)
	if bytes.Contains(body, []byte(`"DeleteRequest"`)) || strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DeleteItem") {
		v.look()
	}
	return response, err
}

func (v *watch) look() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.staying) == 0 {
		return
	}
	owners := v.owners()
	for owner := range v.staying {
		if !owners[owner] {
			v.vanished = append(v.vanished, fmt.Sprintf("the target item of {%s} is missing although it only moved", v.world.ids[owner]))
			delete(v.staying, owner)
		}
	}
}

// invocation notes which items must not be missing while payload is applied, and
// returns the end of it.
func (v *watch) invocation(payload []byte) (end func()) {
	if v.world.spec.Targets[0].OnKeyCollision != "" {
		return func() {} // there, another owner may have taken the key
	}
	stays := map[int]bool{} // owner -> every change leaves it with a target item
	for rest := payload; ; {
		_, found, ok := bytes.Cut(rest, []byte(`"SequenceNumber":"`))
		if !ok {
			break
		}
		number, more, _ := bytes.Cut(found, []byte(`"`))
		change := v.world.changes[string(number)]
		if known, seen := stays[change.owner]; !seen || known {
			stays[change.owner] = change.mapped
		}
		rest = more
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	owners := v.owners()
	for owner, stay := range stays {
		if stay && owners[owner] {
			v.staying[owner] = true
		}
	}
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		for owner := range stays {
			delete(v.staying, owner)
		}
	}
}

// owners returns whose items the target has.
func (v *watch) owners() map[int]bool {
	owners := map[int]bool{}
	for _, item := range v.db.Items("target") {
		owner, known := v.owner[item]
		if !known {
			owner = slices.IndexFunc(v.world.ids, func(members string) bool { return has(item, members) })
			v.owner[item] = owner
		}
		owners[owner] = true
	}
	return owners
}

// has reports whether a canonical item has the source key members.
func has(item, members string) bool {
	for member := range strings.SplitSeq(members, `,"since"`) {
		if member[0] == ':' {
			member = `"since"` + member
		}
		if !strings.Contains(item, member) {
			return false
		}
	}
	return true
}

func createTarget(t testing.TB, db *memorydb.DB, target spec.Target) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://memory/", strings.NewReader(createTableBody(target.Table, "")))
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810.CreateTable")
	response, err := db.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("create the target: %s", response.Status)
	}
}

func createTableBody(table spec.Table, more string) string {
	var definitions, schema []string
	for i, a := range table.Attributes() {
		definitions = append(definitions, fmt.Sprintf(`{"AttributeName":%q,"AttributeType":%q}`, a.Name, a.Type))
		schema = append(schema, fmt.Sprintf(`{"AttributeName":%q,"KeyType":%q}`, a.Name, []string{"HASH", "RANGE"}[i]))
	}
	return fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[%s],"KeySchema":[%s]%s}`,
		table.TableName, strings.Join(definitions, ","), strings.Join(schema, ","), more)
}

func TestTheTargetIsTheOracleAfterAnyHistory(t *testing.T) {
	var (
		next  atomic.Uint64
		mu    sync.Mutex
		total = tally{faults: map[faults.Kind]int{}}
		found int
	)
	next.Store(*modelSeed)
	left := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return total.steps < *modelSteps && found == 0
	}
	t.Run("histories", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for left() {
					seed := next.Add(1) - 1
					synctest.Test(t, func(t *testing.T) {
						w := newHistory(seed, 100+int(seed%9)*100)
						divergences, sum := w.run(t, seed)
						for _, d := range divergences[:min(5, len(divergences))] {
							t.Errorf("seed %d: %s", seed, d)
						}
						if len(divergences) > 0 {
							t.Logf("seed %d: spec %s; again with: make fuzz SEED=%d STEPS=1", seed, w.spec.Encode(), seed)
						}
						mu.Lock()
						defer mu.Unlock()
						total.add(sum)
						found += len(divergences)
					})
				}
			})
		}
	})
	t.Logf("seeds %d to %d: %s, divergences %d", *modelSeed, next.Load()-1, total, found)
}

func (t tally) String() string {
	return fmt.Sprintf("%d steps, %d batches, %d invocations, %d records redelivered, %d crashes, %d rewinds, %d invocations braked, %d records lost to wrong tables and applied again, faults %v",
		t.steps, t.Batches, t.Invocations, t.Redelivered, t.Errors+t.Crashes, t.Rewinds, t.braked, t.lost, t.faults)
}

func (t *tally) add(more tally) {
	t.steps += more.steps
	t.Batches += more.Batches
	t.Invocations += more.Invocations
	t.Redelivered += more.Redelivered
	t.Errors += more.Errors
	t.Crashes += more.Crashes
	t.Rewinds += more.Rewinds
	t.braked += more.braked
	t.lost += more.lost
	for kind, n := range more.faults {
		t.faults[kind] += n
	}
}
