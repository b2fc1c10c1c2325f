package spec

import (
	"reflect"
	"testing"
)

// FuzzParse: no text makes Parse panic, and a spec it takes survives the round
// trip.
func FuzzParse(f *testing.F) {
	f.Add(sound().Encode())
	f.Add(unique().Encode())
	f.Add(made().Encode())
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(s.Encode())
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("%s came back as %s: %v", text, again.Encode(), err)
		}
	})
}
