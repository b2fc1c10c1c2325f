package memorydb

import "strings"

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
	case "TransactWriteItems":
		return db.transactWriteItems(request)
	case "Scan":
		return db.scan(request)
	case "CreateTable":
		return db.createTable(request)
	default:
		return nil, refuse(unknownOperationException, "memorydb does not implement the operation %q", operation)
	}
}

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
		when conditional
		c    consumption
	)
	if err := decode(request, c.with(when.with(members{"TableName": &name, member: &item}))); err != nil {
		return nil, err
	}
	meets, err := db.condition(&when)
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

	stored := w.stored()
	if !meets(stored.attributes) {
		refused := refuse(conditionalCheckFailedException, "The conditional request failed")
		if when.returnOld {
			refused.item = stored.json
		}

		return nil, refused
	}

	return answer(c.member(consumed{table: name, units: float64(w.apply())})), nil
}

// answer is an answer of members, each with a comma before it.
func answer(members ...string) []byte {
	return []byte("{" + strings.TrimPrefix(strings.Join(members, ""), ",") + "}")
}

func (db *DB) getItem(request []byte) ([]byte, error) {
	var (
		name       string
		key        attributes
		consistent bool
		p          projection
		c          consumption
	)
	to := members{"TableName": &name, "Key": &key, "ConsistentRead": &consistent}
	if err := decode(request, c.with(p.with(to))); err != nil {
		return nil, err
	}
	names, err := p.attributes()
	if err != nil {
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

	found, exists := t.items[identity]
	text := ""
	if exists {
		text = `,"Item":` + found.project(names)
	}

	return answer(text, c.member(consumed{table: name, units: readUnits(found.size, consistent)})), nil
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
