package replicator

import (
	"fmt"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// The fixed parts of a BatchWriteItem body around each item or key.
const (
	putHead     = `{"PutRequest":{"Item":{`
	deleteHead  = `{"DeleteRequest":{"Key":{`
	requestTail = `}}}`
	batchTail   = `]}}`
)

// encoder builds the request bodies of one mapping from pieces of the payload. It prepares
// the parts that do not depend on an item once.
type encoder struct {
	mapping   *mapping.Mapping
	batchHead string // BatchWriteItem, up to the first write
	put       string // PutItem, up to the condition's values
	delete    string // DeleteItem, up to the condition's values
	version   string // the version attribute's name as JSON

	shapes          *shapes
	whereOwn        string // the beginning of a statement's condition: the key and the owner
	versionSeq      string // the path of the version's sequence part in a statement
	deleteStatement string
	// noStatements says that a key or the version has a name that no statement can have.
	noStatements bool
	owners       []int  // the numbers of the source key attributes in whereOwn
	readHead     string // BatchGetItem, up to the first key
	readTail     string
}

func newEncoder(m *mapping.Mapping) *encoder {
	e := &encoder{
		mapping:   m,
		batchHead: fmt.Sprintf(`{"RequestItems":{%s:[`, dynamodbjson.Quote(m.TableName)),
	}
	if e.guarded() {
		e.shapes = newShapes(e)
		e.prepareConditions()
		e.prepareStatements()
		e.prepareRead()
	}
	return e
}

// guarded reports whether every write has a condition.
func (e *encoder) guarded() bool { return e.mapping.VersionAttribute != "" }

// prepareConditions prepares the conditions of guarded writes. mapping.Version defines versions
// and says which part of one decides.
//
// A put wins over an absent item, an item without a version, an older item of the same
// source item, and an older item of another source item. A delete wins only over an item of
// the same source item that is older or has no version.
func (e *encoder) prepareConditions() {
	m, quote := e.mapping, dynamodbjson.Quote
	names := fmt.Sprintf(`"#v":%s`, quote(m.VersionAttribute))
	seq := "#v"
	if m.Collisions {
		names += fmt.Sprintf(`,"#seq":%s`, quote(mapping.VersionSeq))
		seq = "#v.#seq"
	}

	older := fmt.Sprintf("attribute_not_exists(%s) OR %s < :seq", seq, seq)
	put, putNames := older, names
	remove, removeNames := older, names
	if m.Collisions {
		owner := ""
		for i, k := range m.SourceKey {
			if i > 0 {
				owner += " AND "
			}
			owner += fmt.Sprintf("#o%d = :o%d", i, i)
			removeNames += fmt.Sprintf(`,"#o%d":%s`, i, quote(k.Name))
		}
		putNames = removeNames + fmt.Sprintf(`,"#at":%s`, quote(mapping.VersionAt))
		remove = fmt.Sprintf("%s AND (%s)", owner, older)
		put = fmt.Sprintf("attribute_not_exists(%s) OR (%s AND %s < :seq)"+
			" OR (NOT (%s) AND (#v.#at < :at OR (#v.#at = :at AND %s < :seq)))", seq, owner, seq, owner, seq)
	}

	const head = `{"TableName":%s,"ConditionExpression":%s,` +
		`"ExpressionAttributeNames":{%s},"ExpressionAttributeValues":{`
	table := quote(m.TableName)
	e.put = fmt.Sprintf(head, table, quote(put), putNames)
	e.delete = fmt.Sprintf(head, table, quote(remove), removeNames)
	e.version = quote(m.VersionAttribute)
}

// appendBatch appends the body of a BatchWriteItem call.
func (e *encoder) appendBatch(dst []byte, from *event, writes []write) []byte {
	dst = append(dst, e.batchHead...)
	for i := range writes {
		if i > 0 {
			dst = append(dst, ',')
		}
		w := &writes[i]
		if w.put {
			dst = append(dst, putHead...)
			dst = e.mapping.AppendAttributes(dst, &from.payload, w.item)
		} else {
			dst = append(dst, deleteHead...)
			dst = e.mapping.AppendKey(dst, w.item)
		}
		dst = append(dst, requestTail...)
	}

	return append(dst, batchTail...)
}

// appendGuarded appends the body of a conditional PutItem or DeleteItem call.
func (e *encoder) appendGuarded(dst []byte, from *event, w *write) []byte {
	if w.put {
		dst = append(dst, e.put...)
	} else {
		dst = append(dst, e.delete...)
	}

	dst = append(dst, `":seq":`...)
	dst = appendVersionSeq(dst, w.change)
	if e.mapping.Collisions {
		dst = e.appendOwner(dst, from, w)
	}
	if !w.put {
		dst = append(dst, `},"Key":{`...)
		dst = e.mapping.AppendKey(dst, w.item)
		return append(dst, `}}`...)
	}

	dst = append(dst, `},"Item":{`...)
	dst = e.mapping.AppendAttributes(dst, &from.payload, w.item)
	dst = append(dst, ',')
	dst = append(dst, e.version...)
	dst = append(dst, ':')
	dst = e.appendVersion(dst, w)

	return append(dst, `}}`...)
}

// appendVersion appends the version of a put as an attribute value.
func (e *encoder) appendVersion(dst []byte, w *write) []byte {
	v := versionOf(w.change, w.shape.Fingerprint)
	return e.mapping.AppendVersion(dst, &v)
}

// appendOwner appends the values that identify the item's owner, and for a put also the
// time that decides between different owners.
func (e *encoder) appendOwner(dst []byte, from *event, w *write) []byte {
	for i := range e.mapping.SourceKey {
		dst = append(dst, `,":o`...)
		dst = append(dst, '0'+byte(i)) // a key schema has at most two attributes
		dst = append(dst, `":`...)
		dst = e.appendSourceKey(dst, from, w, i)
	}
	if w.put {
		dst = append(dst, `,":at":`...)
		dst = appendVersionAt(dst, w.change)
	}

	return dst
}
