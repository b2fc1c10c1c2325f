package mapping

import (
	"bytes"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
)

// Version is the version of a target item. It says which change the item shows. It has three
// parts:
//
//	at     the creation time of the change, in seconds: orders changes of different
//	       source items
//	seq    the stream label and the sequence number: orders changes of one source item
//	names  the fingerprint of the names of the item's attributes
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
type Version struct {
	// At is the creation time of the change as a number in JSON.
	At []byte
	// Label is the label of the change's stream. A stream that was disabled and enabled again
	// restarts its sequence numbers under a new label. Labels are ISO times, so they sort by age.
	Label []byte
	// Number is the sequence number of the change.
	Number []byte
	// Names is a Fingerprint.
	Names string
}

// The names of a version's parts in a map.
const (
	VersionAt    = "at"
	VersionSeq   = "seq"
	VersionNames = "names"
)

// MaxSequenceNumberDigits is the longest sequence number. Source: Amazon DynamoDB Streams
// API Reference, StreamRecord: 21 to 40 characters.
const MaxSequenceNumberDigits = 40

// LowestVersion is older than that of every change.
func LowestVersion() Version { return Version{At: []byte("0"), Label: []byte("0")} }

// AppendVersion appends a version as an attribute value of a target item.
func (m *Mapping) AppendVersion(dst []byte, v *Version) []byte {
	if !m.Collisions {
		dst = append(dst, `{"S":"`...)
		dst = v.AppendSeq(dst)
		dst = append(dst, '/')
		dst = append(dst, v.Names...)
		return append(dst, `"}`...)
	}

	dst = append(dst, `{"M":{"`+VersionAt+`":{"N":"`...)
	dst = append(dst, v.At...)
	dst = append(dst, `"},"`+VersionSeq+`":{"S":"`...)
	dst = v.AppendSeq(dst)
	dst = append(dst, `"},"`+VersionNames+`":{"S":"`...)
	dst = append(dst, v.Names...)

	return append(dst, `"}}}`...)
}

// AppendSeq appends the sequence part of a version as text.
func (v *Version) AppendSeq(dst []byte) []byte {
	dst = append(dst, v.Label...)
	dst = append(dst, '/')
	// Sequence numbers have no fixed width: as texts they compare like numbers only after
	// padding.
	for range MaxSequenceNumberDigits - len(v.Number) {
		dst = append(dst, '0')
	}

	return append(dst, v.Number...)
}

// ReadVersion reads an attribute value that AppendVersion has written, or an earlier release,
// whose versions have no names. ok is false for every other value, and for nil.
func (m *Mapping) ReadVersion(value []byte) (v Version, ok bool) {
	var names []byte
	seq := value
	if m.Collisions {
		typ, at, isScalar := dynamodbjson.Scalar(dynamodbjson.In(value, VersionAt))
		if !isScalar || string(typ) != "N" {
			return Version{}, false
		}
		v.At = at[1 : len(at)-1]
		seq = dynamodbjson.In(value, VersionSeq)
		if typ, text, isScalar := dynamodbjson.Scalar(dynamodbjson.In(value, VersionNames)); isScalar && string(typ) == "S" {
			names = text[1 : len(text)-1]
		}
	}

	typ, text, isScalar := dynamodbjson.Scalar(seq)
	if !isScalar || string(typ) != "S" {
		return Version{}, false
	}
	label, rest, found := bytes.Cut(text[1:len(text)-1], []byte("/"))
	if !found {
		return Version{}, false
	}
	number, suffix, found := bytes.Cut(rest, []byte("/"))
	if len(number) != MaxSequenceNumberDigits {
		return Version{}, false
	}
	if found && !m.Collisions {
		names = suffix
	}
	v.Label, v.Number, v.Names = label, number, string(names)

	return v, true
}
