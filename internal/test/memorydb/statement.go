package memorydb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/test/partiql"
)

// Limits of one BatchExecuteStatement call. Source: DynamoDB API Reference,
// BatchExecuteStatement and BatchStatementRequest.
const (
	maxStatements = 25
	maxStatement  = 8192
)

// The codes of a statement's own error. Source: DynamoDB API Reference,
// BatchStatementError.
const (
	validationError        = "ValidationError"
	conditionalCheckFailed = "ConditionalCheckFailed"
	duplicateItem          = "DuplicateItem"
	resourceNotFound       = "ResourceNotFound"
)

// statement is one element of Statements.
type statement struct {
	text       string
	parsed     partiql.Statement
	parameters []value
}

// planned is a statement after the checks that do not depend on the item.
type planned struct {
	statement

	table    *table
	identity string
	key      attributes
	// err is the statement's own error.
	err *refusal
	// units are the write units that the statement has used. A refused condition uses those of
	// the item as it is.
	units int
}

// batchExecuteStatement carries out statements, each by itself. Like DynamoDB, it refuses the
// whole call for a value that no table takes, and for one key twice.
func (db *DB) batchExecuteStatement(request []byte) ([]byte, error) {
	var (
		statements []statement
		c          consumption
	)
	err := decode(request, c.with(members{"Statements": func(v any) (err error) {
		statements, err = readStatements(v)
		return err
	}}))
	if err != nil {
		return nil, err
	}
	if len(statements) == 0 || len(statements) > maxStatements {
		return nil, invalid("The call has %d statements, not 1 to %d", len(statements), maxStatements)
	}

	plans := make([]planned, len(statements))
	identities := map[string]bool{}
	for i, s := range statements {
		if len(s.text) > maxStatement {
			return nil, invalid("Member must have length less than or equal to %d", maxStatement)
		}
		if plans[i], err = db.planStatement(s); err != nil {
			return nil, err
		}
		if id := s.parsed.Table + "\x00" + plans[i].identity; plans[i].err == nil {
			if identities[id] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			identities[id] = true
		}
	}

	answers := make([]string, len(plans))
	var used []consumed
	for i := range plans {
		answers[i] = plans[i].answer()
		if plans[i].units > 0 {
			used = append(used, consumed{table: plans[i].parsed.Table, units: float64(plans[i].units)})
		}
	}

	return answer(fmt.Sprintf(`"Responses":[%s]`, strings.Join(answers, ",")), c.list(used)), nil
}

func readStatements(v any) ([]statement, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, malformed("Statements is not a list")
	}
	statements := make([]statement, len(list))
	for i, v := range list {
		s := &statements[i]
		err := members{"Statement": &s.text, "Parameters": func(v any) (err error) {
			s.parameters, err = readElements(v, func(e any) (value, error) { return readValue(e, 1) })
			return err
		}}.read(v)
		if err != nil {
			return nil, err
		}
	}

	return statements, nil
}

// planStatement finds the item of a statement. A statement that the replicator does not send
// ends the request without an answer: a refusal could be handled without a trace.
func (db *DB) planStatement(s statement) (planned, error) {
	parsed, err := db.parsedStatement(s.text)
	if err != nil {
		return planned{}, err
	}
	s.parsed = parsed
	p := planned{statement: s}
	if len(s.parameters) != parsed.Parameters {
		p.err = refuse(validationError, "Number of parameters in request and statement don't match.")
		return p, nil
	}
	if p.table = db.tables[parsed.Table]; p.table == nil {
		p.err = refuse(resourceNotFound, "Cannot do operations on a non-existent table")
		return p, nil
	}

	p.findKey()
	return p, nil
}

// parsedStatement parses a statement once.
func (db *DB) parsedStatement(text string) (partiql.Statement, error) {
	if parsed, found := db.statements[text]; found {
		return parsed, nil
	}
	parsed, err := partiql.Parse(text)
	if err == nil {
		db.statements[text] = parsed
	}

	return parsed, err
}

// findKey sets the key of the statement's item, or the statement's error.
func (p *planned) findKey() {
	for _, k := range p.table.keys {
		found := -1
		for i, name := range p.parsed.Set {
			if name == k.name && p.parsed.Kind == partiql.Insert {
				found = i
			}
		}
		for _, term := range p.parsed.Where {
			if a := term[0]; len(term) == 1 && a.Operator == partiql.Equal && len(a.Path) == 1 && a.Path[0] == k.name {
				found = a.Parameter
			}
		}
		if found < 0 {
			p.err = refuse(validationError, "Where clause does not contain a mandatory equality on all key attributes")
			return
		}
		p.key = p.key.with(k.name, p.parameters[found])
	}

	identity, err := p.table.checkKey(p.key)
	if err != nil {
		p.err = ofStatement(err)
	}
	p.identity = identity
}

// ofStatement returns the refusal of an item as that of its statement.
func ofStatement(err error) *refusal {
	if of := (*refusal)(nil); errors.As(err, &of) {
		return refuse(validationError, "%s", of.message)
	}
	return refuse(validationError, "%v", err)
}

// answer carries out the statement and returns its element of Responses.
func (p *planned) answer() string {
	if p.err == nil {
		p.err = p.execute()
	}
	if p.err == nil {
		return fmt.Sprintf(`{"TableName":%s}`, appendQuoted(nil, p.parsed.Table))
	}
	return fmt.Sprintf(`{"Error":{"Code":%s,"Message":%s},"TableName":%s}`, appendQuoted(nil, p.err.code),
		appendQuoted(nil, p.err.message), appendQuoted(nil, p.parsed.Table))
}

func (p *planned) execute() *refusal {
	stored, exists := p.table.items[p.identity]
	switch {
	case p.parsed.Kind == partiql.Delete && !exists:
		p.units = units(0, writeUnit)
		return nil // as DynamoDB Local does: nothing to delete is no error
	case p.parsed.Kind == partiql.Delete:
		if !p.holds(stored.attributes) {
			p.units = units(stored.size, writeUnit)
			return refuse(conditionalCheckFailed, "The conditional request failed")
		}
		p.units = write{table: p.table, identity: p.identity}.apply()
		return nil
	case p.parsed.Kind == partiql.Insert:
		return p.put(p.assembled(nil), exists, duplicateItem, "Duplicate primary key exists in table")
	default:
		refused := !exists || !p.holds(stored.attributes)
		return p.put(p.assembled(stored.attributes), refused, conditionalCheckFailed, "The conditional request failed")
	}
}

// put stores an item, unless it is not valid or is refused.
func (p *planned) put(put attributes, refused bool, code, why string) *refusal {
	if refused {
		p.units = units(p.table.items[p.identity].size, writeUnit)
		return refuse(code, "%s", why)
	}
	w, err := p.table.checkPut(put)
	switch {
	case err != nil:
		return ofStatement(err)
	case w.identity != p.identity:
		return refuse(validationError, "This attribute is part of the key")
	}
	p.units = w.apply()

	return nil
}

// assembled returns an item with the statement's changes.
func (p *planned) assembled(item attributes) attributes {
	for i, name := range p.parsed.Set {
		item = item.with(name, p.parameters[i])
	}
	for _, name := range p.parsed.Remove {
		item = item.without(name)
	}
	return item
}

// holds reports whether an item meets the statement's condition.
func (p *planned) holds(item attributes) bool {
	for _, term := range p.parsed.Where {
		met := false
		for _, a := range term {
			met = met || p.alternativeHolds(a, item)
		}
		if !met {
			return false
		}
	}
	return true
}

func (p *planned) alternativeHolds(a partiql.Alternative, item attributes) bool {
	v, found := at(item, a.Path)
	switch a.Operator {
	case partiql.Missing:
		return !found
	case partiql.Equal:
		return found && v.equal(p.parameters[a.Parameter])
	case partiql.Less:
		than := p.parameters[a.Parameter]
		return found && v.typ == than.typ && slices.Contains([]string{"S", "N", "B"}, v.typ) && v.compare(than) < 0
	case partiql.EqualText:
		return found && v.typ == "S" && v.text == a.Text
	case partiql.Contains:
		return found && v.typ == "S" && strings.Contains(v.text, a.Text)
	default:
		panic("memorydb: an unknown operator of package partiql")
	}
}

// at returns the value at a path.
func at(item attributes, path []string) (*value, bool) {
	v, found := item.find(path[0])
	for _, name := range path[1:] {
		if !found {
			return nil, false
		}
		v, found = v.members.find(name)
	}
	return v, found
}
