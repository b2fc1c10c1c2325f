package dynamodbjson

import (
	"bytes"
	"math/big"
	"strings"
	"testing"
)

// FuzzCanonicalNumber: two numbers have one canonical form exactly when they are equal.
func FuzzCanonicalNumber(f *testing.F) {
	for _, pair := range [][2]string{
		{"1", "1.0"}, {"1e2", "100"}, {"0", "-0"}, {"0.1", "1E-1"}, {"-5", "5"},
		{"12345678901234567890123456789012345678", "1"},
	} {
		f.Add(pair[0], pair[1])
	}
	read := func(text string) (canonical []byte, value *big.Rat) {
		if len(text) > 50 || strings.ContainsAny(text, "/_xXpPbBoO") { // only Go accepts these as numbers
			return nil, nil
		}
		value, ok := new(big.Rat).SetString(text)
		canonical, err := AppendCanonicalNumber(nil, []byte(Quote(text)))
		if !ok || err != nil {
			return nil, nil
		}
		return canonical, value
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if i := strings.IndexAny(a+b, "eE"); i >= 0 && len(a)+len(b)-i > 5 {
			return // Go would be slow with an exponent that DynamoDB does not have
		}
		canonicalA, valueA := read(a)
		canonicalB, valueB := read(b)
		if valueA == nil || valueB == nil {
			return
		}
		if bytes.Equal(canonicalA, canonicalB) != (valueA.Cmp(valueB) == 0) {
			t.Errorf("%s and %s have the canonical forms %q and %q", a, b, canonicalA, canonicalB)
		}
	})
}

// FuzzPlainNumber: the plain notation of a number is that number, and equal numbers have
// one notation.
func FuzzPlainNumber(f *testing.F) {
	for _, text := range []string{"0", "-0.0", "1", "-12.50", "1e125", "1E-130",
		"99999999999999999999999999999999999999", "0.001e3", "+7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain, err := AppendPlainNumber(nil, []byte(Quote(text)))
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		got, plainOK := new(big.Rat).SetString(string(plain))
		if !ok || !plainOK || got.Cmp(want) != 0 {
			t.Fatalf("%q became %q", text, plain)
		}
		again, err := AppendPlainNumber(nil, []byte(Quote(got.FloatString(len(text)+200))))
		if err != nil || !bytes.Equal(again, plain) {
			t.Errorf("%q is %q, and in another notation %q, %v", text, plain, again, err)
		}
		if bytes.ContainsAny(plain, "eE+") ||
			bytes.HasPrefix(plain, []byte("-0")) && !bytes.HasPrefix(plain, []byte("-0.")) {
			t.Errorf("%q became %q", text, plain)
		}
	})
}
