package replicator

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// permanentError says why a record can never be applied as it is: trying again
// gives the same answer. decode and project return it. Its text names
// attributes, types and sizes, never a value, so that it may be logged.
type permanentError string

func (e permanentError) Error() string { return string(e) }

func permanentf(format string, args ...any) error {
	return permanentError(fmt.Sprintf(format, args...))
}

// failure is one chain or record that was not applied.
type failure struct {
	// change is the index of the first change that must come again.
	change int
	err    error
}

// loggable returns what may be logged about an error: never an attribute value.
// The message of a DynamoDB ValidationException can quote the item it refuses,
// so only its code is kept.
func loggable(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationException" {
		return "ValidationException: DynamoDB refused the request; its message is left out because it can quote the item"
	}
	return err.Error()
}
