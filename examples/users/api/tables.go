package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tables are two tables of the ReplicatedTable: its source and the lossless target.
type tables struct {
	client         *dynamodb.Client
	source, target string
}

var errUnknownUser = &problem{http.StatusNotFound, "email", "no user has this email"}

// put replaces a user with the same email.
func (t tables) put(ctx context.Context, u user) error {
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.source, Item: u.item()})
	return err
}

// get reads consistently: it finds a user that was put a moment ago.
func (t tables) get(ctx context.Context, email string) (user, error) {
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &t.source, Key: keyOf(email), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return user{}, err
	}
	if out.Item == nil {
		return user{}, errUnknownUser
	}
	return userOf(out.Item), nil
}

func (t tables) delete(ctx context.Context, email string) error {
	_, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &t.source, Key: keyOf(email), ConditionExpression: aws.String("attribute_exists(email)"),
	})
	if _, missing := errors.AsType[*types.ConditionalCheckFailedException](err); missing {
		return errUnknownUser
	}
	return err
}

func keyOf(email string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"email": text(email)}
}
