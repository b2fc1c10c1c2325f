package replicator

import (
	"bytes"

	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// streamTable returns the name of the table in a stream ARN, or nil.
func streamTable(streamARN []byte) []byte {
	_, rest, _ := bytes.Cut(streamARN, []byte(":table/"))
	table, _, found := bytes.Cut(rest, []byte("/stream/"))
	if !found {
		return nil
	}
	return table
}

// streamLabel returns the label of a stream ARN, or nil. A stream that was disabled and
// enabled again restarts its sequence numbers under a new label. Labels are ISO times, so
// they sort by age.
func streamLabel(streamARN []byte) []byte {
	_, label, found := bytes.Cut(streamARN, []byte("/stream/"))
	if !found || len(label) == 0 {
		return nil
	}
	return label
}

// appendVersionAt appends the time part of c's version as an attribute value.
func appendVersionAt(dst []byte, c *change) []byte {
	dst = append(dst, `{"N":"`...)
	dst = append(dst, c.createdAt...)
	return append(dst, `"}`...)
}

// appendVersionSeq appends the sequence part of c's version as an attribute value.
func appendVersionSeq(dst []byte, c *change) []byte {
	dst = append(dst, `{"S":"`...)
	dst = appendSeq(dst, c)

	return append(dst, `"}`...)
}

// versionOf returns c's version, with the names of the item that it leaves.
func versionOf(c *change, names string) mapping.Version {
	return mapping.Version{At: c.createdAt, Label: streamLabel(c.streamARN), Number: c.sequenceNumber, Names: names}
}

// appendSeq appends the sequence part of c's version as text.
func appendSeq(dst []byte, c *change) []byte {
	v := versionOf(c, "")
	return v.AppendSeq(dst)
}
