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

// apply is the oracle: the effect of a change on the target.
func (w *world) apply(c sourceChange, at int, label, sequenceNumber string) {
	before, _ := w.mapped(c.before)
	after, poison := w.mapped(c.after)
	if poison {
		w.poison[sequenceNumber] = true
	}
	w.changes[sequenceNumber] = ownedChange{c.id, after.key != "" && !after.poisoned}
	if c.expired && w.spec.Targets[0].ExpiredItems == spec.KeepExpired || before == after {
		return
	}

	after.owner, after.at, after.number = c.id, at, sequenceNumber
	after.seq = label + "/" + strings.Repeat("0", 40-len(sequenceNumber)) + sequenceNumber
	if after.poisoned {
		w.refused[sequenceNumber] = true
	}

	w.version[c.id] = after
	delete(w.target, before.key)
	delete(w.target, after.key)
	if after.key != "" && !after.poisoned {
		w.target[after.key] = after
		if after.newer(w.newest[after.key]) {
			w.newest[after.key] = after
		}
	}
}

// mapped is the mapping: the target item of a source item, without its version.
func (w *world) mapped(item map[string]string) (v owned, poison bool) {
	t := w.spec.Targets[0]
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

// divergences compares the target table and the failure queue with the oracle.
func (w *world) divergences(table []string, queued map[string]bool) []string {
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
		if !queued[sequenceNumber] {
			diverged("the failure queue lacks the record %s, which cannot be projected", sequenceNumber)
		}
	}
	for sequenceNumber := range queued {
		if !w.poison[sequenceNumber] && !w.refused[sequenceNumber] {
			diverged("the failure queue has the record %s, which can be applied", sequenceNumber)
		}
	}
	for id := range w.source {
		if o := w.version[id]; o.poisoned && !queued[o.number] {
			diverged("the failure queue lacks the record %s, whose item the table refuses", o.number)
		}
	}
	return found
}
