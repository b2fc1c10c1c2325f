package memorydb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// createTable is the input of CreateTable, without members that make no difference
// here.
type createTable struct {
	TableName            string
	BillingMode          string
	AttributeDefinitions []struct{ AttributeName, AttributeType string }
	KeySchema            []struct{ AttributeName, KeyType string }
}

func (db *DB) createTable(request []byte) ([]byte, error) {
	var input createTable
	d := json.NewDecoder(bytes.NewReader(request))
	d.DisallowUnknownFields()
	if err := d.Decode(&input); err != nil {
		return nil, malformed("%v", err)
	}
	t, err := input.table()
	if err != nil {
		return nil, err
	}
	if db.tables[input.TableName] != nil {
		return nil, refuse(resourceInUseException, "Cannot create preexisting table")
	}
	db.tables[input.TableName] = t

	return fmt.Appendf(nil, `{"TableDescription":{"TableName":%s,"TableStatus":"ACTIVE","ItemCount":0}}`,
		appendQuoted(nil, input.TableName)), nil
}

// table returns the empty table that the input describes.
func (c *createTable) table() (*table, error) {
	t := &table{items: map[string]item{}}
	if c.TableName == "" || len(c.KeySchema) == 0 || len(c.KeySchema) > 2 ||
		len(c.AttributeDefinitions) != len(c.KeySchema) {
		return nil, invalid("A table has a name, one or two key attributes and their definitions")
	}
	for i, element := range c.KeySchema {
		key := keyAttribute{element.AttributeName, "", []int{maxPartitionKey, maxSortKey}[i]}
		for _, definition := range c.AttributeDefinitions {
			if definition.AttributeName == key.name {
				key.typ = definition.AttributeType
			}
		}
		if element.KeyType != []string{"HASH", "RANGE"}[i] || !slices.Contains([]string{"S", "N", "B"}, key.typ) {
			return nil, invalid("The key schema is HASH, or HASH and RANGE, of attributes with types S, N or B")
		}
		t.keys = append(t.keys, key)
	}

	return t, nil
}
