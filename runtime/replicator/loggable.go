package replicator

import (
	"errors"

	"github.com/replicatedtable/cdk-go/internal/dynamodberror"
)

// ownError is an error in words of our own: it quotes neither an item nor a service, and may
// be logged.
type ownError string

func (e ownError) Error() string { return string(e) }

// recordError says why a record cannot be decoded or mapped. The decoder and the mappings
// quote names of the spec, types and lengths, never a value, so it may be logged.
type recordError struct{ error }

func (e recordError) Unwrap() error { return e.error }

// tableError says which table the error of a request is about.
type tableError struct {
	verb, tableName string
	err             error
}

func (e *tableError) Error() string { return e.verb + " " + e.tableName + ": " + e.err.Error() }

func (e *tableError) Unwrap() error { return e.err }

// queueError says that the failure queue did not accept a message.
type queueError struct {
	// about is what the message was about, loggable.
	about string
	err   error
}

func (e *queueError) Error() string {
	return "the failure queue did not accept a message (" + e.about + "): " + e.err.Error()
}

func (e *queueError) Unwrap() error { return e.err }

// loggable returns a text about an error that may be logged: it never has an attribute value.
// A service's text can quote the item that it refuses, and a broken answer can hold anything.
// So the text is put together from what is known, and everything else has no text.
func loggable(err error) string {
	var (
		refused *queueError
		wrong   *configurationError
		braked  *brakeError
		record  recordError
		own     ownError
	)
	switch {
	case errors.As(err, &refused):
		return "the failure queue did not accept a message (" + refused.about + "): " + loggable(refused.err)
	case errors.As(err, &wrong):
		return wrong.Error()
	case errors.As(err, &braked):
		return braked.Error()
	case errors.As(err, &record):
		return record.Error()
	case errors.As(err, &own):
		return own.Error()
	default:
		return dynamodberror.Loggable(err)
	}
}
