package replicator

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// A statement is refused when the item is not what it expects. Usually that is a redelivered
// batch, whose items are all there: one read of 100 items is cheaper than 100 conditional
// puts that are refused again.

// prepareRead prepares the parts of a read that do not depend on an item: the key, the owner
// and the version are read.
func (e *encoder) prepareRead() {
	m := e.mapping
	names, projection := "", ""
	add := func(name string) {
		placeholder := "#" + strconv.Itoa(len(projection))
		if projection != "" {
			projection, names = projection+",", names+","
		}
		projection += placeholder
		names += fmt.Sprintf("%q:%s", placeholder, dynamodbjson.Quote(name))
	}
	for _, k := range m.Key {
		add(k.Name)
	}
	for _, i := range e.owners {
		add(m.SourceKey[i].Name)
	}
	add(m.VersionAttribute)

	e.readHead = fmt.Sprintf(`{"RequestItems":{%s:{"ConsistentRead":true,"ProjectionExpression":%q,`+
		`"ExpressionAttributeNames":{%s},"Keys":[`, dynamodbjson.Quote(m.TableName), projection, names)
	e.readTail = `]}}}`
}

// appendRead appends the body of a BatchGetItem call for the items of writes.
func (e *encoder) appendRead(dst []byte, writes []write) []byte {
	dst = append(dst, e.readHead...)
	for i := range writes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		dst = e.mapping.AppendKey(dst, writes[i].item)
		dst = append(dst, '}')
	}
	return append(dst, e.readTail...)
}

// read reads the items of puts whose statements were refused. Where the item is as new, the
// put is done; the others are sent by themselves.
func (w *writer) read(q request, o *outcome) {
	e := w.encoders[q.mapping]
	body := w.bodies.get()
	body.Bytes = e.appendRead(body.Bytes[:0], q.writes)
	items, unprocessed, err := w.table.batchGetItem(o.ctx, body)
	w.free(body)

	if err != nil && classify(err) == transient {
		countTries(q.writes)
		o.retry(q.writes, &tableError{"read from", w.mappings[q.mapping].TableName, err})
		return
	}
	stored, errStored := byKey(e, items)
	left, errLeft := byKey(e, unprocessed)
	if err != nil || errStored != nil || errLeft != nil {
		q.writes[0].refusedCall = &refusedCall{byBatchGet, cmp.Or(err, errStored, errLeft)}
		o.advance(q.writes, bySingle) // the right to read may be missing
		return
	}
	w.fallbacks[q.mapping][byBatchGet].Accept()

	for i := range q.writes {
		one := q.writes[i : i+1]
		key := one[0].item.Key
		item, found := stored[string(key)]
		switch {
		case left[string(key)] != nil:
			countTries(one)
			o.retry(one, errUnprocessed)
		case found && e.isAsNew(item, q.event, &one[0]):
			w.brakes[q.mapping].accept(false)
			o.refusedAsStale()
		default:
			o.advance(one, bySingle)
		}
	}
}

// byKey returns items or keys by their identities.
func byKey(e *encoder, items []itemRead) (map[string]itemRead, error) {
	found := make(map[string]itemRead, len(items))
	for _, item := range items {
		identity, err := identify(e.mapping, item)
		if err != nil {
			return nil, err
		}
		found[string(identity)] = item
	}
	return found, nil
}

// isAsNew reports whether a stored item makes the condition of a put fail. When in doubt it
// does not: then the condition decides.
func (e *encoder) isAsNew(stored itemRead, from *event, w *write) bool {
	seq := string(appendSeq(nil, w.change))
	version := stored[e.mapping.VersionAttribute]
	if !e.mapping.Collisions {
		text, ok := version.(*types.AttributeValueMemberS)
		return ok && text.Value >= seq
	}

	parts, ok := version.(*types.AttributeValueMemberM)
	if !ok {
		return false
	}
	storedSeq, ok := parts.Value[mapping.VersionSeq].(*types.AttributeValueMemberS)
	if !ok {
		return false
	}
	if e.isOwn(stored, from, w) {
		return storedSeq.Value >= seq
	}

	storedAt, ok := parts.Value[mapping.VersionAt].(*types.AttributeValueMemberN)
	if !ok {
		return false
	}
	at, err := strconv.ParseFloat(storedAt.Value, 64)
	own, errOwn := strconv.ParseFloat(string(w.change.createdAt), 64)
	if err != nil || errOwn != nil {
		return false
	}

	return at > own || isSameNumber(storedAt.Value, string(w.change.createdAt)) && storedSeq.Value >= seq
}

// isSameNumber compares numbers exactly: a stored one has lost its zeros and its exponent.
func isSameNumber(a, b string) bool {
	one, err := dynamodbjson.AppendCanonicalNumber(nil, []byte(dynamodbjson.Quote(a)))
	other, errOther := dynamodbjson.AppendCanonicalNumber(nil, []byte(dynamodbjson.Quote(b)))

	return err == nil && errOther == nil && bytes.Equal(one, other)
}

// isOwn reports whether a stored item belongs to the source item of a put.
func (e *encoder) isOwn(stored itemRead, from *event, w *write) bool {
	for _, i := range e.owners {
		k := &e.mapping.SourceKey[i]
		own, err := k.AppendIdentity(nil, e.appendSourceKey(nil, from, w, i))
		if err != nil {
			return false
		}
		other, err := appendIdentity(nil, k, stored[k.Name])
		if err != nil || string(own) != string(other) {
			return false
		}
	}
	return true
}
