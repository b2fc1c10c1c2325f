package memorydb

import (
	"fmt"
	"strings"
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
	case "BatchExecuteStatement":
		return db.batchExecuteStatement(request)
	case "BatchGetItem":
		return db.batchGetItem(request)
	case "Scan":
		return db.scan(request)
	case "CreateTable":
		return db.createTable(request)
	default:
		return nil, refuse(unknownOperationException, "memorydb does not implement the operation %q", operation)
	}
}

// done is the answer of an operation that returns nothing.
var done = []byte(`{}`)

func (db *DB) putItem(request []byte) ([]byte, error) {
	return db.writeItem(request, "Item", (*table).checkPut)
}

func (db *DB) deleteItem(request []byte) ([]byte, error) {
	return db.writeItem(request, "Key", (*table).checkDelete)
}

// writeItem carries out a conditional write whose item or key is in a member of the request.
func (db *DB) writeItem(request []byte, member string, check func(*table, attributes) (write, error)) ([]byte, error) {
	var (
		name string
		item attributes
		c    conditional
	)
	if err := decode(request, c.with(members{"TableName": &name, member: &item})); err != nil {
		return nil, err
	}
	condition, err := db.condition(&c)
	if err != nil {
		return nil, err
	}
	t, err := db.table(name)
	if err != nil {
		return nil, err
	}
	w, err := check(t, item)
	if err != nil {
		return nil, err
	}

	return done, w.applyIf(condition)
}

func (db *DB) getItem(request []byte) ([]byte, error) {
	var (
		name       string
		key        attributes
		consistent bool
	)
	to := members{"TableName": &name, "Key": &key, "ConsistentRead": &consistent}
	if err := decode(request, to); err != nil {
		return nil, err
	}
	t, err := db.table(name)
	if err != nil {
		return nil, err
	}
	identity, err := t.checkKey(key)
	if err != nil {
		return nil, err
	}
	found, ok := t.items[identity]
	if !ok {
		return done, nil
	}

	return fmt.Appendf(nil, `{"Item":%s}`, found.json), nil
}

func (db *DB) scan(request []byte) ([]byte, error) {
	var (
		name       string
		consistent bool
	)
	if err := decode(request, members{"TableName": &name, "ConsistentRead": &consistent}); err != nil {
		return nil, err
	}
	t, err := db.table(name)
	if err != nil {
		return nil, err
	}
	items := t.list() // any order is right, but the same one every time helps tests

	return fmt.Appendf(nil, `{"Count":%d,"ScannedCount":%[1]d,"Items":[%s]}`,
		len(items), strings.Join(items, ",")), nil
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

func missing(member string) *refusal {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: "+
		"Member must not be null", member)
}
