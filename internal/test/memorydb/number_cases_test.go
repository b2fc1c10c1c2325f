package memorydb_test

import (
	"slices"
	"strings"
)

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
		nines + "9": "39 digits", "1." + nines: "39 digits", "1e126": "too large", "-1e126": "too large",
		"1e-131": "too small", "1e99999999999": "too large", "": "not a number", "abc": "not a number",
		"1x": "not a number", "1e": "not a number", "e1": "not a number", ".": "not a number",
		"1.2.3": "not a number", "--1": "not a number", "0x10": "not a number", "NaN": "not a number",
		"1 1": "not a number", "Infinity": "not a number", "1,5": "not a number",
	} {
		cases = append(cases, conformanceCase{
			name: "not the number " + text, why: why, table: "numbers",
			steps: []step{put("numbers", `{"pk":{"N":"1"},"a":{"N":"`+text+`"}}`, invalid)},
		})
	}
	slices.SortFunc(cases, func(a, b conformanceCase) int { return strings.Compare(a.name, b.name) })
	return cases
}
