package main

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// pageSize is how many users a page has at most. With every attribute at its longest,
// the answer stays below the 6 MB that Lambda allows.
const pageSize = 100

var (
	errQuery = invalid("query", "takes state, city and next, each once, not empty, and in UTF-8")
	errNext  = invalid("next", "must be the next of an earlier answer to the same query")
)

// page is one page of users.
type page struct {
	Users []user `json:"users"`
	Next  string `json:"next,omitempty"` // empty on the last page
}

// list reads the target table, which follows the source table with a short delay.
func (t tables) list(ctx context.Context, rawQuery string) (page, error) {
	in, err := decodeQuery(rawQuery)
	if err != nil {
		return page{}, err
	}
	in.TableName = &t.target
	out, err := t.client.Query(ctx, in)
	api, ok := errors.AsType[smithy.APIError](err)
	if ok && api.ErrorCode() == "ValidationException" && in.ExclusiveStartKey != nil {
		return page{}, errNext
	}
	if err != nil {
		return page{}, err
	}

	p := page{Users: make([]user, len(out.Items))}
	for i, item := range out.Items {
		p.Users[i] = userOf(item)
	}
	last := textOf(out.LastEvaluatedKey[sortKey])
	p.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
	return p, nil
}

// decodeQuery reads the raw query string: in the decoded one, commas separate the values
// of a repeated parameter, and a city may contain a comma.
func decodeQuery(raw string) (*dynamodb.QueryInput, error) {
	values, err := url.ParseQuery(raw)
	for name, v := range values {
		known := slices.Contains([]string{"state", "city", "next"}, name)
		if !known || len(v) != 1 || v[0] == "" || !utf8.ValidString(v[0]) {
			return nil, errQuery
		}
	}
	if err != nil {
		return nil, errQuery
	}
	state := values.Get("state")
	in := &dynamodb.QueryInput{
		KeyConditionExpression:    aws.String("#state = :state"),
		ExpressionAttributeNames:  map[string]string{"#state": "state"}, // a reserved word
		ExpressionAttributeValues: map[string]types.AttributeValue{":state": text(state)},
		Limit:                     aws.Int32(pageSize),
	}
	if err := checkLength("state", state, maxPartitionKeyBytes); err != nil {
		return nil, err
	}

	if city := values.Get("city"); city != "" {
		prefix := cityPrefix(city)
		if err := checkLength("city", prefix, maxSortKeyBytes); err != nil {
			return nil, err
		}
		*in.KeyConditionExpression += " AND begins_with(" + sortKey + ", :city)"
		in.ExpressionAttributeValues[":city"] = text(prefix)
	}
	if next := values.Get("next"); next != "" {
		after, err := base64.RawURLEncoding.DecodeString(next)
		if err != nil {
			return nil, errNext
		}
		in.ExclusiveStartKey = map[string]types.AttributeValue{"state": text(state), sortKey: text(string(after))}
	}
	return in, nil
}
