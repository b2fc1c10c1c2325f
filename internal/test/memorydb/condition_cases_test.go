package memorydb_test

import (
	"fmt"
	"strings"
)

func conditionCases() []conformanceCase {
	const old = `{"bin":{"B":"AAEC"},"flag":{"BOOL":true},"m":{"M":{"n":{"N":"7"},"s":{"S":"in"}}},` +
		`"num":{"N":"10"},"pk":{"S":"x"},"str":{"S":"abc"},"tags":{"SS":["a","b"]}}`
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
		{"num", "=", `{"N":"10"}`, ok}, {"num", "=", `{"N":"1e1"}`, ok}, {"num", "=", `{"N":"10.0"}`, ok},
		{"num", "=", `{"N":"9"}`, failed},
		{"num", "<>", `{"N":"10.00"}`, failed}, {"num", "<>", `{"N":"9"}`, ok},
		{"num", "<", `{"N":"9"}`, failed}, {"num", "<", `{"N":"10.5"}`, ok}, {"num", "<", `{"N":"1e1"}`, failed},
		{"num", "<=", `{"N":"10"}`, ok},
		{"num", ">", `{"N":"9"}`, ok}, {"num", ">", `{"N":"-100"}`, ok},
		{"num", ">=", `{"N":"10.0000000000000000000000000000000001"}`, failed},
		{"num", "=", `{"S":"10"}`, failed}, {"num", "<>", `{"S":"10"}`, ok}, {"num", "<", `{"S":"2"}`, failed},
		{"num", ">", `{"S":"2"}`, failed},
		{"str", "=", `{"S":"abc"}`, ok}, {"str", "<", `{"S":"abd"}`, ok}, {"str", ">", `{"S":"abd"}`, failed},
		{"str", "<", `{"S":"B"}`, failed},
		{"str", "<", `{"S":"é"}`, ok}, {"str", ">", `{"S":"ab"}`, ok}, {"str", ">", `{"S":""}`, ok},
		{"str", "=", `{"B":"YWJj"}`, failed},
		{"bin", "=", `{"B":"AAEC"}`, ok}, {"bin", "<", `{"B":"AAH/"}`, ok}, {"bin", ">=", `{"B":"AAE="}`, ok},
		{"flag", "=", `{"BOOL":true}`, ok}, {"flag", "=", `{"BOOL":false}`, failed}, {"flag", "<>", `{"BOOL":false}`, ok},
		{"flag", "<", `{"BOOL":false}`, invalid}, {"num", "<", `{"BOOL":false}`, invalid},
		{"num", ">=", `{"L":[]}`, invalid}, {"flag", "<", `{"N":"1"}`, failed},
		{"tags", "=", `{"SS":["b","a"]}`, ok}, {"tags", "=", `{"SS":["a"]}`, failed},
		{"tags", "=", `{"L":[{"S":"a"},{"S":"b"}]}`, failed},
		{"m", "=", `{"M":{"s":{"S":"in"},"n":{"N":"7.0"}}}`, ok}, {"m", "<>", `{"M":{"s":{"S":"in"}}}`, ok},
		{"none", "=", `{"S":"a"}`, failed}, {"none", "<>", `{"S":"a"}`, ok}, {"none", "<", `{"S":"a"}`, failed},
		{"none", ">", `{"N":"1"}`, failed},
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
	// Comparators, functions and keywords are operators: up to 300.
	for _, c := range []struct {
		term, keyword string
		most          int
	}{
		{"#a=:v", " AND ", 150}, {"#a=:v", " OR ", 150}, {"(#a=:v)", " OR ", 150}, {"#a.#a=:v", " AND ", 150},
		{"NOT #a=:v", " AND ", 100}, {"begins_with(#a,:v)", " AND ", 150},
	} {
		repeated := func(times int) string { return c.term + strings.Repeat(c.keyword+c.term, times-1) }
		outcome := failed
		if strings.HasPrefix(c.term, "NOT") {
			outcome = ok
		}
		add(repeated(c.most), `{"#a":"none"}`, `{":v":{"S":"x"}}`, outcome)
		add(repeated(c.most+1), `{"#a":"none"}`, `{":v":{"S":"x"}}`, invalid)
	}
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
				removeIf("x", "#w = :f", `{"#w":"won"}`, `{":f":{"BOOL":false}}`, failed),
				removeIf("y", "attribute_exists(#pk)", pk, "", failed),
				removeIf("y", "attribute_not_exists(#pk)", pk, "", ok),
				removeIf("x", "#w = :t", `{"#w":"won"}`, `{":t":{"BOOL":true}}`, ok),
			},
		},
		conformanceCase{
			name: "names or values without an expression", table: "strings",
			steps: []step{
				{"PutItem", `{"TableName":"strings","Item":{"pk":{"S":"x"}},"ExpressionAttributeNames":{"#a":"a"}}`, invalid},
				{"PutItem", `{"TableName":"strings","Item":{"pk":{"S":"x"}},` +
					`"ExpressionAttributeValues":{":a":{"S":"a"}}}`, invalid},
			},
		},
	)
}
