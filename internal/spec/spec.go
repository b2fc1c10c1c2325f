// Package spec is what the construct tells the function: the key schemas and the
// mapping of every target table.
//
// The construct encodes a [Spec] into one environment variable of the function,
// the function parses it once at start. Both wings of the house link this
// package, so it imports nothing outside the standard library.
//
// The JSON field names are the Go field names. A path in a [Problem] is
// therefore the same whether the spec was written by hand, by the construct or
// read back by the function.
package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// DefaultVersionAttribute is the attribute that LAST_WRITER_WINS adds to every
// target item. The colon keeps it out of the way of an application's own names,
// like DynamoDB's own "aws:rep:" attributes.
const DefaultVersionAttribute = "replicatedtable:version"

// Spec describes one source table and the target tables that follow it.
type Spec struct {
	Source  Table
	Targets []Target
	// FailureQueueURL is where records go that can never be applied. At synthesis
	// it is a token.
	FailureQueueURL string
}

// Table is a table's name, at synthesis a token, and its primary key.
type Table struct {
	TableName string
	KeySchema
}

// Target describes one target table and the mapping that fills it.
type Target struct {
	Table
	// KeySources say what target key attributes are made of, by their name. One
	// without an entry is the source attribute of the same name.
	KeySources map[string]KeySource `json:",omitempty"`
	Projection Projection
	// Filter keeps the source items that meet it. Nil keeps all.
	Filter *Condition `json:",omitempty"`
	// OnKeyCollision is required when two source items could meet on one target
	// key, and refused when they cannot.
	OnKeyCollision OnKeyCollision `json:",omitempty"`
	// VersionAttribute names the attribute that carries an item's version.
	// Required under LAST_WRITER_WINS; on a unique mapping it turns the version
	// guard on. Empty otherwise.
	VersionAttribute string `json:",omitempty"`
	// ExpiredItems says what becomes of the target item when the source item was
	// deleted by its time to live. Empty deletes it, as any deletion does.
	ExpiredItems ExpiredItems `json:",omitempty"`
	// WriteBrakeDisabled sends refused items to the failure queue even when the table
	// refuses one after the other for a reason that does not lie in them.
	WriteBrakeDisabled bool `json:",omitempty"`
}

// KeySchema is the primary key of a table.
type KeySchema struct {
	PartitionKey Attribute
	SortKey      *Attribute `json:",omitempty"`
}

// Attributes lists the key attributes, partition key first.
func (k KeySchema) Attributes() []Attribute {
	if k.SortKey == nil {
		return []Attribute{k.PartitionKey}
	}
	return []Attribute{k.PartitionKey, *k.SortKey}
}

// find returns the key attribute called name.
func (k KeySchema) find(name string) (Attribute, bool) {
	for _, a := range k.Attributes() {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// Contains reports whether a key attribute is called name.
func (k KeySchema) Contains(name string) bool {
	_, ok := k.find(name)
	return ok
}

// Attribute is one key attribute.
type Attribute struct {
	Name string
	Type AttributeType
}

// AttributeType is the type of a key attribute.
type AttributeType string

// The three types DynamoDB allows in a primary key.
const (
	String AttributeType = "S"
	Number AttributeType = "N"
	Binary AttributeType = "B"
)

// Projection selects the attributes that a target item carries besides the key
// attributes of both tables, which it always carries.
type Projection struct {
	Type ProjectionType
	// Attributes are the names that INCLUDE adds or EXCLUDE leaves out.
	Attributes []string `json:",omitempty"`
	// Renames gives carried attributes, by their name in the source item, another
	// name in the target item.
	Renames map[string]string `json:",omitempty"`
}

// selects reports whether the attribute called name, which is no key attribute, is
// carried.
func (p Projection) selects(name string) bool {
	switch p.Type {
	case All:
		return true
	case Include:
		return slices.Contains(p.Attributes, name)
	case Exclude:
		return !slices.Contains(p.Attributes, name)
	default: // KEYS_ONLY, and what is no type
		return false
	}
}

// ProjectionType says how Projection.Attributes is read.
type ProjectionType string

// The projection types. All but EXCLUDE are those of a global secondary index.
const (
	All      ProjectionType = "ALL"
	KeysOnly ProjectionType = "KEYS_ONLY"
	Include  ProjectionType = "INCLUDE"
	Exclude  ProjectionType = "EXCLUDE"
)

// OnKeyCollision says which of two source items with one target key is kept.
type OnKeyCollision string

// LastWriterWins keeps the item whose change is the newest.
const LastWriterWins OnKeyCollision = "LAST_WRITER_WINS"

// ExpiredItems says what a deletion by time to live does to the target item.
type ExpiredItems string

// KeepExpired leaves the target item of an expired source item in place.
const KeepExpired ExpiredItems = "KEEP"

// MissingSourceKeys lists the source key attributes that the target key does
// not contain, neither as they are nor as a part of a composite. The mapping is
// unique when there are none: then two source items can never meet on one target
// key.
func (s Spec) MissingSourceKeys(t Target) []string {
	var missing []string
	for _, source := range s.Source.Attributes() {
		contains := func(a Attribute) bool { return t.KeySource(a.Name).contains(source.Name) }
		if !slices.ContainsFunc(t.Attributes(), contains) {
			missing = append(missing, source.Name)
		}
	}
	return missing
}

// Encode returns the spec as one line of JSON, with < > & left as they are so
// that the text is no longer than it must be.
func (s Spec) Encode() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(fmt.Sprintf("spec: a Spec holds only strings, encoding it cannot fail: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
