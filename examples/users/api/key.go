package main

import (
	"fmt"

	"github.com/replicatedtable/cdk-go/runtime/compositekey"
)

// sortKey is the name of the target table's sort key. The partition key is the state.
type sortKey string

const (
	city      sortKey = "city"
	cityEmail sortKey = "cityEmail" // joins both with "#", as the stack says
)

// of returns the key's value for a user.
func (k sortKey) of(u user) string {
	if k == cityEmail {
		return compositekey.Join("#", u.City, u.Email)
	}
	return u.City
}

// condition is that of all users of a city.
func (k sortKey) condition(city string) (expression, operand string) {
	if k == cityEmail {
		return "begins_with(#sort, :sort)", compositekey.Prefix("#", city)
	}
	return "#sort = :sort", city
}

// The longest key values. Source: Amazon DynamoDB Developer Guide, "Quotas".
const (
	maxPartitionKeyBytes = 2048
	maxSortKeyBytes      = 1024
)

// checkLength returns a *problem unless a key value has 1 to maxBytes bytes.
func checkLength(field, value string, maxBytes int) error {
	if value == "" || len(value) > maxBytes {
		return invalid(field, fmt.Sprintf("must have 1 to %d bytes", maxBytes))
	}
	return nil
}
