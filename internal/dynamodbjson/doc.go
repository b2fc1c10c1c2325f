// Package dynamodbjson reads the JSON of DynamoDB's items byte by byte, without a copy
// and without garbage. It is the only JSON reader of the hot path.
//
// A [Reader] walks over a [Payload] and finds the [Item]s in it. What it keeps of an
// item are the positions of its members; the values stay where they are in the text.
// The functions on single attribute values decode what a key or a condition needs.
//
// It imports nothing outside the standard library.
package dynamodbjson
