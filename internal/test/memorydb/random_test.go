package memorydb_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// TestRandomHistoriesEndTheSame sends the same random requests over few keys to
// both engines and compares every answer and the final tables.
func TestRandomHistoriesEndTheSame(t *testing.T) {
	const histories, requests = 4, 500
	local := local(t)
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			memory := inMemory(memorydb.New())
			account := fmt.Sprint("random", seed)
			memory.createTables(t, account)
			local.createTables(t, account)
			h := history{rand.New(rand.NewPCG(seed, 0))}
			outcomes := map[string]int{}
			for range requests {
				operation, body := h.request()
				got := memory.mustSend(t, account, operation, body)
				want := local.mustSend(t, account, operation, body)
				if got.outcome() != want.outcome() || got.items(t) != want.items(t) {
					t.Fatalf("%s %s\nmemorydb: %s %s\nlocal: %s %s",
						operation, body, got.outcome(), got.body, want.outcome(), want.body)
				}
				outcome, _, _ := strings.Cut(want.outcome(), " ") // without reasons
				for one := range strings.SplitSeq(outcome, ",") {
					outcomes[operation+" "+one]++
				}
			}
			if got, want := memory.items(t, account, "sorted"), local.items(t, account, "sorted"); !slices.Equal(got, want) {
				t.Errorf("the tables differ\nmemorydb: %q\nlocal: %q", got, want)
			}
			for _, often := range []string{
				"PutItem OK", "PutItem " + failed, "PutItem " + invalid,
				"DeleteItem OK", "DeleteItem " + failed, "BatchWriteItem OK", "BatchWriteItem " + invalid,
				"BatchExecuteStatement OK", "BatchExecuteStatement " + invalid, "BatchExecuteStatement DuplicateItem",
				"BatchExecuteStatement ConditionalCheckFailed", "GetItem OK",
				"TransactWriteItems OK", "TransactWriteItems " + invalid, "TransactWriteItems TransactionCanceledException",
			} {
				if outcomes[often] == 0 {
					t.Errorf("no request had the outcome %s: the history proves too little: %v", often, outcomes)
				}
			}
		})
	}
}

// items returns the items in an answer of GetItem or in a refusal, in canonical form.
func (a answer) items(t *testing.T) string {
	t.Helper()
	var answered struct {
		Item                json.RawMessage
		CancellationReasons []struct{ Item json.RawMessage }
	}
	if err := json.Unmarshal(a.body, &answered); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	var items []string
	if answered.Item != nil {
		items = append(items, canonical(t, answered.Item))
	}
	for _, r := range answered.CancellationReasons {
		if r.Item != nil {
			items = append(items, canonical(t, r.Item))
		}
	}
	return strings.Join(items, "\n")
}

// history draws random requests. Everything comes from small sets, so that keys
// meet and conditions hold about as often as not.
type history struct{ *rand.Rand }

func (h history) one(of ...string) string { return of[h.IntN(len(of))] }

func (h history) request() (operation, body string) {
	switch h.IntN(14) {
	case 13:
		return "GetItem", `{"TableName":"sorted","ConsistentRead":true,"Key":{` + h.key() + `}` + h.projection() + `}`
	case 10, 11, 12:
		// Never one key twice: DynamoDB Local then answers with a condition that does not hold.
		keys := []string{`"pk":{"S":"a"},"sk":{"N":"1.0"}`, `"pk":{"S":"b"},"sk":{"N":"1"}`, `"pk":{"S":"b"},"sk":{"N":"2e0"}`,
			`"pk":{"S":"a"},"sk":{"S":"no number"}`, `"pk":{"S":"a"},"sk":{"N":"-0.5"}`}
		h.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		var actions []string
		for _, key := range keys[:1+h.IntN(3)] {
			actions = append(actions, h.action(key))
		}
		return "TransactWriteItems", `{"TransactItems":[` + strings.Join(actions, ",") + `]}`
	case 8, 9:
		// Never one key twice: DynamoDB Local then carries out what it refuses.
		statements := []string{h.statement(`{"S":"a"}`)}
		if h.IntN(2) == 0 {
			statements = append(statements, h.statement(`{"S":"b"}`))
		}
		return "BatchExecuteStatement", `{"Statements":[` + strings.Join(statements, ",") + `]}`
	case 0:
		var writes []string
		for range 1 + h.IntN(4) {
			if h.IntN(3) == 0 {
				writes = append(writes, deleteRequest("{"+h.key()+"}"))
			} else {
				writes = append(writes, putRequest(h.item(h.key())))
			}
		}
		return "BatchWriteItem", `{"RequestItems":{"sorted":[` + strings.Join(writes, ",") + `]}}`
	case 1, 2:
		return "DeleteItem", `{"TableName":"sorted","Key":{` + h.key() + `}` + h.condition() + h.returned() + `}`
	default:
		return "PutItem", `{"TableName":"sorted","Item":` + h.item(h.key()) + h.condition() + h.returned() + `}`
	}
}

// action draws one action of a transaction on the item with a key.
func (h history) action(key string) string {
	switch h.IntN(3) {
	case 0:
		return act("Delete", "sorted", "{"+key+"}", h.condition())
	case 1:
		condition := ""
		for condition == "" {
			condition = h.condition()
		}
		return act("ConditionCheck", "sorted", "{"+key+"}", condition, h.returned())
	default:
		return act("Put", "sorted", h.item(key), h.condition())
	}
}

// returned draws whether a refusal returns the item.
func (h history) returned() string {
	return h.one("", `,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`)
}

// projection draws the members of a projection, or none.
func (h history) projection() string {
	return h.one("", `,"ProjectionExpression":"#x","ExpressionAttributeNames":{"#x":"x"}`,
		`,"ProjectionExpression":"#x , #z,#pk","ExpressionAttributeNames":{"#x":"x","#z":"z","#pk":"pk"}`)
}

// statement draws one of the statements that the replicator sends, for an item of a partition.
func (h history) statement(pk string) string {
	_, sk, _ := strings.Cut(h.key(), `,"sk":`)
	switch h.IntN(3) {
	case 0:
		return statement(`INSERT INTO "sorted" VALUE {'x':?,'pk':?,'sk':?}`, h.value(0), pk, sk)
	case 1:
		return statement(`DELETE FROM "sorted" WHERE "pk"=? AND "sk"=?`+
			h.one(` AND ("x" IS MISSING OR "x"<?)`, ` AND ("y"."x" IS MISSING OR "y"."x"<?)`), pk, sk, h.orderedValue())
	default:
		return statement(`UPDATE "sorted" SET "x"=? SET "z"=?`+h.one("", ` REMOVE "y"`, ` REMOVE "y" REMOVE "none"`)+
			` WHERE "pk"=? AND "sk"=? AND `+h.one(`"x"<?`, `"y"."x"<?`, `"z"=?`)+
			h.one("", ` AND contains("x",'a')`, ` AND (contains("x",'a') OR contains("x",'1'))`, ` AND "y"."x"='a'`),
			h.value(0), h.value(0), pk, sk, h.orderedValue())
	}
}

// orderedValue draws a value that can be compared.
func (h history) orderedValue() string {
	return h.one(`{"S":"ab"}`, `{"S":"B"}`, `{"N":"1"}`, `{"N":"10"}`, `{"B":"AAE="}`)
}

func (h history) key() string {
	sortKey := h.one(`{"N":"1"}`, `{"N":"1.0"}`, `{"N":"-0.5"}`, `{"N":"2"}`, `{"N":"2e0"}`)
	if h.IntN(50) == 0 {
		sortKey = h.one(`{"S":"1"}`, `{"N":""}`)
	}
	return `"pk":` + h.one(`{"S":"a"}`, `{"S":"b"}`) + `,"sk":` + sortKey
}

func (h history) item(key string) string {
	members := []string{key}
	for _, name := range []string{"x", "y", "z"} {
		if h.IntN(3) > 0 {
			members = append(members, fmt.Sprintf(`%q:%s`, name, h.value(0)))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (h history) value(depth int) string {
	number := func() string {
		return h.one("0", "-0", "1", "1.0", "10", "1e1", "-1", "0.1", "1e-1", "9.99",
			"123456789012345678901234567890", "12345678901234567890123456789e1")
	}
	text := func() string { return h.one("", "a", "ab", "B", "é", "10") }
	switch h.IntN(11) {
	case 0:
		return `{"BOOL":` + h.one("true", "false") + `}`
	case 1:
		return `{"NULL":true}`
	case 2:
		return `{"B":"` + h.one("", "AA==", "AAE=", "YQ==") + `"}`
	case 3:
		return `{"SS":["` + text() + `","` + text() + `"]}` // sometimes the same twice
	case 4:
		return `{"NS":["` + number() + `","` + number() + `"]}`
	case 5:
		return `{"BS":["` + h.one("", "AA==") + `"]}`
	case 6, 7:
		if depth < 3 && h.IntN(2) == 0 {
			return `{"L":[` + h.value(depth+1) + `,` + h.value(depth+1) + `]}`
		}
		if depth < 3 {
			return `{"M":{"x":` + h.value(depth+1) + `,"y":` + h.value(depth+1) + `}}`
		}
		return h.one(`{"L":[]}`, `{"M":{}}`)
	case 8, 9:
		return `{"N":"` + number() + `"}`
	default:
		return `{"S":"` + text() + `"}`
	}
}

// condition draws the members of a conditional write, or none.
func (h history) condition() string {
	if h.IntN(4) == 0 {
		return ""
	}
	var values []string
	expression := h.expression(0, &values)
	var names []string
	for _, name := range []string{"x", "y", "z"} {
		if strings.Contains(expression, "#"+name) {
			names = append(names, fmt.Sprintf(`"#%s":%q`, name, name))
		}
	}
	members := ""
	if len(values) > 0 {
		members = "{" + strings.Join(values, ",") + "}"
	}
	if len(names) > 0 {
		return conditionMembers(expression, "{"+strings.Join(names, ",")+"}", members)
	}
	return conditionMembers(expression, "", members)
}

func (h history) expression(depth int, values *[]string) string {
	if depth < 3 {
		switch h.IntN(6) {
		case 0:
			return h.expression(depth+1, values) + " AND " + h.expression(depth+1, values)
		case 1:
			return h.expression(depth+1, values) + " OR " + h.expression(depth+1, values)
		case 2:
			return "NOT " + h.expression(depth+1, values)
		case 3:
			return "(" + h.expression(depth+1, values) + ")"
		}
	}
	path := func() string { return h.one("#x", "#y", "#z", "#x.#y", "#y.#x") }
	operand := func() string {
		if h.IntN(3) == 0 {
			return path()
		}
		name := fmt.Sprintf(":v%d", len(*values))
		*values = append(*values, fmt.Sprintf(`%q:%s`, name, h.value(1)))
		return name
	}
	switch h.IntN(6) {
	case 0:
		return "attribute_exists(" + path() + ")"
	case 1:
		return "attribute_not_exists(" + path() + ")"
	case 2:
		return "begins_with(" + path() + ", " + operand() + ")"
	default:
		return path() + " " + h.one("=", "<>", "<", "<=", ">", ">=") + " " + operand()
	}
}
