package memorydb_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// transact is a transaction with actions. want is its outcome, of a canceled one the codes of its reasons.
func transact(want string, actions ...string) step {
	return step{"TransactWriteItems", `{"TransactItems":[` + strings.Join(actions, ",") + `]}`, want}
}

// act is one action. member is its Item or Key, and more are the members of a condition.
func act(kind, table, member string, more ...string) string {
	name := "Key"
	if kind == "Put" {
		name = "Item"
	}
	return fmt.Sprintf(`{%q:{"TableName":%q,%q:%s%s}}`, kind, table, name, member, strings.Join(more, ""))
}

func canceled(codes string) string { return "TransactionCanceledException " + codes }

func transactCases() []conformanceCase {
	const (
		x, y, z  = `{"pk":{"S":"x"}}`, `{"pk":{"S":"y"}}`, `{"pk":{"S":"z"}}`
		won      = `{"pk":{"S":"x"},"won":{"BOOL":true}}`
		mismatch = `{"pk":{"N":"1"}}`
		empty    = `{"pk":{"S":""}}`
	)
	exists := conditionMembers("attribute_exists(#pk)", `{"#pk":"pk"}`, "")
	absent := conditionMembers("attribute_not_exists(#pk)", `{"#pk":"pk"}`, "")
	large := func(i, size int) string {
		return act("Put", "strings", fmt.Sprintf(`{"pk":{"S":"%02d"},"a":{"S":%q}}`, i, strings.Repeat("a", size-len("pk00a"))))
	}
	var deletes, larges []string
	for i := range 101 {
		deletes = append(deletes, act("Delete", "strings", fmt.Sprintf(`{"pk":{"S":"%d"}}`, i)))
	}
	for i := range 16 {
		larges = append(larges, large(i, 256<<10))
	}
	withToken := func(token, action, want string) step {
		return step{"TransactWriteItems", fmt.Sprintf(`{"ClientRequestToken":%q,"TransactItems":[%s]}`, token, action), want}
	}
	const mismatched = "IdempotentParameterMismatchException"
	return []conformanceCase{
		{
			name: "a put, a delete and a check of other tables", table: "strings",
			steps: []step{
				put("strings", y, ok), put("sorted", `{"pk":{"S":"s"},"sk":{"N":"1"}}`, ok),
				transact(ok, act("Put", "strings", won, absent), act("Delete", "strings", y, exists),
					act("ConditionCheck", "sorted", `{"pk":{"S":"s"},"sk":{"N":"1.0"}}`, exists)),
				remove("sorted", `{"pk":{"S":"s"},"sk":{"N":"1"}}`, ok),
			},
			want: []string{won},
		},
		{
			name: "a refused action", why: "no action is carried out, and each has its reason", table: "strings",
			steps: []step{
				put("strings", y, ok),
				transact(canceled("None,ConditionalCheckFailed,None"),
					act("Put", "strings", x), act("Put", "strings", y, absent), act("Delete", "strings", z)),
				transact(canceled("None,ConditionalCheckFailed"),
					act("Delete", "strings", y), act("ConditionCheck", "strings", x, exists)),
				transact(canceled("ConditionalCheckFailed,ConditionalCheckFailed"),
					act("Delete", "strings", x, exists), act("ConditionCheck", "strings", y, absent)),
			},
			want: []string{y},
		},
		{
			name: "all conditions are about the items before", table: "strings",
			steps: []step{
				put("strings", y, ok),
				transact(ok, act("Delete", "strings", y), act("Put", "strings", x, absent)),
				transact(ok, act("Put", "strings", y, absent), act("Delete", "strings", x, exists)),
			},
			want: []string{y},
		},
		{
			name: "one item twice", why: "the whole call is refused", table: "strings",
			steps: []step{
				transact(invalid, act("Put", "strings", x), act("Delete", "strings", x)),
				transact(invalid, act("ConditionCheck", "strings", x, absent), act("Put", "strings", x)),
				transact(invalid, act("ConditionCheck", "strings", x, absent), act("ConditionCheck", "strings", x, absent)),
			},
		},
		{
			name: "one item twice by value", why: "1 and 1.0 are one key", table: "numbers",
			localDeviates: "it compares the texts",
			steps:         []step{transact(invalid, act("Put", "numbers", `{"pk":{"N":"1"}}`), act("Delete", "numbers", `{"pk":{"N":"1.0"}}`))},
		},
		{name: "100 actions", table: "strings", steps: []step{transact(ok, deletes[:100]...)}},
		{name: "101 actions", table: "strings", steps: []step{transact(invalid, deletes...)}},
		{
			name: "no actions", table: "strings",
			steps: []step{transact(invalid), {"TransactWriteItems", `{}`, invalid}},
		},
		{
			name: "items of 4 MB", table: "strings",
			steps: []step{transact(ok, larges...), transact(invalid, slices.Concat(larges[:15], []string{large(15, 256<<10+1)})...),
				transact(ok, func() (all []string) {
					for i := range larges {
						all = append(all, act("Delete", "strings", fmt.Sprintf(`{"pk":{"S":"%02d"}}`, i)))
					}
					return all
				}()...)},
		},
		{
			name: "a key of another type", why: "it is a reason", table: "strings",
			steps: []step{
				transact(canceled("ValidationError,None"), act("Put", "strings", mismatch), act("Put", "strings", x)),
				transact(canceled("None,ValidationError"), act("Put", "strings", x), act("Delete", "strings", mismatch)),
				transact(canceled("ConditionalCheckFailed,ValidationError"),
					act("Put", "strings", x, exists), act("ConditionCheck", "strings", mismatch, absent)),
			},
		},
		{
			name: "what no table takes", why: "the whole call is refused", table: "strings",
			steps: []step{
				transact(invalid, act("Put", "strings", x), act("Put", "strings", empty)),
				transact(invalid, act("Put", "strings", x), act("Delete", "strings", empty)),
				transact(invalid, act("Put", "strings", x), act("Put", "strings", `{"a":{"S":"no key"}}`)),
				transact(invalid, act("Put", "strings", x), act("Delete", "strings", `{"pk":{"S":"y"},"a":{"S":"more"}}`)),
				transact(invalid, act("Put", "strings", x), large(0, 400<<10+1)),
				transact(invalid, act("Put", "strings", x), act("Put", "strings", `{"pk":{"S":"y"},"a":{"SS":[]}}`)),
			},
		},
		{
			name: "a table that does not exist", why: "the whole call is refused", table: "strings",
			steps: []step{transact(noTable, act("Put", "strings", x), act("Delete", "missing", x))},
		},
		{
			name: "actions that are not one action", table: "strings",
			steps: []step{
				transact(invalid, `{}`),
				transact(invalid, strings.TrimSuffix(act("Put", "strings", x), "}")+","+
					strings.TrimPrefix(act("Delete", "strings", y), "{")),
				transact(invalid, act("ConditionCheck", "strings", x)),
				transact(invalid, `{"Put":{"TableName":"strings"}}`),
				transact(invalid, act("Put", "strings", x, conditionMembers("#a = :a", `{"#a":"a"}`, ""))),
				transact(invalid, act("Put", "strings", x, `,"ExpressionAttributeNames":{"#a":"a"}`)),
			},
		},
		{
			name: "a request that is repeated", why: "nothing is done twice", table: "strings",
			steps: []step{
				withToken("once", act("Put", "strings", x, absent), ok),
				withToken("once", act("Put", "strings", x, absent), ok),
				withToken("once", act("Put", "strings", y, absent), mismatched),
				remove("strings", x, ok),
				withToken("once", act("Put", "strings", x, absent), ok),
			},
		},
		{
			name: "a canceled request that is repeated", why: "it is tried again", table: "strings",
			steps: []step{
				withToken("again", act("Put", "strings", x, exists), canceled("ConditionalCheckFailed")),
				put("strings", x, ok),
				withToken("again", act("Put", "strings", won, exists), ok),
			},
			want: []string{won},
		},
		{
			name: "tokens", table: "strings",
			steps: []step{
				withToken(strings.Repeat("t", 36), act("Put", "strings", x), ok),
				withToken(strings.Repeat("t", 37), act("Put", "strings", x), invalid),
			},
			want: []string{x},
		},
	}
}

func TestARefusalReturnsTheItemWhenAsked(t *testing.T) {
	const item = `{"a":{"NS":["1","2"]},"pk":{"S":"x"}}`
	const absent = `,"ConditionExpression":"attribute_not_exists(#pk)","ExpressionAttributeNames":{"#pk":"pk"}`
	const exists = `,"ConditionExpression":"attribute_exists(#pk)","ExpressionAttributeNames":{"#pk":"pk"}`
	const old, none = `,"ReturnValuesOnConditionCheckFailure":"ALL_OLD"`, `,"ReturnValuesOnConditionCheckFailure":"NONE"`
	single := func(operation, member, more string) step {
		return step{operation, `{"TableName":"strings",` + member + more + `}`, ""}
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			const account = "refusals"
			e.createTables(t, account)
			e.mustSend(t, account, "PutItem", `{"TableName":"strings","Item":`+item+`}`)
			for _, c := range []struct {
				step
				want string
			}{
				{single("PutItem", `"Item":{"pk":{"S":"x"}}`, absent+old), item},
				{single("PutItem", `"Item":{"pk":{"S":"x"}}`, absent+none), ""},
				{single("PutItem", `"Item":{"pk":{"S":"x"}}`, absent), ""},
				{single("PutItem", `"Item":{"pk":{"S":"y"}}`, exists+old), ""},
				{single("DeleteItem", `"Key":{"pk":{"S":"x"}}`, absent+old), item},
				{transact("", act("Put", "strings", `{"pk":{"S":"z"}}`),
					act("ConditionCheck", "strings", `{"pk":{"S":"x"}}`, absent, old)), item},
				{transact("", act("Delete", "strings", `{"pk":{"S":"x"}}`, absent),
					act("Put", "strings", `{"pk":{"S":"y"}}`, exists, old)), ""},
			} {
				a := e.mustSend(t, account, c.operation, c.body)
				var refused struct {
					Item                json.RawMessage
					CancellationReasons []struct{ Item json.RawMessage }
				}
				if err := json.Unmarshal(a.body, &refused); err != nil || a.outcome() == ok {
					t.Fatalf("%s %s: %v %s", c.operation, c.body, err, a.body)
				}
				for _, r := range refused.CancellationReasons {
					if r.Item != nil {
						refused.Item = r.Item
					}
				}
				got := ""
				if refused.Item != nil {
					got = canonical(t, refused.Item)
				}
				if got != c.want {
					t.Errorf("%s %s: got %q, want %q", c.operation, c.body, got, c.want)
				}
			}
		})
	}
}

// DynamoDB Local answers InternalFailure.
func TestAnUnknownValueToReturnIsRefused(t *testing.T) {
	e := inMemory(memorydb.New())
	e.createTables(t, "return")
	a := e.mustSend(t, "return", "TransactWriteItems", `{"TransactItems":[`+
		act("Put", "strings", `{"pk":{"S":"x"}}`, `,"ReturnValuesOnConditionCheckFailure":"ALL_NEW"`)+`]}`)
	if a.outcome() != invalid {
		t.Errorf("got %s, want %s", a.outcome(), invalid)
	}
}
