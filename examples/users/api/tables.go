package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// pageSize is how many users one answer lists at most. With every attribute at
// its longest the answer stays under Lambda's 6 MB.
const pageSize = 100

// tables reads and writes the two tables.
type tables struct {
	client *dynamodb.Client
	source string
	target string
}

// page is one page of users.
type page struct {
	Users []user `json:"users"`
	// Next, sent back as a parameter, asks for the following page. It is absent
	// on the last one.
	Next string `json:"next,omitempty"`
}

func (t tables) put(ctx context.Context, u user) error {
	item := map[string]types.AttributeValue{
		"email": &types.AttributeValueMemberS{Value: u.Email},
		"state": &types.AttributeValueMemberS{Value: u.State},
		"city":  &types.AttributeValueMemberS{Value: u.City},
	}
	if u.Zipcode != "" {
		item["zipcode"] = &types.AttributeValueMemberS{Value: u.Zipcode}
	}
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.source, Item: item})
	return err
}

// get reads consistently: a user that was just put is found.
func (t tables) get(ctx context.Context, email string) (user, error) {
	key, err := sourceKey(email)
	if err != nil {
		return user{}, err
	}
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.source,
		Key:            key,
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return user{}, err
	}
	if out.Item == nil {
		return user{}, unknownUser()
	}
	return userOf(out.Item), nil
}

// delete is conditional only to tell a user that was there from one that was
// not.
func (t tables) delete(ctx context.Context, email string) error {
	key, err := sourceKey(email)
	if err != nil {
		return err
	}
	_, err = t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                &t.source,
		Key:                      key,
		ConditionExpression:      aws.String("attribute_exists(#email)"),
		ExpressionAttributeNames: map[string]string{"#email": "email"},
	})
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return unknownUser()
	}
	return err
}

// list reads one page of the target table. Its own bookkeeping attribute, the
// version that LAST_WRITER_WINS compares, is not asked for.
func (t tables) list(ctx context.Context, q query) (page, error) {
	in := &dynamodb.QueryInput{
		TableName:              &t.target,
		KeyConditionExpression: aws.String("#state = :state"),
		ProjectionExpression:   aws.String("#email, #state, #city"),
		ExpressionAttributeNames: map[string]string{
			"#email": "email", "#state": "state", "#city": "city",
		},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":state": &types.AttributeValueMemberS{Value: q.state},
		},
		Limit: aws.Int32(pageSize),
	}
	if q.city != "" {
		in.KeyConditionExpression = aws.String("#state = :state AND #city = :city")
		in.ExpressionAttributeValues[":city"] = &types.AttributeValueMemberS{Value: q.city}
	}
	if q.after != "" {
		in.ExclusiveStartKey = map[string]types.AttributeValue{
			"state": &types.AttributeValueMemberS{Value: q.state},
			"city":  &types.AttributeValueMemberS{Value: q.after},
		}
	}
	out, err := t.client.Query(ctx, in)
	if err != nil {
		return page{}, err
	}
	p := page{Users: make([]user, 0, len(out.Items))}
	for _, item := range out.Items {
		p.Users = append(p.Users, userOf(item))
	}
	if last, ok := out.LastEvaluatedKey["city"]; ok {
		p.Next = encodeNext(text(last))
	}
	return p, nil
}

// sourceKey is a user's key in the source table. An email too long to be a key
// is a *problem, because DynamoDB's own answer would look like a fault of ours.
func sourceKey(email string) (map[string]types.AttributeValue, error) {
	if len(email) > maxPartitionKeyBytes {
		return nil, unknownUser()
	}
	return map[string]types.AttributeValue{"email": &types.AttributeValueMemberS{Value: email}}, nil
}

func unknownUser() error {
	return &problem{status: http.StatusNotFound, Field: new("email"), Message: "no user has this email"}
}

// userOf reads an item of either table.
func userOf(item map[string]types.AttributeValue) user {
	return user{
		Email:   text(item["email"]),
		State:   text(item["state"]),
		City:    text(item["city"]),
		Zipcode: text(item["zipcode"]),
	}
}

// text returns a string attribute's value. Every attribute this API writes is a
// string; one of another type was written by someone else, and is left out
// rather than shown as something it is not.
func text(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}
