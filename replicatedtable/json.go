package replicatedtable

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// encode returns v, which holds only strings, booleans, numbers, lists and maps, as JSON. It
// does not escape < > &, because AWS limits the length of event patterns and of the
// environment.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("replicatedtable: strings, booleans, numbers, lists and maps can always be encoded: %v", err))
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
