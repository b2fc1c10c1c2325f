package dynamodbjson

import "testing"

// The sizes are those that DynamoDB Local was seen to count, as the cases of package memorydb prove.
func TestTheSizeOfAnItem(t *testing.T) {
	for value, want := range map[string]int{
		`{"S":"é"}`:                     2,
		`{"S":"\u00e9\ud83d\ude00\n"}`:  2 + 4 + 1,
		`{"B":"AAEC"}`:                  3,
		`{"BOOL":true}`:                 1,
		`{"NULL":true}`:                 1,
		`{"L":[]}`:                      3,
		`{"L":[{"S":"a"}, {"S":"bc"}]}`: 3 + 2 + 3,
		`{"M":{}}`:                      3,
		`{"M":{"k":{"S":"a"},"\u00e9":{"M":{}}}}`: 3 + (1 + 1 + 1) + (1 + 2 + 3),
		`{"SS":["a","bc"]}`:                       3,
		`{"BS":["AAEC","AA=="]}`:                  4,
		`{"NS":["0","-1","100"]}`:                 1 + 3 + 2,
		`{"N":"0.00"}`:                            1,
		`{"N":"1"}`:                               2,
		`{"N":"12"}`:                              2,
		`{"N":"123"}`:                             3,
		`{"N":"0.1"}`:                             2,
		`{"N":"-1.5e-3"}`:                         3,
	} {
		item := `{ "n\u00e9" : ` + value + ` }`
		got, err := ItemSize([]byte(item))
		if err != nil || got != len("né")+want {
			t.Errorf("%s: got %d, %v, want %d", value, got-len("né"), err, want)
		}
		if got > len(item) {
			t.Errorf("%s: the size %d is more than the length of the JSON", value, got)
		}
	}
	for _, value := range []string{`{"TIME":"now"}`, `{"L":"x"}`, `{"N":1}`, `{"N":"x"}`, `{"B":"x"}`, `{"S":1}`, `{"SS":[1]}`, `"x"`} {
		if got, err := ItemSize([]byte(`{"n":` + value + `}`)); err == nil {
			t.Errorf("%s: got %d, want an error", value, got)
		}
	}
}
