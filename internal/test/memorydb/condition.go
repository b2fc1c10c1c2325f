package memorydb

import (
	"cmp"
	"slices"
	"strings"
)

// maxExpression is the longest condition expression, in bytes, from the
// developer guide, "Quotas": 4 KB.
const maxExpression = 4096

// A condition is a condition expression, read once and used for any number of
// requests: its placeholders are looked up in the arguments of each.
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
// Attribute names stand only as #placeholders: DynamoDB takes bare names too,
// except for some 570 reserved words, so nothing should be written with them.
// List elements, BETWEEN, IN and the other functions are refused as unknown.
type condition struct {
	root          node
	names, values []string // the placeholders in the expression, each once
}

// arguments are what one request gives its condition expression.
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

// in returns what the operand stands for; a path may lead to nothing.
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
	return o.value == "" && other.value == "" && slices.EqualFunc(o.path, other.path, func(x, y string) bool { return a.names[x] == a.names[y] })
}

// checkType refuses a value, not a path, of a type that is not one of types.
func (o operand) checkType(a *arguments, operator string, types ...string) error {
	if o.value == "" || slices.Contains(types, a.values[o.value].typ) {
		return nil
	}
	return invalidCondition("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", operator, a.values[o.value].typ)
}

func (n or) check(a *arguments) error    { return cmp.Or(n.left.check(a), n.right.check(a)) }
func (n and) check(a *arguments) error   { return cmp.Or(n.left.check(a), n.right.check(a)) }
func (n not) check(a *arguments) error   { return n.of.check(a) }
func (n group) check(a *arguments) error { return n.of.check(a) }

func (n comparison) check(a *arguments) error {
	if n.left.same(n.right, a) {
		return invalidCondition("The first operand must be distinct from the remaining operands for this operator or function; operator: %s", n.comparator)
	}
	if n.comparator == "=" || n.comparator == "<>" {
		return nil
	}
	return cmp.Or(
		n.left.checkType(a, n.comparator, "S", "N", "B"),
		n.right.checkType(a, n.comparator, "S", "N", "B"))
}

func (n exists) check(*arguments) error {
	if n.path.value != "" {
		return invalidCondition("Operator or function requires a document path; operator or function: attribute_exists or attribute_not_exists")
	}
	return nil
}

func (n beginsWith) check(a *arguments) error {
	if n.whole.same(n.start, a) {
		return invalidCondition("The first operand must be distinct from the remaining operands for this operator or function; operator: begins_with")
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
	default: // ">=", the last one that the parser lets through
		return order >= 0
	}
}

func (n beginsWith) holds(a *arguments) bool {
	whole, wholeFound := n.whole.in(a)
	start, startFound := n.start.in(a)
	return wholeFound && startFound && whole.typ == start.typ &&
		(whole.typ == "S" || whole.typ == "B") && strings.HasPrefix(whole.text, start.text)
}

// check refuses arguments that do not fit the expression.
func (c *condition) check(a *arguments) error {
	for _, name := range c.names {
		if _, defined := a.names[name]; !defined {
			return invalidCondition("An expression attribute name used in the document path is not defined; attribute name: %s", name)
		}
	}
	for _, v := range c.values {
		if _, defined := a.values[v]; !defined {
			return invalidCondition("An expression attribute value used in expression is not defined; attribute value: %s", v)
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

// parseCondition reads a condition expression.
func parseCondition(expression string) (*condition, error) {
	if strings.TrimSpace(expression) == "" {
		return nil, invalidCondition("The expression can not be empty;")
	}
	if len(expression) > maxExpression {
		return nil, invalidCondition("Expression size has exceeded the maximum allowed size; expression size: %d", len(expression))
	}
	p := &parser{rest: expression}
	p.advance()
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.token != "" {
		return nil, p.syntaxError()
	}
	p.condition.root = root
	return &p.condition, nil
}

// parser is a recursive descent with one token of look-ahead.
type parser struct {
	condition condition
	rest      string
	token     string // the next one; empty at the end
}

// advance takes the next token: a word with its leading # or :, a comparator, or
// one other character.
func (p *parser) advance() {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n\f")
	length := min(1, len(p.rest))
	switch {
	case p.rest == "":
	case strings.HasPrefix(p.rest, "<>"), strings.HasPrefix(p.rest, "<="), strings.HasPrefix(p.rest, ">="):
		length = 2
	case isWord(p.rest[0]) || p.rest[0] == '#' || p.rest[0] == ':':
		for length < len(p.rest) && isWord(p.rest[length]) {
			length++
		}
	}
	p.token, p.rest = p.rest[:length], p.rest[length:]
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func (p *parser) syntaxError() error {
	if p.token == "" {
		return invalidCondition(`Syntax error; token: "<EOF>"`)
	}
	return invalidCondition("Syntax error; token: %q, near: %q", p.token, p.rest)
}

// take consumes the next token when it is the given one. Keywords have no case.
func (p *parser) take(token string) bool {
	if !strings.EqualFold(p.token, token) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(token string) error {
	if !p.take(token) {
		return p.syntaxError()
	}
	return nil
}

func (p *parser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.take("OR") {
		var right node
		right, err = p.and()
		left = or{left, right}
	}
	return left, err
}

func (p *parser) and() (node, error) {
	left, err := p.not()
	for err == nil && p.take("AND") {
		var right node
		right, err = p.not()
		left = and{left, right}
	}
	return left, err
}

func (p *parser) not() (node, error) {
	if p.take("NOT") {
		of, err := p.not()
		return not{of}, err
	}
	return p.term()
}

func (p *parser) term() (node, error) {
	if p.take("(") {
		of, err := p.or()
		if err != nil {
			return nil, err
		}
		if _, twice := of.(group); twice {
			return nil, invalidCondition("The expression has redundant parentheses;")
		}
		return group{of}, p.expect(")")
	}
	switch function := p.token; function {
	case "attribute_exists", "attribute_not_exists":
		operands, err := p.operands(1)
		if err != nil {
			return nil, err
		}
		return exists{operands[0], function == "attribute_exists"}, nil
	case "begins_with":
		operands, err := p.operands(2)
		if err != nil {
			return nil, err
		}
		return beginsWith{operands[0], operands[1]}, nil
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	comparator := p.token
	switch comparator {
	case "=", "<>", "<", "<=", ">", ">=":
		p.advance()
	default:
		return nil, p.syntaxError()
	}
	right, err := p.operand()
	return comparison{comparator, left, right}, err
}

// operands reads a function's name and its operands.
func (p *parser) operands(count int) ([]operand, error) {
	p.advance()
	operands := make([]operand, count)
	for i := range operands {
		before := ","
		if i == 0 {
			before = "("
		}
		if err := p.expect(before); err != nil {
			return nil, err
		}
		var err error
		if operands[i], err = p.operand(); err != nil {
			return nil, err
		}
	}
	return operands, p.expect(")")
}

func (p *parser) operand() (operand, error) {
	if strings.HasPrefix(p.token, ":") && len(p.token) > 1 {
		o := operand{value: p.token}
		p.condition.values = addOnce(p.condition.values, p.token)
		p.advance()
		return o, nil
	}
	var o operand
	for {
		if !strings.HasPrefix(p.token, "#") || len(p.token) == 1 {
			return operand{}, p.syntaxError()
		}
		o.path = append(o.path, p.token)
		p.condition.names = addOnce(p.condition.names, p.token)
		p.advance()
		if !p.take(".") {
			return o, nil
		}
	}
}

func addOnce(list []string, element string) []string {
	if slices.Contains(list, element) {
		return list
	}
	return append(list, element)
}
