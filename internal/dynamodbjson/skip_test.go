package dynamodbjson

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// accepts reports whether the scanner accepts text as one JSON value.
func accepts(text []byte) bool {
	i := skipValue(text, skipSpace(text, 0), 0)
	return i >= 0 && skipSpace(text, i) == len(text)
}

var scannerTexts = []string{
	``, ` `, `"`, `""`, `"a`, `"abcdefgh"`, `"abcdefg`, `"abcdefgh\"ij"`, `"\`, `"\x"`, `"\u12"`, `"\u12G4"`,
	`"\uD83D"`, `"\ud83d\ude00"`, `"\/\b\f\n\r\t\\"`,
	"\"a\nb\"", "\"abcdefgh\x1f\"", "\"abcdefgh\x7f\xff\"", "\"\xc3\xa9\xe2\x82\xac\"", "\xef\xbb\xbf{}",
	`{}`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1 "b":2}`, `{"a":1,"a":2}`, `{a:1}`, `{1:2}`,
	`{"a":{"b":{"c":[]}}}`, ` { "a" : 1 , "b" : [ 1 , 2 ] } `,
	// Attribute values with a one-letter type, and texts that only look like one.
	`{"S":"text"}`, `{"S":"te\"xt"}`, `{"S":"text","N":"1"}`, `{"S":"text" }`, `{ "S":"text"}`, `{"S" :"text"}`,
	`{"S": "text"}`, `{"S":"text"`, `{"S":"text`, `{"S":"text"]`,
	`{"":"text"}`, `{""":"text"}`, `{"\":"text"}`, `{"\":"\"}`, "{\"\n\":\"text\"}", `{"é":"text"}`, `{"0":"text"}`,
	`{"S":1}`, `{"S":text"}`,
	// Names of all lengths, with and without the usual text after them.
	`{"abcdefgh":1}`, `{"abcdefghi":"jklmnopq"}`, `{"abcdefg\"i":"jklmnopq"}`, `{"abcdefgh" :"jklmnop"}`,
	`{"abcdefgh": "jklmnop"}`, `{"abcdefgh""jklmnopq"}`, `{"abcdefgh:"jklmnopq"}`,
	"{\"abcdefg\x01\":\"jklmnop\"}", "{\"abcdefgh\":\n\"jklmnop\"}",
	`{"abcdefghijklmnopq":{"abcdefghijklmnop":{"S":"text"}}}`, `{"abcdefgh":}`, `{"abcdefgh":`, `{"abcdefgh"`,
	`[]`, `[`, `[1,]`, `[,1]`, `[1 2]`, `[1}`, `{"a":1]`, `[[[[]]]]`, `]`, `}`, `:`, `,`,
	`0`, `-0`, `-`, `01`, `1.`, `.5`, `1.5`, `1e`, `1e+`, `1E-5`, `1e5`, `1.5e+10`, `+1`, `- 1`, `1 2`, `1x`, `0x1`,
	`NaN`, `Infinity`,
	`true`, `tru`, `trueX`, `false`, `falsy`, `null`, `nul`, `nullnull`, `True`,
}

// deepTexts are slow to mutate.
var deepTexts = []string{
	strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
	strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth),
}

func TestTheScannerAcceptsExactlyTheJSONThatTheStandardLibraryAccepts(t *testing.T) {
	for _, text := range slices.Concat(scannerTexts, deepTexts) {
		if got, want := accepts([]byte(text)), json.Valid([]byte(text)); got != want {
			t.Errorf("%.60q: accepted is %t, want %t", text, got, want)
		}
	}
}

// FuzzScan: the scanner accepts exactly the texts that encoding/json accepts, alone and as
// parts of a larger text.
func FuzzScan(f *testing.F) {
	for _, text := range scannerTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, want := accepts(text), json.Valid(text)
		if got != want {
			t.Errorf("%.200q: accepted is %t, want %t", text, got, want)
		}
		// At each offset within a word, and with more text after it.
		for n := range 8 {
			before := strings.Repeat(" ", n)
			if again := accepts([]byte(before + string(text) + " ")); again != want {
				t.Errorf("%.200q behind %d spaces: accepted is %t, want %t", text, n, again, want)
			}
		}
	})
}

// FuzzPath: a member is found in a map where encoding/json finds it, and nowhere else.
func FuzzPath(f *testing.F) {
	f.Add(`{"M":{"a":{"S":"x"},"b":{"N":"1"}}}`, "b")
	f.Add(` { "L":[] , "M" : { "\u0061" : {"S":"\"}"} } } `, "a")
	f.Add(`{"M":{"a":1,"M":{"a":2}}}`, "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		if !accepts([]byte(text)) || !utf8.ValidString(name) || strings.ContainsRune(name, utf8.RuneError) {
			return // encoding/json writes it in the place of invalid characters
		}
		whole := bytes.TrimSpace([]byte(text))
		got := string(member(member(whole, "M"), name))
		want := string(plainMember(plainMember(whole, "M"), name))
		if got != want {
			t.Errorf("%q in %s: got %s, want %s", name, text, got, want)
		}
	})
}

// plainMember returns the first member called name as encoding/json reads it, or nil.
func plainMember(object []byte, name string) json.RawMessage {
	if len(object) == 0 || object[0] != '{' {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil
	}
	for d.More() {
		found, err := d.Token()
		if err != nil {
			return nil
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil
		}
		if found == json.Token(name) {
			return value
		}
	}
	return nil
}
