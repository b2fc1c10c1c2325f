package spec

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// FuzzParse: no text makes Parse panic. A spec that it accepts survives the round trip,
// and is what the standard decoder reads.
func FuzzParse(f *testing.F) {
	f.Add(sound().Encode())
	f.Add(unique().Encode())
	f.Add(derived().Encode())
	f.Add(strings.Replace(sound().Encode(), `"Type":"EXCLUDE"`, `"Type":"EXCLUDE","Renames":{}`, 1))
	f.Add(strings.Replace(sound().Encode(), "source", `\u0001\ud83d\ude00`, 1))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(s.Encode())
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("%s came back as %s: %v", text, again.Encode(), err)
		}
		var decoded Spec
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&decoded); err != nil || decoded.Encode() != s.Encode() {
			t.Errorf("%s was read as %s, the standard decoder says %s, %v", text, s.Encode(), decoded.Encode(), err)
		}
	})
}
