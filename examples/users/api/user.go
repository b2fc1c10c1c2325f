package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxBodyBytes is the largest request body, after base64 decoding. The four
// members together need less; the gateway itself would take 10 MB.
const maxBodyBytes = 8 << 10

// The longest key values. Source: Amazon DynamoDB Developer Guide, "Quotas":
// partition key values are 1 to 2048 bytes, sort key values 1 to 1024 bytes.
const (
	maxPartitionKeyBytes = 2048
	maxSortKeyBytes      = 1024
)

// user is one user, in requests and answers.
type user struct {
	Email string `json:"email"`
	State string `json:"state"`
	City  string `json:"city"`
	// Zipcode is a string: as a number it would lose its leading zeros. It is
	// optional, and users from the target table never have one.
	Zipcode string `json:"zipcode,omitempty"`
}

// decodeUser reads a user from a request's body. An error is a *problem that
// names the member at fault, or "body".
//
// The Content-Type is not looked at: there is only one type this API takes.
func decodeUser(r events.APIGatewayV2HTTPRequest) (user, error) {
	body, err := decodeBody(r)
	if err != nil {
		return user{}, err
	}
	members, err := decodeObject(body)
	if err != nil {
		return user{}, err
	}
	var u user
	for _, m := range []struct {
		name     string
		value    *string
		required bool
		maxBytes int
	}{
		{"email", &u.Email, true, maxPartitionKeyBytes},
		// The API could store a longer state or city, but the target table could
		// not: there they are the partition key and the sort key.
		{"state", &u.State, true, maxPartitionKeyBytes},
		{"city", &u.City, true, maxSortKeyBytes},
		{"zipcode", &u.Zipcode, false, maxBodyBytes},
	} {
		raw, ok := members[m.name]
		delete(members, m.name)
		if !ok && !m.required {
			continue
		}
		if !ok {
			return user{}, invalid(m.name, "is missing")
		}
		// Unmarshal alone would take null for an empty string.
		if err := json.Unmarshal(raw, m.value); err != nil || raw.Kind() != '"' {
			return user{}, invalid(m.name, "must be a string")
		}
		if m.required && strings.TrimSpace(*m.value) == "" {
			return user{}, invalid(m.name, "must not be empty")
		}
		if len(*m.value) > m.maxBytes {
			return user{}, invalid(m.name, fmt.Sprintf("must be at most %d bytes long", m.maxBytes))
		}
	}
	if unknown := slices.Sorted(maps.Keys(members)); len(unknown) > 0 {
		return user{}, invalid(unknown[0], "is not a member of a user")
	}
	// GET and DELETE would act on another email: the gateway cuts a path at an
	// encoded question mark and may decode a percent sign with what follows it
	// again, and callers resolve the dots before they send the path.
	if strings.ContainsAny(u.Email, "?%") || u.Email == "." || u.Email == ".." {
		return user{}, invalid("email", `must not contain "?" or "%", or be "." or ".."`)
	}
	return u, nil
}

// decodeBody returns the body's bytes. The gateway encodes a body in base64
// unless its Content-Type is one it knows as text.
func decodeBody(r events.APIGatewayV2HTTPRequest) ([]byte, error) {
	body := []byte(r.Body)
	if r.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(r.Body); err != nil {
			return nil, invalid("body", "is not valid base64")
		}
	}
	if len(body) > maxBodyBytes {
		return nil, &problem{
			status:  http.StatusRequestEntityTooLarge,
			Field:   new("body"),
			Message: fmt.Sprintf("must be at most %d bytes long", maxBodyBytes),
		}
	}
	return body, nil
}

// decodeObject splits a JSON object into its members. Duplicate names at any
// depth, text after the object and invalid UTF-8 are errors.
func decodeObject(body []byte) (map[string]jsontext.Value, error) {
	var members map[string]jsontext.Value
	err := json.Unmarshal(body, &members)
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) && syntax.JSONPointer.Parent() == "" {
			return nil, invalid(syntax.JSONPointer.LastToken(), "is given twice")
		}
		return nil, invalid("body", "is not valid JSON")
	}
	if err != nil || members == nil {
		return nil, invalid("body", "must be a JSON object")
	}
	return members, nil
}
