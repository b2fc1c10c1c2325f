package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
)

// arrivalTimeout is how long a change may take from the source table to the
// target table. An emulator takes about a second; a first call on real AWS, with
// the stream's polling and a cold start, a few.
const arrivalTimeout = 60 * time.Second

// demo deploys the example, shows it, and stops what it started.
func (r *runner) demo(ctx context.Context) (err error) {
	existing, err := r.existingCloud(ctx)
	if err != nil {
		return err
	}
	if err := r.install(ctx); err != nil {
		return err
	}
	c := existing
	if c == nil {
		var server *engine.Server
		err := r.step(ctx, "start MiniStack, a local cloud", func() error {
			server, err = engine.StartMiniStack(ctx, r.root)
			return err
		})
		if server != nil {
			// Also after Ctrl-C, hence the uncancelled context.
			defer func() {
				err = errors.Join(err, r.step(context.WithoutCancel(ctx), "stop MiniStack", server.Stop))
			}()
		}
		if err != nil {
			return err
		}
		r.printEmulator(server.Endpoint, server.Log)
		c = &cloud{endpoint: server.Endpoint, log: server.Log}
	}
	outputs, err := r.deploy(ctx, c)
	if err != nil {
		return withLog(ctx, err, c.log)
	}
	if err := r.show(ctx, c, outputs); err != nil {
		return withLog(ctx, err, c.log)
	}
	if existing != nil {
		r.printf("\nThe stack %s is still deployed on %s.\n", stackName, c.endpoint)
	}
	return nil
}

// show posts the users and follows them. Each step that does not hold is an error.
func (r *runner) show(ctx context.Context, c *cloud, o *stackOutputs) error {
	client, err := newDynamoDB(ctx, c)
	if err != nil {
		return err
	}
	t := &tables{client: client, source: o.SourceTableName, target: o.TargetTableName}
	a := newAPI(c, o)

	r.printf("\n")
	err = r.step(ctx, fmt.Sprintf("post %d users with their zip codes", len(users)), func() error {
		for _, u := range users {
			if err := a.post(ctx, u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.step(ctx, "wait until the target table has them", func() error { return t.await(ctx, users) }); err != nil {
		return err
	}
	r.printf("\n")
	r.print(t)
	r.printf("\nEach user was written once, to the source table, keyed by email; its stream carried the\n" +
		"change to the target table, where the same user is keyed by state and city, without zip code.\n" +
		"(Hidden above: " + spec.DefaultVersionAttribute + ", by which the newest change of a city wins.)\n\n")

	inState := slices.DeleteFunc(slices.Clone(users), func(u user) bool { return u.State != queriedState })
	err = r.step(ctx, "query the target table for state="+queriedState, func() error {
		found, err := a.usersOf(ctx, queriedState)
		if err != nil {
			return err
		}
		return sameUsers(found, withoutZipcodes(inState))
	})
	if err != nil {
		return err
	}
	for _, u := range inState {
		r.printf("    %s lives in %s, %s\n", u.Email, u.City, u.State)
	}

	if err := r.step(ctx, "delete "+deletedEmail, func() error { return a.delete(ctx, deletedEmail) }); err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(users), func(u user) bool { return u.Email == deletedEmail })
	if err := r.step(ctx, "wait until the user has left the target table", func() error { return t.await(ctx, left) }); err != nil {
		return err
	}
	r.printf("\n")
	r.print(t)
	r.printf("\n%s is gone from both tables.\n\n", deletedEmail)
	return nil
}

// print prints both tables as they were read last.
func (r *runner) print(t *tables) {
	printSideBySide(r.out,
		listing{title: "source table, key: email", columns: []string{"email", "state", "city", "zipcode"}, items: t.sourceItems},
		listing{title: "target table, key: state + city", columns: []string{"state", "city", "email"}, hidden: []string{spec.DefaultVersionAttribute}, items: t.targetItems})
}

// tables are the example's two tables and what was last read from them.
type tables struct {
	client                   *dynamodb.Client
	source, target           string
	sourceItems, targetItems []item
}

// await reads both tables until they hold exactly these users: the source table
// with zip codes, the target table without.
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
	if err := sameItems(t.sourceItems, want); err != nil {
		return fmt.Errorf("source table: %w", err)
	}
	if err := sameItems(t.targetItems, withoutZipcodes(want)); err != nil {
		return fmt.Errorf("target table: %w", err)
	}
	return nil
}

// sameItems compares items with users, attribute by attribute, in any order. An
// attribute too many, such as a zip code in the target table, is a difference.
func sameItems(items []item, want []user) error {
	wanted := make([]item, len(want))
	for n, u := range want {
		wanted[n] = item{"email": u.Email, "state": u.State, "city": u.City}
		if u.Zipcode != "" {
			wanted[n]["zipcode"] = u.Zipcode
		}
	}
	found := make([]item, len(items))
	for n, i := range items {
		found[n] = maps.Clone(i)
		delete(found[n], spec.DefaultVersionAttribute)
	}
	byEmail := func(a, b item) int { return strings.Compare(a["email"], b["email"]) }
	slices.SortFunc(wanted, byEmail)
	slices.SortFunc(found, byEmail)
	if !slices.EqualFunc(found, wanted, maps.Equal[item, item]) {
		return fmt.Errorf("it has %v, want %v", found, wanted)
	}
	return nil
}

// sameUsers compares users in any order.
func sameUsers(found, want []user) error {
	byEmail := func(a, b user) int { return strings.Compare(a.Email, b.Email) }
	if !slices.Equal(slices.SortedFunc(slices.Values(found), byEmail), slices.SortedFunc(slices.Values(want), byEmail)) {
		return fmt.Errorf("the answer is %v, want %v", found, want)
	}
	return nil
}

func withoutZipcodes(users []user) []user {
	without := slices.Clone(users)
	for n := range without {
		without[n].Zipcode = ""
	}
	return without
}
