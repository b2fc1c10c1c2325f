package replicator

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/runtime/failurequeue"
)

// filteredPairSpec maps id -> group and id where open is "yes", and id -> owner and id, in a
// table of its own, where draft is not. Few items have both a group and an owner.
func filteredPairSpec() spec.Spec {
	s := pairSpec()
	s.Targets[1].PartitionKey.Name = "owner"
	yes := []spec.Value{{Type: "S", Text: "yes"}}
	s.Targets[0].Filter = &spec.Condition{Path: []string{"open"}, Operator: spec.Equals, Values: yes}
	s.Targets[1].Filter = &spec.Condition{Path: []string{"draft"}, Operator: spec.NotEquals, Values: yes}
	return s
}

// application writes to the source table, and knows what its targets must have.
type application struct {
	call   func(operation, body string, out any)
	random *rand.Rand
	// wanted holds the target item of each source item, by table, in canonical form.
	wanted map[string]map[string]string
	// states holds what the table "target" must have after each source write.
	states []string
	backup []json.RawMessage // of the table "second"
}

func newApplication(call func(operation, body string, out any)) *application {
	return &application{
		call: call, random: rand.New(rand.NewPCG(1, 0)), states: []string{""},
		wanted: map[string]map[string]string{"target": {}, "second": {}},
	}
}

// burst writes a few items, usually all with a group or all with an owner.
func (a *application) burst() {
	kind := a.random.IntN(10)
	for range 4 {
		id := a.random.IntN(15)
		switch {
		case kind < 5:
			a.write(fmt.Sprint("group", id), a.random.IntN(6) > 0, true, false)
		case kind < 9:
			a.write(fmt.Sprint("owner", id), a.random.IntN(6) > 0, false, true)
		default:
			a.write(fmt.Sprint("both", id), a.random.IntN(6) > 0, a.random.IntN(3) > 0, a.random.IntN(3) > 0)
		}
	}
}

// write puts or deletes one source item.
func (a *application) write(id string, exists, group, owner bool) {
	key, members := item("id", id), []string{"id", id, "note", fmt.Sprint(len(a.states))}
	if group {
		members = append(members, "group", fmt.Sprint(a.random.IntN(3)), "open", a.yes(3))
	}
	if owner {
		members = append(members, "owner", fmt.Sprint(a.random.IntN(3)), "draft", a.yes(1))
	}

	source := json.RawMessage(item(members...))
	if exists {
		a.call("PutItem", fmt.Sprintf(`{"TableName":"source","Item":%s}`, source), &struct{}{})
	} else {
		source = nil
		a.call("DeleteItem", fmt.Sprintf(`{"TableName":"source","Key":%s}`, key), &struct{}{})
	}
	for table, wanted := range a.wanted {
		delete(wanted, id)
		if targetKey(table, source) != "" {
			wanted[id] = canonicalKey(source)
		}
	}
	a.states = append(a.states, strings.Join(slices.Sorted(maps.Values(a.wanted["target"])), "\n"))
}

// yes returns "yes" that many times of four.
func (a *application) yes(ofFour int) string {
	if a.random.IntN(4) < ofFour {
		return "yes"
	}
	return "no"
}

// targetKey is the mapping: a target item is its whole source item. It returns "" when the
// table must not have it.
func targetKey(table string, source json.RawMessage) string {
	var members map[string]struct{ S string }
	if source == nil || json.Unmarshal(source, &members) != nil {
		return ""
	}
	name, filtered := "group", members["open"].S != "yes"
	if table == "second" {
		name, filtered = "owner", members["draft"].S == "yes"
	}
	if filtered || members[name].S == "" {
		return ""
	}
	return item(name, members[name].S, "id", members["id"].S)
}

// difference compares the items of a table with the wanted ones.
func (a *application) difference(items []string, table string) string {
	wanted := slices.Sorted(maps.Values(a.wanted[table]))
	if slices.Equal(items, wanted) {
		return ""
	}
	return fmt.Sprintf("it has\n%s\nnot\n%s", strings.Join(items, "\n"), strings.Join(wanted, "\n"))
}

// deleteSecond deletes the table "second", of which there is a backup.
func (a *application) deleteSecond() {
	var out struct{ Items []json.RawMessage }
	a.call("Scan", `{"TableName":"second","ConsistentRead":true}`, &out)
	a.backup = out.Items
	a.call("DeleteTable", `{"TableName":"second"}`, &struct{}{})
}

// restoreSecond makes the table again, as it was.
func (a *application) restoreSecond() {
	a.call("CreateTable", createTableBody(filteredPairSpec().Targets[1].Table, ""), &struct{}{})
	for _, item := range a.backup {
		a.call("PutItem", fmt.Sprintf(`{"TableName":"second","Item":%s}`, item), &struct{}{})
	}
}

// reconcile makes the table "second" right for one item of a message.
func (a *application) reconcile(i failurequeue.Item) {
	var out struct{ Item json.RawMessage }
	a.call("GetItem", fmt.Sprintf(`{"TableName":"source","ConsistentRead":true,"Key":%s}`, i.SourceKey), &out)
	current := targetKey("second", out.Item)
	for _, k := range i.TargetKeys {
		if current == "" || canonicalKey(k.Key) != canonicalKey([]byte(current)) {
			a.call("DeleteItem", fmt.Sprintf(`{"TableName":"second","Key":%s}`, k.Key), &struct{}{})
		}
	}
	if current != "" {
		a.call("PutItem", fmt.Sprintf(`{"TableName":"second","Item":%s}`, out.Item), &struct{}{})
	}
}
