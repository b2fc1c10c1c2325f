package replicator

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// lenient are the liberties that the scanner takes, as options of the library that
// it is compared with.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// takes reports whether the scanner takes text for one JSON value.
func takes(text []byte) bool {
	i := skipValue(text, skipSpace(text, 0), 0)
	return i >= 0 && skipSpace(text, i) == len(text)
}

var scannerTexts = []string{
	``, ` `, `"`, `""`, `"a`, `"abcdefgh"`, `"abcdefg`, `"abcdefgh\"ij"`, `"\`, `"\x"`, `"\u12"`, `"\u12G4"`, `"\uD83D"`, `"\ud83d\ude00"`, `"\/\b\f\n\r\t\\"`,
	"\"a\nb\"", "\"abcdefgh\x1f\"", "\"abcdefgh\x7f\xff\"", "\"\xc3\xa9\xe2\x82\xac\"", "\xef\xbb\xbf{}",
	`{}`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1 "b":2}`, `{"a":1,"a":2}`, `{a:1}`, `{1:2}`, `{"a":{"b":{"c":[]}}}`, ` { "a" : 1 , "b" : [ 1 , 2 ] } `,
	// Attribute values of one letter, and what only looks like one.
	`{"S":"text"}`, `{"S":"te\"xt"}`, `{"S":"text","N":"1"}`, `{"S":"text" }`, `{ "S":"text"}`, `{"S" :"text"}`, `{"S": "text"}`, `{"S":"text"`, `{"S":"text`, `{"S":"text"]`,
	`{"":"text"}`, `{""":"text"}`, `{"\":"text"}`, `{"\":"\"}`, "{\"\n\":\"text\"}", `{"é":"text"}`, `{"0":"text"}`, `{"S":1}`, `{"S":text"}`,
	// Names of all lengths, with and without what follows them as a rule.
	`{"abcdefgh":1}`, `{"abcdefghi":"jklmnopq"}`, `{"abcdefg\"i":"jklmnopq"}`, `{"abcdefgh" :"jklmnop"}`, `{"abcdefgh": "jklmnop"}`, `{"abcdefgh""jklmnopq"}`, `{"abcdefgh:"jklmnopq"}`,
	"{\"abcdefg\x01\":\"jklmnop\"}", "{\"abcdefgh\":\n\"jklmnop\"}", `{"abcdefghijklmnopq":{"abcdefghijklmnop":{"S":"text"}}}`, `{"abcdefgh":}`, `{"abcdefgh":`, `{"abcdefgh"`,
	`[]`, `[`, `[1,]`, `[,1]`, `[1 2]`, `[1}`, `{"a":1]`, `[[[[]]]]`, `]`, `}`, `:`, `,`,
	`0`, `-0`, `-`, `01`, `1.`, `.5`, `1.5`, `1e`, `1e+`, `1E-5`, `1e5`, `1.5e+10`, `+1`, `- 1`, `1 2`, `1x`, `0x1`, `NaN`, `Infinity`,
	`true`, `tru`, `trueX`, `false`, `falsy`, `null`, `nul`, `nullnull`, `True`,
}

// deepTexts take long to mutate.
var deepTexts = []string{
	strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth),
}

func TestTheScannerTakesExactlyTheJSONThatALibraryTakes(t *testing.T) {
	for _, text := range slices.Concat(scannerTexts, deepTexts) {
		if got, want := takes([]byte(text)), jsontext.Value(text).IsValid(lenient...); got != want {
			t.Errorf("%.60q: taken is %t, want %t", text, got, want)
		}
	}
}

// FuzzScan: what the library refuses is refused, and what it takes is taken, alone
// and as a part of a larger text.
func FuzzScan(f *testing.F) {
	for _, text := range scannerTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, want := takes(text), jsontext.Value(text).IsValid(lenient...)
		if got != want {
			t.Errorf("%.200q: taken is %t, want %t", text, got, want)
		}
		// At each offset within a word, and with something behind it.
		for n := range 8 {
			before := strings.Repeat(" ", n)
			if again := takes([]byte(before + string(text) + " ")); again != want {
				t.Errorf("%.200q behind %d spaces: taken is %t, want %t", text, n, again, want)
			}
		}
	})
}

// FuzzPath: a member is found in a map where a library finds it, and nowhere else.
func FuzzPath(f *testing.F) {
	f.Add(`{"M":{"a":{"S":"x"},"b":{"N":"1"}}}`, "b")
	f.Add(` { "L":[] , "M" : { "\u0061" : {"S":"\"}"} } } `, "a")
	f.Add(`{"M":{"a":1,"M":{"a":2}}}`, "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		e := event{payload: []byte(text)}
		if !takes(e.payload) {
			return
		}
		start := skipSpace(e.payload, 0)
		end := skipValue(e.payload, start, 0)
		whole := span{uint32(start), uint32(end)}
		got := string(e.text(e.member(e.member(whole, "M"), name)))
		want := string(plainMember(plainMember(jsontext.Value(text), "M"), name))
		if got != want {
			t.Errorf("%q in %s: got %s, want %s", name, text, got, want)
		}
	})
}

// plainMember returns the first member called name as a library reads it, or nil.
func plainMember(object jsontext.Value, name string) jsontext.Value {
	if object.Kind() != '{' {
		return nil
	}
	d := jsontext.NewDecoder(strings.NewReader(string(object)), lenient...)
	if _, err := d.ReadToken(); err != nil {
		return nil
	}
	for d.PeekKind() == '"' {
		text, err := d.ReadValue()
		if err != nil {
			return nil
		}
		unquoted, err := jsontext.AppendUnquote(nil, text)
		found := err == nil && string(unquoted) == name
		value, err := d.ReadValue()
		if err != nil {
			return nil
		}
		if found {
			return value
		}
	}
	return nil
}
