package dynamodberror

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"
)

// Reason is the subject of DynamoDB's refusal of an item, as far as its text says.
type Reason int

const (
	// AboutUnknown is an unknown text.
	AboutUnknown Reason = iota
	// AboutItem is a limit that the item itself breaks, whatever the table.
	AboutItem
	// AboutIndexKeyType is about the type of the key of a secondary index,
	// which the spec does not know.
	AboutIndexKeyType
	// AboutIndexKeySize is about its size.
	AboutIndexKeySize
)

// String describes the reason without quoting the item.
func (r Reason) String() string {
	switch r {
	case AboutItem:
		return "the item breaks a limit of DynamoDB, such as 400 KB or 32 levels"
	case AboutIndexKeyType:
		return "a secondary index of the target table has a key of another type than the attribute"
	case AboutIndexKeySize:
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
	reason Reason
}{
	{"Item size ", AboutItem},
	{"Nesting Levels have exceeded supported limits", AboutItem},
	{"Number overflow", AboutItem},
	{"Number underflow", AboutItem},
	{"Attempting to store more than 38 significant digits", AboutItem},
	{"DynamoDB only supports precision up to 38 digits", AboutItem},
	{"The parameter cannot be converted to a numeric value", AboutItem},
	{"A value provided cannot be converted into a number", AboutItem},
	{"Supplied AttributeValue ", AboutItem},
	{invalidValues + "Input collection ", AboutItem},
	{invalidValues + "An string set  may not be empty", AboutItem},
	{invalidValues + "An number set  may not be empty", AboutItem},
	{invalidValues + "Binary sets should not be empty", AboutItem},
	{invalidValues + "Null attribute value types must have the value of true", AboutItem},
	{invalidValues + "Type mismatch for Index Key", AboutIndexKeyType},
	{invalidIndexKeyValue, AboutIndexKeySize},
	{invalidValues + "Size of hashkey has exceeded", AboutIndexKeySize},
	{invalidValues + "Aggregated size of all range keys has exceeded", AboutIndexKeySize},
	{invalidValues + "Size limit exceeded", AboutIndexKeySize},
}

// ReasonOf returns the reason of a permanent error of a request.
func ReasonOf(err error) Reason {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return AboutUnknown
	}
	if !IsRefusal(api.ErrorCode()) {
		return AboutItem // the size of its collection, in a table with a local secondary index
	}

	return ReasonOfMessage(api.ErrorMessage())
}

// ReasonOfMessage returns the reason that a text of a ValidationException names.
func ReasonOfMessage(message string) Reason {
	for _, r := range refusals {
		if strings.HasPrefix(message, r.text) {
			return r.reason
		}
	}

	return AboutUnknown
}
