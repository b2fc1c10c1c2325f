package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestTablesArePrintedSideBySide(t *testing.T) {
	var out strings.Builder
	printSideBySide(&out,
		listing{title: "left", columns: []string{"email", "city"}, items: []item{
			{"email": "b@x", "city": "Zürich", "n": "(N)"},
			{"email": "a@x", "city": "Oslo"},
		}},
		listing{title: "right", columns: []string{"city"}, hidden: []string{"version"}, items: []item{
			{"city": "Oslo", "version": "1"},
		}})
	want := `
  left (2 items)      |  right (1 items)
  email  city    n    |  city
  -----  ----    -    |  ----
  a@x    Oslo         |  Oslo
  b@x    Zürich  (N)  |
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
	want := []item{one.targetItem(city), two.targetItem(city)}
	a, b := one.targetItem(city), two.targetItem(city)
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
		{"another key", []item{a, two.targetItem(lossless)}, false},
	} {
		if err := sameItems(row.items, want); (err == nil) != row.same {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// The target table has the key state and city: two users of one city would be one target
// item, and the demo would wait for the other in vain.
func TestUsersOfTheDemoLiveInDifferentCities(t *testing.T) {
	type place struct{ state, city string }
	seen := map[place]string{}
	inState, inCity := 0, 0
	for _, u := range users {
		p := place{u.State, u.City}
		if other, ok := seen[p]; ok {
			t.Errorf("%s and %s live in one city", u.Email, other)
		}
		seen[p] = u.Email
		if u.State == queriedState {
			inState++
		}
		if u.State == queriedState && u.City == queriedCity {
			inCity++
		}
	}
	if len(users) != 5 || inState != 2 || inCity != 1 {
		t.Errorf("%d users, %d in %s, %d in %s: want 5, 2, 1", len(users), inState, queriedState, inCity, queriedCity)
	}
}

func TestAnUnknownKeyIsAnError(t *testing.T) {
	for value, want := range map[string]key{"": city, "city": city, "lossless": lossless, "email": ""} {
		r := &runner{getenv: func(string) string { return value }}
		got, err := r.key()
		if got != want || (err == nil) != (want != "") {
			t.Errorf("KEY=%s: got %q, %v, want %q", value, got, err, want)
		}
	}
}

func TestOutputsOfTheStackMustBeComplete(t *testing.T) {
	const all = `{"ReplicatedTableUsers":{"ApiUrl":"u","ApiId":"i","SourceTableName":"s","TargetTableName":"t"}}`
	got, err := parseOutputs([]byte(all))
	if want := (stackOutputs{"u", "i", "s", "t"}); err != nil || *got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, content := range []string{`{}`, `[]`, strings.Replace(all, `,"TargetTableName":"t"`, "", 1)} {
		if got, err := parseOutputs([]byte(content)); err == nil {
			t.Errorf("%s gives %v, want an error", content, got)
		}
	}
}
