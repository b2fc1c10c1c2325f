package mapping

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// The sizes of the longest key values. Source: Amazon DynamoDB Developer Guide, "Quotas",
// partition keys and sort keys.
const (
	MaxPartitionKeyBytes = 2048
	MaxSortKeyBytes      = 1024
)

// KeyAttribute is one attribute of a key schema, with the rules for its value.
type KeyAttribute struct {
	Name string
	Type spec.AttributeType

	maxBytes int
	// parts are the paths to the attributes of a source item that the value is derived
	// from. Several parts are joined into a composite.
	parts [][]string
	// derived says that the value is not that of the source attribute of the same name.
	derived bool
	// separator joins the parts of a composite; escaped are the characters that are escaped
	// in them.
	separator, escaped string
	// name is Name, head the name as JSON, with the colon.
	name []byte
	head string
}

// SourceKey returns the key attributes of a source table.
func SourceKey(k spec.KeySchema) []KeyAttribute { return keyAttributes(k, spec.Target{}.KeySource) }

// keyAttributes returns the key attributes of k. sourceOf returns the source of each.
func keyAttributes(k spec.KeySchema, sourceOf func(name string) spec.KeySource) []KeyAttribute {
	var attributes []KeyAttribute
	for i, a := range k.Attributes() {
		source := sourceOf(a.Name)
		attributes = append(attributes, KeyAttribute{
			Name:      a.Name,
			Type:      a.Type,
			maxBytes:  [...]int{MaxPartitionKeyBytes, MaxSortKeyBytes}[i],
			parts:     source.Parts,
			derived:   len(source.Parts) != 1 || !slices.Equal(source.Parts[0], []string{a.Name}),
			separator: source.Separator,
			escaped:   source.Separator + spec.Escape,
			name:      []byte(a.Name),
			head:      dynamodbjson.Quote(a.Name) + ":",
		})
	}

	return attributes
}

// AppendIdentity appends the identity of value, an attribute value as JSON. Two values
// have the same identity exactly when they are the same key for DynamoDB (1, 1.0 and 1e0
// are one number). The identity includes its own length, so that identities of several
// attributes can follow each other without ambiguity.
//
// A value of another type, an empty value, or one over the limit is an error: a key cannot
// hold it. Mapper.Map has counted empty values of a target key as absent before.
func (k *KeyAttribute) AppendIdentity(dst, value []byte) ([]byte, error) {
	typ, text, ok := dynamodbjson.Scalar(value)
	if !ok || string(typ) != string(k.Type) {
		return dst, fmt.Errorf("key attribute %q has type %s, the key schema says %s",
			k.Name, dynamodbjson.DescribeType(typ), k.Type)
	}

	// The length is known only after the text is decoded: its bytes come first and are
	// written last.
	const lengthBytes = 4
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)

	var err error
	switch k.Type {
	case spec.String:
		dst, err = dynamodbjson.AppendUnquoted(dst, text)
	case spec.Binary:
		dst, err = dynamodbjson.AppendBinary(dst, text)
	case spec.Number:
		dst, err = dynamodbjson.AppendCanonicalNumber(dst, text)
	default:
		err = fmt.Errorf("the key schema has the unknown type %q", k.Type)
	}
	if err != nil {
		return dst[:at], fmt.Errorf("key attribute %q of type %s cannot be read: %w", k.Name, k.Type, err)
	}

	n := len(dst) - at - lengthBytes
	switch {
	case n == 0 && k.Type != spec.Number:
		return dst[:at], fmt.Errorf("key attribute %q is empty: a key value has at least 1 byte", k.Name)
	case n > k.maxBytes:
		return dst[:at], fmt.Errorf("key attribute %q has %d bytes: this key holds at most %d", k.Name, n, k.maxBytes)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(n)) // #nosec G115 -- n is at most MaxPartitionKeyBytes

	return dst, nil
}

// isAbsent reports whether a value counts as absent in the key attribute or one of its
// parts: object mappers write NULL or an empty value for "none". In a composite an empty
// value is a part like any other.
func (k *KeyAttribute) isAbsent(value []byte) bool {
	return dynamodbjson.IsNull(value) || len(k.parts) == 1 && dynamodbjson.IsEmpty(value)
}

// Identify appends the identity of an item by its key attributes. It is an error when one is missing
// or cannot be a key value.
func Identify(dst []byte, key []KeyAttribute, p *dynamodbjson.Payload, item dynamodbjson.Item) ([]byte, error) {
	for i := range key {
		m := p.Find(item, key[i].Name)
		if m == nil {
			return dst, fmt.Errorf("it has no key attribute %q", key[i].Name)
		}
		var err error
		if dst, err = key[i].AppendIdentity(dst, p.Value(m)); err != nil {
			return dst, err
		}
	}

	return dst, nil
}

// AppendKeyOf appends the key attributes of an item that has them all, as the members of a JSON object
// without its braces.
func AppendKeyOf(dst []byte, key []KeyAttribute, p *dynamodbjson.Payload, item dynamodbjson.Item) []byte {
	start := len(dst)
	for i := range key {
		dst = appendMember(dst, start, key[i].head, p.Value(p.Find(item, key[i].Name)))
	}
	return dst
}
