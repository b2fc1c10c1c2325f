// Package dynamodbjson reads the JSON of DynamoDB's items byte by byte, without a copy
// and without garbage. It is the only JSON reader of the hot path.
//
// A [Reader] walks over a [Payload] and finds the [Item]s in it. It keeps the positions of
// an item's members; their values stay in the text. The functions on single attribute
// values decode the ones that a key or a condition needs.
//
// It imports nothing outside the standard library.
package dynamodbjson
