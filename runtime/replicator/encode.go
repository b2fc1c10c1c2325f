package replicator

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// The fixed parts of a BatchWriteItem body around each item or key.
const (
	putHead     = `{"PutRequest":{"Item":{`
	deleteHead  = `{"DeleteRequest":{"Key":{`
	requestTail = `}}}`
)

// encoder builds the request bodies of one mapping out of pieces of the payload.
// Everything that does not depend on an item is prepared once.
type encoder struct {
	mapping   *mapping
	batchHead string // BatchWriteItem, up to the first write
	put       string // PutItem, up to the condition's values
	delete    string // DeleteItem, up to the condition's values
	version   string // the version attribute's name, quoted
}

const batchTail = `]}}`

func newEncoder(m *mapping) *encoder {
	e := &encoder{
		mapping:   m,
		batchHead: fmt.Sprintf(`{"RequestItems":{%s:[`, quote(m.tableName)),
	}
	if m.versionAttribute != "" {
		e.prepareConditions()
	}
	return e
}

// prepareConditions prepares the conditions of guarded writes. version.go says what a
// version is and which part of it decides.
//
// A put wins over an absent item, over one without a version, over an older one
// of the same source item, and over an older one of another source item. A
// delete wins only over an older one of the same source item.
func (e *encoder) prepareConditions() {
	m := e.mapping
	names := fmt.Sprintf(`"#v":%s`, quote(m.versionAttribute))
	seq := "#v"
	if m.collisions {
		names += fmt.Sprintf(`,"#seq":%s`, quote(versionSeq))
		seq = "#v.#seq"
	}
	older := fmt.Sprintf("attribute_not_exists(%s) OR %s < :seq", seq, seq)
	put, putNames := older, names
	remove, removeNames := older, names
	if m.collisions {
		owner := ""
		for i, k := range m.sourceKey {
			if i > 0 {
				owner += " AND "
			}
			owner += fmt.Sprintf("#o%d = :o%d", i, i)
			removeNames += fmt.Sprintf(`,"#o%d":%s`, i, quote(k.name))
		}
		putNames = removeNames + fmt.Sprintf(`,"#at":%s`, quote(versionAt))
		remove = fmt.Sprintf("%s AND (%s)", owner, older)
		put = fmt.Sprintf("attribute_not_exists(%s) OR (%s AND %s < :seq)"+
			" OR (NOT (%s) AND (#v.#at < :at OR (#v.#at = :at AND %s < :seq)))", seq, owner, seq, owner, seq)
	}
	const head = `{"TableName":%s,"ConditionExpression":%s,"ExpressionAttributeNames":{%s},"ExpressionAttributeValues":{`
	table := quote(m.tableName)
	e.put = fmt.Sprintf(head, table, quote(put), putNames)
	e.delete = fmt.Sprintf(head, table, quote(remove), removeNames)
	e.version = quote(m.versionAttribute)
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
			dst = e.appendItem(dst, from, w.item)
		} else {
			dst = append(dst, deleteHead...)
			dst = e.appendKey(dst, from, w.item)
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
	dst = appendVersionSeq(dst, from, w.change)
	if e.mapping.collisions {
		dst = e.appendOwner(dst, from, w)
	}
	if !w.put {
		dst = append(dst, `},"Key":{`...)
		dst = e.appendKey(dst, from, w.item)
		return append(dst, `}}`...)
	}
	dst = append(dst, `},"Item":{`...)
	dst = e.appendItem(dst, from, w.item)
	dst = append(dst, ',')
	dst = append(dst, e.version...)
	dst = append(dst, ':')
	if e.mapping.collisions {
		dst = append(dst, `{"M":{"`+versionAt+`":`...)
		dst = appendVersionAt(dst, from, w.change)
		dst = append(dst, `,"`+versionSeq+`":`...)
		dst = appendVersionSeq(dst, from, w.change)
		dst = append(dst, `}}`...)
	} else {
		dst = appendVersionSeq(dst, from, w.change)
	}
	return append(dst, `}}`...)
}

// appendOwner appends the values that tell whose item it is, and for a put also
// the time that decides between different owners.
func (e *encoder) appendOwner(dst []byte, from *event, w *write) []byte {
	for i := range e.mapping.sourceKey {
		dst = append(dst, `,":o`...)
		dst = append(dst, '0'+byte(i)) // a key schema has at most two attributes
		dst = append(dst, `":`...)
		dst = append(dst, from.text(from.find(w.change.keys, e.mapping.sourceKey[i].name).value)...)
	}
	if w.put {
		dst = append(dst, `,":at":`...)
		dst = appendVersionAt(dst, from, w.change)
	}
	return dst
}

// appendItem appends the attributes of a target item, without braces. There is at
// least one: an item carries its keys.
func (e *encoder) appendItem(dst []byte, from *event, v *view) []byte {
	start := len(dst)
	for i := range e.mapping.key {
		if k := &e.mapping.key[i]; k.made {
			dst = appendMember(dst, start, k.head, from.text(v.values[i]))
		}
	}
	attributes := from.attributes(v.image)
	for i := range attributes {
		m := &attributes[i]
		name := from.text(m.name)
		if !e.mapping.carries(name) {
			continue
		}
		if head, renamed := e.mapping.renamed[string(name)]; renamed {
			dst = appendMember(dst, start, head, from.text(m.value))
		} else {
			dst = appendMember(dst, start, "", from.text(m.raw()))
		}
	}
	return dst
}

// appendKey appends the target key attributes of an item, without braces.
func (e *encoder) appendKey(dst []byte, from *event, v *view) []byte {
	start := len(dst)
	for i := range e.mapping.key {
		dst = appendMember(dst, start, e.mapping.key[i].head, from.text(v.values[i]))
	}
	return dst
}

// appendMember appends a member of the object whose members begin at start: its
// name with the colon, and its value.
func appendMember(dst []byte, start int, head string, value []byte) []byte {
	if len(dst) > start {
		dst = append(dst, ',')
	}
	dst = append(dst, head...)
	return append(dst, value...)
}

// quote returns s as a JSON string.
func quote(s string) string {
	// It fails only for invalid UTF-8, which a checked spec does not hold.
	b, _ := jsontext.AppendQuote(nil, s)
	return string(b)
}
