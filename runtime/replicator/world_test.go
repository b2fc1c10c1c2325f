package replicator

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/eventsource"
)

// world is one random mapping per target and one random history, with their oracles.
type world struct {
	random *rand.Rand
	spec   spec.Spec
	// poisonable says that some items carry the attribute that the table refuses,
	// mostlyPoison that most do.
	poisonable, mostlyPoison bool
	ids                      []string // the source key members of each source item, as JSON
	group                    spec.Attribute
	groups                   []string // attribute values of the targets' own key attribute, bad ones included
	cities                   []string // values of a nested attribute that a target key is derived from

	// releases says that some processes are of a release that knows no fingerprints.
	releases bool
	// calm says that most changes are of attributes that no key is derived from.
	calm bool
	// next is a spec that some processes have instead of spec: its targets have another
	// projection, other renames or another filter. Usually nil.
	next        *spec.Spec
	nextOracles []*oracle

	source map[int]map[string]string // live source items: attributes by name, as JSON
	// initial are the source items from before the stream, unfilled those of them whose target
	// items only a backfill puts. operated says that there is an operator who runs one.
	initial  map[int]map[string]string
	unfilled map[int]bool
	operated bool
	// timeline has the changes of the history in their order, those of one transaction together;
	// position says how many of its entries a record needs, and changes what it is about, by
	// sequence number.
	timeline [][]sourceChange
	position map[string]int
	changes  map[string]sourceChange
	// lastWrite is the number of the write with the last change.
	lastWrite int
	// lastID is the source item of the last write.
	lastID int
	shards []eventsource.Shard
	writes int

	// emit sends a change of the source table to its stream and to the oracle.
	emit func(c sourceChange)

	oracles []*oracle // of each target
}

// sourceChange is a change of one source item. A nil item is absent.
type sourceChange struct {
	id            int
	before, after map[string]string
	expired       bool
}

// owned is a target item with its owner and its version.
type owned struct {
	owner    int
	item     string // its members, in order; "" for none
	key      string
	keyJSON  string
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
		source: map[int]map[string]string{}, initial: map[int]map[string]string{}, unfilled: map[int]bool{},
		position: map[string]int{}, changes: map[string]sourceChange{},
	}
	w.mapping()
	for _, t := range w.spec.Targets {
		w.oracles = append(w.oracles, newOracle(w, t))
	}
	return w
}

// newHistory returns a world with a history of generated records.
func newHistory(seed uint64, writes int) *world {
	w := newWorld(seed)
	w.emit = w.record
	for i := range modelShards {
		w.shards = append(w.shards, eventsource.Shard{ID: fmt.Sprint("shard", i)})
	}
	w.releases, w.calm = w.one(3), w.one(2)
	if w.one(4) {
		w.changeMapping()
	}
	w.operated = w.next == nil && *modelOperated > 0 && w.one(*modelOperated)
	if w.operated {
		w.moreValues()
	}
	if w.operated || w.one(2) {
		w.begin()
	}
	for w.writes < writes {
		w.write()
	}
	return w
}

// begin adds source items from before the stream. The targets have their items already, unless
// an operator fills them.
func (w *world) begin() {
	for range 1 + w.random.IntN(2*len(w.ids)) {
		id := w.random.IntN(len(w.ids))
		if w.source[id] != nil {
			continue
		}
		w.source[id] = w.item(id, nil)
		w.initial[id] = w.source[id]
		w.unfilled[id] = w.operated && !w.one(4)
		for _, o := range slices.Concat(w.oracles, w.nextOracles) {
			o.begin(id, w.source[id])
		}
	}
}

func (w *world) one(in int) bool { return w.random.IntN(in) == 0 }

// mapping chooses the spec and the values of the items.
func (w *world) mapping() {
	types := []spec.AttributeType{spec.String, spec.Number, spec.Binary}
	key := func(name string) spec.Attribute { return spec.Attribute{Name: name, Type: types[w.random.IntN(3)]} }
	id, group := key("id"), key("group")
	w.group = group
	w.spec.Source = spec.Table{TableName: "source", KeySchema: spec.KeySchema{PartitionKey: id}}
	var since *spec.Attribute
	if w.one(3) {
		a := key("since")
		since = &a
		w.spec.Source.SortKey = since
	}
	w.poisonable, w.mostlyPoison = w.one(2), w.one(4)
	targets := 1
	if w.one(2) {
		targets += w.random.IntN(4)
	}
	for i := range targets {
		t := w.newTarget(id, group, since)
		t.TableName = targetName(i)
		w.spec.Targets = append(w.spec.Targets, t)
	}
	w.spec.FailureQueueURL = "queue"
	w.spec.SetAsideSeconds = []int{0, 2, 5}[w.random.IntN(3)]
	w.values(id, group, since)
}

// targetName is the name of target table number i.
func targetName(i int) string { return []string{"target", "second", "third", "fourth"}[i] }

// newTarget chooses one target's mapping.
func (w *world) newTarget(id, group spec.Attribute, since *spec.Attribute) spec.Target {
	var t spec.Target
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
	t.Projection, t.Filter = w.projection(), w.filter()
	if !collide && w.one(4) {
		t.ExpiredItems = spec.KeepExpired
	}
	if w.one(3) {
		w.deriveKeys(&t, group.Name, id.Name)
	}
	t.Projection.Renames = w.newNames(t.Projection)
	return t
}

func (w *world) projection() spec.Projection {
	return []spec.Projection{
		{Type: spec.All},
		{Type: spec.KeysOnly},
		{Type: spec.Include, Attributes: []string{"note", "mark"}},
		{Type: spec.Exclude, Attributes: []string{"flag"}},
	}[w.random.IntN(4)]
}

// filter returns a filter, or nil.
func (w *world) filter() *spec.Condition {
	if !w.one(3) {
		return nil
	}
	return []*spec.Condition{
		{Path: []string{"flag"}, Operator: spec.Equals, Values: []spec.Value{{Type: "S", Text: "on"}}},
		{Path: []string{"flag"}, Operator: spec.NotEquals, Values: []spec.Value{{Type: "S", Text: "off"}}},
	}[w.random.IntN(2)]
}

// newNames returns the renames of a projection, or nil.
func (w *world) newNames(p spec.Projection) map[string]string {
	if p.Type == spec.KeysOnly || !w.one(3) {
		return nil
	}
	return map[string]string{"note": "remark"}
}

// changeMapping chooses the next spec. A target that keeps expired items would show them by
// either spec.
func (w *world) changeMapping() {
	next := w.spec
	next.Targets = nil
	w.spec.SetAsideSeconds, next.SetAsideSeconds = 0, 0
	for i := range w.spec.Targets {
		t := &w.spec.Targets[i]
		t.ExpiredItems = ""
		w.oracles[i].target = *t
		changed := *t
		changed.Projection, changed.Filter = w.projection(), w.filter()
		changed.Projection.Renames = w.newNames(changed.Projection)
		next.Targets = append(next.Targets, changed)
		w.nextOracles = append(w.nextOracles, newOracle(w, changed))
	}
	w.next = &next
}

// derives reports whether a target's key is derived from attributes of other names.
func (w *world) derives() bool {
	return slices.ContainsFunc(w.spec.Targets, func(t spec.Target) bool { return t.KeySources != nil })
}

// renames reports whether a target renames an attribute.
func (w *world) renames() bool {
	renames := func(t spec.Target) bool { return t.Projection.Renames != nil }
	return slices.ContainsFunc(w.spec.Targets, renames) || w.next != nil && slices.ContainsFunc(w.next.Targets, renames)
}

// values chooses the values of the items.
func (w *world) values(id, group spec.Attribute, since *spec.Attribute) {
	w.cities = []string{`{"S":"x"}`, `{"S":"x#y"}`, `{"S":"\\"}`, `{"N":"1"}`, `{"B":"AA=="}`, `{"S":""}`,
		`{"NULL":true}`}
	if w.one(3) {
		w.cities = append(w.cities, `{"BOOL":true}`)
	}
	if w.derives() && id.Type == spec.String {
		// With the cities, these parts have one composite unless they are escaped.
		for _, text := range []string{"z", "y#z"} {
			member := fmt.Sprintf(`"id":{"S":%q}`, text)
			if since != nil {
				member += `,"since":` + w.keyValue(since.Type, 0)
			}
			w.ids = append(w.ids, member)
		}
	}
	items := 3 + w.random.IntN(12)
	if w.one(3) { // invocations of more puts than fit in one request
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

// moreValues adds source items and values of their keys, so that many items change seldom: what a
// reconciler does wrong shows until the item changes again.
func (w *world) moreValues() {
	id, since := w.spec.Source.PartitionKey, w.spec.Source.SortKey
	for range w.random.IntN(200) {
		member := `"id":` + w.keyValue(id.Type, len(w.ids))
		if since != nil {
			member += `,"since":` + w.keyValue(since.Type, w.random.IntN(3))
		}
		if !slices.Contains(w.ids, member) {
			w.ids = append(w.ids, member)
		}
	}
	for range w.random.IntN(8) {
		w.groups = append(w.groups, w.keyValue(w.group.Type, len(w.groups)))
	}
}

// deriveKeys derives the target key from attributes of other names: from a nested or a
// renamed one, or, with the source key, from a composite.
func (w *world) deriveKeys(t *spec.Target, group, id string) {
	t.KeySources = map[string]spec.KeySource{}
	if t.SortKey != nil { // possibly the source's own
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

// keyValue returns value number i of a key type.
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

// badGroups are the values that a target key of no type can hold.
var badGroups = []string{`{"BOOL":true}`, `{"M":{"S":{"S":"x"}}}`,
	`{"S":"` + strings.Repeat("x", mapping.MaxPartitionKeyBytes+1) + `"}`}

const null = `{"NULL":true}`

// write writes to the source table once, and adds a record if that changes the item.
func (w *world) write() {
	w.writes++
	if w.one(12) {
		w.handOver()
		return
	}
	id := w.random.IntN(len(w.ids))
	if w.operated && w.one(2) {
		id = w.lastID // what a reconciler has just read changes again
	}
	w.lastID = id
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
	w.change(id, after, expires)
}

// handOver moves what target keys are derived from, from one source item to another in one
// transaction: both changes have the same time, and usually other shards.
func (w *world) handOver() {
	from, to := w.random.IntN(len(w.ids)), w.random.IntN(len(w.ids))
	if from == to || w.source[from] == nil {
		return
	}
	without, with := maps.Clone(w.source[from]), w.item(to, w.source[to])
	for _, name := range []string{"group", "other", "address"} {
		if value, found := without[name]; found {
			with[name] = value
			delete(without, name)
		}
	}
	w.change(from, without, false)
	w.change(to, with, false)
}

// change changes a source item, and adds its record.
func (w *world) change(id int, after map[string]string, expires bool) {
	before := w.source[id]
	if maps.Equal(before, after) {
		return // DynamoDB writes no record when nothing changes
	}
	if after == nil {
		delete(w.source, id)
	} else {
		w.source[id] = after
	}
	w.emit(sourceChange{id, before, after, expires && after == nil})
}

// item returns a new state of a source item: a random one, or one near the state before.
func (w *world) item(id int, before map[string]string) map[string]string {
	after := map[string]string{}
	if before != nil && (w.calm || w.one(2)) {
		maps.Copy(after, before)
	}
	set := func(name string, in int, values ...string) {
		switch {
		case after[name] != "" && !w.one(3):
		case after[name] != "" && w.calm && name != "note" && name != "flag" && name != "remark" && !w.one(8):
		case w.one(in):
			delete(after, name)
		default:
			after[name] = values[w.random.IntN(len(values))]
		}
	}
	set("group", 8, w.groups...)
	set("other", 8, `{"S":"x"}`, `{"S":"y"}`)
	if city := w.cities[w.random.IntN(len(w.cities))]; w.derives() {
		set("address", 8, `{"M":{"street":{"S":"s"},"city":`+city+`}}`, `{"M":{"city":`+city+`}}`, `{"M":{}}`,
			`{"S":"city"}`)
	}
	if w.renames() {
		set("remark", 2, `{"S":"mine"}`)
	}
	set("note", 3, `{"N":"1"}`, `{"L":[{"S":"é"},{"M":{}}]}`, `{"SS":["a","b"]}`)
	set("flag", 3, `{"S":"on"}`, `{"S":"off"}`, `{"N":"1"}`)
	switch {
	case w.poisonable && w.mostlyPoison:
		set("mark", 12, poisonMark)
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
// change to the oracles.
func (w *world) record(c sourceChange) {
	shard := &w.shards[c.id%modelShards]
	second := 1_700_000_000 + w.writes/4
	// Sequence numbers of different shards are unrelated, and those of one shard cross a
	// power of ten.
	starts := [modelShards]string{"100000000000000000000", "999999999999999999990", "5" + strings.Repeat("0", 39)}
	first, _ := new(big.Int).SetString(starts[c.id%modelShards], 10)
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
	text := fmt.Sprintf(`{"eventID":"%d","eventName":%q,`+
		`"dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{%s}%s,"SequenceNumber":%q},`+
		`"eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/source/stream/%s"%s}`,
		w.writes, event, second, w.ids[c.id], images, sequence, modelLabel, identity)
	shard.Records = append(shard.Records,
		eventsource.Record{JSON: []byte(text), SequenceNumber: sequence, Item: fmt.Sprint(c.id),
			Created: time.Unix(int64(second), 0)})
	if n := len(w.timeline); n > 0 && w.lastWrite == w.writes {
		w.timeline[n-1] = append(w.timeline[n-1], c)
	} else {
		w.timeline = append(w.timeline, []sourceChange{c})
	}
	w.lastWrite, w.position[sequence], w.changes[sequence] = w.writes, len(w.timeline), c
	w.apply(c, second, modelLabel, sequence)
}

// json returns an item with its attributes in random order.
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
