package main

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// Since this holds for every email, no path leads to two users.
func TestTheLocationOfAnyUserLeadsToThatUser(t *testing.T) {
	pieces := []string{"a", "@", "%", "%25", "%40", "%2F", "25", "?", "#", "/", ".", "+", " ", "é"}
	accepted := 0
	emails := []string{""}
	for range 4 {
		var longer []string
		for _, email := range emails {
			for _, piece := range pieces {
				longer = append(longer, email+piece)
			}
		}
		emails = longer
		for _, email := range emails {
			if !canBePut(t, email) {
				continue
			}
			accepted++
			for gateway, rawPath := range rawPaths(t, userPath(email)) {
				if got := parsePath(rawPath).email; got != email {
					t.Fatalf("with a gateway that %s, the path of %q leads to %q", gateway, email, got)
				}
			}
		}
	}
	if accepted == 0 {
		t.Error("no email is accepted")
	}
}

func canBePut(t *testing.T, email string) bool {
	t.Helper()
	body, err := json.Marshal(user{Email: email, State: "Texas", City: "Austin"})
	if err != nil {
		t.Fatal(err)
	}
	r := request("POST", "/")
	r.Body = string(body)
	_, err = decodeUser(r)
	return err == nil
}

// rawPaths are what the function may get when a caller follows a Location, by
// what the gateway does: see parsePath.
func rawPaths(t testing.TB, location string) map[string]string {
	t.Helper()
	sent, errSent := (&url.URL{Scheme: "https", Host: "api.example.com", Path: "/"}).Parse(location)
	if errSent != nil {
		t.Fatal(errSent)
	}
	once, errOnce := url.PathUnescape(sent.EscapedPath())
	left, errLeft := url.PathUnescape(strings.ReplaceAll(sent.EscapedPath(), "%25", "%2525"))
	once, _, _ = strings.Cut(once, "?")
	left, _, _ = strings.Cut(left, "?")
	twice, errTwice := url.PathUnescape(once)
	if err := errors.Join(errOnce, errLeft, errTwice); err != nil {
		t.Fatalf("a gateway would refuse %q: %v", location, err)
	}
	return map[string]string{"decodes a path": once, "decodes all but %25": left, "decodes a path twice": twice}
}
