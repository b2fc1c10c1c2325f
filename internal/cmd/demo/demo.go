package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
)

// demo deploys the example, shows it, and stops what it started.
func (r *runner) demo(ctx context.Context) (err error) {
	existing, err := r.existingCloud(ctx)
	if err != nil {
		return err
	}

	r.printf("A user is written once, to the source table, where the key is the email. A function follows that\n" +
		"table's stream and keeps two target tables: the article's, with the key state + city, and a lossless\n" +
		"one, with the key state + city#email. This demo deploys them with the CDK and follows six users.\n\n")
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
		c = &cdk.Cloud{Endpoint: server.Endpoint, Log: server.Log}
	}

	outputs, err := r.deploy(ctx, c)
	if err != nil {
		return withLog(ctx, err, c)
	}
	if err := r.show(ctx, c, outputs); err != nil {
		return withLog(ctx, err, c)
	}
	if existing != nil {
		r.printf("The stack %s is still deployed on %s.\n", stackName, c.Endpoint)
	}
	return nil
}

// show tells the story of the users. Each step that does not hold is an error.
func (r *runner) show(ctx context.Context, c *cdk.Cloud, o *stackOutputs) error {
	client, err := c.DynamoDB(ctx)
	if err != nil {
		return err
	}
	t := &tables{
		client:   client,
		source:   table{name: o.SourceTableName},
		article:  table{name: o.TargetTableName},
		lossless: table{name: o.LosslessTableName},
	}
	a := newAPI(c, o)

	if err := r.showArticle(ctx, a, t); err != nil {
		return err
	}
	if err := r.showNeighbor(ctx, a, t); err != nil {
		return err
	}
	return r.showDeletion(ctx, a, t)
}

// showArticle posts the article's users, and queries a state and a city.
func (r *runner) showArticle(ctx context.Context, a *api, t *tables) error {
	r.printf("\n")
	err := r.step(ctx, fmt.Sprintf("POST %d users to the API", len(users)), func() error {
		if err := t.reset(ctx); err != nil {
			return err
		}
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
	err = r.step(ctx, "wait until both targets have them, too", func() error { return t.await(ctx, users, users) })
	if err != nil {
		return err
	}

	r.printSource(t, "The API writes to this table.")
	r.printArticle(t, "It has every attribute but the zip code, which the stack excludes. Not shown: its attribute\n"+
		spec.DefaultVersionAttribute+", by which the newest change of a city wins.")

	home := users[0]
	r.printf("\n")
	if err := r.query(ctx, a, home.State, "", users); err != nil {
		return err
	}
	return r.query(ctx, a, home.State, home.City, users)
}

// showNeighbor posts one more user of a city: the article's target has one item for both.
func (r *runner) showNeighbor(ctx context.Context, a *api, t *tables) error {
	r.printf("\n")
	err := r.step(ctx, "POST "+neighbor.Email+", a neighbor of "+users[0].Email, func() error {
		// The stream's times are whole seconds, and only a later one is sure to win.
		time.Sleep(time.Second)
		return a.post(ctx, neighbor)
	})
	if err != nil {
		return err
	}
	all, shown := append(slices.Clone(users), neighbor), append(slices.Clone(users[1:]), neighbor)
	err = r.step(ctx, "wait until both targets have the user", func() error { return t.await(ctx, all, shown) })
	if err != nil {
		return err
	}

	r.printArticle(t, "A city has one item here, because the key is state + city: the user written last has it.")
	r.printLossless(t, "Every user has an item here, because the key contains the email: the API lists from it.")
	r.printf("\n")
	return r.query(ctx, a, neighbor.State, neighbor.City, all)
}

// showDeletion deletes the user whom the article's target shows. The change of the other
// one was applied long before, so that one does not come back there.
func (r *runner) showDeletion(ctx context.Context, a *api, t *tables) error {
	r.printf("\n")
	err := r.step(ctx, "DELETE /users/"+neighbor.Email, func() error { return a.delete(ctx, neighbor.Email) })
	if err != nil {
		return err
	}
	err = r.step(ctx, "wait until the user has left both targets", func() error {
		return t.await(ctx, users, users[1:])
	})
	if err != nil {
		return err
	}

	r.printSource(t, neighbor.Email+" is in none of the tables any more.")
	r.printArticle(t, "It has nobody in "+neighbor.City+" now, although "+users[0].Email+" lives there:\n"+
		"a change that lost is not applied again.")
	r.printLossless(t, "It still has "+users[0].Email+".")
	r.printf("\n")
	return nil
}

// query asks the API for those of users that live in a state or, unless it is empty, a
// city. The source table could only answer with a scan.
func (r *runner) query(ctx context.Context, a *api, state, city string, users []user) error {
	var want []user
	for _, u := range users {
		if u.State == state && (city == "" || u.City == city) {
			want = append(want, u.listed())
		}
	}

	path := usersPath(state, city)
	err := r.step(ctx, "GET "+path, func() error {
		found, err := a.usersOf(ctx, path)
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
	return nil
}

func (r *runner) printSource(t *tables, why string) {
	r.print("source table, key: email", t.source, why, "email", "state", "city", "zipcode", "active")
}

func (r *runner) printArticle(t *tables, why string) {
	r.print("article's target, key: state + city", t.article, why, "state", "city", "email", "active")
}

func (r *runner) printLossless(t *tables, why string) {
	r.print("lossless target, key: state + city#email", t.lossless, why,
		"state", "cityEmail", "email", "city", "active")
}

// print prints a table as it was read last, and why it has these items.
func (r *runner) print(title string, t table, why string, columns ...string) {
	r.printf("\n")
	listing{title: title, columns: columns, hidden: []string{spec.DefaultVersionAttribute}, items: t.items}.print(r.out)
	r.printf("\n%s\n", why)
}
