package mapping

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// joined returns the composite of values as it appears in the target item.
func joined(separator string, values ...string) (string, error) {
	var source spec.KeySource
	var parts [][]byte
	for i, value := range values {
		source.Parts = append(source.Parts, []string{"address", fmt.Sprint("part", i)})
		parts = append(parts, []byte(value))
	}
	source.Separator = separator
	place := spec.KeySchema{PartitionKey: spec.Attribute{Name: "place", Type: spec.String}}
	k := keyAttributes(place, func(string) spec.KeySource { return source })[0]
	var c composer
	composite, err := c.append(nil, &k, parts)
	return string(composite), err
}

func TestACompositeJoinsTheTextsOfItsParts(t *testing.T) {
	for _, test := range []struct {
		name, why, separator string
		values               []string
		want                 string
	}{
		{"strings", "K4", "#", []string{`{"S":"Albany"}`, `{"S":"ann@example.com"}`}, `Albany#ann@example.com`},
		{"a separator in the first part", "K4: the part does not end there", "#",
			[]string{`{"S":"a#b"}`, `{"S":"c"}`}, `a\\#b#c`},
		{"a separator in the second part", "K4: so this is another composite", "#",
			[]string{`{"S":"a"}`, `{"S":"b#c"}`}, `a#b\\#c`},
		{"a part ends in the escape", "K4: it does not escape the separator that follows", "#",
			[]string{`{"S":"a\\"}`, `{"S":"b"}`}, `a\\\\#b`},
		{"escapes of JSON", "the text of a string counts, not its notation", "#",
			[]string{`{"S":"\u0041\n\u0023"}`, `{"S":"\"é"}`}, `A\n\\##\"é`},
		{"a separator of several bytes", "one character, any", "→", []string{`{"S":"a→b"}`, `{"S":"c"}`}, `a\\→b→c`},
		{"an empty part", "it is not absent", "#", []string{`{"S":""}`, `{"S":"b"}`}, `#b`},
		{"numbers", "equal numbers are one part, in plain notation", "#",
			[]string{`{"N":"1e2"}`, `{"N":"100.0"}`, `{"N":"-0.50"}`}, `100#100#-0.5`},
		{"a separator that numbers have", "K4 holds for them too", "-", []string{`{"N":"-1"}`, `{"S":"a"}`}, `\\-1-a`},
		{"binary", "the same bytes have several texts in base64", "#",
			[]string{`{"B":"//8="}`, `{"B":"AAH="}`}, `//8=#AAE=`},
		{"a separator that base64 has", "K4 holds for it too", "/",
			[]string{`{"B":"//8="}`, `{"S":"a"}`}, `\\/\\/8=/a`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := joined(test.separator, test.values...)
			if want := `{"S":"` + test.want + `"}`; err != nil || got != want {
				t.Errorf("%s: got %s, %v, want %s", test.why, got, err, want)
			}
		})
	}
}

func TestAPartThatCannotBeJoinedIsAnErrorThatNamesIt(t *testing.T) {
	// K7. Neither the other parts nor the key's own text are in the message.
	for value, want := range map[string]string{
		`{"BOOL":true}`:              `has type BOOL`,
		`{"NULL":true}`:              `has type NULL`,
		`{"M":{"S":{"S":"x"}}}`:      `has type M`,
		`{"SS":["a"]}`:               `has type SS`,
		`{"X":"y"}`:                  `has type unknown`, // such a type is a part of the item
		`{"N":"x"}`:                  `not a decimal number`,
		`{"N":"1e126"}`:              `out of DynamoDB's range`,
		`{"N":"1e-131"}`:             `out of DynamoDB's range`,
		`{"B":"?"}`:                  `not base64`,
		"{\"S\":\"" + "\xff" + "\"}": `not valid UTF-8`,
		`{"S":"\ud800"}`:             `half a surrogate pair`,
	} {
		_, err := joined("#", `{"S":"secret"}`, value)
		if err == nil {
			t.Errorf("%s: got no error", value)
			continue
		}
		if text := err.Error(); !strings.Contains(text, want) || !strings.Contains(text, `"place"`) ||
			!strings.Contains(text, `"part1"`) || strings.Contains(text, "secret") {
			t.Errorf("%s: got %v, want %q about \"place\" and \"part1\"", value, err, want)
		}
	}
}

func TestACompositeThatIsTooLongForItsKeyIsAnError(t *testing.T) {
	// K7: the limit is for the length with the escapes.
	for _, test := range []struct {
		city  string
		fails bool
	}{
		{strings.Repeat("x", MaxSortKeyBytes-len("#1")), false},
		{strings.Repeat("x", MaxSortKeyBytes-len("#1")-1) + "#", true},
	} {
		got := mapItem(t, placeSpec("#"), `{"id":{"S":"1"},"country":{"S":"US"},"city":{"S":"`+test.city+`"}}`)
		if (got.Err != nil) != test.fails {
			t.Errorf("a city of %d bytes: got %v", len(test.city), got.Err)
		}
	}
}

// placeSpec maps id -> the country, and the city with id.
func placeSpec(separator string) spec.Spec {
	text := func(name string) spec.Attribute { return spec.Attribute{Name: name, Type: spec.String} }
	place := text("place")
	return spec.Spec{
		Source: spec.Table{TableName: "source", KeySchema: spec.KeySchema{PartitionKey: text("id")}},
		Targets: []spec.Target{{
			Table: spec.Table{TableName: "target",
				KeySchema: spec.KeySchema{PartitionKey: text("country"), SortKey: &place}},
			KeySources: map[string]spec.KeySource{
				"place": {Parts: [][]string{{"city"}, {"id"}}, Separator: separator},
			},
			Projection: spec.Projection{Type: spec.All},
		}},
		FailureQueueURL: "queue",
	}
}

// mapItem derives a target item from an item in JSON.
func mapItem(t *testing.T, s spec.Spec, text string) TargetItem {
	t.Helper()
	p, item := parse(t, text)
	m := New(s.Source.KeySchema, s.Targets[0])
	var mapper Mapper
	var target TargetItem
	mapper.Map(&target, &m, p, &item)
	return target
}

// parse reads an item in JSON.
func parse(t testing.TB, text string) (*dynamodbjson.Payload, dynamodbjson.Item) {
	t.Helper()
	var p dynamodbjson.Payload
	var r dynamodbjson.Reader
	p.Reset([]byte(text))
	r.Reset(&p)
	item, err := r.Item()
	if err := errors.Join(err, r.End()); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &p, item
}

// FuzzComposite: a composite can be split again, so different parts never have the same
// composite. It begins with another composite's first part and separator only if it has
// that part.
func FuzzComposite(f *testing.F) {
	f.Add("a#b", "c", "a", "#", uint8(0))
	f.Add(`a\`, `#\`, "", "→", uint8(0))
	f.Add("\xff\xef", "/8", "\xff", "/", uint8(1))
	f.Add("-1.5", "20", "-1", "-", uint8(2))
	f.Fuzz(func(t *testing.T, first, second, other, separator string, kind uint8) {
		typ := []string{"S", "B", "N"}[kind%3]
		// text returns the text of a part in a composite, before it is escaped.
		text := func(part string) string {
			switch typ {
			case "B":
				return base64.StdEncoding.EncodeToString([]byte(part))
			case "N":
				plain, err := dynamodbjson.AppendPlainNumber(nil, []byte(dynamodbjson.Quote(part)))
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
			return fmt.Sprintf(`{%q:%s}`, typ, dynamodbjson.Quote(part))
		}
		if len(placeSpec(separator).Problems()) > 0 || typ != "B" && !utf8.ValidString(first+"|"+second+"|"+other) {
			return // a part that is not valid is refused, and quote would repair it
		}
		read := func(a, b string) string {
			composite, err := joined(separator, value(a), value(b))
			if err != nil {
				return ""
			}
			text, err := dynamodbjson.AppendUnquoted(nil, []byte(composite[len(`{"S":`):len(composite)-1]))
			if err != nil {
				t.Fatalf("the composite %s is not a string: %v", composite, err)
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
			t.Errorf("%q and %q join to %q, which splits into %q", first, second, composite, parts)
		}
		if typ != "S" {
			return // an empty part cannot end it
		}
		if prefix := read(other, ""); strings.HasPrefix(composite, prefix) != (other == first) {
			t.Errorf("%q begins with %q, the part is %q", composite, prefix, other)
		}
	})
}
