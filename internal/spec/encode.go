package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Encode returns the spec as one line of JSON.
func (s Spec) Encode() string { return encode(s) }

// encode does not escape < > & because the environment of a function is small.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("spec: texts, truths and whole numbers can always be encoded: %v", err))
	}

	return strings.TrimSuffix(b.String(), "\n")
}
