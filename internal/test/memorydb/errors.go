package memorydb

import (
	"fmt"
	"net/http"
	"strings"
)

// refusal is an error answer of DynamoDB.
type refusal struct {
	status int
	// code is the qualified name in "__type". The AWS SDK reads the part behind the
	// "#".
	code    string
	message string
	// item is the item as it is, as JSON, where the request asks for it.
	item string
	// reasons are those of a canceled transaction, as JSON.
	reasons []string
	// ofItem says that a transaction names this as the reason of one of its actions.
	ofItem bool
}

// Error is the text of the answer.
func (r *refusal) Error() string { return r.code + ": " + r.message }

// The error types, with the name spaces under which DynamoDB answers them.
const (
	validationException             = "com.amazon.coral.validate#ValidationException"
	serializationException          = "com.amazon.coral.service#SerializationException"
	unknownOperationException       = "com.amazon.coral.service#UnknownOperationException"
	conditionalCheckFailedException = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
	transactionCanceledException    = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
	resourceNotFoundException       = "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
	resourceInUseException          = "com.amazonaws.dynamodb.v20120810#ResourceInUseException"

	idempotentParameterMismatchException = "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException"
)

func invalid(format string, arguments ...any) *refusal {
	return refuse(validationException, format, arguments...)
}

// mismatch is about the type of a key attribute.
func mismatch(format string, arguments ...any) *refusal {
	refused := invalid(format, arguments...)
	refused.ofItem = true

	return refused
}

func malformed(format string, arguments ...any) *refusal {
	return refuse(serializationException, format, arguments...)
}

func refuse(code, format string, arguments ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, arguments...)}
}

// body is the answer's JSON.
func (r *refusal) body() []byte {
	body := appendQuoted([]byte(`{"__type":`), r.code)
	if r.reasons != nil {
		body = append(body, `,"CancellationReasons":[`+strings.Join(r.reasons, ",")+`]`...)
	}

	return append(append(append(body, ','), r.members()...), '}')
}

// asReason is the refusal of one action of a transaction as JSON.
func (r *refusal) asReason() string {
	return fmt.Sprintf(`{"Code":%q,%s}`, r.code, r.members())
}

// members are those that an answer and a reason have in common. An answer calls the text "message"
// or "Message": the AWS SDK reads both, and a reason only as "Message".
func (r *refusal) members() string {
	text := `"Message":` + string(appendQuoted(nil, r.message))
	if r.item != "" {
		text += `,"Item":` + r.item
	}

	return text
}
