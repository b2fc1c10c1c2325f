package replicator

import "bytes"

// The version of a target item says which change it shows. It has three parts:
//
//	at     the creation time of the change, in seconds: orders changes of different
//	       source items
//	seq    the stream label and the sequence number: orders changes of one source item
//	names  the fingerprint of the names of the item's attributes: statement.go says why
//
// Sequence numbers are comparable only where DynamoDB promises an order, within one source
// item; between items of different shards they say nothing about time. The creation time
// is comparable everywhere, but only to the second, and nothing promises that a clock
// never steps back between two changes of one item. So each part decides where it can. seq
// also breaks ties of at, so that every redelivery has the same result.
//
// Where keys can collide, the version attribute is a map of these parts. In a unique
// mapping a target item never changes its owner: there the attribute is a string, seq, a
// slash and names. All sequence numbers are padded to one width, so what follows one never
// decides a comparison: releases before 0.5.0, which wrote seq alone, and this one
// understand each other's versions. Wherever there are names, they are those of exactly the
// attributes that the item has.
const (
	versionAt    = "at"
	versionSeq   = "seq"
	versionNames = "names"
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

// appendSeq appends the sequence part of c's version as text.
func appendSeq(dst []byte, c *change) []byte {
	number := c.sequenceNumber
	dst = append(dst, streamLabel(c.streamARN)...)
	dst = append(dst, '/')
	// Sequence numbers have no fixed width: as texts they compare like numbers only after
	// padding.
	for range maxSequenceNumberDigits - len(number) {
		dst = append(dst, '0')
	}

	return append(dst, number...)
}
