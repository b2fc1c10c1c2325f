package replicator

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/rawdynamodb"
)

// table sends one request whose body is ready.
type table interface {
	// batchWriteItem returns the writes that DynamoDB has not processed.
	batchWriteItem(ctx context.Context, body *rawdynamodb.Body) (unprocessed []types.WriteRequest, err error)
	// putItem and deleteItem send conditional writes. A condition that does not hold is not
	// an error: the table then has a newer item, and a put is not stored.
	putItem(ctx context.Context, body *rawdynamodb.Body) (stored bool, err error)
	deleteItem(ctx context.Context, body *rawdynamodb.Body) error
	// batchExecuteStatement executes a number of guarded writes, each by itself, and returns
	// the code of each one's own error or "". Nil means that all were carried out.
	batchExecuteStatement(ctx context.Context, body *rawdynamodb.Body, statements int) (codes []statementCode, err error)
	// batchGetItem returns the items that exist, and the keys that DynamoDB has not processed.
	batchGetItem(ctx context.Context, body *rawdynamodb.Body) (items, unprocessed []itemRead, err error)
}

type (
	itemRead      = map[string]types.AttributeValue
	statementCode = types.BatchStatementErrorCodeEnum
)

// request is the writes of one request to one table.
type request struct {
	event   *event
	mapping int
	writes  []write
}

// send sends one request.
func (w *writer) send(q request, o *outcome) {
	if w.encoders[q.mapping].guarded() {
		switch q.writes[0].step {
		case byStatement:
			w.execute(q, o)
			return
		case byRead:
			w.read(q, o)
			return
		case bySingle:
			if only := &q.writes[0]; only.fellBack {
				only.fellBack = false
				o.sentSingly()
			}
		}
	}

	unprocessed, stored, err := w.call(o.ctx, q)
	remaining := q.writes
	switch {
	case err != nil:
		err = &tableError{"write to", w.mappings[q.mapping].TableName, err}
	case len(unprocessed) > 0:
		if remaining, err = find(&w.mappings[q.mapping], q.writes, unprocessed); err == nil {
			err = errUnprocessed
		}
	default:
		remaining = nil
	}

	puts := countPuts(q.writes) - countPuts(remaining)
	if puts > 0 {
		w.brakes[q.mapping].accept(stored)
	}
	if stored {
		o.carriedOut(len(q.writes) - len(remaining))
	} else if puts > 0 {
		o.refusedAsStale()
	}
	if len(remaining) < len(q.writes) && !w.brakes[q.mapping].isOn() {
		// A batch shows that both are allowed, a guarded write only that its own kind is.
		batch := !w.encoders[q.mapping].guarded()
		w.healths[q.mapping].succeed(batch || puts > 0, batch || puts == 0)
	}
	if len(remaining) == 0 {
		if why := q.writes[0].refusedCall; why != nil {
			w.fallbacks[q.mapping][why.way].Refuse(why.why)
		}
		return
	}

	switch c := classify(err); {
	case c == systemic:
		w.stop(q.mapping, countPuts(remaining) > 0, err, o)
	case c == permanent && len(remaining) == 1:
		w.refuse(q, remaining[0], err, o)
	case c == permanent:
		// DynamoDB refuses the whole call because of one bad item. Halving finds it, and
		// every call without it succeeds.
		half := len(remaining) / 2
		w.send(request{q.event, q.mapping, remaining[:half]}, o)
		w.send(request{q.event, q.mapping, remaining[half:]}, o)
	default:
		o.retry(remaining, err)
	}
}

// call sends a request in one call. stored is false when a put's condition does not hold.
func (w *writer) call(ctx context.Context, q request) (unprocessed []types.WriteRequest, stored bool, err error) {
	e := w.encoders[q.mapping]
	body := w.bodies.get()
	stored = true

	switch {
	case !e.guarded():
		body.Bytes = e.appendBatch(body.Bytes[:0], q.event, q.writes)
		unprocessed, err = w.table.batchWriteItem(ctx, body)
	case q.writes[0].put:
		body.Bytes = e.appendGuarded(body.Bytes[:0], q.event, &q.writes[0])
		stored, err = w.table.putItem(ctx, body)
	default:
		body.Bytes = e.appendGuarded(body.Bytes[:0], q.event, &q.writes[0])
		err = w.table.deleteItem(ctx, body)
	}

	w.free(body)

	return unprocessed, stored, err
}

// refuse records a write that the table has refused.
func (w *writer) refuse(q request, write write, err error, o *outcome) {
	brake, why := w.brakes[q.mapping], dynamodberror.ReasonOf(err)
	if !write.put || !brake.counts(why) {
		o.refuse(write, err, false)
		return
	}
	o.refuse(write, err, true)
	if write.endsRow {
		brake.accept(false)
	}
	if brake.refuse(why, write.change.sequenceNumber) {
		w.stop(q.mapping, true, &brakeError{w.mappings[q.mapping].TableName, why}, o)
	}
}

// find finds the unprocessed ones among writes, by their keys. With an error it returns
// all of them.
func find(m *mapping.Mapping, writes []write, unprocessed []types.WriteRequest) ([]write, error) {
	found := make([]write, 0, len(unprocessed))
	for _, u := range unprocessed {
		attributes := map[string]types.AttributeValue{}
		switch {
		case u.PutRequest != nil:
			attributes = u.PutRequest.Item
		case u.DeleteRequest != nil:
			attributes = u.DeleteRequest.Key
		}

		identity, err := identify(m, attributes)
		if err != nil {
			return writes, fmt.Errorf("%w: %w", errUnidentified, err)
		}
		at := slices.IndexFunc(writes, func(w write) bool { return bytes.Equal(w.item.Key, identity) })
		if at < 0 {
			return writes, errNotSent
		}
		found = append(found, writes[at])
	}

	return found, nil
}

// identify returns the identity of a target item that the SDK has decoded.
func identify(m *mapping.Mapping, attributes itemRead) ([]byte, error) {
	var identity []byte
	for i := range m.Key {
		var err error
		if identity, err = appendIdentity(identity, &m.Key[i], attributes[m.Key[i].Name]); err != nil {
			return nil, err
		}
	}

	return identity, nil
}

// appendIdentity appends the identity of a key attribute that the SDK has decoded.
func appendIdentity(dst []byte, k *mapping.KeyAttribute, value types.AttributeValue) ([]byte, error) {
	var typ, text string
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		typ, text = "S", v.Value
	case *types.AttributeValueMemberN:
		typ, text = "N", v.Value
	case *types.AttributeValueMemberB:
		typ, text = "B", base64.StdEncoding.EncodeToString(v.Value)
	default:
		return nil, fmt.Errorf("it has no key attribute %q", k.Name)
	}

	return k.AppendIdentity(dst, fmt.Appendf(nil, `{%q:%s}`, typ, dynamodbjson.Quote(text)))
}

const (
	errUnidentified = ownError("an unprocessed write cannot be identified")
	errNotSent      = ownError("an unprocessed write is not among those that were sent")
)
