package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestBadUsersAreRefusedWithTheFieldAtFault(t *testing.T) {
	with := func(member, value string) string {
		members := map[string]json.RawMessage{
			"email": []byte(`"a@example.com"`), "state": []byte(`"Texas"`), "city": []byte(`"Austin"`),
		}
		members[member] = []byte(value)
		if value == "" {
			delete(members, member)
		}
		b, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	long := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	const (
		partition = "must have 1 to 2048 bytes"
		sort      = "must have 1 to 1024 bytes"
		noPath    = `must not contain "?" or "%", or be "." or ".."`
		noUser    = "must be a JSON object of email, state, city and, optionally, zipcode and active, of at most 8 KB"
	)
	// An email of 1024 bytes and a city fit one by one, but not together.
	together := strings.Replace(with("email", long(maxSortKeyBytes-len("Austin"))), "Texas", "Utah", 1)

	tests := []struct {
		name, why string
		body      string
		field     string
		message   string
	}{
		{"email missing", "it is the source key", with("email", ""), "email", partition},
		{"state missing", "it is in the target key", with("state", ""), "state", partition},
		{"city missing", "it is in the target key, and an empty part would make one", with("city", ""), "city", sort},
		{"email empty", "a key value is never empty", with("email", `""`), "email", partition},
		{"state empty", "a key value is never empty", with("state", `""`), "state", partition},
		{"email null", "as if it were missing", with("email", `null`), "email", partition},
		{"city a number", "a sort key of type S", with("city", `1`), "body", noUser},
		{"state an object", "a partition key of type S", with("state", `{}`), "body", noUser},
		{"zipcode a number", "it has no leading zeros", with("zipcode", `8540`), "body", noUser},
		{"active a string", "it is a BOOL", with("active", `"true"`), "body", noUser},
		{"unknown member", "a typing mistake must not be lost silently", with("zip", `"08540"`), "body", noUser},
		{"email too long", "a partition key has 2048 bytes", with("email", long(2049)), "email", partition},
		{"state too long", "a partition key has 2048 bytes", with("state", long(2049)), "state", partition},
		{"city too long", "a sort key has 1024 bytes", with("city", long(1025)), "city", sort},
		{"city too long in bytes", "the limit counts bytes, not characters",
			with("city", `"`+strings.Repeat("é", 513)+`"`), "city", sort},
		{"city and email too long", "they share 1024 bytes", together, "cityEmail", sort},
		{"question mark", "the gateway cuts a path there", with("email", `"a?b@example.com"`), "email", noPath},
		{"percent sign", "a gateway may decode %2540 to @", with("email", `"a%40b@example.com"`), "email", noPath},
		{"a dot", "callers drop it from a path", with("email", `"."`), "email", noPath},
		{"two dots", "callers resolve them in a path", with("email", `".."`), "email", noPath},
		{"empty body", "nothing was sent", ``, "body", noUser},
		{"not JSON", "a form, say", `email=a&state=b`, "body", noUser},
		{"cut short", "half a body is not a user", `{"email":"a"`, "body", noUser},
		{"trailing text", "a second value would be lost", with("zipcode", `"1"`) + `{}`, "body", noUser},
		{"not UTF-8", "DynamoDB strings are UTF-8", "{\"email\":\"\xff\"}", "body", noUser},
		{"an array", "a user is an object", `[]`, "body", noUser},
		{"too large", "8 KB is the limit", with("zipcode", long(8<<10)), "body", noUser},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			api := newAPIAt(unreachable)
			api.post(tt.body).wantError(t, http.StatusBadRequest, tt.field, tt.message)

			encoded := request("POST", "/")
			encoded.Body, encoded.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(tt.body)), true
			api.send(encoded).wantError(t, http.StatusBadRequest, tt.field, tt.message)
			encoded.Body += "*"
			api.send(encoded).wantError(t, http.StatusBadRequest, "body", noUser)
		})
	}
}

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
			for gateway, rawPath := range rawPaths(t, location(email)) {
				if got, ok := strings.CutPrefix(rawPath, "/users/"); !ok || got != email {
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
	_, err = decodeUser(bodyOf(string(body)))
	return err == nil
}

// rawPaths are what the function may get when a caller follows a Location, by what the
// gateway does.
//
// An HTTP API decodes the path before it invokes the function. What becomes of %25 is not
// documented: requests recorded on AWS show that it is decoded twice (%2540 arrives as @,
// and %25 before other text is refused: github.com/hotsock/voker, ingress-paths.json), and
// an emulator leaves it as it is.
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
