package memorydb_test

import "strings"

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
