package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
)

// demo deploys the example, shows it, and stops what it started.
func (r *runner) demo(ctx context.Context) (err error) {
	k, err := r.key()
	if err != nil {
		return err
	}
	existing, err := r.existingCloud(ctx)
	if err != nil {
		return err
	}

	r.printf("A user is written once, to the source table, where the key is the email. A function follows that\n"+
		"table's stream and keeps the target table, where the same user has another key: %s.\n"+
		"This demo deploys both with the CDK and follows five users.\n\n", k.description())
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

	outputs, err := r.deploy(ctx, c, k)
	if err != nil {
		return withLog(ctx, err, c.log)
	}
	if err := r.show(ctx, c, outputs, k); err != nil {
		return withLog(ctx, err, c.log)
	}
	if existing != nil {
		r.printf("The stack %s is still deployed on %s.\n", stackName, c.endpoint)
	}
	return nil
}

// show posts the users and follows them. Each step that does not hold is an error.
func (r *runner) show(ctx context.Context, c *cloud, o *stackOutputs, k key) error {
	client, err := newDynamoDB(ctx, c)
	if err != nil {
		return err
	}
	t := &tables{client: client, source: o.SourceTableName, target: o.TargetTableName, key: k}
	a := newAPI(c, o)
	if err := r.showPosts(ctx, a, t); err != nil {
		return err
	}
	if err := r.showQueries(ctx, a); err != nil {
		return err
	}
	return r.showDeletion(ctx, a, t)
}

func (r *runner) showPosts(ctx context.Context, a *api, t *tables) error {
	r.printf("\n")
	err := r.step(ctx, fmt.Sprintf("POST %d users to the API, which writes the source table", len(users)), func() error {
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
	err = r.step(ctx, "wait until the target table has them, too", func() error { return t.await(ctx, users) })
	if err != nil {
		return err
	}

	r.printf("\n")
	r.print(t)
	r.printf("\nThe target table has every attribute but the zip code, which the stack excludes.\n")
	if t.key == city {
		r.printf("Not shown: its attribute %s, by which the newest change of a city wins.\n", spec.DefaultVersionAttribute)
	}
	r.printf("\n")
	return nil
}

// showQueries asks the target table what the source table could only answer with a scan.
func (r *runner) showQueries(ctx context.Context, a *api) error {
	for _, city := range []string{"", queriedCity} {
		var want []user
		for _, u := range users {
			if u.State == queriedState && (city == "" || u.City == city) {
				want = append(want, u.listed())
			}
		}
		query := usersPath(queriedState, city)
		err := r.step(ctx, "GET "+query, func() error {
			found, err := a.usersOf(ctx, query)
			if err != nil {
				return err
			}
			return sameUsers(found, want)
		})
		if err != nil {
			return err
		}
		for _, u := range want {
			r.printf("    %s lives in %s, %s\n", u.Email, u.City, u.State)
		}
	}
	r.printf("\n")
	return nil
}

func (r *runner) showDeletion(ctx context.Context, a *api, t *tables) error {
	err := r.step(ctx, "DELETE /users/"+deletedEmail, func() error { return a.delete(ctx, deletedEmail) })
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(users), func(u user) bool { return u.Email == deletedEmail })
	err = r.step(ctx, "wait until the user has left the target table", func() error { return t.await(ctx, left) })
	if err != nil {
		return err
	}

	r.printf("\n")
	r.print(t)
	r.printf("\n%s is in neither table any more.\n\n", deletedEmail)
	return nil
}

// print prints both tables as they were read last.
func (r *runner) print(t *tables) {
	target := []string{"state", "city", "email", "active"}
	if t.key == lossless {
		target = []string{"state", "cityEmail", "email", "active"}
	}
	printSideBySide(r.out, listing{
		title:   "source table, key: email",
		columns: []string{"email", "state", "city", "zipcode", "active"},
		items:   t.sourceItems,
	}, listing{
		title:   "target table, key: " + t.key.description(),
		columns: target,
		hidden:  []string{spec.DefaultVersionAttribute},
		items:   t.targetItems,
	})
}
