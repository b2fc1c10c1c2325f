package reconciler

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
)

// answer is what DynamoDB answers to a request, of whichever operation: its items as positions in
// the text.
type answer struct {
	payload dynamodbjson.Payload
	reader  dynamodbjson.Reader
	// items are those of Scan and BatchGetItem.
	items []dynamodbjson.Item
	// last is the LastEvaluatedKey of Scan, absent on the last page.
	last dynamodbjson.Item
	// left are the UnprocessedKeys of BatchGetItem.
	left []dynamodbjson.Item
	// codes are the error codes of the statements of BatchExecuteStatement, "" for success.
	codes    []string
	consumed []consumed
}

// consumed is the capacity that a request has used of one table.
type consumed struct {
	table string
	units float64
}

// read reads the text of an answer. It forgets the answer before.
func (a *answer) read(text []byte) error {
	a.items, a.last, a.left = a.items[:0], dynamodbjson.Item{}, a.left[:0]
	a.codes, a.consumed = a.codes[:0], a.consumed[:0]
	if len(text) > dynamodbjson.MaxPayloadBytes {
		return fmt.Errorf("an answer has %d bytes", len(text))
	}
	a.payload.Reset(text)
	a.reader.Reset(&a.payload)
	if err := a.object("the answer", a.member); err != nil {
		return fmt.Errorf("an answer of DynamoDB cannot be read: %w", err)
	}

	return nil
}

// object reads an object. It calls member for each member, to read its value.
func (a *answer) object(what string, member func(name string) error) error {
	err := a.reader.Open('{', what)
	for n := 0; err == nil && a.reader.More('}', n); n++ {
		err = member(string(a.reader.Name()))
	}

	return errors.Join(a.reader.Err(), err)
}

// array reads an array. It calls element for each element.
func (a *answer) array(what string, element func() error) error {
	err := a.reader.Open('[', what)
	for n := 0; err == nil && a.reader.More(']', n); n++ {
		err = element()
	}

	return errors.Join(a.reader.Err(), err)
}

func (a *answer) member(name string) (err error) {
	switch name {
	case "Items":
		return a.array(name, a.item)
	case "LastEvaluatedKey":
		a.last, err = a.reader.OptionalItem()
		return err
	case "Responses":
		if a.reader.Kind() == '[' {
			return a.array(name, a.statement)
		}
		return a.object(name, func(table string) error { return a.array(table, a.item) })
	case "UnprocessedKeys":
		return a.object(name, func(table string) error { return a.object(table, a.unprocessedKeys) })
	case "ConsumedCapacity":
		if a.reader.Kind() == '[' {
			return a.array(name, a.capacity)
		}
		return a.capacity()
	default:
		a.reader.Value()
		return nil
	}
}

func (a *answer) item() error {
	item, err := a.reader.Item()
	a.items = append(a.items, item)
	return err
}

func (a *answer) unprocessedKeys(name string) error {
	if name != "Keys" {
		a.reader.Value()
		return nil
	}
	return a.array(name, func() error {
		key, err := a.reader.Item()
		a.left = append(a.left, key)
		return err
	})
}

// statement reads the answer of one statement.
func (a *answer) statement() error {
	code := ""
	err := a.object("the answer of a statement", func(name string) error {
		if name != "Error" || a.reader.Kind() != '{' {
			a.reader.Value()
			return nil
		}
		code = "unknown"
		return a.object(name, func(name string) error {
			if name != "Code" {
				a.reader.Value()
				return nil
			}
			text, err := a.reader.String(name)
			code = string(text)
			return err
		})
	})
	a.codes = append(a.codes, code)

	return err
}

func (a *answer) capacity() error {
	if a.reader.Kind() == 'n' {
		a.reader.Value()
		return nil
	}

	var c consumed
	err := a.object("ConsumedCapacity", func(name string) error {
		switch name {
		case "TableName":
			text, err := a.reader.String(name)
			c.table = string(text)
			return err
		case "CapacityUnits":
			units, err := strconv.ParseFloat(string(a.reader.Value()), 64)
			c.units = units
			return err
		default:
			a.reader.Value()
			return nil
		}
	})
	a.consumed = append(a.consumed, c)

	return err
}
