// Package partiql reads the PartiQL statements that the replicator sends, and no
// others: a test that meets another text must fail, not guess.
//
//	INSERT INTO "table" VALUE {'name':?,…}
//	UPDATE "table" SET "name"=? … REMOVE "name" … WHERE condition
//	DELETE FROM "table" WHERE condition
//
//	condition   = term { " AND " term }
//	term        = alternative | "(" alternative { " OR " alternative } ")"
//	alternative = path "=?" | path "<?" | path "='" text "'" | path " IS MISSING"
//	            | "contains(" path ",'" text "')"
//	path        = "\"name\"" { "." "\"name\"" }
//
// A quote in a name is doubled. There is one space between words, and none elsewhere.
package partiql

import (
	"fmt"
	"strings"
)

// Kind is what a statement does.
type Kind string

// The kinds of statements.
const (
	Insert Kind = "INSERT"
	Update Kind = "UPDATE"
	Delete Kind = "DELETE"
)

// Statement is one statement. Its parameters are in the order Set, then Where.
type Statement struct {
	Kind  Kind
	Table string
	// Set holds the attributes of an INSERT or of the SET clauses, one parameter each.
	Set []string
	// Remove holds the attributes of the REMOVE clauses.
	Remove []string
	// Where is the condition: all terms must hold.
	Where []Term
	// Parameters is the number of question marks.
	Parameters int
}

// Term holds when one of its alternatives does.
type Term []Alternative

// Alternative compares the value at a path.
type Alternative struct {
	Operator Operator
	Path     []string
	// Parameter is the number of the parameter of Equal and Less, Text that of EqualText and
	// Contains.
	Parameter int
	Text      string
}

// Operator is how an alternative compares.
type Operator string

// The operators.
const (
	Equal     Operator = "=?"
	Less      Operator = "<?"
	EqualText Operator = "='"
	Missing   Operator = " IS MISSING"
	Contains  Operator = "contains("
)

// Parse reads a statement.
func Parse(text string) (Statement, error) {
	p := &parser{rest: text}
	s := p.statement()
	if p.failed || p.rest != "" {
		return Statement{}, fmt.Errorf("partiql: the statement %.500q is not one that the replicator sends, at %.100q",
			text, p.rest)
	}
	s.Parameters = p.parameters

	return s, nil
}

// parser is a recursive descent. After a fault it reads nothing more.
type parser struct {
	rest       string
	parameters int
	failed     bool
}

// accept consumes a text if it is the next one.
func (p *parser) accept(text string) bool {
	if p.failed || !strings.HasPrefix(p.rest, text) {
		return false
	}
	p.rest = p.rest[len(text):]
	return true
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.failed = true
	}
}

func (p *parser) parameter() int {
	p.parameters++
	return p.parameters - 1
}

func (p *parser) statement() (s Statement) {
	switch {
	case p.accept("INSERT INTO "):
		s.Kind, s.Table = Insert, p.quoted('"')
		p.expect(" VALUE {")
		for n := 0; !p.failed && !p.accept("}"); n++ {
			if n > 0 {
				p.expect(",")
			}
			s.Set = append(s.Set, p.quoted('\''))
			p.expect(":?")
			p.parameter()
		}
		return s
	case p.accept("UPDATE "):
		s.Kind, s.Table = Update, p.quoted('"')
		for p.accept(" SET ") {
			s.Set = append(s.Set, p.quoted('"'))
			p.expect("=?")
			p.parameter()
		}
		for p.accept(" REMOVE ") {
			s.Remove = append(s.Remove, p.quoted('"'))
		}
		if len(s.Set) == 0 {
			p.failed = true
		}
	case p.accept("DELETE FROM "):
		s.Kind, s.Table = Delete, p.quoted('"')
	default:
		p.failed = true
	}

	p.expect(" WHERE ")
	s.Where = append(s.Where, p.term())
	for p.accept(" AND ") {
		s.Where = append(s.Where, p.term())
	}

	return s
}

func (p *parser) term() Term {
	if !p.accept("(") {
		return Term{p.alternative()}
	}
	t := Term{p.alternative()}
	for p.accept(" OR ") {
		t = append(t, p.alternative())
	}
	p.expect(")")

	return t
}

func (p *parser) alternative() (a Alternative) {
	if p.accept(string(Contains)) {
		a.Operator, a.Path = Contains, p.path()
		p.expect(",")
		a.Text = p.quoted('\'')
		p.expect(")")
		return a
	}

	a.Path = p.path()
	switch {
	case p.accept("=?"):
		a.Operator, a.Parameter = Equal, p.parameter()
	case p.accept("<?"):
		a.Operator, a.Parameter = Less, p.parameter()
	case p.accept("="):
		a.Operator, a.Text = EqualText, p.quoted('\'')
	case p.accept(" IS MISSING"):
		a.Operator = Missing
	default:
		p.failed = true
	}

	return a
}

func (p *parser) path() []string {
	path := []string{p.quoted('"')}
	for p.accept(".") {
		path = append(path, p.quoted('"'))
	}
	return path
}

// quoted reads a text between quotes, in which a quote is doubled.
func (p *parser) quoted(quote byte) string {
	mark := string(quote)
	p.expect(mark)
	var text strings.Builder
	for !p.failed {
		part, rest, found := strings.Cut(p.rest, mark)
		text.WriteString(part)
		p.rest, p.failed = rest, !found
		if !p.accept(mark) {
			break
		}
		text.WriteString(mark)
	}

	return text.String()
}
