// Package statement writes the PartiQL statements of BatchExecuteStatement. Its values are
// parameters, so a statement depends only on attribute names: items with the same names share
// one, and [Shapes] keeps them.
package statement

import (
	"bytes"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// The limits of BatchExecuteStatement. Source: Amazon DynamoDB API Reference,
// BatchExecuteStatement and BatchStatementRequest. The limit of a statement is in
// characters; bytes are never fewer.
const (
	MaxPerCall = 25
	MaxBytes   = 8192
)

// Insert returns the statement that puts an item with these attribute names where there is none,
// and with the version where the mapping has one. It is "" when it is too long.
func Insert(m *mapping.Mapping, names [][]byte) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + QuoteName(m.TableName) + " VALUE {")
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		WriteQuoted(&b, name, '\'')
		b.WriteString(":?")
		if b.Len() > MaxBytes {
			return ""
		}
	}
	if m.VersionAttribute != "" {
		b.WriteByte(',')
		WriteQuoted(&b, []byte(m.VersionAttribute), '\'')
		b.WriteString(":?")
	}
	b.WriteByte('}')

	return Head(b.String())
}

// Head returns a statement as the beginning of an element of Statements, up to its
// parameters. It is "" when the statement is too long.
func Head(text string) string {
	if len(text) > MaxBytes {
		return ""
	}
	return `{"Statement":` + dynamodbjson.Quote(text) + `,"Parameters":[`
}

// QuoteName returns a name in double quotes, as PartiQL writes one.
func QuoteName(name string) string {
	var b strings.Builder
	WriteQuoted(&b, []byte(name), '"')
	return b.String()
}

// WriteQuoted writes a name between quotes. A quote inside of it is doubled.
func WriteQuoted(b *strings.Builder, name []byte, quote byte) {
	b.WriteByte(quote)
	for {
		part, rest, found := bytes.Cut(name, []byte{quote})
		b.Write(part)
		if !found {
			break
		}
		b.WriteByte(quote)
		b.WriteByte(quote)
		name = rest
	}
	b.WriteByte(quote)
}
