package memorydb

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// plain turns what parseJSON returns into what encoding/json returns.
func plain(v any) any {
	switch v := v.(type) {
	case object:
		members := map[string]any{}
		for _, m := range v {
			members[m.name] = plain(m.value)
		}
		return members
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	case jsonNumber:
		return json.Number(v)
	default:
		return v
	}
}

// standard reads JSON with encoding/json.
func standard(text string) (any, error) {
	var v any
	if err := json.Unmarshal([]byte(text), &json.RawMessage{}); err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	err := d.Decode(&v)
	return v, err
}

var texts = []string{
	`{}`, ` { "b" : [ ] , "a" : { } } `, `[1,-0.5e+7,true,false,null]`, `""`, `"a\"\\\/\b\f\n\r\tz"`,
	`"é \u00e9 \ud83d\ude00 😀 \uFFFD"`, "\t\"a\"\n", `0`, `{"a":{"b":[{"c":"d"}]}}`,

	``, ` `, `{`, `}`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{a:1}`, `{1:1}`, `{"a" 1}`,
	`[`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`,
	`"`, `"a`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\u+123"`, "\"\n\"", "\"\\n\n\"",
	`tru`, `truE`, `nul`, `01`, `1.`, `.5`, `+1`, `1e`, `-`, `1 1`, `{}{}`, "{}\x00", `NaN`, `'a'`,
}

func TestJSONIsReadAsTheStandardLibraryReadsIt(t *testing.T) {
	for _, text := range texts {
		sameAsStandard(t, text)
	}
}

func sameAsStandard(t *testing.T, text string) {
	t.Helper()
	got, err := parseJSON([]byte(text))
	want, wantErr := standard(text)
	if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(plain(got), want) {
		t.Errorf("%q: got %v, %v\nwant %v, %v", text, got, err, want, wantErr)
	}
}

func TestJSONThatTheStandardLibraryRepairsIsRefused(t *testing.T) {
	for _, text := range []string{
		`{"a":1,"b":2,"a":3}`, `"\ud800"`, `"\ud800\ud800"`, `"\ud800x"`, `"\udc00\ud800"`, "\"\xff\"",
	} {
		if _, err := standard(text); err != nil {
			t.Errorf("%q: the standard library refuses it, too: %v", text, err)
		}
		if v, err := parseJSON([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, v)
		}
	}
}

func TestQuotedTextIsReadBack(t *testing.T) {
	for _, text := range []string{"", "a\"\\/b", "\x00\x1f\b\f\n\r\t\x7f", "é😀\u2028<&>"} {
		if got, err := standard(string(appendQuoted(nil, text))); err != nil || got != text {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

// FuzzJSON compares with the standard library all JSON that is not ambiguous.
func FuzzJSON(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parseJSON([]byte(text)); err == nil {
			sameAsStandard(t, text)
		}
	})
}
