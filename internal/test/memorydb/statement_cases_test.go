package memorydb_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// statement returns one element of Statements.
func statement(text string, parameters ...string) string {
	return fmt.Sprintf(`{"Statement":%s,"Parameters":[%s]}`, quote(text), strings.Join(parameters, ","))
}

// execute is a call with statements. want is the outcome of each, or of the call.
func execute(want string, statements ...string) step {
	return step{"BatchExecuteStatement", `{"Statements":[` + strings.Join(statements, ",") + `]}`, want}
}

func statementCases() []conformanceCase {
	const (
		insert = `INSERT INTO "strings" VALUE {'pk':?,'a':?,'v':?}`
		update = `UPDATE "strings" SET "v"=? REMOVE "a" WHERE "pk"=? AND "v"<?`
		remove = `DELETE FROM "strings" WHERE "pk"=? AND ("v" IS MISSING OR "v"<?)`
		nested = `DELETE FROM "strings" WHERE "pk"=? AND "a"=? AND ("v"."seq" IS MISSING OR "v"."seq"<?)`
		x, n   = `{"S":"x"}`, `{"N":"1"}`
		first  = `{"S":"L/1/abc"}`
		second = `{"S":"L/2/def"}`
		stored = `{"a":{"N":"1"},"pk":{"S":"x"},"v":{"S":"L/1/abc"}}`
	)
	inserted := execute(ok, statement(insert, x, n, first))
	conditions := func(want, clause string, parameters ...string) conformanceCase {
		c := conformanceCase{name: clause, table: "strings", want: []string{stored}, steps: []step{inserted,
			execute(want, statement(`UPDATE "strings" SET "w"=? WHERE "pk"=? AND `+clause,
				append([]string{n, x}, parameters...)...))}}
		if want == ok {
			c.want = []string{`{"a":{"N":"1"},"pk":{"S":"x"},"v":{"S":"L/1/abc"},"w":{"N":"1"}}`}
		}
		return c
	}
	const refused = "ConditionalCheckFailed"
	many := func(count int) (statements []string) {
		for i := range count {
			statements = append(statements, statement(`DELETE FROM "strings" WHERE "pk"=?`, fmt.Sprintf(`{"S":"%d"}`, i)))
		}
		return statements
	}
	return []conformanceCase{
		{
			name: "insert, insert again, update, delete", table: "strings",
			steps: []step{
				inserted,
				execute("DuplicateItem", statement(insert, x, n, second)),
				execute(ok, statement(update, second, x, `{"S":"L/2"}`)),
				execute(refused, statement(update, second, x, `{"S":"L/2"}`)),
				execute(refused, statement(remove, x, `{"S":"L/2"}`)),
				execute(ok, statement(remove, x, `{"S":"L/3"}`)),
				execute(ok, statement(remove, x, `{"S":"L/3"}`)),
				execute(refused, statement(update, second, x, `{"S":"L/2"}`)),
			},
		},
		{
			name: "each statement by itself", table: "strings",
			steps: []step{
				inserted,
				execute("DuplicateItem,OK,ConditionalCheckFailed,OK",
					statement(insert, x, n, second), statement(insert, `{"S":"y"}`, n, first),
					statement(update, second, `{"S":"z"}`, `{"S":"L/2"}`), statement(remove, `{"S":"w"}`, `{"S":"L/2"}`)),
			},
			want: []string{stored, `{"a":{"N":"1"},"pk":{"S":"y"},"v":{"S":"L/1/abc"}}`},
		},
		{
			// DynamoDB Local carries out the statements before it refuses the call. These change nothing.
			name: "a key twice", why: "the whole call is refused", table: "strings",
			steps: []step{
				inserted,
				execute(invalid, statement(insert, x, n, first), statement(remove, x, `{"S":"L/1"}`)),
			},
			want: []string{stored},
		},
		{
			name: "a key twice by value", why: "1 and 1.0 are one key", table: "numbers",
			steps: []step{
				put("numbers", `{"pk":{"N":"1"}}`, ok),
				execute(invalid, statement(`INSERT INTO "numbers" VALUE {'pk':?}`, `{"N":"1"}`),
					statement(`INSERT INTO "numbers" VALUE {'pk':?}`, `{"N":"1.0"}`)),
			},
			want: []string{`{"pk":{"N":"1"}}`},
		},
		{
			name: "an item without a version is deleted", table: "strings",
			steps: []step{put("strings", `{"pk":{"S":"x"}}`, ok), execute(ok, statement(remove, x, `{"S":"L/1"}`))},
		},
		{
			name: "a version of another type", table: "strings",
			steps: []step{put("strings", `{"pk":{"S":"x"},"v":{"N":"1"}}`, ok),
				execute(refused, statement(remove, x, `{"S":"L/1"}`)), execute(refused, statement(update, first, x, first))},
			want: []string{`{"pk":{"S":"x"},"v":{"N":"1"}}`},
		},
		{
			name: "a version in a map", table: "strings",
			steps: []step{
				execute("OK,OK", statement(insert, x, n, `{"M":{"seq":{"S":"L/1"}}}`), statement(insert, `{"S":"y"}`, n, `{"M":{}}`)),
				execute("ConditionalCheckFailed,OK", statement(nested, x, n, `{"S":"L/1"}`), statement(nested, `{"S":"y"}`, n, first)),
				execute(refused, statement(nested, x, `{"N":"2"}`, `{"S":"L/2"}`)),
				execute(ok, statement(nested, x, `{"N":"1.0"}`, `{"S":"L/2"}`)),
			},
		},
		{
			name: "names with quotes", table: "strings",
			steps: []step{
				execute(ok, statement(`INSERT INTO "strings" VALUE {'pk':?,'a''b"c':?}`, x, n)),
				execute(ok, statement(`UPDATE "strings" SET "d'e"=? REMOVE "a'b""c" WHERE "pk"=?`, n, x)),
			},
			want: []string{`{"d'e":{"N":"1"},"pk":{"S":"x"}}`},
		},
		{
			name: "items that no table takes", why: "the statement is refused", table: "strings",
			steps: []step{
				execute("ValidationError,ValidationError,ValidationError,OK",
					statement(insert, `{"S":""}`, n, first), statement(insert, n, n, first),
					statement(`INSERT INTO "strings" VALUE {'a':?}`, n), statement(insert, x, n, first)),
				execute("ValidationError,ValidationError",
					statement(insert, `{"S":"y"}`, n, `{"S":"`+strings.Repeat("v", 400<<10)+`"}`),
					statement(update, `{"S":"`+strings.Repeat("v", 400<<10)+`"}`, x, second)),
			},
			want: []string{stored},
		},
		{
			name: "values that no table takes", why: "the whole call is refused", table: "strings",
			steps: []step{
				execute(invalid, statement(insert, x, `{"N":"1e200"}`, first), statement(insert, `{"S":"y"}`, n, first)),
				execute(invalid, statement(insert, x, `{"SS":[]}`, first), statement(insert, `{"S":"y"}`, n, first)),
			},
		},
		{
			name: "a table that does not exist", why: "the statement is refused", table: "strings",
			steps: []step{execute("ResourceNotFound,OK", statement(`DELETE FROM "missing" WHERE "pk"=?`, x), many(1)[0])},
		},
		{name: "25 statements", table: "strings", steps: []step{execute("OK"+strings.Repeat(",OK", 24), many(25)...)}},
		{name: "26 statements", table: "strings", steps: []step{execute(invalid, many(26)...)}},
		{name: "no statements", table: "strings", steps: []step{execute(invalid)}},
		{
			name: "a statement of more than 8,192 characters", table: "strings",
			steps: []step{execute(invalid, statement(`INSERT INTO "strings" VALUE {'pk':?,'`+strings.Repeat("a", 8200)+`':?}`, x, n))},
		},
		{
			name: "parameters and question marks", table: "strings",
			steps: []step{execute("ValidationError", statement(insert, x, n))},
		},
		{
			name: "a statement without the whole key", table: "sorted",
			steps: []step{execute("ValidationError", statement(`DELETE FROM "sorted" WHERE "pk"=?`, x))},
		},
		conditions(ok, `"v"<?`, `{"S":"L/2"}`),
		conditions(refused, `"v"<?`, `{"S":"L/1"}`),
		conditions(refused, `"v"<?`, `{"N":"9"}`),
		conditions(refused, `"none"<?`, `{"S":"L/2"}`),
		conditions(ok, `"a"=?`, `{"N":"1.0"}`),
		conditions(refused, `"a"=?`, `{"S":"1"}`),
		conditions(ok, `contains("v",'/abc')`),
		conditions(refused, `contains("v",'/abd')`),
		conditions(refused, `contains("a",'1')`),
		conditions(ok, `(contains("v",'/no') OR contains("v",'/abc'))`),
		conditions(refused, `"v"."names"='abc'`),
		conditions(ok, `("v"='no' OR "v"='L/1/abc')`),
		conditions(refused, `("v" IS MISSING OR "v"<?)`, `{"S":"L/1"}`),
		conditions(ok, `("none"."v" IS MISSING OR "v"<?)`, `{"S":"L/1"}`),
	}
}

// A statement that the replicator does not send ends without an answer, which no retry and no
// fallback can hide.
func TestAnUnknownStatementHasNoAnswer(t *testing.T) {
	e := inMemory(memorydb.New())
	e.createTables(t, "unknown")
	_, err := e.send(t.Context(), "unknown", "BatchExecuteStatement", `{"Statements":[{"Statement":"SELECT 1"}]}`)
	if err == nil {
		t.Error("it has an answer")
	}
}

func TestReadItemsAreThoseThatExist(t *testing.T) {
	const keys = `"Keys":[{"pk":{"S":"x"},"sk":{"N":"1.0"}},{"pk":{"S":"x"},"sk":{"N":"2"}},{"pk":{"S":"y"},"sk":{"N":"1"}}]`
	request := func(table, members string) string {
		return `{"RequestItems":{"` + table + `":{"ConsistentRead":true,` + members + `}}}`
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			const account = "read"
			e.createTables(t, account)
			e.mustSend(t, account, "PutItem",
				`{"TableName":"sorted","Item":{"sk":{"N":"1"},"pk":{"S":"x"},"a":{"S":"1"},"b":{"S":"2"}}}`)
			for body, want := range map[string]string{
				request("sorted", keys): `[{"a":{"S":"1"},"b":{"S":"2"},"pk":{"S":"x"},"sk":{"N":"1"}}]`,
				request("sorted", keys+`,"ProjectionExpression":"#a,#s,#c","ExpressionAttributeNames":`+
					`{"#a":"a","#s":"sk","#c":"none"}`): `[{"a":{"S":"1"},"sk":{"N":"1"}}]`,
				request("sorted", `"Keys":[{"pk":{"S":"x"},"sk":{"N":"1"}},{"pk":{"S":"x"},"sk":{"N":"1"}}]`): invalid,
				request("sorted", `"Keys":[{"pk":{"S":"x"}}]`):                                                invalid,
				request("sorted", `"Keys":[]`):                                                                invalid,
				request("missing", keys):                                                                      noTable,
			} {
				a := e.mustSend(t, account, "BatchGetItem", body)
				if got := readItems(t, a); got != want {
					t.Errorf("%s\n got %s\nwant %s", body, got, want)
				}
			}
		})
	}
}

// readItems returns the items of an answer of BatchGetItem in canonical form, or its error's code.
func readItems(t *testing.T, a answer) string {
	t.Helper()
	if a.status != http.StatusOK {
		return a.code
	}
	var answered struct {
		Responses map[string][]json.RawMessage
	}
	if err := json.Unmarshal(a.body, &answered); err != nil {
		t.Fatal(err)
	}
	var items []string
	for _, item := range answered.Responses["sorted"] {
		items = append(items, canonical(t, item))
	}
	return "[" + strings.Join(items, ",") + "]"
}
