package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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

func TestAttributeThatIsNoStringIsShownByItsType(t *testing.T) {
	got := newItem(map[string]types.AttributeValue{
		"s": &types.AttributeValueMemberS{Value: "02108"},
		"n": &types.AttributeValueMemberN{Value: "2108"},
		"m": &types.AttributeValueMemberM{},
	})
	for name, want := range (item{"s": "02108", "n": "(N)", "m": "(M)"}) {
		if got[name] != want {
			t.Errorf("%s is shown as %q, want %q", name, got[name], want)
		}
	}
}

func TestItemsMustBeTheUsersToTheLetter(t *testing.T) {
	want := []user{{"a@x", "Ohio", "Akron", ""}, {"b@x", "Ohio", "Dayton", ""}}
	a, b := item{"email": "a@x", "state": "Ohio", "city": "Akron"}, item{"email": "b@x", "state": "Ohio", "city": "Dayton"}
	for _, row := range []struct {
		name  string
		items []item
		same  bool
	}{
		{"in any order", []item{b, a}, true},
		{"one is missing", []item{a}, false},
		{"one is there twice", []item{a, a}, false},
		{"one is too many", []item{a, b, {"email": "c@x"}}, false},
		{"a zip code came along", []item{a, {"email": "b@x", "state": "Ohio", "city": "Dayton", "zipcode": "45401"}}, false},
		{"another city", []item{a, {"email": "b@x", "state": "Ohio", "city": "Akron"}}, false},
	} {
		if err := sameItems(row.items, want); (err == nil) != row.same {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// The target table is keyed by state and city: two users of one city would be
// one target item, and the demo would wait for the other in vain.
func TestUsersOfTheDemoLiveInDifferentCities(t *testing.T) {
	type city struct{ state, city string }
	seen := map[city]string{}
	inState, leadingZeros := 0, 0
	for _, u := range users {
		c := city{u.State, u.City}
		if other, ok := seen[c]; ok {
			t.Errorf("%s and %s live in one city", u.Email, other)
		}
		seen[c] = u.Email
		if u.State == queriedState {
			inState++
		}
		if strings.HasPrefix(u.Zipcode, "0") {
			leadingZeros++
		}
	}
	if len(users) != 5 || inState != 2 || leadingZeros == 0 {
		t.Errorf("%d users, %d in %s, %d zip codes with a leading zero: want 5, 2, some", len(users), inState, queriedState, leadingZeros)
	}
}

func TestOutputsOfTheStackMustBeComplete(t *testing.T) {
	got, err := parseOutputs([]byte(`{"ReplicatedTableUsers":{"ApiUrl":"u","ApiId":"i","SourceTableName":"s","TargetTableName":"t"}}`))
	if want := (stackOutputs{"u", "i", "s", "t"}); err != nil || *got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, content := range []string{`{}`, `[]`, `{"ReplicatedTableUsers":{"ApiUrl":"u","ApiId":"i","SourceTableName":"s"}}`} {
		if got, err := parseOutputs([]byte(content)); err == nil {
			t.Errorf("%s gives %v, want an error", content, got)
		}
	}
}
