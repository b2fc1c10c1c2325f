package spec

// KeySchema is the primary key of a table.
type KeySchema struct {
	PartitionKey Attribute
	SortKey      *Attribute `json:",omitempty"`
}

// Attribute is one key attribute.
type Attribute struct {
	Name string
	Type AttributeType
}

// AttributeType is the type of a key attribute.
type AttributeType string

// The three types that DynamoDB allows in a primary key.
const (
	String AttributeType = "S"
	Number AttributeType = "N"
	Binary AttributeType = "B"
)

// Attributes lists the key attributes, partition key first.
func (k KeySchema) Attributes() []Attribute {
	if k.SortKey == nil {
		return []Attribute{k.PartitionKey}
	}
	return []Attribute{k.PartitionKey, *k.SortKey}
}

// Contains reports whether a key attribute is called name.
func (k KeySchema) Contains(name string) bool {
	_, ok := k.find(name)
	return ok
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
