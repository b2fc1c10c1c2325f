package dynamodbjson

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAnEscapeIsUnquotedAsItsCharacter(t *testing.T) {
	for quoted, want := range map[string]string{
		`""`:                 "",
		`"plain"`:            "plain",
		`"\"\\\/\b\f\n\r\t"`: "\"\\/\b\f\n\r\t",
		`"\u0041\u00e9€"`:    "Aé€",
		`"a\ud83d\ude00b"`:   "a😀b",
	} {
		if got, err := AppendUnquoted([]byte("before "), []byte(quoted)); err != nil || string(got) != "before "+want {
			t.Errorf("%s: got %q, %v, want %q", quoted, got, err, want)
		}
	}
}

func TestHalfASurrogatePairIsAnErrorAndAReplacementCharacter(t *testing.T) {
	for quoted, want := range map[string]string{
		`"a\ud83d"`:        "a\ufffd",
		`"\ude00b"`:        "\ufffdb",
		`"\ud83d\ud83d"`:   "\ufffd\ufffd",
		`"\ud83d\u0041"`:   "\ufffdA",
		`"\ud83dx\ude00"`:  "\ufffdx\ufffd",
		`"\ud83d\n\ude00"`: "\ufffd\n\ufffd",
	} {
		if got, err := AppendUnquoted(nil, []byte(quoted)); err == nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q and an error", quoted, got, err, want)
		}
	}
}

// FuzzQuote: encoding/json reads a quoted text as the text, and unquotes a string to the same
// text.
func FuzzQuote(f *testing.F) {
	for _, text := range []string{"", "a\"b\\c/d\x00\x1f\x7f", "é€😀\u2028<&>", `\ud83d`, `\u00e9\n`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		var back string
		if err := json.Unmarshal([]byte(Quote(text)), &back); err != nil || back != text {
			t.Errorf("%q is quoted as %s", text, Quote(text))
		}
		quoted := []byte(`"` + text + `"`)
		var want string
		if !json.Valid(quoted) || json.Unmarshal(quoted, &want) != nil {
			return // text has a quote or a control character
		}
		got, err := AppendUnquoted(nil, quoted)
		if string(got) != want {
			t.Errorf("%s: got %q, want %q", quoted, got, want)
		}
		written := strings.Count(text, "\ufffd") + strings.Count(strings.ToLower(text), `\ufffd`)
		if half := strings.Count(want, "\ufffd") > written; half && err == nil {
			t.Errorf("%s holds half a pair: no error", quoted)
		}
	})
}
