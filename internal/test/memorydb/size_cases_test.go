package memorydb_test

import (
	"slices"
	"strings"
)

func sizeCases() []conformanceCase {
	const maxItem = 400 * 1024
	// Each item is padded with a string to exactly the limit, and to one byte more.
	boundary := func(name, attribute string, size int) []conformanceCase {
		item := func(size int) string {
			return `{"a":` + attribute + `,"p":{"S":"` + strings.Repeat("p", size) + `"},"pk":{"S":"x"}}`
		}
		padding := maxItem - size - len("a") - len("p") - len("pk") - len("x")
		return []conformanceCase{
			{
				name: "an item of 400 KB with " + name, table: "strings",
				steps: []step{put("strings", item(padding), ok)}, want: []string{item(padding)},
			},
			{
				name: "an item over 400 KB with " + name, table: "strings",
				steps: []step{put("strings", item(padding+1), invalid)},
			},
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
