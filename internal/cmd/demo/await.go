package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// arrivalTimeout is how long a change may take from the source table to the target table.
// An emulator needs about a second; a first call on real AWS, with the stream's polling
// and a cold start, a few.
const arrivalTimeout = 60 * time.Second

// tables are the example's two tables and what was last read from them.
type tables struct {
	client                   *dynamodb.Client
	source, target           string
	key                      key
	sourceItems, targetItems []item
}

// await reads both tables until they hold exactly these users.
func (t *tables) await(ctx context.Context, want []user) error {
	ctx, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()

	for {
		err := t.hold(ctx, want)
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

// hold reads both tables once and says what is different.
func (t *tables) hold(ctx context.Context, want []user) (err error) {
	if t.sourceItems, err = scan(ctx, t.client, t.source); err != nil {
		return err
	}
	if t.targetItems, err = scan(ctx, t.client, t.target); err != nil {
		return err
	}

	var source, target []item
	for _, u := range want {
		source, target = append(source, u.sourceItem()), append(target, u.targetItem(t.key))
	}
	if err := sameItems(t.sourceItems, source); err != nil {
		return fmt.Errorf("source table: %w", err)
	}
	if err := sameItems(t.targetItems, target); err != nil {
		return fmt.Errorf("target table: %w", err)
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
