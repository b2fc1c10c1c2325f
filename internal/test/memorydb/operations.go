package memorydb

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
)

// Limits of one BatchWriteItem call, from the API reference. It does not say how
// a longer request is refused.
const (
	maxBatchWrites = 25
	maxBatchBytes  = 16 << 20
)

// call carries out one operation and returns the body of its answer. The caller
// holds db.mu.
func (db *DB) call(operation string, request []byte) ([]byte, error) {
	switch operation {
	case "PutItem":
		return db.putItem(request)
	case "DeleteItem":
		return db.deleteItem(request)
	case "GetItem":
		return db.getItem(request)
	case "BatchWriteItem":
		return db.batchWriteItem(request)
	case "Scan":
		return db.scan(request)
	case "CreateTable":
		return db.createTable(request)
	default:
		return nil, refuse(unknownOperationException, "memorydb does not implement the operation %q", operation)
	}
}

// decode reads a request's input. A member that the input does not have is an
// error: ignoring it could change what the request means.
func decode(request []byte, input any) error {
	return json.Unmarshal(request, input, json.RejectUnknownMembers(true))
}

// done is the answer of an operation that returns nothing.
var done = []byte(`{}`)

// conditional is the part of the inputs of PutItem and DeleteItem that says when
// the write is applied.
type conditional struct {
	ConditionExpression       *string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]value
}

func (db *DB) putItem(request []byte) ([]byte, error) {
	var input struct {
		TableName string
		Item      attributes
		conditional
	}
	if err := decode(request, &input); err != nil {
		return nil, err
	}
	check, err := db.condition(&input.conditional)
	if err != nil {
		return nil, err
	}
	t, err := db.table(input.TableName)
	if err != nil {
		return nil, err
	}
	if input.Item == nil {
		return nil, missing("item")
	}
	w, err := t.checkPut(input.Item)
	if err != nil {
		return nil, err
	}
	return done, w.applyIf(check)
}

func (db *DB) deleteItem(request []byte) ([]byte, error) {
	var input struct {
		TableName string
		Key       attributes
		conditional
	}
	if err := decode(request, &input); err != nil {
		return nil, err
	}
	check, err := db.condition(&input.conditional)
	if err != nil {
		return nil, err
	}
	t, err := db.table(input.TableName)
	if err != nil {
		return nil, err
	}
	if input.Key == nil {
		return nil, missing("key")
	}
	w, err := t.checkDelete(input.Key)
	if err != nil {
		return nil, err
	}
	return done, w.applyIf(check)
}

func missing(member string) *refusal {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

// condition returns whether a write is applied to an item, as a function of the
// item as it is.
func (db *DB) condition(c *conditional) (func(attributes) bool, error) {
	if c.ConditionExpression == nil {
		if c.ExpressionAttributeNames != nil || c.ExpressionAttributeValues != nil {
			return nil, invalid("ExpressionAttributeNames and ExpressionAttributeValues can only be specified when using expressions")
		}
		return func(attributes) bool { return true }, nil
	}
	if c.ExpressionAttributeNames != nil && len(c.ExpressionAttributeNames) == 0 {
		return nil, invalid("ExpressionAttributeNames must not be empty")
	}
	if c.ExpressionAttributeValues != nil && len(c.ExpressionAttributeValues) == 0 {
		return nil, invalid("ExpressionAttributeValues must not be empty")
	}
	for _, name := range c.ExpressionAttributeNames {
		if err := checkName(name); err != nil {
			return nil, err
		}
	}
	expression := *c.ConditionExpression
	parsed := db.conditions[expression]
	if parsed == nil {
		var err error
		if parsed, err = parseCondition(expression); err != nil {
			return nil, err
		}
		db.conditions[expression] = parsed
	}
	a := &arguments{names: c.ExpressionAttributeNames, values: c.ExpressionAttributeValues}
	if err := parsed.check(a); err != nil {
		return nil, err
	}
	return func(item attributes) bool {
		a.item = item
		return parsed.root.holds(a)
	}, nil
}

// applyIf applies the write when the item as it is meets the condition.
func (w write) applyIf(condition func(attributes) bool) error {
	if !condition(w.table.items[w.identity].attributes) {
		return refuse(conditionalCheckFailedException, "The conditional request failed")
	}
	w.apply()
	return nil
}

func (db *DB) getItem(request []byte) ([]byte, error) {
	var input struct {
		TableName      string
		Key            attributes
		ConsistentRead bool
	}
	if err := decode(request, &input); err != nil {
		return nil, err
	}
	t, err := db.table(input.TableName)
	if err != nil {
		return nil, err
	}
	if input.Key == nil {
		return nil, missing("key")
	}
	identity, err := t.checkKey(input.Key)
	if err != nil {
		return nil, err
	}
	found, ok := t.items[identity]
	if !ok {
		return done, nil
	}
	return fmt.Appendf(nil, `{"Item":%s}`, found.json), nil
}

// batchWriteItem checks all writes before it applies the first one: one bad
// write refuses the call.
func (db *DB) batchWriteItem(request []byte) ([]byte, error) {
	if len(request) > maxBatchBytes {
		return nil, invalid("The request is longer than %d bytes", maxBatchBytes)
	}
	var input struct {
		RequestItems map[string][]struct {
			PutRequest    *struct{ Item attributes }
			DeleteRequest *struct{ Key attributes }
		}
	}
	if err := decode(request, &input); err != nil {
		return nil, err
	}
	if len(input.RequestItems) == 0 {
		return nil, invalid("The batch write request list for a table cannot be null or empty")
	}
	var writes []write
	for name, requests := range input.RequestItems {
		if len(requests) == 0 || len(requests) > maxBatchWrites {
			return nil, invalid("The batch write request list of %s has %d writes, not 1 to %d", name, len(requests), maxBatchWrites)
		}
		t, err := db.table(name)
		if err != nil {
			return nil, err
		}
		identities := map[string]bool{}
		for _, r := range requests {
			var w write
			switch {
			case (r.PutRequest == nil) == (r.DeleteRequest == nil):
				return nil, invalid("Supplied WriteRequest must contain exactly one of PutRequest and DeleteRequest")
			case r.PutRequest != nil && r.PutRequest.Item == nil:
				return nil, missing("item")
			case r.PutRequest != nil:
				w, err = t.checkPut(r.PutRequest.Item)
			case r.DeleteRequest.Key == nil:
				return nil, missing("key")
			default:
				w, err = t.checkDelete(r.DeleteRequest.Key)
			}
			if err != nil {
				return nil, err
			}
			if identities[w.identity] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			identities[w.identity] = true
			writes = append(writes, w)
		}
	}
	if len(writes) > maxBatchWrites {
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	}
	for _, w := range writes {
		w.apply()
	}
	return []byte(`{"UnprocessedItems":{}}`), nil
}

func (db *DB) scan(request []byte) ([]byte, error) {
	var input struct {
		TableName      string
		ConsistentRead bool
	}
	if err := decode(request, &input); err != nil {
		return nil, err
	}
	t, err := db.table(input.TableName)
	if err != nil {
		return nil, err
	}
	items := t.list() // any order is right, but the same one every time helps tests
	return fmt.Appendf(nil, `{"Count":%d,"ScannedCount":%[1]d,"Items":[%s]}`, len(items), strings.Join(items, ",")), nil
}

func (db *DB) createTable(request []byte) ([]byte, error) {
	var input createTable
	if err := decode(request, &input); err != nil {
		return nil, err
	}
	t, err := input.table()
	if err != nil {
		return nil, err
	}
	if db.tables[input.TableName] != nil {
		return nil, refuse(resourceInUseException, "Cannot create preexisting table")
	}
	db.tables[input.TableName] = t
	return fmt.Appendf(nil, `{"TableDescription":{"TableName":%s,"TableStatus":"ACTIVE","ItemCount":0}}`, appendQuoted(nil, input.TableName)), nil
}

// table returns the table with a name.
func (db *DB) table(name string) (*table, error) {
	if name == "" {
		return nil, missing("tableName")
	}
	t := db.tables[name]
	if t == nil {
		return nil, refuse(resourceNotFoundException, "Requested resource not found")
	}
	return t, nil
}
