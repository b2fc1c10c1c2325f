package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Ada has an email with everything that a path encodes, and a zip code with a leading zero.
const (
	adaEmail = "ada+l@example.com"
	adaBody  = `{"email":"ada+l@example.com","state":"New Jersey","city":"Princeton","zipcode":"08540","active":true}`
)

var ada = user{Email: adaEmail, State: "New Jersey", City: "Princeton", Active: true}

func (a answered) wantUnknownUser(t testing.TB) {
	t.Helper()
	a.wantError(t, http.StatusNotFound, "email", "no user has this email")
}

func TestAUserIsPutReadReplacedAndDeleted(t *testing.T) {
	api := newAPI(t)

	put := api.post(strings.Replace(adaBody, `,"active":true`, "", 1))
	put.want(t, http.StatusCreated, adaBody)
	if got, want := put.Headers["Location"], "/users/ada+l@example.com"; got != want {
		t.Errorf("Location is %q, want %q", got, want)
	}
	api.do("GET", "/users/"+adaEmail).want(t, http.StatusOK, adaBody)

	moved := strings.Replace(adaBody, "Princeton", "Newark", 1)
	api.post(moved).want(t, http.StatusCreated, moved)
	api.do("GET", "/users/"+adaEmail).want(t, http.StatusOK, moved)

	api.do("DELETE", "/users/"+adaEmail).want(t, http.StatusNoContent, "")
	api.do("GET", "/users/"+adaEmail).wantUnknownUser(t)
	api.do("DELETE", "/users/"+adaEmail).wantUnknownUser(t)
}

func TestAUserIsStoredActiveAndWithoutAnEmptyZipCode(t *testing.T) {
	api := newAPI(t)
	body := `{"email":"a@example.com","state":"Texas","city":"Austin"}`
	answer := `{"email":"a@example.com","state":"Texas","city":"Austin","active":true}`
	api.post(body).want(t, http.StatusCreated, answer)
	api.do("GET", "/users/a@example.com").want(t, http.StatusOK, answer)

	out, err := api.tables.client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &api.tables.source, Key: keyOf("a@example.com"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := out.Item["zipcode"]; ok {
		t.Error("the stored item has a zipcode although none was sent")
	}
	if active, ok := out.Item["active"].(*types.AttributeValueMemberBOOL); !ok || !active.Value {
		t.Errorf("active is stored as %v, want the BOOL true", out.Item["active"])
	}
}

func TestEveryEmailThatCanBePutCanBeReadAndDeleted(t *testing.T) {
	api := newAPI(t)
	tests := []struct {
		name, why string
		email     string
		// rawPath is the path as the gateway sends it.
		rawPath string
	}{
		{"plain", "the usual case", "a@example.com", "/users/a@example.com"},
		{"plus", "a plus sign is a space only in a query string", "a+b@example.com", "/users/a+b@example.com"},
		{"slash", "the gateway decodes %2F, so the path has one segment more", "a/b@example.com", "/users/a/b@example.com"},
		{"not ASCII", "the gateway decodes to UTF-8", "adé@example.com", "/users/adé@example.com"},
		{"space", "a space in the path stays one", "a b@example.com", "/users/a b@example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			body := fmt.Sprintf(`{"email":%q,"state":"Texas","city":"Austin","zipcode":"1","active":true}`, tt.email)
			api.post(body).want(t, http.StatusCreated, body)
			api.do("GET", tt.rawPath).want(t, http.StatusOK, body)
			api.do("DELETE", tt.rawPath).want(t, http.StatusNoContent, "")
		})
	}
}

func TestUnknownPathsAndMethodsAreNotFound(t *testing.T) {
	api := newAPIAt(unreachable)
	for _, tt := range []struct{ why, method, path string }{
		{"the root only takes users", "GET", "/"},
		{"the list only answers", "POST", "/users"},
		{"there is no PUT", "PUT", "/users/a@example.com"},
		{"the API has no CORS", "OPTIONS", "/users"},
		{"HEAD is a method of its own here", "HEAD", "/users"},
		{"nothing there", "GET", "/people"},
		{"a user has an email", "GET", "/users/"},
		{"what an invocation by hand may send", "GET", ""},
		{"an email that is too long to be a key", "GET", "/users/" + strings.Repeat("x", maxPartitionKeyBytes+1)},
		{"an email that is too long to be a key", "DELETE", "/users/" + strings.Repeat("x", maxPartitionKeyBytes+1)},
	} {
		t.Log(tt.why)
		api.do(tt.method, tt.path).
			wantError(t, http.StatusNotFound, "path", "does not exist, or not with this method")
	}
}

func TestFailuresOfDynamoDBStayInside(t *testing.T) {
	const secret = "secret-table-and-key"
	busy := `{"error":{"message":"the table is busy: try again"}}`
	broken := `{"error":{"message":"the request failed"}}`
	tests := []struct {
		name, why  string
		httpStatus int
		code       string
		status     int
		retryAfter string
		body       string
	}{
		{"throttled", "later may work", 400, "ProvisionedThroughputExceededException", 503, "1", busy},
		{"server error", "later may work", 500, "InternalServerError", 503, "1", busy},
		{"no permission", "later will not work", 400, "AccessDeniedException", 500, "", broken},
		{"no table", "later will not work", 400, "ResourceNotFoundException", 500, "", broken},
		{"not valid", "a fault of this API or its tables", 400, "ValidationException", 500, "", broken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				w.WriteHeader(tt.httpStatus)
				_, err := fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q}`, tt.code, secret)
				if err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			api := newAPIAt(server.URL)
			for _, answer := range []answered{
				api.post(adaBody), api.do("GET", "/users/"+adaEmail),
				api.do("DELETE", "/users/"+adaEmail), api.do("GET", "/users?state=Texas"),
			} {
				answer.want(t, tt.status, tt.body)
				if got := answer.Headers["Retry-After"]; got != tt.retryAfter {
					t.Errorf("Retry-After is %q, want %q", got, tt.retryAfter)
				}
			}
			log := api.log.String()
			if strings.Contains(log, secret) {
				t.Errorf("the log repeats DynamoDB's message: %s", log)
			}
			if n := strings.Count(log, `requestId=request-1 cause=`+tt.code); n != 4 {
				t.Errorf("the log names the cause %d times, want 4: %s", n, log)
			}
		})
	}
}

func TestTheDeadlineIsAnswered(t *testing.T) {
	stuck := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stuck }))
	defer server.Close()
	defer close(stuck)
	api := newAPIAt(server.URL)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	got, err := api.Handle(ctx, request("GET", "/users/"+adaEmail))
	if err != nil {
		t.Fatal(err)
	}
	answered{got}.want(t, http.StatusServiceUnavailable, `{"error":{"message":"the table is busy: try again"}}`)
	if !strings.Contains(api.log.String(), `cause=context.deadlineExceededError`) {
		t.Errorf("the log does not tell the cause: %s", api.log)
	}
}

func TestAnAttributeOfAnotherTypeIsLeftOut(t *testing.T) {
	api := newAPI(t)
	item := user{Email: "n@example.com", State: "Texas", City: "Austin"}.item()
	item["zipcode"] = &types.AttributeValueMemberN{Value: "8540"}
	item["active"] = text("yes")
	api.putItem(t, api.tables.source, item)
	api.do("GET", "/users/n@example.com").
		want(t, http.StatusOK, `{"email":"n@example.com","state":"Texas","city":"Austin","active":false}`)
}

func TestRequestsThatDoNotFailInsideAreNotLogged(t *testing.T) {
	api := newAPI(t)
	api.post(adaBody)
	api.do("GET", "/users/"+adaEmail)
	api.do("GET", "/users?state=New+Jersey&city=Princeton")
	api.do("PUT", "/users/"+adaEmail)
	api.do("GET", "/"+adaEmail)
	api.post(`{"ada+l@example.com":"Princeton"}`)
	api.do("DELETE", "/users/"+adaEmail)
	if log := api.log.String(); log != "" {
		t.Errorf("the log, which may hold no personal data, is\n%s", log)
	}
}

func TestAVariableThatTheStackSetsIsNamedAtStart(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	set := func(t *testing.T) {
		t.Setenv("SOURCE_TABLE", "s")
		t.Setenv("TARGET_TABLE", "t")
	}
	set(t)
	got, err := newTables(t.Context())
	if err != nil || got.source != "s" || got.target != "t" || got.client == nil {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, variable := range []string{"SOURCE_TABLE", "TARGET_TABLE"} {
		set(t)
		t.Setenv(variable, "")
		want := variable + ` is ""`
		if _, err := newTables(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %s", err, want)
		}
	}
}
