package replicator

import (
	"slices"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/statement"
)

// A guarded write has a condition, and BatchWriteItem takes none. BatchExecuteStatement
// does: 25 statements in PartiQL, each with its own condition and its own answer. But
// PartiQL has no put. An UPDATE leaves exactly what a put would when it sets every attribute
// of the new item and removes those that the stored item has besides. Their names are not
// known for certain, only what they were by the stream's old images. So the version of an
// item carries a fingerprint of its attribute names, and the statement demands one of the
// fingerprints whose names it removes.
//
// A statement carries the common case only: the item is new, or it is an older state of the
// same source item with expected names. When it is refused, a read and the conditional
// PutItem decide.

// maxAccepted is the highest number of fingerprints that a statement accepts. An item whose
// chain had more sets of names is put by itself.
const maxAccepted = 4

// updateStatement returns the statement that replaces an older state of the same source item,
// which has the attribute names of one of the accepted shapes. It is "" when no statement can
// do that.
func (e *encoder) updateStatement(to *statement.Shape, accepted []*statement.Shape) string {
	var b strings.Builder
	b.WriteString("UPDATE " + statement.QuoteName(e.mapping.TableName))
	write := func(clause string, name []byte) bool {
		b.WriteString(clause)
		statement.WriteQuoted(&b, name, '"')
		return b.Len() <= statement.MaxBytes && !isPlaceholder(name)
	}

	for _, name := range to.Names {
		if e.mapping.IsKey(name) {
			continue
		}
		if !write(" SET ", name) {
			return ""
		}
		b.WriteString("=?")
	}
	if !write(" SET ", []byte(e.mapping.VersionAttribute)) {
		return ""
	}
	b.WriteString("=?")

	removed := map[string]bool{}
	for _, name := range to.Names {
		removed[string(name)] = true // it stays
	}
	for _, from := range accepted {
		for _, name := range from.Names {
			if removed[string(name)] {
				continue
			}
			if removed[string(name)] = true; !write(" REMOVE ", name) {
				return ""
			}
		}
	}

	b.WriteString(e.whereOwn + " AND " + e.versionSeq + "<? AND ")
	b.WriteString(e.namesCondition(accepted))

	return statement.Head(b.String())
}

// isPlaceholder reports whether DynamoDB takes a name for a placeholder in an UPDATE, and in a
// condition.
func isPlaceholder(name []byte) bool { return len(name) > 0 && (name[0] == '#' || name[0] == ':') }

// namesCondition returns the condition that the stored item has the attribute names of one of
// the shapes.
func (e *encoder) namesCondition(accepted []*statement.Shape) string {
	conditions := make([]string, len(accepted))
	version := statement.QuoteName(e.mapping.VersionAttribute)
	for i, s := range accepted {
		if e.mapping.Collisions {
			conditions[i] = version + "." + statement.QuoteName(mapping.VersionNames) + "='" + s.Fingerprint + "'"
		} else {
			conditions[i] = "contains(" + version + ",'/" + s.Fingerprint + "')"
		}
	}
	if len(conditions) == 1 {
		return conditions[0]
	}

	return "(" + strings.Join(conditions, " OR ") + ")"
}

// prepareStatements prepares the parts of statements that do not depend on an item. Where an
// owner is not part of the key, whereOwn demands it too.
func (e *encoder) prepareStatements() {
	m := e.mapping
	named := []string{m.VersionAttribute}
	for _, k := range slices.Concat(m.Key, m.SourceKey) {
		named = append(named, k.Name)
	}
	e.noStatements = slices.ContainsFunc(named, func(name string) bool { return isPlaceholder([]byte(name)) })
	for i, k := range m.Key {
		e.whereOwn += []string{" WHERE ", " AND "}[i] + statement.QuoteName(k.Name) + "=?"
	}
	e.versionSeq = statement.QuoteName(m.VersionAttribute)
	if m.Collisions {
		e.versionSeq += "." + statement.QuoteName(mapping.VersionSeq)
		for i, k := range m.SourceKey {
			if !m.IsKey([]byte(k.Name)) {
				e.owners = append(e.owners, i)
				e.whereOwn += " AND " + statement.QuoteName(k.Name) + "=?"
			}
		}
	}
	e.deleteStatement = statement.Head("DELETE FROM " + statement.QuoteName(m.TableName) + e.whereOwn +
		" AND (" + e.versionSeq + " IS MISSING OR " + e.versionSeq + "<?)")
}

// appendStatements appends the body of a BatchExecuteStatement call.
func (e *encoder) appendStatements(dst []byte, from *event, writes []write) []byte {
	dst = append(dst, `{"Statements":[`...)
	for i := range writes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.appendStatement(dst, from, &writes[i])
	}
	return append(dst, `]}`...)
}

// appendStatement appends one element of Statements. The parameters are in the order of the
// statement's text.
func (e *encoder) appendStatement(dst []byte, from *event, w *write) []byte {
	p := &from.payload
	if !w.put {
		dst = append(dst, e.deleteStatement...)
		dst = e.appendWhere(dst, from, w)
		return append(dst, `]}`...)
	}

	inserts := len(w.earlier) == 0
	dst = append(dst, w.statement...)
	start := len(dst)
	dst = e.mapping.AppendValues(dst, p, w.item, inserts)
	if len(dst) > start {
		dst = append(dst, ',')
	}
	dst = e.appendVersion(dst, w)
	if !inserts {
		dst = append(dst, ',')
		dst = e.appendWhere(dst, from, w)
	}

	return append(dst, `]}`...)
}

// appendWhere appends the parameters of the condition: the key, the owner, the version.
func (e *encoder) appendWhere(dst []byte, from *event, w *write) []byte {
	dst = e.mapping.AppendKeyValues(dst, w.item)
	for _, i := range e.owners {
		dst = append(dst, ',')
		dst = e.appendSourceKey(dst, from, w, i)
	}
	dst = append(dst, ',')

	return appendVersionSeq(dst, w.change)
}

// appendSourceKey appends the value of source key attribute number i of the write's owner.
func (e *encoder) appendSourceKey(dst []byte, from *event, w *write, i int) []byte {
	p := &from.payload
	return append(dst, p.Value(p.Find(w.change.keys, e.mapping.SourceKey[i].Name))...)
}
