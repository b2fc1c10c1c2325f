package mapping

import (
	"testing"
)

func TestTheFingerprintStandsForASetOfNames(t *testing.T) {
	names := func(texts ...string) (names [][]byte) {
		for _, text := range texts {
			names = append(names, []byte(text))
		}
		return names
	}
	same := Fingerprint(names("id", "email", "note"))
	if got := Fingerprint(names("note", "id", "email")); got != same || len(got) != FingerprintLength {
		t.Errorf("another order: got %s, want %s", got, same)
	}
	seen := map[string]bool{same: true}
	for why, other := range map[string][][]byte{
		"one name less":                 names("id", "email"),
		"one name more":                 names("id", "email", "note", "flag"),
		"another name, as many":         names("id", "email", "flag"),
		"names that continue":           names("id", "emailnote"),
		"names that are cut elsewhere":  names("idemail", "note"),
		"a pair that cancels by XOR":    names("id", "email", "note", "a", "a"),
		"no names":                      nil,
		"the empty name":                names(""),
		"a name with a length in front": names("\x00\x00\x00\x02id"),
	} {
		got := Fingerprint(other)
		if seen[got] {
			t.Errorf("%s: the fingerprint %s is that of another set", why, got)
		}
		seen[got] = true
	}
	// The text is part of the version of stored items: it must not change.
	if want := "La0ZoFNxqMFp6i4tjSne"; same != want {
		t.Errorf("got %s, want %s", same, want)
	}
}
