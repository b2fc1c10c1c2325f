package memorydb_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// engine answers DynamoDB's JSON protocol.
type engine struct {
	endpoint string
	client   interface {
		Do(*http.Request) (*http.Response, error)
	}
}

// engines are what the suite runs over: the in-memory table, and DynamoDB Local
// as the judge of the expected answers.
var engines = map[string]func(testing.TB) engine{
	"memorydb":       func(testing.TB) engine { return inMemory(memorydb.New()) },
	"DynamoDB Local": local,
}

func inMemory(db *memorydb.DB) engine { return engine{"http://memorydb", db} }

func local(t testing.TB) engine {
	t.Helper()
	return engine{enginetest.DynamoDBLocal(t), http.DefaultClient}
}

// answer is what a caller can act on.
type answer struct {
	status int
	code   string // of an error, behind the "#"
	body   []byte
}

func (a answer) outcome() string {
	if a.status == http.StatusOK {
		return "OK"
	}
	return a.code
}

// send sends a request. Every caller has an account of its own: DynamoDB Local
// keeps the tables of each access key apart.
func (e engine) send(ctx context.Context, account, operation, body string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+"/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	response, err := e.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return answer{}, err
	}
	if a.status != http.StatusOK {
		var refused struct {
			Type string `json:"__type"`
		}
		if err := json.Unmarshal(a.body, &refused); err != nil {
			return answer{}, fmt.Errorf("the error answer %s: %w", a.body, err)
		}
		_, a.code, _ = strings.Cut(refused.Type, "#")
	}
	return a, nil
}

func (e engine) mustSend(t testing.TB, account, operation, body string) answer {
	t.Helper()
	a, err := e.send(t.Context(), account, operation, body)
	if err != nil {
		t.Fatalf("%s %.300s: %v", operation, body, err)
	}
	return a
}

// createTables creates the tables that the cases use.
func (e engine) createTables(t testing.TB, account string) {
	t.Helper()
	for name, types := range map[string]string{"strings": "S", "numbers": "N", "binaries": "B", "sorted": "SN", "texts": "SS"} {
		var definitions, schema []string
		for i, typ := range types {
			attribute, keyType := "pk", "HASH"
			if i == 1 {
				attribute, keyType = "sk", "RANGE"
			}
			definitions = append(definitions, fmt.Sprintf(`{"AttributeName":%q,"AttributeType":%q}`, attribute, string(typ)))
			schema = append(schema, fmt.Sprintf(`{"AttributeName":%q,"KeyType":%q}`, attribute, keyType))
		}
		body := fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[%s],"KeySchema":[%s]}`,
			name, strings.Join(definitions, ","), strings.Join(schema, ","))
		if a := e.mustSend(t, account, "CreateTable", body); a.status != http.StatusOK {
			t.Fatalf("create table: %s", a.body)
		}
	}
}

// items reads a table through Scan, in canonical form.
func (e engine) items(t *testing.T, account, table string) []string {
	t.Helper()
	items, start := []string{}, ""
	for {
		a := e.mustSend(t, account, "Scan", fmt.Sprintf(`{"TableName":%q,"ConsistentRead":true%s}`, table, start))
		var page struct {
			Count, ScannedCount int
			Items               []json.RawMessage
			LastEvaluatedKey    json.RawMessage
		}
		if err := json.Unmarshal(a.body, &page); err != nil || a.status != http.StatusOK || page.Count != len(page.Items) || page.ScannedCount != page.Count {
			t.Fatalf("scan: %v %s", err, a.body)
		}
		for _, item := range page.Items {
			items = append(items, canonical(t, item))
		}
		if page.LastEvaluatedKey == nil {
			slices.Sort(items)
			return items
		}
		start = fmt.Sprintf(`,"ExclusiveStartKey":%s`, page.LastEvaluatedKey)
	}
}

func canonical(t *testing.T, item []byte) string {
	t.Helper()
	text, err := memorydb.Canonical(item)
	if err != nil {
		t.Fatalf("%s: %v", item, err)
	}
	return text
}

// step is one request and the outcome it must have.
type step struct {
	operation string
	body      string
	want      string // "OK" or the error's code
}

func put(table, item, want string) step {
	return step{"PutItem", fmt.Sprintf(`{"TableName":%q,"Item":%s}`, table, item), want}
}

func remove(table, key, want string) step {
	return step{"DeleteItem", fmt.Sprintf(`{"TableName":%q,"Key":%s}`, table, key), want}
}

// putIf puts an item with the key "x" under a condition with the given names and
// values.
func putIf(condition, names, values, want string) step {
	return step{"PutItem", `{"TableName":"strings","Item":{"pk":{"S":"x"},"won":{"BOOL":true}}` + conditionMembers(condition, names, values) + `}`, want}
}

func conditionMembers(condition, names, values string) string {
	members := `,"ConditionExpression":` + quote(condition)
	if names != "" {
		members += `,"ExpressionAttributeNames":` + names
	}
	if values != "" {
		members += `,"ExpressionAttributeValues":` + values
	}
	return members
}

func batch(table string, writes []string, want string) step {
	return step{"BatchWriteItem", fmt.Sprintf(`{"RequestItems":{%q:[%s]}}`, table, strings.Join(writes, ",")), want}
}

func putRequest(item string) string   { return `{"PutRequest":{"Item":` + item + `}}` }
func deleteRequest(key string) string { return `{"DeleteRequest":{"Key":` + key + `}}` }

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has JSON
	}
	return string(quoted)
}

const (
	ok          = "OK"
	invalid     = "ValidationException"
	malformed   = "SerializationException"
	failed      = "ConditionalCheckFailedException"
	noTable     = "ResourceNotFoundException"
	noOperation = "UnknownOperationException"
	tableInUse  = "ResourceInUseException"
)

// conformanceCase is a sequence of requests and what the table holds after it.
type conformanceCase struct {
	name  string
	why   string // the rule, where the name does not say it
	table string
	steps []step
	// want are the items of table after the last step, as canonical JSON.
	want []string
	// localDeviates says how DynamoDB Local is known to answer every step
	// differently from DynamoDB. It is tested too: it may be repaired one day.
	localDeviates string
}

func TestAnswersAreThoseOfDynamoDB(t *testing.T) {
	cases := slices.Concat(itemCases(), keyCases(), numberCases(), sizeCases(), conditionCases(), batchCases(), protocolCases())
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			testCases(t, open(t), cases, name == "DynamoDB Local")
		})
	}
}

// testCases runs the cases over one engine; local is true for DynamoDB Local.
func testCases(t *testing.T, e engine, cases []conformanceCase, local bool) {
	t.Helper()
	const account = "conformance"
	e.createTables(t, account)
	for _, c := range cases {
		deviates := local && c.localDeviates != ""
		t.Run(c.name, func(t *testing.T) {
			defer e.empty(t, account, c.table)
			for i, s := range c.steps {
				a := e.mustSend(t, account, s.operation, s.body)
				if deviates {
					if a.outcome() == s.want {
						t.Errorf("step %d: no deviation any more (%s): %s %.200s", i, c.localDeviates, s.operation, s.body)
					}
				} else if a.outcome() != s.want {
					t.Errorf("step %d: %s %.200s\n got %.200s %.300s\nwant %s: %s", i, s.operation, s.body, a.outcome(), a.body, s.want, c.why)
				}
			}
			if deviates {
				return
			}
			got, want := e.items(t, account, c.table), slices.Clone(c.want)
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Errorf("%s\n got %.500q\nwant %.500q", c.why, got, want)
			}
		})
	}
}

// empty deletes all items.
func (e engine) empty(t *testing.T, account, table string) {
	t.Helper()
	for _, text := range e.items(t, account, table) {
		var item map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &item); err != nil {
			t.Fatal(err)
		}
		key := map[string]json.RawMessage{"pk": item["pk"]}
		if table == "sorted" || table == "texts" {
			key["sk"] = item["sk"]
		}
		keyJSON, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		if a := e.mustSend(t, account, "DeleteItem", fmt.Sprintf(`{"TableName":%q,"Key":%s}`, table, keyJSON)); a.status != http.StatusOK {
			t.Fatalf("delete: %s", a.body)
		}
	}
}

// nested is a string in lists in lists: it is at level lists+1.
func nested(lists int) string {
	return strings.Repeat(`{"L":[`, lists) + `{"S":"deep"}` + strings.Repeat(`]}`, lists)
}

func itemCases() []conformanceCase {
	// one puts an item with one more attribute, which comes back unchanged.
	one := func(name, attribute string) conformanceCase {
		item := `{"a":` + attribute + `,"pk":{"S":"x"}}`
		return conformanceCase{name: name, table: "strings", steps: []step{put("strings", item, ok)}, want: []string{item}}
	}
	refused := func(name, why, attribute, want string) conformanceCase {
		return conformanceCase{name: name, why: why, table: "strings", steps: []step{put("strings", `{"pk":{"S":"x"},"a":`+attribute+`}`, want)}}
	}
	misread := func(name, why, attribute string) conformanceCase {
		c := refused(name, why, attribute, malformed)
		c.localDeviates = "it converts the value, or answers InternalFailure"
		return c
	}
	return []conformanceCase{
		one("a string", `{"S":"text"}`),
		one("an empty string", `{"S":""}`),
		one("a string with every kind of escape", `{"S":"\"\\\b\f\n\r\t\u0000/😀é"}`),
		one("a binary", `{"B":"AAEC/w=="}`),
		one("an empty binary", `{"B":""}`),
		one("true", `{"BOOL":true}`),
		one("false", `{"BOOL":false}`),
		one("null", `{"NULL":true}`),
		one("an empty list", `{"L":[]}`),
		one("an empty map", `{"M":{}}`),
		one("a list of different types", `{"L":[{"S":"a"},{"N":"1"},{"L":[{"NULL":true}]}]}`),
		one("a map", `{"M":{"a":{"S":"x"},"b":{"M":{"c":{"BOOL":false}}}}}`),
		one("a string set", `{"SS":["","a","b"]}`),
		one("a number set", `{"NS":["-1","0","1.5"]}`),
		one("a binary set", `{"BS":["AA==","AQ=="]}`),
		one("32 levels of nesting", nested(31)),
		refused("32 levels of nesting, the last one empty", "a map counts, even an empty one", strings.Replace(nested(31), `{"S":"deep"}`, `{"M":{}}`, 1), invalid),
		refused("33 levels of nesting", "the limit is 32", nested(32), invalid),
		refused("an empty attribute name", "", `{"M":{"":{"S":"a"}}}`, invalid),
		refused("an attribute name of 65,536 bytes", "one more than the limit", `{"M":{"`+strings.Repeat("n", 65536)+`":{"S":"a"}}}`, invalid),
		one("an attribute name of 65,535 bytes", `{"M":{"`+strings.Repeat("n", 65535)+`":{"S":"a"}}}`),
		refused("a value that is null", "", `null`, invalid),
		refused("an element that is null", "", `{"L":[null]}`, invalid),
		refused("a content that is null", "it is not there, so there is no type", `{"S":null}`, invalid),
		{
			name: "a second type that is null", why: "it is not there", table: "strings",
			steps: []step{put("strings", `{"pk":{"S":"x"},"a":{"S":"a","N":null}}`, ok)},
			want:  []string{`{"a":{"S":"a"},"pk":{"S":"x"}}`},
		},
		{
			name: "bits of a binary that are not used", table: "strings",
			steps: []step{put("strings", `{"pk":{"S":"x"},"a":{"B":"AB=="}}`, ok)},
			want:  []string{`{"a":{"B":"AA=="},"pk":{"S":"x"}}`},
		},
		refused("an empty string set", "", `{"SS":[]}`, invalid),
		refused("an empty number set", "", `{"NS":[]}`, invalid),
		refused("an empty binary set", "", `{"BS":[]}`, invalid),
		refused("a string twice in a set", "", `{"SS":["a","a"]}`, invalid),
		refused("a number twice in a set", "equal by value", `{"NS":["1","1.0"]}`, invalid),
		refused("a binary twice in a set", "", `{"BS":["AA==","AA=="]}`, invalid),
		refused("NULL false", "", `{"NULL":false}`, invalid),
		refused("no type", "", `{}`, invalid),
		refused("two types", "", `{"S":"a","N":"1"}`, invalid),
		refused("a type that does not exist", "unknown members are ignored, so there is no type", `{"X":"a"}`, invalid),
		misread("a JSON number for N", "numbers are strings in the protocol", `{"N":1}`),
		misread("a JSON number for S", "", `{"S":1}`),
		misread("a string for BOOL", "", `{"BOOL":"yes"}`),
		misread("a binary that is not base64", "", `{"B":"*"}`),
		misread("a binary without padding", "", `{"B":"AA"}`),
		misread("an attribute that is not an object", "", `"a"`),
		misread("a list that is not one", "", `{"L":{}}`),
		misread("a map that is not one", "", `{"M":[]}`),
		{
			name: "a put replaces the whole item", table: "strings",
			steps: []step{put("strings", `{"pk":{"S":"x"},"a":{"S":"1"}}`, ok), put("strings", `{"pk":{"S":"x"},"b":{"S":"2"}}`, ok)},
			want:  []string{`{"b":{"S":"2"},"pk":{"S":"x"}}`},
		},
		{
			name: "deleting an item that does not exist succeeds", table: "strings",
			steps: []step{remove("strings", `{"pk":{"S":"x"}}`, ok)},
		},
		{
			name: "a set is the same in any order", table: "strings",
			steps: []step{put("strings", `{"pk":{"S":"x"},"a":{"NS":["3","1","2"]}}`, ok),
				putIf("#a = :a", `{"#a":"a"}`, `{":a":{"NS":["2.0","3","1"]}}`, ok)},
			want: []string{`{"pk":{"S":"x"},"won":{"BOOL":true}}`},
		},
	}
}

func keyCases() []conformanceCase {
	refused := func(name, table, item string) conformanceCase {
		return conformanceCase{name: name, table: table, steps: []step{put(table, item, invalid)}}
	}
	str := func(length int) string { return `{"S":"` + strings.Repeat("k", length) + `"}` }
	bin := func(length int) string { // length is a multiple of 3, which has no padding
		return `{"B":"` + strings.Repeat("AAAA", length/3) + `"}`
	}
	return []conformanceCase{
		refused("an item without its key", "strings", `{"a":{"S":"x"}}`),
		refused("an item without attributes", "strings", `{}`),
		refused("an item without its sort key", "sorted", `{"pk":{"S":"x"}}`),
		refused("a key of another type", "strings", `{"pk":{"N":"1"}}`),
		refused("a sort key of another type", "sorted", `{"pk":{"S":"x"},"sk":{"S":"1"}}`),
		refused("an empty string as key", "strings", `{"pk":{"S":""}}`),
		refused("an empty binary as key", "binaries", `{"pk":{"B":""}}`),
		refused("an empty string as sort key", "texts", `{"pk":{"S":"x"},"sk":{"S":""}}`),
		refused("a partition key of 2049 bytes", "strings", `{"pk":`+str(2049)+`}`),
		refused("a binary partition key of 2049 bytes", "binaries", `{"pk":`+bin(2049)+`}`),
		refused("a sort key of 1025 bytes", "texts", `{"pk":{"S":"x"},"sk":`+str(1025)+`}`),
		{
			name: "the longest keys", why: "2048 and 1024 bytes are allowed", table: "texts",
			steps: []step{put("texts", `{"pk":`+str(2048)+`,"sk":`+str(1024)+`}`, ok)},
			want:  []string{`{"pk":` + str(2048) + `,"sk":` + str(1024) + `}`},
		},
		{
			name: "key length is counted in bytes", why: "1025 characters of 2 bytes", table: "strings",
			steps: []step{put("strings", `{"pk":{"S":"`+strings.Repeat("é", 1025)+`"}}`, invalid)},
		},
		{
			name: "equal numbers are one key", table: "numbers",
			steps: []step{
				put("numbers", `{"pk":{"N":"1"},"a":{"S":"1"}}`, ok),
				put("numbers", `{"pk":{"N":"1.0"},"a":{"S":"1.0"}}`, ok),
				put("numbers", `{"pk":{"N":"1e0"},"a":{"S":"1e0"}}`, ok),
				put("numbers", `{"pk":{"N":"10"}}`, ok),
				remove("numbers", `{"pk":{"N":"1E1"}}`, ok),
			},
			want: []string{`{"a":{"S":"1e0"},"pk":{"N":"1"}}`},
		},
		{
			name: "keys that run together are different", table: "texts",
			steps: []step{
				put("texts", `{"pk":{"S":"a"},"sk":{"S":"bc"}}`, ok),
				put("texts", `{"pk":{"S":"ab"},"sk":{"S":"c"}}`, ok),
			},
			want: []string{`{"pk":{"S":"a"},"sk":{"S":"bc"}}`, `{"pk":{"S":"ab"},"sk":{"S":"c"}}`},
		},
		{
			name: "binary keys", table: "binaries",
			steps: []step{
				put("binaries", `{"pk":{"B":"AA=="}}`, ok),
				put("binaries", `{"pk":{"B":"AAA="}}`, ok),
				remove("binaries", `{"pk":{"B":"AA=="}}`, ok),
			},
			want: []string{`{"pk":{"B":"AAA="}}`},
		},
		{
			name: "a key that does not match the schema", table: "sorted",
			steps: []step{
				put("sorted", `{"pk":{"S":"x"},"sk":{"N":"1"}}`, ok),
				remove("sorted", `{"pk":{"S":"x"}}`, invalid),
				remove("sorted", `{"pk":{"S":"x"},"sk":{"S":"1"}}`, invalid),
				remove("sorted", `{"pk":{"S":"x"},"sk":{"N":"1"},"a":{"S":"more"}}`, invalid),
				{"GetItem", `{"TableName":"sorted","Key":{"pk":{"S":"x"}}}`, invalid},
				{"GetItem", `{"TableName":"sorted","Key":{"pk":{"S":""},"sk":{"N":"1"}}}`, invalid},
				{"GetItem", `{"TableName":"sorted","Key":{"pk":{"S":"x"},"sk":{"N":"1"}}}`, ok},
			},
			want: []string{`{"pk":{"S":"x"},"sk":{"N":"1"}}`},
		},
		{
			name: "an empty key in a delete", table: "strings",
			steps: []step{remove("strings", `{"pk":{"S":""}}`, invalid)},
		},
	}
}

func numberCases() []conformanceCase {
	nines := strings.Repeat("9", 38)
	var cases []conformanceCase
	for text, normal := range map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "1": "1", "1.0": "1", "1e0": "1", "+1": "1", "001": "1", "-1.50": "-1.5",
		"100": "100", "1e2": "100", "1E+2": "100", "12e-1": "1.2", ".5": "0.5", "5.": "5", "0.001": "0.001", "1e-3": "0.001",
		"123456789012345678901234567890.12345678": "123456789012345678901234567890.12345678",
		nines:                       nines,
		nines + "0000":              nines + "0000",
		"1e125":                     "1" + strings.Repeat("0", 125),
		"-" + nines + "e88":         "-" + nines + strings.Repeat("0", 88),
		"1e-130":                    "0." + strings.Repeat("0", 129) + "1",
		"0.0000000000000000000001":  "0.0000000000000000000001",
		"0e999":                     "0",
		"10000000000000000000000e0": "10000000000000000000000",
	} {
		cases = append(cases, conformanceCase{
			name: "the number " + text, why: "numbers come back in one normal form", table: "numbers",
			steps: []step{put("numbers", `{"pk":{"N":"`+text+`"}}`, ok)},
			want:  []string{`{"pk":{"N":"` + normal + `"}}`},
		})
	}
	for text, why := range map[string]string{
		nines + "9": "39 digits", "1." + nines: "39 digits", "1e126": "too large", "-1e126": "too large", "1e-131": "too small",
		"1e99999999999": "too large", "": "no number", "abc": "no number", "1x": "no number", "1e": "no number", "e1": "no number",
		".": "no number", "1.2.3": "no number", "--1": "no number", "0x10": "no number", "NaN": "no number", "1 1": "no number", "Infinity": "no number", "1,5": "no number",
	} {
		cases = append(cases, conformanceCase{
			name: "not the number " + text, why: why, table: "numbers",
			steps: []step{put("numbers", `{"pk":{"N":"1"},"a":{"N":"`+text+`"}}`, invalid)},
		})
	}
	slices.SortFunc(cases, func(a, b conformanceCase) int { return strings.Compare(a.name, b.name) })
	return cases
}

func sizeCases() []conformanceCase {
	const maxItem = 400 * 1024
	// Each item is padded with a string to exactly the limit, and to one byte more.
	boundary := func(name, attribute string, size int) []conformanceCase {
		item := func(size int) string {
			return `{"a":` + attribute + `,"p":{"S":"` + strings.Repeat("p", size) + `"},"pk":{"S":"x"}}`
		}
		padding := maxItem - size - len("a") - len("p") - len("pk") - len("x")
		return []conformanceCase{
			{name: "an item of 400 KB with " + name, table: "strings", steps: []step{put("strings", item(padding), ok)}, want: []string{item(padding)}},
			{name: "an item over 400 KB with " + name, table: "strings", steps: []step{put("strings", item(padding+1), invalid)}},
		}
	}
	return slices.Concat(
		boundary("a string", `{"S":"é"}`, 2),
		boundary("a binary", `{"B":"AAEC"}`, 3),
		boundary("true", `{"BOOL":true}`, 1),
		boundary("null", `{"NULL":true}`, 1),
		boundary("an empty list", `{"L":[]}`, 3),
		boundary("a list", `{"L":[{"S":"a"},{"S":"bc"}]}`, 3+2+3),
		boundary("a map", `{"M":{"k":{"S":"a"}}}`, 3+1+2),
		boundary("a string set", `{"SS":["a","bc"]}`, 3),
		boundary("the number 0", `{"N":"0"}`, 1),
		boundary("the number 1", `{"N":"1"}`, 2),
		boundary("the number -1", `{"N":"-1"}`, 3),
		boundary("the number 12", `{"N":"12"}`, 2),
		boundary("the number 123", `{"N":"123"}`, 3),
		boundary("the number 0.1", `{"N":"0.1"}`, 2),
		boundary("the number 100", `{"N":"100"}`, 2),
	)
}

func conditionCases() []conformanceCase {
	const old = `{"bin":{"B":"AAEC"},"flag":{"BOOL":true},"m":{"M":{"n":{"N":"7"},"s":{"S":"in"}}},"num":{"N":"10"},"pk":{"S":"x"},"str":{"S":"abc"},"tags":{"SS":["a","b"]}}`
	const won = `{"pk":{"S":"x"},"won":{"BOOL":true}}`
	cases := []conformanceCase{}
	add := func(condition, names, values, want string) {
		c := conformanceCase{name: fmt.Sprintf("%s %s %s", condition, names, values), table: "strings", want: []string{old},
			steps: []step{put("strings", old, ok), putIf(condition, names, values, want)}}
		if want == ok {
			c.want = []string{won}
		}
		cases = append(cases, c)
	}
	// Comparisons: the operator, the attribute, the value, the outcome.
	for _, c := range []struct{ path, comparator, value, want string }{
		{"num", "=", `{"N":"10"}`, ok}, {"num", "=", `{"N":"1e1"}`, ok}, {"num", "=", `{"N":"10.0"}`, ok}, {"num", "=", `{"N":"9"}`, failed},
		{"num", "<>", `{"N":"10.00"}`, failed}, {"num", "<>", `{"N":"9"}`, ok},
		{"num", "<", `{"N":"9"}`, failed}, {"num", "<", `{"N":"10.5"}`, ok}, {"num", "<", `{"N":"1e1"}`, failed}, {"num", "<=", `{"N":"10"}`, ok},
		{"num", ">", `{"N":"9"}`, ok}, {"num", ">", `{"N":"-100"}`, ok}, {"num", ">=", `{"N":"10.0000000000000000000000000000000001"}`, failed},
		{"num", "=", `{"S":"10"}`, failed}, {"num", "<>", `{"S":"10"}`, ok}, {"num", "<", `{"S":"2"}`, failed}, {"num", ">", `{"S":"2"}`, failed},
		{"str", "=", `{"S":"abc"}`, ok}, {"str", "<", `{"S":"abd"}`, ok}, {"str", ">", `{"S":"abd"}`, failed}, {"str", "<", `{"S":"B"}`, failed},
		{"str", "<", `{"S":"é"}`, ok}, {"str", ">", `{"S":"ab"}`, ok}, {"str", ">", `{"S":""}`, ok}, {"str", "=", `{"B":"YWJj"}`, failed},
		{"bin", "=", `{"B":"AAEC"}`, ok}, {"bin", "<", `{"B":"AAH/"}`, ok}, {"bin", ">=", `{"B":"AAE="}`, ok},
		{"flag", "=", `{"BOOL":true}`, ok}, {"flag", "=", `{"BOOL":false}`, failed}, {"flag", "<>", `{"BOOL":false}`, ok},
		{"flag", "<", `{"BOOL":false}`, invalid}, {"num", "<", `{"BOOL":false}`, invalid}, {"num", ">=", `{"L":[]}`, invalid}, {"flag", "<", `{"N":"1"}`, failed},
		{"tags", "=", `{"SS":["b","a"]}`, ok}, {"tags", "=", `{"SS":["a"]}`, failed}, {"tags", "=", `{"L":[{"S":"a"},{"S":"b"}]}`, failed},
		{"m", "=", `{"M":{"s":{"S":"in"},"n":{"N":"7.0"}}}`, ok}, {"m", "<>", `{"M":{"s":{"S":"in"}}}`, ok},
		{"none", "=", `{"S":"a"}`, failed}, {"none", "<>", `{"S":"a"}`, ok}, {"none", "<", `{"S":"a"}`, failed}, {"none", ">", `{"N":"1"}`, failed},
	} {
		add("#a "+c.comparator+" :v", `{"#a":"`+c.path+`"}`, `{":v":`+c.value+`}`, c.want)
	}
	const t, f = "attribute_exists(#pk)", "attribute_not_exists(#pk)" // true and false
	const pk = `{"#pk":"pk"}`
	for condition, want := range map[string]string{
		t: ok, f: failed, "NOT " + t: failed, "NOT " + f: ok, "NOT not " + t: ok, "not " + f: ok,
		t + " OR " + f: ok, f + " or " + t: ok, t + " AND " + f: failed, t + " and " + t: ok,
		t + " OR " + t + " AND " + f:         ok, // AND binds closer than OR
		"(" + t + " OR " + t + ") AND " + f:  failed,
		"NOT " + f + " AND " + f:             failed, // NOT binds closer than AND
		"NOT (" + f + " AND " + f + ")":      ok,
		"NOT " + t + " OR " + t:              ok,
		f + " AND " + f + " OR " + t:         ok,
		"(" + t + ")":                        ok,
		"((" + t + "))":                      invalid, // redundant
		"((" + t + ") AND " + t + ")":        ok,
		"((" + t + " AND " + t + "))":        invalid,
		"NOT ((" + t + ") OR (" + f + "))":   failed,
		"":                                   invalid,
		"  ":                                 invalid,
		"AND":                                invalid,
		t + " AND":                           invalid,
		t + " " + t:                          invalid,
		"(" + t:                              invalid,
		t + ")":                              invalid,
		"attribute_exists #pk":               invalid,
		"attribute_exists()":                 invalid,
		"attribute_exists(#pk, #pk)":         invalid,
		"attribute_exits(#pk)":               invalid,
		"Attribute_Exists(#pk)":              invalid, // a function's name has case, a keyword has none
		"#pk":                                invalid,
		"#pk = #pk":                          invalid, // an operand compared with itself
		"#pk <> #pk":                         invalid,
		"#pk == #pk":                         invalid,
		"#pk ! #pk":                          invalid,
		"# = #pk":                            invalid,
		"attribute_exists(#pk) && " + t:      invalid,
		t + strings.Repeat(" ", 4096-len(t)): ok,
		t + strings.Repeat(" ", 4097-len(t)): invalid, // longer than 4 KB
	} {
		add(condition, pk, "", want)
	}
	add("#a = :v", `{"#a":"str"}`, `{":v":`+nested(31)+`}`, failed)
	const s = `{":v":{"S":"x"}}`
	for _, c := range []struct{ condition, names, values, want string }{
		{"attribute_exists(#m.#n)", `{"#m":"m","#n":"n"}`, "", ok},
		{"attribute_exists(#m.#n)", `{"#m":"m","#n":"none"}`, "", failed},
		{"attribute_exists(#m.#n.#n)", `{"#m":"m","#n":"n"}`, "", failed},
		{"attribute_not_exists(#m.#n)", `{"#m":"none","#n":"n"}`, "", ok},
		{"#m.#n < :v", `{"#m":"m","#n":"n"}`, `{":v":{"N":"8"}}`, ok},
		{"#m.#s = :v AND #m.#n = :w", `{"#m":"m","#n":"n","#s":"s"}`, `{":v":{"S":"in"},":w":{"N":"7"}}`, ok},
		{"#str.#n = :v", `{"#str":"str","#n":"n"}`, s, failed},
		{"#str.#n <> :v", `{"#str":"str","#n":"n"}`, s, ok},
		{"#a.#b = :v", `{"#a":"a.b","#b":"c"}`, s, failed}, // a dot in a name is not a path
		{":v = #pk", pk, s, ok},
		{":v < :w", "", `{":v":{"N":"1"},":w":{"N":"2"}}`, ok},
		{":v = :v", "", s, ok}, // unlike a path
		{"#a = #b", `{"#a":"str","#b":"pk"}`, "", failed},
		{"#a > #b", `{"#a":"pk","#b":"str"}`, "", ok},
		{"#a = #b", `{"#a":"pk","#b":"pk"}`, "", invalid},
		{"#a <> #b", `{"#a":"none","#b":"nothing"}`, "", ok},
		{"#a = #b", `{"#a":"none","#b":"nothing"}`, "", failed},
		{"begins_with(#a, :v)", `{"#a":"str"}`, `{":v":{"S":"ab"}}`, ok},
		{"begins_with(#a, :v)", `{"#a":"str"}`, `{":v":{"S":""}}`, ok},
		{"begins_with(#a, :v)", `{"#a":"str"}`, `{":v":{"S":"b"}}`, failed},
		{"begins_with(#a, :v)", `{"#a":"bin"}`, `{":v":{"B":"AAE="}}`, ok},
		{"begins_with(#a, :v)", `{"#a":"num"}`, `{":v":{"S":"1"}}`, failed},
		{"begins_with(#a, :v)", `{"#a":"none"}`, `{":v":{"S":"1"}}`, failed},
		{"begins_with(#a, :v)", `{"#a":"num"}`, `{":v":{"N":"1"}}`, invalid},
		{"begins_with(#a)", `{"#a":"num"}`, "", invalid},
		{"begins_with(#a, #b)", `{"#a":"str","#b":"str"}`, "", invalid},
		{"begins_with(#a, #b)", `{"#a":"str","#b":"pk"}`, "", failed},
		{"attribute_exists(:v)", "", s, invalid},
		{"#pk = :v", pk, "", invalid},                                // :v is not defined
		{"#pk = :v", "", s, invalid},                                 // #pk is not defined
		{"#pk = :v", `{"#pk":"pk","#q":"q"}`, s, invalid},            // #q is not used
		{"#pk = :v", pk, `{":v":{"S":"x"},":w":{"S":"x"}}`, invalid}, // :w is not used
		{"attribute_exists(#pk)", `{"#pk":""}`, "", invalid},
		{"#pk = :v", pk, `{":v":{"N":"x"}}`, invalid}, // not a number
		{"#pk = :v", pk, `{":v":{"SS":[]}}`, invalid}, // an empty set
		{"#pk = :v", pk, `{":v":{}}`, invalid},        // no type
		{"#pk = :v OR #pk = :v", pk, s, ok},           // used twice
		{"attribute_exists(#pk)", pk, `{}`, invalid},  // no values at all
		{"#pk = :v AND NOT begins_with(#pk, :w)", pk, `{":v":{"S":"x"},":w":{"S":"y"}}`, ok},
	} {
		add(c.condition, c.names, c.values, c.want)
	}
	return append(cases,
		conformanceCase{
			name: "a condition on an item that does not exist", table: "strings",
			steps: []step{
				putIf("attribute_exists(#pk)", pk, "", failed),
				putIf("#pk = :v", pk, s, failed),
				putIf("NOT #pk = :v", pk, s, ok),
				putIf("attribute_not_exists(#pk)", pk, "", failed),
			},
			want: []string{won},
		},
		conformanceCase{
			name: "33 levels of nesting in a condition", table: "strings",
			localDeviates: "it compares the value",
			steps:         []step{putIf("#pk = :v", pk, `{":v":`+nested(32)+`}`, invalid)},
		},
		conformanceCase{
			name: "a conditional delete", table: "strings",
			steps: []step{
				put("strings", won, ok),
				{"DeleteItem", `{"TableName":"strings","Key":{"pk":{"S":"x"}}` + conditionMembers("#w = :f", `{"#w":"won"}`, `{":f":{"BOOL":false}}`) + `}`, failed},
				{"DeleteItem", `{"TableName":"strings","Key":{"pk":{"S":"y"}}` + conditionMembers("attribute_exists(#pk)", pk, "") + `}`, failed},
				{"DeleteItem", `{"TableName":"strings","Key":{"pk":{"S":"y"}}` + conditionMembers("attribute_not_exists(#pk)", pk, "") + `}`, ok},
				{"DeleteItem", `{"TableName":"strings","Key":{"pk":{"S":"x"}}` + conditionMembers("#w = :t", `{"#w":"won"}`, `{":t":{"BOOL":true}}`) + `}`, ok},
			},
		},
		conformanceCase{
			name: "names or values without an expression", table: "strings",
			steps: []step{
				{"PutItem", `{"TableName":"strings","Item":{"pk":{"S":"x"}},"ExpressionAttributeNames":{"#a":"a"}}`, invalid},
				{"PutItem", `{"TableName":"strings","Item":{"pk":{"S":"x"}},"ExpressionAttributeValues":{":a":{"S":"a"}}}`, invalid},
			},
		},
	)
}

func batchCases() []conformanceCase {
	item := func(i int) string { return fmt.Sprintf(`{"pk":{"S":"%02d"}}`, i) }
	puts := func(count int) (writes, items []string) {
		for i := range count {
			writes, items = append(writes, putRequest(item(i))), append(items, item(i))
		}
		return writes, items
	}
	writes25, items25 := puts(25)
	writes26, _ := puts(26)
	return []conformanceCase{
		{name: "25 writes", table: "strings", steps: []step{batch("strings", writes25, ok)}, want: items25},
		{name: "26 writes", table: "strings", steps: []step{batch("strings", writes26, invalid)}},
		{name: "no writes", table: "strings", steps: []step{batch("strings", nil, invalid)}},
		{name: "no tables", table: "strings", steps: []step{{"BatchWriteItem", `{"RequestItems":{}}`, invalid}, {"BatchWriteItem", `{}`, invalid}}},
		{
			name: "puts and deletes", table: "strings",
			steps: []step{batch("strings", writes25[:3], ok), batch("strings", []string{deleteRequest(item(1)), putRequest(item(3)), deleteRequest(item(9))}, ok)},
			want:  []string{item(0), item(2), item(3)},
		},
		{
			name: "one key twice", why: "the whole call is refused", table: "strings",
			steps: []step{batch("strings", []string{putRequest(item(1)), putRequest(item(2)), deleteRequest(item(1))}, invalid)},
		},
		{
			name: "one key twice by value", why: "1 and 1.0 are one key", table: "numbers",
			steps: []step{batch("numbers", []string{putRequest(`{"pk":{"N":"1"}}`), putRequest(`{"pk":{"N":"1.0"}}`)}, invalid)},
		},
		{
			name: "one bad item", why: "the whole call is refused", table: "strings",
			steps: []step{
				batch("strings", []string{putRequest(item(1)), putRequest(`{"a":{"S":"no key"}}`)}, invalid),
				batch("strings", []string{putRequest(item(1)), putRequest(`{"pk":{"N":"1"}}`)}, invalid),
				batch("strings", []string{putRequest(item(1)), putRequest(`{"pk":{"S":"x"},"a":{"N":"many"}}`)}, invalid),
				batch("strings", []string{putRequest(item(1)), putRequest(`{"pk":{"S":"x"},"a":{"S":"` + strings.Repeat("a", 400<<10) + `"}}`)}, invalid),
				batch("strings", []string{putRequest(item(1)), deleteRequest(`{"pk":{"S":"x"},"a":{"S":"more"}}`)}, invalid),
				batch("strings", []string{putRequest(item(1)), deleteRequest(`{"pk":{"S":""}}`)}, invalid),
				batch("strings", []string{putRequest(item(1)), `{}`}, invalid),
				batch("strings", []string{putRequest(item(1)), `{"PutRequest":{"Item":` + item(2) + `},"DeleteRequest":{"Key":` + item(3) + `}}`}, invalid),
				batch("strings", []string{putRequest(item(1)), `{"PutRequest":{}}`}, invalid),
				batch("strings", []string{putRequest(item(1)), `{"DeleteRequest":{}}`}, invalid),
			},
		},
		{
			name: "a table that does not exist", why: "the whole call is refused", table: "strings",
			steps: []step{
				batch("missing", writes25[:1], noTable),
				{"BatchWriteItem", `{"RequestItems":{"strings":[` + writes25[0] + `],"missing":[` + writes25[0] + `]}}`, noTable},
			},
		},
		{
			name: "two tables", table: "strings",
			steps: []step{
				{"BatchWriteItem", `{"RequestItems":{"strings":[` + writes25[0] + `],"binaries":[` + putRequest(`{"pk":{"B":"AA=="}}`) + `]}}`, ok},
				remove("binaries", `{"pk":{"B":"AA=="}}`, ok),
				{"BatchWriteItem", `{"RequestItems":{"strings":[` + strings.Join(writes25[:13], ",") + `],"texts":[` + strings.Join(writes25[:13], ",") + `]}}`, invalid},
			},
			want: items25[:1],
		},
	}
}

func protocolCases() []conformanceCase {
	return []conformanceCase{
		{
			name: "a table that does not exist", table: "strings",
			steps: []step{
				put("missing", `{"pk":{"S":"x"}}`, noTable),
				remove("missing", `{"pk":{"S":"x"}}`, noTable),
				{"GetItem", `{"TableName":"missing","Key":{"pk":{"S":"x"}}}`, noTable},
				{"Scan", `{"TableName":"missing"}`, noTable},
			},
		},
		{
			name: "a required member is missing", table: "strings",
			steps: []step{
				{"PutItem", `{"TableName":"strings"}`, invalid},
				{"PutItem", `{"Item":{"pk":{"S":"x"}}}`, invalid},
				{"DeleteItem", `{"TableName":"strings"}`, invalid},
				{"GetItem", `{"TableName":"strings"}`, invalid},
				{"Scan", `{}`, invalid},
			},
		},
		{
			name: "a body that is not the operation's JSON", table: "strings",
			localDeviates: "it answers InternalFailure, and a table name that is not a string is invalid",
			steps: []step{
				{"PutItem", ``, malformed},
				{"PutItem", `{`, malformed},
				{"PutItem", `[]`, malformed},
				{"PutItem", `{"TableName":"strings","Item":[]}`, malformed},
				{"PutItem", `{"TableName":1,"Item":{"pk":{"S":"x"}}}`, malformed},
				{"BatchWriteItem", `{"RequestItems":[]}`, malformed},
				{"BatchWriteItem", `{"RequestItems":{"strings":{}}}`, malformed},
			},
		},
		{name: "an operation that does not exist", table: "strings", steps: []step{{"PutItems", `{}`, noOperation}}},
		{
			name: "a table that exists already", table: "strings",
			steps: []step{{"CreateTable", `{"TableName":"strings","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`, tableInUse}},
		},
		{
			name: "a table whose key has no type", table: "strings",
			steps: []step{{"CreateTable", `{"TableName":"another","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`, invalid}},
		},
	}
}

func TestAGottenItemIsTheOneThatWasPut(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			const account = "gotten"
			e.createTables(t, account)
			e.mustSend(t, account, "PutItem", `{"TableName":"sorted","Item":{"sk":{"N":"1.50"},"pk":{"S":"x"},"a":{"NS":["2","1.0"]}}}`)
			get := func(key string) string {
				return string(bytes.TrimSpace(e.mustSend(t, account, "GetItem", `{"TableName":"sorted","ConsistentRead":true,"Key":`+key+`}`).body))
			}
			var found struct{ Item json.RawMessage }
			if err := json.Unmarshal([]byte(get(`{"pk":{"S":"x"},"sk":{"N":"15e-1"}}`)), &found); err != nil {
				t.Fatal(err)
			}
			if got, want := canonical(t, found.Item), `{"a":{"NS":["1","2"]},"pk":{"S":"x"},"sk":{"N":"1.5"}}`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := get(`{"pk":{"S":"x"},"sk":{"N":"2"}}`); got != `{}` {
				t.Errorf("an item that does not exist: got %s, want {}", got)
			}
		})
	}
}
