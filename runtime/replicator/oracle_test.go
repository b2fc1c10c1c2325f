package replicator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// oracle is what one target must be.
type oracle struct {
	world  *world
	target spec.Target

	items   map[string]owned // target items by target key
	newest  map[string]owned // under LAST_WRITER_WINS: the newest write of each target key
	version map[int]owned    // the last change of each source item that changed its target item
	// poison holds the sequence numbers of the records that must go to the failure
	// queue; refused those that may, because the table refuses their item when it
	// is the last of its chain.
	poison, refused map[string]bool
	// changes holds the source item of every record, and whether that item has a target
	// item after it.
	changes map[string]ownedChange
	// keys holds the target key after every record that changes the target item, as
	// canonicalKey returns it.
	keys map[string]string
	// claimants holds the source items that ever mapped to a target key.
	claimants map[string]map[int]bool
	// lost holds the sequence numbers of the records that were not applied, but redriven by a
	// reconciler.
	lost map[string]bool
	// replaced reports whether a reconciler has replaced another owner's item at a target key, in
	// DynamoDB's JSON.
	replaced func(keyJSON string) bool
	// abandoned reports whether a reconciler has put an item at a target key, where one was killed.
	abandoned func(keyJSON string) bool
}

// canonicalKey returns a target key in DynamoDB's JSON in canonical form.
func canonicalKey(key []byte) string {
	canonical, err := memorydb.Canonical(key)
	if err != nil {
		panic(err)
	}
	return canonical
}

type ownedChange struct {
	owner  int
	mapped bool
}

func newOracle(w *world, t spec.Target) *oracle {
	return &oracle{
		world: w, target: t, items: map[string]owned{}, newest: map[string]owned{}, version: map[int]owned{},
		poison: map[string]bool{}, refused: map[string]bool{}, changes: map[string]ownedChange{},
		keys: map[string]string{}, claimants: map[string]map[int]bool{}, lost: map[string]bool{},
		replaced:  func(string) bool { return false },
		abandoned: func(string) bool { return false },
	}
}

// apply applies a change to all oracles.
func (w *world) apply(c sourceChange, at int, label, sequenceNumber string) {
	for _, o := range slices.Concat(w.oracles, w.nextOracles) {
		o.apply(c, at, label, sequenceNumber)
	}
}

// apply is the oracle: the effect of a change on the target.
func (o *oracle) apply(c sourceChange, at int, label, sequenceNumber string) {
	before, _ := o.mapped(c.before)
	after, poison := o.mapped(c.after)
	if poison {
		o.poison[sequenceNumber] = true
	}
	o.changes[sequenceNumber] = ownedChange{c.id, after.key != "" && !after.poisoned}
	if c.expired && o.target.ExpiredItems == spec.KeepExpired || before == after {
		return
	}
	if after.keyJSON != "" {
		o.keys[sequenceNumber] = canonicalKey([]byte(after.keyJSON))
	}

	after.owner, after.at, after.number = c.id, at, sequenceNumber
	after.seq = label + "/" + strings.Repeat("0", 40-len(sequenceNumber)) + sequenceNumber
	if after.poisoned {
		o.refused[sequenceNumber] = true
	}

	o.version[c.id] = after
	o.claim(after)
	delete(o.items, before.key)
	delete(o.items, after.key)
	if after.key != "" && !after.poisoned {
		o.items[after.key] = after
		if after.newer(o.newest[after.key]) {
			o.newest[after.key] = after
		}
	}
}

// begin adds a source item from before the stream. Where keys collide, the first one is in the
// target.
func (o *oracle) begin(id int, item map[string]string) {
	v, _ := o.mapped(item)
	v.owner = id
	o.version[id] = v
	o.claim(v)
	if v.key == "" || v.poisoned {
		return
	}
	if _, taken := o.items[v.key]; !taken {
		o.items[v.key] = v
	}
}

func (o *oracle) claim(v owned) {
	if o.claimants[v.key] == nil {
		o.claimants[v.key] = map[int]bool{}
	}
	o.claimants[v.key][v.owner] = true
}

// mapped is the mapping: the target item of a source item, without its version.
func (o *oracle) mapped(item map[string]string) (v owned, poison bool) {
	t := o.target
	if item == nil {
		return owned{}, false
	}
	if f := t.Filter; f != nil &&
		(item["flag"] == fmt.Sprintf(`{"S":%q}`, f.Values[0].Text)) != (f.Operator == spec.Equals) {
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
		if values[name] != "" || o.world.spec.Source.Contains(name) || t.Projection.Type == spec.All ||
			t.Projection.Type == spec.Include && listed || t.Projection.Type == spec.Exclude && !listed {
			if carried[name] != "" {
				return owned{}, true // two attributes of one name
			}
			carried[name] = value
		}
	}
	v.keyJSON = "{" + strings.Join(membersOf(values), ",") + "}"
	maps.Copy(carried, values)
	v.item = strings.Join(membersOf(carried), ",")
	v.poisoned = carried["mark"] == poisonMark
	return v, false
}

// compose joins parts, values as JSON, into a composite. There is none when a part has
// another type than the three that can be joined.
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
func (o *oracle) targetItem(v owned) string {
	text := v.item
	if t := o.target; v.number == "" {
		// It has no version, or the lowest one: normalized removes both.
	} else if t.OnKeyCollision != "" {
		text += fmt.Sprintf(`,%q:{"M":{"at":{"N":"%d"},"seq":{"S":%q}}}`, t.VersionAttribute, v.at, v.seq)
	} else if t.VersionAttribute != "" {
		text += fmt.Sprintf(`,%q:{"S":%q}`, t.VersionAttribute, v.seq)
	}
	canonical, err := memorydb.Canonical([]byte("{" + text + "}"))
	if err != nil {
		panic(err)
	}
	return canonical
}

// divergences compares the target tables and the failure queue with the oracles. items
// returns the items of a table, queued holds the records in the failure queue by table.
func (w *world) divergences(items func(table string) []string, queued map[string]map[string]bool) []string {
	var found []string
	for _, o := range w.oracles {
		name := o.target.TableName
		found = append(found, o.divergences(items(name), queued[name])...)
	}
	return found
}

// allowedAndRequired returns the items that the target may have and those that it must have.
func (o *oracle) allowedAndRequired() (allowed, required map[string]bool) {
	allowed, required = map[string]bool{}, map[string]bool{}
	if o.target.OnKeyCollision == "" {
		for _, v := range o.items {
			required[o.targetItem(v)] = true
		}
		return required, maps.Clone(required)
	}
	for id := range o.world.source {
		if v := o.version[id]; v.key != "" && !v.poisoned {
			allowed[o.targetItem(v)] = true
			if o.newest[v.key] == v {
				required[o.targetItem(v)] = true
			}
		}
	}
	return allowed, required
}

func (o *oracle) divergences(table []string, queued map[string]bool) []string {
	var found []string
	diverged := func(format string, args ...any) {
		found = append(found, o.target.TableName+": "+fmt.Sprintf(format, args...))
	}
	normalized := normalized
	allowed, required := o.allowedAndRequired()
	if o.world.operated {
		normalized = o.withoutVersion
		allowed, required = o.reconciledItems(table)
	}
	for _, item := range table {
		item = normalized(item)
		if !allowed[item] {
			diverged("the target has an item it must not have: %s", item)
		}
		delete(required, item)
	}
	for item := range required {
		diverged("the target lacks %s", item)
	}
	for sequenceNumber := range o.poison {
		if !queued[sequenceNumber] && !o.lost[sequenceNumber] {
			diverged("the failure queue lacks the record %s, which cannot be projected", sequenceNumber)
		}
	}
	for sequenceNumber := range queued {
		if !o.poison[sequenceNumber] && !o.refused[sequenceNumber] {
			diverged("the failure queue has the record %s, which can be applied", sequenceNumber)
		}
	}
	for id := range o.world.source {
		if v := o.version[id]; v.poisoned && v.number != "" && !queued[v.number] && !o.lost[v.number] {
			diverged("the failure queue lacks the record %s, whose item the table refuses", v.number)
		}
	}
	return found
}
