package replicator

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// joined returns the composite of values as the target item shows it.
func joined(separator string, values ...string) (string, error) {
	var source spec.KeySource
	var e event
	var parts []span
	for i, value := range values {
		source.Parts = append(source.Parts, []string{"address", fmt.Sprint("part", i)})
		from := len(e.payload)
		e.payload = append(e.payload, value...)
		parts = append(parts, span{uint32(from), uint32(len(e.payload))})
	}
	source.Separator = separator
	k := keyAttributes(spec.KeySchema{PartitionKey: spec.Attribute{Name: "place", Type: spec.String}}, func(string) spec.KeySource { return source })[0]
	var c composer
	err := c.compose(&e, &k, parts)
	return string(e.made), err
}

func TestACompositeJoinsTheTextsOfItsParts(t *testing.T) {
	for _, test := range []struct {
		name, why, separator string
		values               []string
		want                 string
	}{
		{"strings", "K4", "#", []string{`{"S":"Albany"}`, `{"S":"ann@example.com"}`}, `Albany#ann@example.com`},
		{"a separator in the first part", "K4: it is not where the part ends", "#", []string{`{"S":"a#b"}`, `{"S":"c"}`}, `a\\#b#c`},
		{"a separator in the second part", "K4: so this is another composite", "#", []string{`{"S":"a"}`, `{"S":"b#c"}`}, `a#b\\#c`},
		{"a part ends in the escape", "K4: it does not escape the separator that follows", "#", []string{`{"S":"a\\"}`, `{"S":"b"}`}, `a\\\\#b`},
		{"escapes of JSON", "what a string says counts, not how it is written", "#", []string{`{"S":"\u0041\n\u0023"}`, `{"S":"\"é"}`}, `A\n\\##\"é`},
		{"a separator of several bytes", "one character, any", "→", []string{`{"S":"a→b"}`, `{"S":"c"}`}, `a\\→b→c`},
		{"an empty part", "it is not absent", "#", []string{`{"S":""}`, `{"S":"b"}`}, `#b`},
		{"numbers", "equal numbers are one part, in the notation people read", "#", []string{`{"N":"1e2"}`, `{"N":"100.0"}`, `{"N":"-0.50"}`}, `100#100#-0.5`},
		{"a separator that numbers have", "K4 holds for them too", "-", []string{`{"N":"-1"}`, `{"S":"a"}`}, `\\-1-a`},
		{"binary", "base64, which the stream may write in several ways", "#", []string{`{"B":"//8="}`, `{"B":"AAH="}`}, `//8=#AAE=`},
		{"a separator that base64 has", "K4 holds for it too", "/", []string{`{"B":"//8="}`, `{"S":"a"}`}, `\\/\\/8=/a`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := joined(test.separator, test.values...)
			if want := `{"S":"` + test.want + `"}`; err != nil || got != want {
				t.Errorf("%s: got %s, %v, want %s", test.why, got, err, want)
			}
		})
	}
}

func TestAPartThatCannotBeJoinedIsAPermanentErrorThatNamesIt(t *testing.T) {
	// K7. Neither the other parts nor the key's own text are in the message.
	for value, want := range map[string]string{
		`{"BOOL":true}`:              `has type BOOL`,
		`{"NULL":true}`:              `has type NULL`,
		`{"M":{"S":{"S":"x"}}}`:      `has type M`,
		`{"SS":["a"]}`:               `has type SS`,
		`{"X":"y"}`:                  `has type X`,
		`{"N":"x"}`:                  `not a decimal number`,
		`{"N":"1e126"}`:              `out of DynamoDB's range`,
		`{"N":"1e-131"}`:             `out of DynamoDB's range`,
		`{"B":"?"}`:                  `not base64`,
		"{\"S\":\"" + "\xff" + "\"}": `not valid UTF-8`,
		`{"S":"\ud800"}`:             `not a JSON string`,
	} {
		_, err := joined("#", `{"S":"secret"}`, value)
		if _, permanent := err.(permanentError); !permanent {
			t.Errorf("%s: got %v, want a permanent error", value, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, want) || !strings.Contains(text, `"place"`) || !strings.Contains(text, `"part1"`) || strings.Contains(text, "secret") {
			t.Errorf("%s: got %v, want %q about \"place\" and \"part1\"", value, err, want)
		}
	}
}

func TestACompositeThatIsTooLongForItsKeyIsAPermanentError(t *testing.T) {
	// K7: what counts is the length with the escapes.
	for _, test := range []struct {
		city string
		want int // failures
	}{
		{strings.Repeat("x", maxSortKeyBytes-len("#1")), 0},
		{strings.Repeat("x", maxSortKeyBytes-len("#1")-1) + "#", 1},
	} {
		image := `{"id":{"S":"1"},"address":{"M":{"country":{"S":"US"},"city":{"S":"` + test.city + `"}}}}`
		_, failures := planOf(t, madeSpec(all), payload(record("INSERT", 1, item("id", "1"), "", image)))
		if len(failures) != test.want {
			t.Errorf("a city of %d bytes: got %v, want %d failures", len(test.city), failures, test.want)
		}
	}
}

// FuzzComposite: a composite can be taken apart again, so different parts never
// make one composite; and it begins with another's first part and separator only
// if it has that part.
func FuzzComposite(f *testing.F) {
	f.Add("a#b", "c", "a", "#", uint8(0))
	f.Add(`a\`, `#\`, "", "→", uint8(0))
	f.Add("\xff\xef", "/8", "\xff", "/", uint8(1))
	f.Add("-1.5", "20", "-1", "-", uint8(2))
	f.Fuzz(func(t *testing.T, first, second, other, separator string, kind uint8) {
		typ := []string{"S", "B", "N"}[kind%3]
		// text is how a part stands in a composite, before it is escaped.
		text := func(part string) string {
			switch typ {
			case "B":
				return base64.StdEncoding.EncodeToString([]byte(part))
			case "N":
				plain, err := appendDecimal(nil, []byte(quote(part)))
				if err != nil {
					return "not a number"
				}
				return string(plain)
			default:
				return part
			}
		}
		value := func(part string) string {
			if typ == "B" {
				part = text(part)
			}
			return fmt.Sprintf(`{%q:%s}`, typ, quote(part))
		}
		s := madeSpec(all)
		s.Targets[0].KeySources["place"] = spec.KeySource{Parts: [][]string{{"address", "city"}, {"id"}}, Separator: separator}
		if len(s.Problems()) > 0 || typ != "B" && !utf8.ValidString(first+"|"+second+"|"+other) {
			return // a part that is not valid is refused, and quote would make it so
		}
		read := func(a, b string) string {
			composite, err := joined(separator, value(a), value(b))
			if err != nil {
				return ""
			}
			text, err := appendUnquoted(nil, []byte(composite[len(`{"S":`):len(composite)-1]))
			if err != nil {
				t.Fatalf("the composite %s is no string: %v", composite, err)
			}
			return string(text)
		}
		composite := read(first, second)
		if composite == "" {
			return
		}
		parts := []string{""}
		escaped := false
		for _, r := range composite {
			switch {
			case !escaped && string(r) == spec.Escape:
				escaped = true
				continue
			case !escaped && string(r) == separator:
				parts = append(parts, "")
				continue
			}
			parts[len(parts)-1] += string(r)
			escaped = false
		}
		if escaped || len(parts) != 2 || parts[0] != text(first) || parts[1] != text(second) {
			t.Errorf("%q and %q make %q, which is %q", first, second, composite, parts)
		}
		if typ != "S" {
			return // there is no empty part to end with
		}
		if prefix := read(other, ""); strings.HasPrefix(composite, prefix) != (other == first) {
			t.Errorf("%q begins with %q, the part is %q", composite, prefix, other)
		}
	})
}

// FuzzDecimal: the plain notation of a number is that number, and equal numbers
// have one notation.
func FuzzDecimal(f *testing.F) {
	for _, text := range []string{"0", "-0.0", "1", "-12.50", "1e125", "1E-130", "99999999999999999999999999999999999999", "0.001e3", "+7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain, err := appendDecimal(nil, []byte(quote(text)))
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		got, plainOK := new(big.Rat).SetString(string(plain))
		if !ok || !plainOK || got.Cmp(want) != 0 {
			t.Fatalf("%q became %q", text, plain)
		}
		again, err := appendDecimal(nil, []byte(quote(got.FloatString(len(text)+200))))
		if err != nil || !bytes.Equal(again, plain) {
			t.Errorf("%q is %q, and written otherwise %q, %v", text, plain, again, err)
		}
		if bytes.ContainsAny(plain, "eE+") || bytes.HasPrefix(plain, []byte("-0")) && !bytes.HasPrefix(plain, []byte("-0.")) {
			t.Errorf("%q became %q", text, plain)
		}
	})
}
