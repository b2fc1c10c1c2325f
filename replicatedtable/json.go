package replicatedtable

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// encode returns v, which holds only strings, booleans, lists and maps, as JSON
// that is no longer than it must be: < > & are left as they are.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("replicatedtable: strings, booleans, lists and maps can always be encoded: %v", err))
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
