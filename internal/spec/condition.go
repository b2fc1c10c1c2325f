package spec

// Condition is a condition on an item: either an operator on one attribute, or several
// conditions of which all or any must hold.
type Condition struct {
	All []Condition `json:",omitempty"`
	Any []Condition `json:",omitempty"`

	// Path names a top-level attribute, then members of nested maps.
	Path     []string `json:",omitempty"`
	Operator Operator `json:",omitempty"`
	// Values is one value for EQUALS, NOT_EQUALS and BEGINS_WITH, at least one for IN,
	// none for EXISTS.
	Values []Value `json:",omitempty"`
}

// Operator compares one attribute with values.
type Operator string

const (
	// Equals holds when the attribute has the type and the value.
	Equals Operator = "EQUALS"
	// NotEquals holds when Equals does not: also when the item lacks the attribute.
	NotEquals Operator = "NOT_EQUALS"
	// In holds when Equals holds for one of the values.
	In Operator = "IN"
	// Exists holds when the item has the attribute, with any type, NULL included.
	Exists Operator = "EXISTS"
	// BeginsWith holds when the attribute is a string that begins with the value.
	BeginsWith Operator = "BEGINS_WITH"
)

// Value is what an attribute is compared with.
type Value struct {
	// Type is S, N or BOOL.
	Type string
	// Text is the string, the decimal number, or true or false.
	Text string
}
