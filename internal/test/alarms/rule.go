package alarms

import (
	"fmt"
	"regexp"
)

// rule is the rule of a composite alarm.
type rule struct {
	// alarms are the names or ARNs of the alarms that it looks at.
	alarms []string
	holds  func(state func(alarm string) State) bool
}

// token is a piece of a rule: an operand with its alarm, an operator or a parenthesis.
var token = regexp.MustCompile(`^\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\(\s*("[^"]*"|'[^']*'|[^\s()"']+)\s*\)|(TRUE|FALSE|AND|OR|NOT|\(|\)))`)

// parser reads a rule from left to right. NOT binds more than AND, and AND more than OR.
type parser struct {
	rest   string
	alarms []string
	err    error

	// The present token; both are empty at the end.
	word, alarm string
}

type predicate func(state func(alarm string) State) bool

func parseRule(text string) (*rule, error) {
	p := &parser{rest: text}
	p.next()
	holds := p.or()
	if p.err == nil && p.word != "" {
		p.err = fmt.Errorf("the rule goes on after its end: %s%s", p.word, p.rest)
	}
	if p.err != nil {
		return nil, fmt.Errorf("%q: %w", text, p.err)
	}
	return &rule{p.alarms, holds}, nil
}

func (p *parser) next() {
	found := token.FindStringSubmatch(p.rest)
	if found == nil {
		if regexp.MustCompile(`\S`).MatchString(p.rest) && p.err == nil {
			p.err = fmt.Errorf("%q is not known here", p.rest)
		}
		p.word, p.alarm = "", ""
		return
	}
	p.rest = p.rest[len(found[0]):]
	p.word, p.alarm = found[1]+found[3], found[2]
	if n := len(p.alarm); n > 1 && (p.alarm[0] == '"' || p.alarm[0] == '\'') {
		p.alarm = p.alarm[1 : n-1]
	}
}

func (p *parser) or() predicate {
	left := p.and()
	for p.word == "OR" {
		p.next()
		a, b := left, p.and()
		left = func(s func(string) State) bool { return a(s) || b(s) }
	}
	return left
}

func (p *parser) and() predicate {
	left := p.not()
	for p.word == "AND" {
		p.next()
		a, b := left, p.not()
		left = func(s func(string) State) bool { return a(s) && b(s) }
	}
	return left
}

func (p *parser) not() predicate {
	if p.word == "NOT" {
		p.next()
		a := p.not()
		return func(s func(string) State) bool { return !a(s) }
	}
	return p.operand()
}

func (p *parser) operand() predicate {
	word, alarm := p.word, p.alarm
	switch word {
	case "TRUE", "FALSE":
		p.next()
		return func(func(string) State) bool { return word == "TRUE" }
	case string(Alarm), string(OK), string(InsufficientData):
		p.alarms = append(p.alarms, alarm)
		p.next()
		return func(s func(string) State) bool { return s(alarm) == State(word) }
	case "(":
		p.next()
		inner := p.or()
		if p.word != ")" && p.err == nil {
			p.err = fmt.Errorf("a parenthesis stays open before %q", p.word)
		}
		p.next()
		return inner
	default:
		if p.err == nil {
			p.err = fmt.Errorf("an operand is missing before %q", p.word)
		}
		return func(func(string) State) bool { return false }
	}
}
