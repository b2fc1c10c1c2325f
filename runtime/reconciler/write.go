package reconciler

import (
	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/statement"
)

// write is one target item that a backfill puts where there is none.
type write struct {
	target *target
	// source is the number of the source item in its page.
	source int
	item   mapping.TargetItem
	shape  *statement.Shape
	step   step
	// denied says that the right to statements was missing, or the call was refused as a whole. It is
	// set on one write of a call.
	denied error
}

// step says what happens next with a write.
type step int8

const (
	// byStatement sends it with others in one BatchExecuteStatement call.
	byStatement step = iota
	// bySingle sends a PutItem.
	bySingle
	// byRead reads what is there.
	byRead

	// The rest are ends.

	put      // it was put
	there    // an equal item was there
	unequal  // something else of the same source item is there, or the table has refused the item
	collides // another owner's item is there, where that may be
)

// guarded reports whether target items carry a version.
func (t *target) guarded() bool { return t.mapping.VersionAttribute != "" }

// shapeOf returns the shape of a target item.
func (t *target) shapeOf(p *dynamodbjson.Payload, item *mapping.TargetItem) *statement.Shape {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shapes.Of(p, item)
}

// appendStatements appends the body of a BatchExecuteStatement call.
func (t *target) appendStatements(dst []byte, p *dynamodbjson.Payload, writes []*write) []byte {
	dst = append(dst, `{"ReturnConsumedCapacity":"TOTAL","Statements":[`...)
	for i, w := range writes {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, w.shape.Insert...)
		dst = t.mapping.AppendValues(dst, p, &w.item, true)
		if t.guarded() {
			dst = append(dst, ',')
			dst = t.appendVersion(dst, mapping.LowestVersion(), w.shape)
		}
		dst = append(dst, `]}`...)
	}

	return append(dst, `]}`...)
}

// appendVersion appends a version with the names of the item that carries it.
func (t *target) appendVersion(dst []byte, v mapping.Version, s *statement.Shape) []byte {
	v.Names = s.Fingerprint
	return t.mapping.AppendVersion(dst, &v)
}

// appendItem appends a target item with a version.
func (t *target) appendItem(
	dst []byte, p *dynamodbjson.Payload, item *mapping.TargetItem, v mapping.Version, s *statement.Shape,
) []byte {
	dst = append(dst, '{')
	dst = t.mapping.AppendAttributes(dst, p, item)
	if t.guarded() {
		dst = append(dst, ',')
		dst = dynamodbjson.AppendQuoted(dst, t.mapping.VersionAttribute)
		dst = append(dst, ':')
		dst = t.appendVersion(dst, v, s)
	}

	return append(dst, '}')
}

// appendPut appends the body of a PutItem call that puts an item where there is none.
func (t *target) appendPut(dst []byte, p *dynamodbjson.Payload, w *write) []byte {
	dst = append(dst, `{"ReturnConsumedCapacity":"TOTAL","TableName":`...)
	dst = dynamodbjson.AppendQuoted(dst, t.name)
	dst = append(dst, `,"ConditionExpression":"attribute_not_exists(#k)","ExpressionAttributeNames":{"#k":`...)
	dst = dynamodbjson.AppendQuoted(dst, t.key[0].Name)
	dst = append(dst, `},"Item":`...)
	dst = t.appendItem(dst, p, &w.item, mapping.LowestVersion(), w.shape)

	return append(dst, '}')
}
