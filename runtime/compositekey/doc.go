// Package compositekey joins and splits the key values that a ReplicatedTable
// composes from several attributes, for code that reads the target table.
//
// A target key attribute whose source is KeySource_Composite("#", "city", "email")
// holds "Albany#ann@example.com". [Join] makes the value for a GetItem, [Prefix] the
// value for a begins_with in a Query, and [Split] returns the parts of a value that
// was read.
//
// The separator stands between the parts. A backslash stands before every separator
// and every backslash inside a part, so different parts never make the same value.
//
// Parts are texts. The text of a string is the string itself; [Number] and [Binary]
// return those of the other types. A part of one item and a part of another with the
// same text but different types make the same value.
//
// The package imports the standard library only.
package compositekey
