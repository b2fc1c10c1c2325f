package memorydb_test

import (
	"fmt"
	"strings"
)

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
		{
			name: "no tables", table: "strings",
			steps: []step{{"BatchWriteItem", `{"RequestItems":{}}`, invalid}, {"BatchWriteItem", `{}`, invalid}},
		},
		{
			name: "puts and deletes", table: "strings",
			steps: []step{
				batch("strings", writes25[:3], ok),
				batch("strings", []string{deleteRequest(item(1)), putRequest(item(3)), deleteRequest(item(9))}, ok),
			},
			want: []string{item(0), item(2), item(3)},
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
				batch("strings", []string{putRequest(item(1)),
					putRequest(`{"pk":{"S":"x"},"a":{"S":"` + strings.Repeat("a", 400<<10) + `"}}`)}, invalid),
				batch("strings", []string{putRequest(item(1)), deleteRequest(`{"pk":{"S":"x"},"a":{"S":"more"}}`)}, invalid),
				batch("strings", []string{putRequest(item(1)), deleteRequest(`{"pk":{"S":""}}`)}, invalid),
				batch("strings", []string{putRequest(item(1)), `{}`}, invalid),
				batch("strings", []string{putRequest(item(1)),
					`{"PutRequest":{"Item":` + item(2) + `},"DeleteRequest":{"Key":` + item(3) + `}}`}, invalid),
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
				{"BatchWriteItem", `{"RequestItems":{"strings":[` + writes25[0] +
					`],"binaries":[` + putRequest(`{"pk":{"B":"AA=="}}`) + `]}}`, ok},
				remove("binaries", `{"pk":{"B":"AA=="}}`, ok),
				{"BatchWriteItem", `{"RequestItems":{"strings":[` + strings.Join(writes25[:13], ",") +
					`],"texts":[` + strings.Join(writes25[:13], ",") + `]}}`, invalid},
			},
			want: items25[:1],
		},
	}
}
