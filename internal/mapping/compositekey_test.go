package mapping

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/runtime/compositekey"
)

// FuzzCompositeKey: a reader of a target table joins parts to the same composite as the
// replicator, and splits that composite into the same parts.
func FuzzCompositeKey(f *testing.F) {
	f.Add("a#b", `c\`, "#")
	f.Add("", "→", "→")
	f.Add("-12.50e1", "+007", "-")
	f.Fuzz(func(t *testing.T, text, number, separator string) {
		if len(placeSpec(separator).Problems()) > 0 || !utf8.ValidString(text+"|"+number) {
			return
		}
		binary := []byte(text)
		values := []string{
			`{"S":` + dynamodbjson.Quote(text) + `}`,
			`{"N":` + dynamodbjson.Quote(number) + `}`,
			`{"B":"` + base64.StdEncoding.EncodeToString(binary) + `"}`,
		}
		composite, err := joined(separator, values...)
		plain, numberErr := compositekey.Number(number)
		if (err == nil) != (numberErr == nil) {
			canonical, _ := dynamodbjson.AppendCanonicalNumber(nil, []byte(dynamodbjson.Quote(number)))
			if len(canonical) > 38 {
				return // DynamoDB stores no number of that many digits
			}
			t.Fatalf("the number %q: the replicator says %v, compositekey %v", number, err, numberErr)
		}
		if err != nil {
			return
		}

		var want struct{ S string }
		if err := json.Unmarshal([]byte(composite), &want); err != nil {
			t.Fatal(err)
		}
		parts := []string{text, plain, compositekey.Binary(binary)}
		if got := compositekey.Join(separator, parts...); got != want.S {
			t.Errorf("joined %q, the replicator has %q", got, want.S)
		}
		split, err := compositekey.Split(separator, want.S)
		if err != nil || len(split) != len(parts) || split[0] != parts[0] || split[1] != parts[1] ||
			split[2] != parts[2] {
			t.Errorf("%q is split into %q, %v, want %q", want.S, split, err, parts)
		}
	})
}
