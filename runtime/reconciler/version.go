package reconciler

import (
	"bytes"
	"strconv"

	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// replacing returns the version of an item that replaces that of another owner, whose version is
// found. Every change that the other item has had loses against it, and every later one of the new owner
// wins: sequence numbers of two source items are not comparable, so it has the lowest, and a later
// time. ok is false when no version was found.
func replacing(found mapping.Version, ok bool) mapping.Version {
	v := mapping.LowestVersion()
	whole, _, _ := bytes.Cut(found.At, []byte("."))
	if seconds, err := strconv.ParseInt(string(whole), 10, 64); ok && err == nil {
		v.At = strconv.AppendInt(nil, seconds+1, 10)
	}

	return v
}
