// Package mapping derives target items from source items: the filter, the target key and
// the projection of one target table. It is pure: values in, values out, without a clock,
// a log or a network.
//
// Each target has a [Mapping]. A [Mapper] applies it to an item of a payload and derives a
// [TargetItem], whose attributes [Mapping.AppendAttributes] and [Mapping.AppendKey] write
// as JSON. Attributes that are only carried are copied, never decoded.
package mapping
