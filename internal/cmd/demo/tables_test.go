package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestATableIsPrintedInColumns(t *testing.T) {
	var out strings.Builder
	listing{title: "table", columns: []string{"email", "city"}, hidden: []string{"version"}, items: []item{
		{"email": "b@x", "city": "Zürich", "n": "(N)", "version": "1"},
		{"email": "a@x", "city": "Oslo"},
	}}.print(&out)
	want := `
  table (2 items)
  email  city    n
  -----  ----    -
  a@x    Oslo
  b@x    Zürich  (N)
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestStringsAndBooleansAreShownByValueAndTheRestByType(t *testing.T) {
	got := newItem(map[string]types.AttributeValue{
		"s": &types.AttributeValueMemberS{Value: "02108"},
		"n": &types.AttributeValueMemberN{Value: "2108"},
		"m": &types.AttributeValueMemberM{},
		"b": &types.AttributeValueMemberBOOL{Value: true},
	})
	for name, want := range (item{"s": "02108", "n": "(N)", "m": "(M)", "b": "true"}) {
		if got[name] != want {
			t.Errorf("%s is shown as %q, want %q", name, got[name], want)
		}
	}
}

func TestItemsMustBeTheUsersToTheLetter(t *testing.T) {
	one, two := user{Email: "a@x", State: "Ohio", City: "Akron"}, user{Email: "b@x", State: "Ohio", City: "Dayton"}
	want := []item{one.articleItem(), two.articleItem()}
	a, b := one.articleItem(), two.articleItem()
	with := func(i item, name, value string) item {
		i = maps.Clone(i)
		i[name] = value
		return i
	}
	for _, row := range []struct {
		name  string
		items []item
		same  bool
	}{
		{"in any order", []item{b, a}, true},
		{"with a version", []item{a, with(b, spec.DefaultVersionAttribute, "1")}, true},
		{"one is missing", []item{a}, false},
		{"one is there twice", []item{a, a}, false},
		{"one is too many", []item{a, b, {"email": "c@x"}}, false},
		{"a zip code came along", []item{a, with(b, "zipcode", "45401")}, false},
		{"another city", []item{a, with(b, "city", "Akron")}, false},
		{"not active", []item{a, with(b, "active", "false")}, false},
		{"another key", []item{a, two.losslessItem()}, false},
	} {
		if err := sameItems(row.items, want); (err == nil) != row.same {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// The demo says of the article's users that they share no city, and of the neighbor that
// it is the city of the first.
func TestOnlyTheNeighborSharesACity(t *testing.T) {
	type place struct{ state, city string }
	seen := map[place]string{}
	inState := 0
	for _, u := range users {
		p := place{u.State, u.City}
		if other, ok := seen[p]; ok {
			t.Errorf("%s and %s live in one city", u.Email, other)
		}
		seen[p] = u.Email
		if u.State == users[0].State {
			inState++
		}
	}
	if len(users) != 5 || inState != 2 {
		t.Errorf("%d users, %d in %s: want 5, 2", len(users), inState, users[0].State)
	}
	if seen[place{neighbor.State, neighbor.City}] != users[0].Email {
		t.Errorf("%s does not live in the city of %s", neighbor.Email, users[0].Email)
	}
}

func TestOutputsOfTheStackMustBeComplete(t *testing.T) {
	const all = `{"ReplicatedTableUsers":{"ApiUrl":"u","ApiId":"i","SourceTableName":"s","TargetTableName":"t",` +
		`"LosslessTableName":"l"}}`
	got, err := parseOutputs([]byte(all))
	if want := (stackOutputs{"u", "i", "s", "t", "l"}); err != nil || *got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, content := range []string{`{}`, `[]`, strings.Replace(all, `,"LosslessTableName":"l"`, "", 1)} {
		if got, err := parseOutputs([]byte(content)); err == nil {
			t.Errorf("%s gives %v, want an error", content, got)
		}
	}
}
