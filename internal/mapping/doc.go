// Package mapping derives target items from source items: filter, target key and
// projection of one target table. It is pure: it takes values and returns values, and
// never looks at a clock, a log or a network.
//
// A [Mapping] is one target's. A [Mapper] applies it to an item of a payload and
// returns a [TargetItem]; the functions on that write its attributes as JSON. Attributes
// that are only carried are copied as they are, never decoded.
package mapping
