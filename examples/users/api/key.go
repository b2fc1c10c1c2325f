package main

import (
	"fmt"

	"github.com/replicatedtable/cdk-go/runtime/compositekey"
)

// The sort key of the target table joins city and email, as the stack says. The
// partition key is the state.
const (
	sortKey   = "cityEmail"
	separator = "#"
)

func sortKeyOf(u user) string { return compositekey.Join(separator, u.City, u.Email) }

// cityPrefix is how the sort keys of a city's users begin, and those of no other city.
func cityPrefix(city string) string { return compositekey.Prefix(separator, city) }

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
