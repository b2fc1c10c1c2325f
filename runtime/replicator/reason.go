package replicator

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"
)

// reason is the subject of DynamoDB's refusal of an item, as far as its text says.
type reason int

const (
	// aboutUnknown is an unknown text.
	aboutUnknown reason = iota
	// aboutItem is a limit that the item itself breaks, whatever the table.
	aboutItem
	// aboutIndexKeyType and aboutIndexKeySize are about the key of a secondary index,
	// which the spec does not know.
	aboutIndexKeyType
	aboutIndexKeySize
)

// String describes the reason without quoting the item.
func (r reason) String() string {
	switch r {
	case aboutItem:
		return "the item breaks a limit of DynamoDB, such as 400 KB or 32 levels"
	case aboutIndexKeyType:
		return "a secondary index of the target table has a key of another type than the attribute"
	case aboutIndexKeySize:
		return "an attribute is empty or too long for the key of a secondary index of the target table"
	default:
		return "DynamoDB refused a write; its message is not logged because it can quote the item"
	}
}

const (
	invalidValues        = "One or more parameter values were invalid: "
	invalidIndexKeyValue = "One or more parameter values are not valid. " +
		"A value specified for a secondary index key is not supported"
)

// refusals are the beginnings of the texts with which DynamoDB refuses an item: they can
// continue with the caller's own names and values. Source: Amazon DynamoDB API Reference,
// TransactWriteItems, the messages of ValidationError; for index keys and numbers, public
// reports and DynamoDB Local.
var refusals = []struct {
	text   string
	reason reason
}{
	{"Item size ", aboutItem},
	{"Nesting Levels have exceeded supported limits", aboutItem},
	{"Number overflow", aboutItem},
	{"Number underflow", aboutItem},
	{"Attempting to store more than 38 significant digits", aboutItem},
	{"DynamoDB only supports precision up to 38 digits", aboutItem},
	{"The parameter cannot be converted to a numeric value", aboutItem},
	{"A value provided cannot be converted into a number", aboutItem},
	{"Supplied AttributeValue ", aboutItem},
	{invalidValues + "Input collection ", aboutItem},
	{invalidValues + "An string set  may not be empty", aboutItem},
	{invalidValues + "An number set  may not be empty", aboutItem},
	{invalidValues + "Binary sets should not be empty", aboutItem},
	{invalidValues + "Null attribute value types must have the value of true", aboutItem},
	{invalidValues + "Type mismatch for Index Key", aboutIndexKeyType},
	{invalidIndexKeyValue, aboutIndexKeySize},
	{invalidValues + "Size of hashkey has exceeded", aboutIndexKeySize},
	{invalidValues + "Aggregated size of all range keys has exceeded", aboutIndexKeySize},
	{invalidValues + "Size limit exceeded", aboutIndexKeySize},
}

// reasonOf returns the reason of a permanent error of a request.
func reasonOf(err error) reason {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return aboutUnknown
	}
	if !isRefusal(api.ErrorCode()) {
		return aboutItem // the size of its collection, in a table with a local secondary index
	}

	for _, r := range refusals {
		if strings.HasPrefix(api.ErrorMessage(), r.text) {
			return r.reason
		}
	}

	return aboutUnknown
}
