package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Encode returns the spec as one line of JSON. It does not escape < > & because the
// environment of a function is small.
func (s Spec) Encode() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(fmt.Sprintf("spec: a Spec holds only strings and booleans, encoding it cannot fail: %v", err))
	}

	return strings.TrimSuffix(b.String(), "\n")
}
