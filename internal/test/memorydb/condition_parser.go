package memorydb

import (
	"slices"
	"strings"
)

// maxExpression is the longest condition expression, in bytes. Source: DynamoDB
// Developer Guide, "Quotas": 4 KB.
const maxExpression = 4096

// maxOperators is how many comparators, functions and keywords an expression may have. Source:
// DynamoDB Developer Guide, "Quotas": 300.
const maxOperators = 300

// parseCondition reads a condition expression.
func parseCondition(expression string) (*condition, error) {
	if strings.TrimSpace(expression) == "" {
		return nil, invalidCondition("The expression can not be empty;")
	}
	if len(expression) > maxExpression {
		return nil, invalidCondition("Expression size has exceeded the maximum allowed size; expression size: %d",
			len(expression))
	}

	p := &conditionParser{rest: expression}
	p.advance()
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.token != "" {
		return nil, p.syntaxError()
	}
	if p.operators > maxOperators {
		return nil, invalidCondition("The expression contains too many operators; operator count: %d", p.operators)
	}
	p.condition.root = root

	return &p.condition, nil
}

// conditionParser is a recursive descent with one token of look-ahead.
type conditionParser struct {
	condition condition
	rest      string
	token     string // the next one; empty at the end
	operators int
}

// advance reads the next token: a word with its leading # or :, a comparator, or
// one other character.
func (p *conditionParser) advance() {
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

func (p *conditionParser) syntaxError() error {
	if p.token == "" {
		return invalidCondition(`Syntax error; token: "<EOF>"`)
	}
	return invalidCondition("Syntax error; token: %q, near: %q", p.token, p.rest)
}

// accept consumes the next token when it is this one. Case does not matter.
func (p *conditionParser) accept(token string) bool {
	if !strings.EqualFold(p.token, token) {
		return false
	}
	p.advance()
	return true
}

func (p *conditionParser) expect(token string) error {
	if !p.accept(token) {
		return p.syntaxError()
	}
	return nil
}

func (p *conditionParser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.accept("OR") {
		var right node
		p.operators++
		right, err = p.and()
		left = or{left, right}
	}
	return left, err
}

func (p *conditionParser) and() (node, error) {
	left, err := p.not()
	for err == nil && p.accept("AND") {
		var right node
		p.operators++
		right, err = p.not()
		left = and{left, right}
	}
	return left, err
}

func (p *conditionParser) not() (node, error) {
	if p.accept("NOT") {
		p.operators++
		of, err := p.not()
		return not{of}, err
	}
	return p.term()
}

func (p *conditionParser) term() (node, error) {
	if p.accept("(") {
		return p.group()
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
	default:
		return p.comparison()
	}
}

func (p *conditionParser) group() (node, error) {
	of, err := p.or()
	if err != nil {
		return nil, err
	}
	if _, twice := of.(group); twice {
		return nil, invalidCondition("The expression has redundant parentheses;")
	}

	return group{of}, p.expect(")")
}

func (p *conditionParser) comparison() (node, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.operators++
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
func (p *conditionParser) operands(count int) ([]operand, error) {
	p.operators++
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

func (p *conditionParser) operand() (operand, error) {
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
		if !p.accept(".") {
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
