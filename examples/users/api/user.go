package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxBodyBytes is the largest body of a request: more than a user needs, and less than
// the gateway takes.
const maxBodyBytes = 8 << 10

// user is one user, in requests and answers.
type user struct {
	Email string `json:"email"`
	State string `json:"state"`
	City  string `json:"city"`
	// Zipcode is a string because a number has no leading zeros. It is optional, and
	// users from the target table have none.
	Zipcode string `json:"zipcode,omitempty"`
	Active  bool   `json:"active"`
}

// decodeUser reads a request's body. A user is active unless the body says otherwise.
func decodeUser(r events.APIGatewayV2HTTPRequest) (user, error) {
	u, body := user{Active: true}, []byte(r.Body)
	var err error
	if r.IsBase64Encoded { // as the gateway sends what it does not know as text
		body, err = base64.StdEncoding.DecodeString(r.Body)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err = cmp.Or(err, decoder.Decode(&u))
	if _, end := decoder.Token(); err != nil || end != io.EOF || !utf8.Valid(body) || len(body) > maxBodyBytes {
		return u, invalid("body", "must be a JSON object of email, state, city and, optionally, zipcode and active, "+
			"of at most 8 KB")
	}

	return u, cmp.Or(
		checkLength("email", u.Email, maxPartitionKeyBytes),
		checkPath(u.Email),
		// The source table could hold longer ones, but a target table could not.
		checkLength("state", u.State, maxPartitionKeyBytes),
		checkLength("city", u.City, maxSortKeyBytes),
		checkLength(sortKey, sortKeyOf(u), maxSortKeyBytes),
	)
}

// checkPath refuses an email whose path would lead to another user: the gateway cuts a
// path at a question mark, even an encoded one, and may decode a percent sign twice;
// callers resolve the dots.
func checkPath(email string) error {
	if strings.ContainsAny(email, "?%") || email == "." || email == ".." {
		return invalid("email", `must not contain "?" or "%", or be "." or ".."`)
	}
	return nil
}

// item is the user's item in the source table.
func (u user) item() map[string]types.AttributeValue {
	item := map[string]types.AttributeValue{
		"email": text(u.Email), "state": text(u.State), "city": text(u.City),
		"active": &types.AttributeValueMemberBOOL{Value: u.Active},
	}
	if u.Zipcode != "" {
		item["zipcode"] = text(u.Zipcode)
	}
	return item
}

// userOf reads an item of either table. An attribute of another type counts as absent.
func userOf(item map[string]types.AttributeValue) user {
	active, ok := item["active"].(*types.AttributeValueMemberBOOL)
	return user{
		Email: textOf(item["email"]), State: textOf(item["state"]), City: textOf(item["city"]),
		Zipcode: textOf(item["zipcode"]), Active: ok && active.Value,
	}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func textOf(value types.AttributeValue) string {
	if s, ok := value.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}
