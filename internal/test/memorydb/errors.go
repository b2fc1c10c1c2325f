package memorydb

import (
	"fmt"
	"net/http"
)

// refusal is an error answer of DynamoDB.
type refusal struct {
	status int
	// code is the qualified name in "__type". The AWS SDK reads the part behind the
	// "#".
	code    string
	message string
}

// Error is the text of the answer.
func (r *refusal) Error() string { return r.code + ": " + r.message }

// The error types, with the name spaces under which DynamoDB answers them.
const (
	validationException             = "com.amazon.coral.validate#ValidationException"
	serializationException          = "com.amazon.coral.service#SerializationException"
	unknownOperationException       = "com.amazon.coral.service#UnknownOperationException"
	conditionalCheckFailedException = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
	resourceNotFoundException       = "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
	resourceInUseException          = "com.amazonaws.dynamodb.v20120810#ResourceInUseException"
)

func invalid(format string, arguments ...any) *refusal {
	return refuse(validationException, format, arguments...)
}

func malformed(format string, arguments ...any) *refusal {
	return refuse(serializationException, format, arguments...)
}

func refuse(code, format string, arguments ...any) *refusal {
	return &refusal{http.StatusBadRequest, code, fmt.Sprintf(format, arguments...)}
}

// body is the answer's JSON.
func (r *refusal) body() []byte {
	body := appendQuoted([]byte(`{"__type":`), r.code)
	body = append(body, `,"message":`...)

	return append(appendQuoted(body, r.message), '}')
}
