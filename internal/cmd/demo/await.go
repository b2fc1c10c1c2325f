package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// arrivalTimeout is how long a change may take from the source table to a target table.
// An emulator needs about a second; a first call on real AWS, with the stream's polling
// and a cold start, a few.
const arrivalTimeout = 60 * time.Second

// tables are the example's tables.
type tables struct {
	client                    *dynamodb.Client
	source, article, lossless table
}

// table is one of them, and what was last read from it.
type table struct {
	name  string
	items []item
}

// reset deletes what an earlier run left in the source table: a user that is put again
// without a change has no record in the stream.
func (t *tables) reset(ctx context.Context) error {
	for _, u := range append(slices.Clone(users), neighbor) {
		_, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &t.source.name,
			Key:       map[string]types.AttributeValue{"email": &types.AttributeValueMemberS{Value: u.Email}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// await reads the tables until they hold exactly these users. The article's target holds
// only those in shown.
func (t *tables) await(ctx context.Context, want, shown []user) error {
	ctx, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()

	for {
		err := t.hold(ctx, want, shown)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %s: %w", arrivalTimeout, err)
		case <-tick.C:
		}
	}
}

// hold reads the tables once and says what is different.
func (t *tables) hold(ctx context.Context, want, shown []user) (err error) {
	for _, c := range []struct {
		*table
		title string
		users []user
		item  func(user) item
	}{
		{&t.source, "source table", want, user.sourceItem},
		{&t.article, "article's target", shown, user.articleItem},
		{&t.lossless, "lossless target", want, user.losslessItem},
	} {
		if c.items, err = scan(ctx, t.client, c.name); err != nil {
			return err
		}
		var items []item
		for _, u := range c.users {
			items = append(items, c.item(u))
		}
		if err := sameItems(c.items, items); err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
	}
	return nil
}

// sameItems compares items attribute by attribute, in any order, without versions. An
// attribute too many, such as a zip code in the target table, is a difference.
func sameItems(found, want []item) error {
	found = slices.Clone(found)
	for n := range found {
		found[n] = maps.Clone(found[n])
		delete(found[n], spec.DefaultVersionAttribute)
	}
	byEmail := func(a, b item) int { return strings.Compare(a["email"], b["email"]) }
	found = slices.SortedFunc(slices.Values(found), byEmail)
	want = slices.SortedFunc(slices.Values(want), byEmail)
	if !slices.EqualFunc(found, want, maps.Equal[item, item]) {
		return fmt.Errorf("it has %v, want %v", found, want)
	}
	return nil
}

// sameUsers compares users in any order.
func sameUsers(found, want []user) error {
	byEmail := func(a, b user) int { return strings.Compare(a.Email, b.Email) }
	found = slices.SortedFunc(slices.Values(found), byEmail)
	want = slices.SortedFunc(slices.Values(want), byEmail)
	if !slices.Equal(found, want) {
		return fmt.Errorf("the answer is %v, want %v", found, want)
	}
	return nil
}
