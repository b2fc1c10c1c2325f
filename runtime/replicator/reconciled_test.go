package replicator

import (
	"encoding/json"
	"fmt"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// reconciledItems returns the items without versions that a target may have and those that it must
// have once a reconciler has filled it: which version an item has depends on who wrote it.
func (o *oracle) reconciledItems(table []string) (allowed, required map[string]bool) {
	allowed, required = map[string]bool{}, map[string]bool{}
	if o.target.OnKeyCollision == "" {
		for _, v := range o.items {
			item := o.withoutVersion("{" + v.item + "}")
			allowed[item] = true
			if !o.isKept(v) {
				required[item] = true
			}
		}
		if o.target.ExpiredItems == spec.KeepExpired {
			o.allowLeft(allowed)
		}

		return allowed, required
	}

	filled := map[string]bool{}
	for _, item := range table {
		filled[o.keyOf(item)] = true
	}
	for id := range o.world.source {
		v := o.version[id]
		if v.key == "" || v.poisoned {
			continue
		}
		item := o.withoutVersion("{" + v.item + "}")
		allowed[item] = true
		// Another live claimant may have the key. It may even have left it, where the key was
		// another owner's before, or where this change was not applied but redriven.
		own := o.newest[v.key] == v && !o.replaced(v.keyJSON) && !o.lost[v.number]
		if (own || len(o.claimants[v.key]) == 1) && !filled[canonicalKey([]byte(v.keyJSON))] {
			required[item] = true
		}
	}

	return allowed, required
}

// isKept reports whether a target item shows a source item that has expired. It is not there when
// it expired before it was filled, and a reconciler deletes it when the source item is back and does
// not map there: the target does not show that it was kept.
func (o *oracle) isKept(v owned) bool {
	now, _ := o.mapped(o.world.source[v.owner])
	return now.item != v.item
}

// allowLeft allows the earlier items of source items that are gone, and those that a killed backfill
// may have put for items that no longer map there: where expired items are kept, a reconciler cannot
// tell them from what was kept.
func (o *oracle) allowLeft(allowed map[string]bool) {
	for _, c := range o.world.changes {
		v, _ := o.mapped(c.before)
		now, _ := o.mapped(o.world.source[c.id])
		if v.key != "" && (o.world.source[c.id] == nil || now.key != v.key && o.abandoned(v.keyJSON)) {
			allowed[o.withoutVersion("{"+v.item+"}")] = true
		}
	}
}

// withoutVersion returns an item without its version, in canonical form.
func (o *oracle) withoutVersion(item string) string {
	var attributes jsonItem
	if err := json.Unmarshal([]byte(item), &attributes); err != nil {
		panic(err)
	}
	if o.target.VersionAttribute != "" {
		delete(attributes, o.target.VersionAttribute)
	}
	canonical, err := memorydb.Canonical(toJSON(attributes))
	if err != nil {
		panic(fmt.Sprint(err, item))
	}

	return canonical
}

// keyOf returns the key of a target item in canonical form.
func (o *oracle) keyOf(item string) string {
	var attributes jsonItem
	if err := json.Unmarshal([]byte(item), &attributes); err != nil {
		panic(err)
	}
	key := jsonItem{}
	for _, k := range o.target.Attributes() {
		key[k.Name] = attributes[k.Name]
	}

	return canonicalItem(key)
}
