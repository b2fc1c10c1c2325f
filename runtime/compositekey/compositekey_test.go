package compositekey_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/runtime/compositekey"
)

func TestPartsAreJoinedAndSplit(t *testing.T) {
	for _, test := range []struct {
		name, why, separator string
		parts                []string
		want                 string
	}{
		{"two parts", "the usual case", "#", []string{"Albany", "ann@example.com"}, `Albany#ann@example.com`},
		{"three parts", "any number", "#", []string{"a", "b", "c"}, `a#b#c`},
		{"one part", "the whole key, or the beginning of one", "#", []string{"a#b"}, `a\#b`},
		{"a separator in the first part", "it does not end the part", "#", []string{"a#b", "c"}, `a\#b#c`},
		{"a separator in the second part", "another key than the one before", "#", []string{"a", "b#c"}, `a#b\#c`},
		{"a part that ends in a backslash", "it does not escape the separator", "#", []string{`a\`, "b"}, `a\\#b`},
		{"a part that ends in both", "both are escaped", "#", []string{`a\#`, "b"}, `a\\\##b`},
		{"a separator of several bytes", "one character, any", "→", []string{"a→b", "c"}, `a\→b→c`},
		{"characters with bytes of the separator", "they are no separators", "→", []string{"a←b", "↓"}, `a←b→↓`},
		{"a separator that numbers have", "their text is escaped, too", "-", []string{"-1", "a"}, `\-1-a`},
		{"an empty part", "it is a part", "#", []string{"", "b", ""}, `#b#`},
		{"an empty key", "one empty part", "#", []string{""}, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := compositekey.Join(test.separator, test.parts...); got != test.want {
				t.Errorf("%s: joined as %q, want %q", test.why, got, test.want)
			}
			if got := compositekey.Prefix(test.separator, test.parts...); got != test.want+test.separator {
				t.Errorf("%s: the prefix is %q, want %q", test.why, got, test.want+test.separator)
			}
			got, err := compositekey.Split(test.separator, test.want)
			if err != nil || !slices.Equal(got, test.parts) {
				t.Errorf("%s: split into %q, %v, want %q", test.why, got, err, test.parts)
			}
		})
	}
}

func TestNoPartsHaveAnEmptyPrefix(t *testing.T) {
	if got := compositekey.Prefix("#"); got != "" {
		t.Errorf("got %q, want none", got)
	}
}

func TestAPrefixLeavesTheCallersPartsAsTheyAre(t *testing.T) {
	parts := []string{"a", "b"}
	compositekey.Prefix("#", parts[:1]...)
	if parts[1] != "b" {
		t.Errorf("the caller's second part became %q", parts[1])
	}
}

func TestAKeyThatNoPartsMakeIsAnErrorWithoutTheKey(t *testing.T) {
	for _, key := range []string{`secret\`, `\secret`, `secret\\\`, `secret#\`, `secret\→`} {
		parts, err := compositekey.Split("#", key)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %q, %v, want an error that does not repeat it", key, parts, err)
		}
	}
}

func TestASeparatorThatNoCompositeHasIsAPanic(t *testing.T) {
	for _, separator := range []string{"", `\`, "##", "→#", "\xff", "é" + "\u0301"} {
		for name, call := range map[string]func(){
			"Join":   func() { compositekey.Join(separator, "a") },
			"Prefix": func() { compositekey.Prefix(separator, "a") },
			"Split":  func() { _, _ = compositekey.Split(separator, "a") },
		} {
			if text := panicOf(call); !strings.Contains(text, "one character") {
				t.Errorf("%s with the separator %q panics with %q, want the rule", name, separator, text)
			}
		}
	}
}

func panicOf(call func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	call()
	return ""
}

// FuzzJoin: parts come back from their key, and a key begins with a prefix exactly
// when its first parts are the prefix's parts, the last of which may be incomplete
// when the prefix is joined without a trailing separator.
func FuzzJoin(f *testing.F) {
	f.Add("#", "a#b", "c", "a", "")
	f.Add("→", `a\`, `→\`, "", "→")
	f.Add("-", "-1", "20", "-1", "2")
	f.Fuzz(func(t *testing.T, separator, first, second, otherFirst, otherSecond string) {
		for _, text := range []string{separator, first, second, otherFirst, otherSecond} {
			if text != strings.ToValidUTF8(text, "") {
				return // DynamoDB has no such string
			}
		}
		if panicOf(func() { compositekey.Join(separator) }) != "" {
			return
		}

		key := compositekey.Join(separator, first, second)
		parts, err := compositekey.Split(separator, key)
		if err != nil || !slices.Equal(parts, []string{first, second}) {
			t.Errorf("%q and %q make %q, which is split into %q, %v", first, second, key, parts, err)
		}

		prefix := compositekey.Prefix(separator, otherFirst)
		if got, want := strings.HasPrefix(key, prefix), first == otherFirst; got != want {
			t.Errorf("%q begins with %q: %v, want %v", key, prefix, got, want)
		}
		beginning := compositekey.Join(separator, otherFirst, otherSecond)
		want := first == otherFirst && strings.HasPrefix(second, otherSecond)
		if got := strings.HasPrefix(key, beginning); got != want {
			t.Errorf("%q begins with %q: %v, want %v", key, beginning, got, want)
		}
	})
}

// FuzzSplit: what can be split is what its parts make.
func FuzzSplit(f *testing.F) {
	f.Add("#", `a\#b#c`)
	f.Add("→", `a\\→→`)
	f.Add("\uFFFD", "\xff\uFFFD")
	f.Fuzz(func(t *testing.T, separator, key string) {
		if panicOf(func() { compositekey.Join(separator) }) != "" {
			return
		}
		parts, err := compositekey.Split(separator, key)
		if err != nil {
			return
		}
		if got := compositekey.Join(separator, parts...); got != key {
			t.Errorf("%q is split into %q, which make %q", key, parts, got)
		}
	})
}
