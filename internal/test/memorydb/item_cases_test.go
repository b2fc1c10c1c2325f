package memorydb_test

import "strings"

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
		return conformanceCase{name: name, why: why, table: "strings",
			steps: []step{put("strings", `{"pk":{"S":"x"},"a":`+attribute+`}`, want)}}
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
		refused("32 levels of nesting, the last one empty", "a map counts, even an empty one",
			strings.Replace(nested(31), `{"S":"deep"}`, `{"M":{}}`, 1), invalid),
		refused("33 levels of nesting", "the limit is 32", nested(32), invalid),
		refused("an empty attribute name", "", `{"M":{"":{"S":"a"}}}`, invalid),
		refused("an attribute name of 65,536 bytes", "one more than the limit",
			`{"M":{"`+strings.Repeat("n", 65536)+`":{"S":"a"}}}`, invalid),
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
			steps: []step{
				put("strings", `{"pk":{"S":"x"},"a":{"S":"1"}}`, ok),
				put("strings", `{"pk":{"S":"x"},"b":{"S":"2"}}`, ok),
			},
			want: []string{`{"b":{"S":"2"},"pk":{"S":"x"}}`},
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
