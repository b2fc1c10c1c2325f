package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func (u user) json(t testing.TB) string {
	t.Helper()
	text, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestUsersAreListedByStateAndByStateAndCity(t *testing.T) {
	albany := user{"a@example.com", "New York", "Albany", "", true}
	albany2 := user{"z@example.com", "New York", "Albany", "", true}
	park := user{"p@example.com", "New York", "Albanyville", "", false}
	comma := user{"b@example.com", "New York", "Buffalo, the city", "", true}
	escaped := user{"d@example.com", "New York", `Pier \#9`, "", true}
	texas := user{"c@example.com", "Texas", "Austin", "", true}

	api := newAPI(t)
	for _, u := range []user{albany, albany2, park, comma, escaped, texas} {
		api.replicated(t, u)
	}
	inAlbany := []user{albany, albany2}
	tests := []struct {
		name, why string
		query     string
		users     []user
	}{
		{"a state", "all of its cities", "state=New%20York", slices.Concat(inAlbany, []user{park, comma, escaped})},
		{"plus for a space", "what a form or curl sends", "state=New+York&city=Albanyville", []user{park}},
		{"a city", "not the one whose name begins with it", "state=New+York&city=Albany", inAlbany},
		{"a comma", "a comma does not separate values", "state=New+York&city=Buffalo%2C+the+city", []user{comma}},
		{"a separator and a backslash", "they are part of the name", "state=New+York&city=Pier+%5C%239", []user{escaped}},
		{"another state's city", "the city is looked for in its state", "state=New+York&city=Austin", nil},
		{"the beginning of a city", "a city has its whole name", "state=Texas&city=Aus", nil},
		{"unknown state", "no users are an empty list", "state=Utah", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			var want []string
			for _, u := range tt.users {
				want = append(want, u.json(t))
			}
			api.do("GET", "/users?"+tt.query).want(t, http.StatusOK, `{"users":[`+strings.Join(want, ",")+`]}`)
		})
	}
}

func TestAllPagesTogetherListEveryUserOnce(t *testing.T) {
	const n = 2*pageSize + 1
	numbered := func(i int) string { return fmt.Sprintf("City ä/+ %03d", i) }
	for _, tt := range []struct {
		name  string
		query string
		city  func(i int) string
	}{
		{"the users of a state", "state=Ohio", numbered},
		{"the users of a city", "state=Ohio&city=City+%23", func(int) string { return "City #" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := newAPI(t)
			for i := range n {
				email := fmt.Sprintf("%03d@example.com", i)
				api.replicated(t, user{Email: email, State: "Ohio", City: tt.city(i)})
			}
			emails, pages := api.pages(t, "/users?"+tt.query, n)
			if pages != 3 {
				t.Errorf("got %d pages, want 3", pages)
			}
			if !slices.IsSorted(emails) || len(slices.Compact(emails)) != n {
				t.Errorf("got %d users, want %d different ones in order", len(emails), n)
			}
		})
	}
}

// pages follows the answers' next and returns the emails of all of them.
func (a api) pages(t *testing.T, query string, most int) (emails []string, pages int) {
	t.Helper()
	for next := ""; pages < most; pages++ {
		answer := a.do("GET", query+next)
		var p page
		if err := json.Unmarshal([]byte(answer.Body), &p); err != nil {
			t.Fatalf("%d %s: %v", answer.StatusCode, answer.Body, err)
		}
		for _, u := range p.Users {
			emails = append(emails, u.Email)
		}
		if p.Next == "" {
			return emails, pages + 1
		}
		next = "&next=" + p.Next
	}
	return emails, pages
}

func TestBadQueriesAreRefusedWithTheParameterAtFault(t *testing.T) {
	const (
		general   = "takes state, city and next, each once, not empty, and in UTF-8"
		partition = "must have 1 to 2048 bytes"
		sort      = "must have 1 to 1024 bytes"
		noNext    = "must be the next of an earlier answer to the same query"
	)
	tests := []struct {
		name, why string
		query     string
		field     string
		message   string
	}{
		{"no state", "the target's partition key", "", "state", partition},
		{"only a city", "a query needs the partition key", "city=Austin", "state", partition},
		{"empty state", "a key value is never empty", "state=", "query", general},
		{"empty city", "not the same as no city", "state=Texas&city=", "query", general},
		{"state twice", "which one is meant?", "state=Texas&state=Utah", "query", general},
		{"state too long", "a partition key has 2048 bytes", "state=" + strings.Repeat("x", 2049), "state", partition},
		{"city too long", "a sort key has 1024 bytes", "state=x&city=" + strings.Repeat("x", 1025), "city", sort},
		{"not UTF-8", "DynamoDB strings are UTF-8", "state=%FF", "query", general},
		{"unknown parameter", "a typing mistake must not widen a query", "state=Texas&town=Austin", "query", general},
		{"bad escape", "not a query string", "state=%zz", "query", general},
		{"next not ours", "only what an answer has", "state=Texas&next=*", "next", noNext},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			newAPIAt(unreachable).do("GET", "/users?"+tt.query).
				wantError(t, http.StatusBadRequest, tt.field, tt.message)
		})
	}

	t.Run("next of another query", func(t *testing.T) {
		newAPI(t).do("GET", "/users?state=Texas&city=Austin&next=QQ").
			wantError(t, http.StatusBadRequest, "next", noNext)
	})
}
