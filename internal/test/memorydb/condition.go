package memorydb

import (
	"cmp"
	"slices"
	"strings"
)

// A condition is a condition expression. It is parsed once and used for any number
// of requests: each brings the arguments for its placeholders.
//
//	or         = and { OR and }
//	and        = not { AND not }
//	not        = term | NOT not
//	term       = operand comparator operand | function | "(" or ")"
//	function   = attribute_exists(path) | attribute_not_exists(path) | begins_with(path, operand)
//	comparator = "=" | "<>" | "<" | "<=" | ">" | ">="
//	operand    = path | :value
//	path       = #name { "." #name }
//
// Attribute names appear only as #placeholders. DynamoDB accepts bare names too,
// except for some 570 reserved words, so an expression should not rely on them.
// List elements, BETWEEN, IN and the other functions are refused as unknown.
type condition struct {
	root          node
	names, values []string // the placeholders in the expression, each once
}

// arguments are the values of a condition's placeholders in one request.
type arguments struct {
	names  map[string]string
	values map[string]value
	// item is the item as it is, empty when there is none.
	item attributes
}

// node is a part of a condition expression.
type node interface {
	// check refuses operands that DynamoDB refuses whatever the item is.
	check(a *arguments) error
	holds(a *arguments) bool
}

type (
	// or holds when one of its nodes does.
	or struct{ left, right node }
	// and holds when both of its nodes do.
	and struct{ left, right node }
	// not holds when its node does not.
	not struct{ of node }
	// group is a node in parentheses.
	group struct{ of node }
	// comparison compares two operands.
	comparison struct {
		comparator  string
		left, right operand
	}
	// exists is attribute_exists or attribute_not_exists.
	exists struct {
		path operand
		want bool
	}
	// beginsWith compares the start of a string or binary.
	beginsWith struct{ whole, start operand }
)

// operand is a path of name placeholders, or one value placeholder.
type operand struct {
	path  []string
	value string
}

// in returns the operand's value. A path may lead to nothing.
func (o operand) in(a *arguments) (*value, bool) {
	if o.value != "" {
		v := a.values[o.value]
		return &v, true
	}
	members := a.item
	for i, name := range o.path {
		v, found := members.find(a.names[name])
		if !found || i == len(o.path)-1 {
			return v, found
		}
		members = v.members
	}
	return nil, false
}

// same reports whether two operands are the same path.
func (o operand) same(other operand, a *arguments) bool {
	return o.value == "" && other.value == "" &&
		slices.EqualFunc(o.path, other.path, func(x, y string) bool { return a.names[x] == a.names[y] })
}

// checkType refuses a value, not a path, of a type that is not one of types.
func (o operand) checkType(a *arguments, operator string, types ...string) error {
	if o.value == "" || slices.Contains(types, a.values[o.value].typ) {
		return nil
	}

	return invalidCondition("Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
		operator, a.values[o.value].typ)
}

func (n or) check(a *arguments) error    { return cmp.Or(n.left.check(a), n.right.check(a)) }
func (n and) check(a *arguments) error   { return cmp.Or(n.left.check(a), n.right.check(a)) }
func (n not) check(a *arguments) error   { return n.of.check(a) }
func (n group) check(a *arguments) error { return n.of.check(a) }

func (n comparison) check(a *arguments) error {
	if n.left.same(n.right, a) {
		return sameOperands(n.comparator)
	}
	if n.comparator == "=" || n.comparator == "<>" {
		return nil
	}

	return cmp.Or(
		n.left.checkType(a, n.comparator, "S", "N", "B"),
		n.right.checkType(a, n.comparator, "S", "N", "B"))
}

func sameOperands(operator string) error {
	return invalidCondition("The first operand must be distinct from the remaining operands "+
		"for this operator or function; operator: %s", operator)
}

func (n exists) check(*arguments) error {
	if n.path.value != "" {
		return invalidCondition("Operator or function requires a document path; " +
			"operator or function: attribute_exists or attribute_not_exists")
	}

	return nil
}

func (n beginsWith) check(a *arguments) error {
	if n.whole.same(n.start, a) {
		return sameOperands("begins_with")
	}

	return cmp.Or(
		n.whole.checkType(a, "begins_with", "S", "B"),
		n.start.checkType(a, "begins_with", "S", "B"))
}

func (n or) holds(a *arguments) bool     { return n.left.holds(a) || n.right.holds(a) }
func (n and) holds(a *arguments) bool    { return n.left.holds(a) && n.right.holds(a) }
func (n not) holds(a *arguments) bool    { return !n.of.holds(a) }
func (n group) holds(a *arguments) bool  { return n.of.holds(a) }
func (n exists) holds(a *arguments) bool { _, found := n.path.in(a); return found == n.want }

// holds is false for a path that leads to nothing and for values of different
// types, except that these are unequal.
func (n comparison) holds(a *arguments) bool {
	left, leftFound := n.left.in(a)
	right, rightFound := n.right.in(a)
	if !leftFound || !rightFound || left.typ != right.typ {
		return n.comparator == "<>"
	}

	switch n.comparator {
	case "=":
		return left.equal(*right)
	case "<>":
		return !left.equal(*right)
	}
	if left.typ != "S" && left.typ != "N" && left.typ != "B" {
		return false
	}

	order := left.compare(*right)
	switch n.comparator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default: // ">=", the last comparator of the grammar
		return order >= 0
	}
}

func (n beginsWith) holds(a *arguments) bool {
	whole, wholeFound := n.whole.in(a)
	start, startFound := n.start.in(a)

	return wholeFound && startFound && whole.typ == start.typ &&
		(whole.typ == "S" || whole.typ == "B") && strings.HasPrefix(whole.text, start.text)
}

// check refuses undefined placeholders, unused arguments and wrong operands.
func (c *condition) check(a *arguments) error {
	for _, name := range c.names {
		if _, defined := a.names[name]; !defined {
			return invalidCondition("An expression attribute name used in the document path is not defined; "+
				"attribute name: %s", name)
		}
	}
	for _, v := range c.values {
		if _, defined := a.values[v]; !defined {
			return invalidCondition("An expression attribute value used in expression is not defined; "+
				"attribute value: %s", v)
		}
	}
	for name := range a.names {
		if !slices.Contains(c.names, name) {
			return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", name)
		}
	}
	for v := range a.values {
		if !slices.Contains(c.values, v) {
			return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", v)
		}
	}

	return c.root.check(a)
}

func invalidCondition(format string, arguments ...any) error {
	return invalid("Invalid ConditionExpression: "+format, arguments...)
}
