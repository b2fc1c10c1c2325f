package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Ada has an email with everything that a path encodes, and a zip code with a
// leading zero.
const (
	adaEmail = "ada+l@example.com"
	adaBody  = `{"email":"ada+l@example.com","state":"New Jersey","city":"Princeton","zipcode":"08540"}`
)

var ada = user{Email: adaEmail, State: "New Jersey", City: "Princeton"}

func TestAUserIsPutReadReplacedAndDeleted(t *testing.T) {
	api := newAPI(t)

	put := api.post(adaBody)
	put.want(t, http.StatusCreated, adaBody)
	if got, want := put.Headers["Location"], "/users/ada+l@example.com"; got != want {
		t.Errorf("Location is %q, want %q", got, want)
	}
	api.do("GET", "/users/"+adaEmail).want(t, http.StatusOK, adaBody)

	moved := strings.Replace(adaBody, "Princeton", "Newark", 1)
	api.post(moved).want(t, http.StatusCreated, moved)
	api.do("GET", "/users/"+adaEmail).want(t, http.StatusOK, moved)

	deleted := api.do("DELETE", "/users/"+adaEmail)
	deleted.want(t, http.StatusNoContent, "")
	api.do("GET", "/users/"+adaEmail).want(t, http.StatusNotFound, unknownUserBody)
	api.do("DELETE", "/users/"+adaEmail).want(t, http.StatusNotFound, unknownUserBody)
}

const unknownUserBody = `{"error":{"field":"email","message":"no user has this email"}}`

func TestTheZipCodeIsOptional(t *testing.T) {
	api := newAPI(t)
	body := `{"email":"a@example.com","state":"Texas","city":"Austin"}`
	api.post(body).want(t, http.StatusCreated, body)
	api.do("GET", "/users/a@example.com").want(t, http.StatusOK, body)

	out, err := api.tables.client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &api.tables.source, Key: item(user{Email: "a@example.com"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := out.Item["zipcode"]; ok {
		t.Error("the stored item has a zipcode although none was sent")
	}
}

func TestEveryEmailThatCanBePutCanBeReadAndDeleted(t *testing.T) {
	api := newAPI(t)
	tests := []struct {
		name, why string
		email     string
		// rawPath is the path as the gateway hands it over.
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
			body := fmt.Sprintf(`{"email":%q,"state":"Texas","city":"Austin","zipcode":"1"}`, tt.email)
			api.post(body).want(t, http.StatusCreated, body)
			api.do("GET", tt.rawPath).want(t, http.StatusOK, body)
			api.do("DELETE", tt.rawPath).want(t, http.StatusNoContent, "")
		})
	}
}

func TestBadUsersAreRefusedWithTheFieldAtFault(t *testing.T) {
	// No request here may reach a table.
	api := newAPIAt(t, "http://127.0.0.1:1")
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
	const noPath = `must not contain "?" or "%", or be "." or ".."`

	tests := []struct {
		name, why string
		body      string
		status    int
		field     string
		message   string
	}{
		{"email missing", "it is the source key", with("email", ""), 400, "email", "is missing"},
		{"state missing", "it is in the target key", with("state", ""), 400, "state", "is missing"},
		{"city missing", "it is in the target key", with("city", ""), 400, "city", "is missing"},
		{"email empty", "a key value is never empty", with("email", `""`), 400, "email", "must not be empty"},
		{"state empty", "a key value is never empty", with("state", `""`), 400, "state", "must not be empty"},
		{"city blank", "a blank is nothing to a reader", with("city", `" \t"`), 400, "city", "must not be empty"},
		{"email null", "null is not a string", with("email", `null`), 400, "email", "must be a string"},
		{"city a number", "a sort key of type S", with("city", `1`), 400, "city", "must be a string"},
		{"state an object", "a partition key of type S", with("state", `{}`), 400, "state", "must be a string"},
		{"zipcode a number", "it would lose its leading zeros", with("zipcode", `8540`), 400, "zipcode", "must be a string"},
		{"unknown member", "a typing mistake must not be lost silently", with("zip", `"08540"`), 400, "zip", "is not a member of a user"},
		{"other case", "members have one spelling", with("Zipcode", `"08540"`), 400, "Zipcode", "is not a member of a user"},
		{"email too long", "a partition key has 2048 bytes", with("email", long(2049)), 400, "email", "must be at most 2048 bytes long"},
		{"state too long", "a partition key has 2048 bytes", with("state", long(2049)), 400, "state", "must be at most 2048 bytes long"},
		{"city too long", "a sort key has 1024 bytes", with("city", long(1025)), 400, "city", "must be at most 1024 bytes long"},
		{"city too long in bytes", "the limit counts bytes, not characters", with("city", `"`+strings.Repeat("é", 513)+`"`), 400, "city", "must be at most 1024 bytes long"},
		{"question mark", "the gateway cuts a path there", with("email", `"a?b@example.com"`), 400, "email", noPath},
		{"percent sign", "a gateway may decode %2540 to @", with("email", `"a%40b@example.com"`), 400, "email", noPath},
		{"a dot", "callers drop it from a path", with("email", `"."`), 400, "email", noPath},
		{"two dots", "callers resolve them in a path", with("email", `".."`), 400, "email", noPath},
		{"long name", "an answer is short", with(strings.Repeat("x", maxFieldBytes+1), `1`), 400, strings.Repeat("x", maxFieldBytes), "is not a member of a user"},
		{"long name, not ASCII", "an answer has whole characters", with("x"+strings.Repeat("é", maxFieldBytes/2), `1`), 400, "x" + strings.Repeat("é", maxFieldBytes/2-1), "is not a member of a user"},
		{"long name twice", "an answer is short", `{` + long(maxFieldBytes+1) + `:1,` + long(maxFieldBytes+1) + `:1}`, 400, strings.Repeat("x", maxFieldBytes), "is given twice"},
		{"empty name", "even that one is named", with("", `1`), 400, "", "is not a member of a user"},
		{"given twice", "which one is meant?", `{"email":"a","email":"b","state":"s","city":"c"}`, 400, "email", "is given twice"},
		{"duplicate inside a member", "JSON that means nothing certain", `{"email":{"x":1,"x":2}}`, 400, "body", "is not valid JSON"},
		{"empty body", "nothing was sent", ``, 400, "body", "is not valid JSON"},
		{"not JSON", "a form, say", `email=a&state=b`, 400, "body", "is not valid JSON"},
		{"cut short", "half a body is not a user", `{"email":"a"`, 400, "body", "is not valid JSON"},
		{"trailing text", "a second value would be lost", with("zipcode", `"1"`) + `{}`, 400, "body", "is not valid JSON"},
		{"not UTF-8", "DynamoDB strings are UTF-8", "{\"email\":\"\xff\"}", 400, "body", "is not valid JSON"},
		{"an array", "a user is an object", `[]`, 400, "body", "must be a JSON object"},
		{"null", "a user is an object", `null`, 400, "body", "must be a JSON object"},
		{"too large", "8 KB is the limit", with("zipcode", long(8<<10)), 413, "body", "must be at most 8192 bytes long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			want := fmt.Sprintf(`{"error":{"field":%q,"message":%q}}`, tt.field, tt.message)
			plain := request("POST", "/")
			plain.Body = tt.body
			encoded := request("POST", "/")
			encoded.Body, encoded.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(tt.body)), true

			api.send(plain).want(t, tt.status, want)
			api.send(encoded).want(t, tt.status, want)
		})
	}
}

func TestABodyIsMeasuredAfterDecoding(t *testing.T) {
	api := newAPI(t)
	// The largest body allowed: in base64 it is longer than the limit.
	body := `{"email":"a@example.com","state":"Texas","city":"Austin","zipcode":"1"}`
	body += strings.Repeat(" ", maxBodyBytes-len(body))
	r := request("POST", "/")
	r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(body)), true
	api.send(r).want(t, http.StatusCreated, strings.TrimSpace(body))
}

func TestABodyThatIsNotBase64IsRefused(t *testing.T) {
	r := request("POST", "/")
	r.Body, r.IsBase64Encoded = "!", true
	newAPIAt(t, "http://127.0.0.1:1").send(r).
		want(t, http.StatusBadRequest, `{"error":{"field":"body","message":"is not valid base64"}}`)
}

func TestUsersAreListedFromTheTargetTable(t *testing.T) {
	api := newAPI(t)
	for _, u := range []user{
		{Email: "a@example.com", State: "New York", City: "Albany"},
		{Email: "b@example.com", State: "New York", City: "Buffalo, the city"},
		{Email: "c@example.com", State: "Texas", City: "Austin"},
	} {
		api.replicated(t, u)
	}
	albany := `{"email":"a@example.com","state":"New York","city":"Albany"}`
	buffalo := `{"email":"b@example.com","state":"New York","city":"Buffalo, the city"}`
	tests := []struct {
		name, why string
		query     string
		users     string
	}{
		{"a state", "all of its cities, in order", "state=New%20York", albany + "," + buffalo},
		{"plus for a space", "what a form or curl sends", "state=New+York", albany + "," + buffalo},
		{"a city", "one city", "state=New+York&city=Albany", albany},
		{"a comma", "a comma does not separate values", "state=New+York&city=Buffalo%2C+the+city", buffalo},
		{"another state's city", "the city is looked for in its state", "state=New+York&city=Austin", ""},
		{"unknown state", "no users are an empty list", "state=Utah", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			api.do("GET", "/users?"+tt.query).want(t, http.StatusOK, `{"users":[`+tt.users+`]}`)
		})
	}
}

func TestAllPagesTogetherListEveryUserOnce(t *testing.T) {
	api := newAPI(t)
	const n = 2*pageSize + 1
	for i := range n {
		api.replicated(t, user{Email: fmt.Sprintf("%d@example.com", i), State: "Ohio", City: fmt.Sprintf("City ä/+ %03d", i)})
	}
	var cities []string
	next, pages := "", 0
	for {
		answer := api.do("GET", "/users?state=Ohio"+next)
		var p page
		if err := json.Unmarshal([]byte(answer.Body), &p); err != nil {
			t.Fatalf("%d %s: %v", answer.StatusCode, answer.Body, err)
		}
		for _, u := range p.Users {
			cities = append(cities, u.City)
		}
		pages++
		if p.Next == "" {
			break
		}
		next = "&next=" + p.Next
	}
	if pages != 3 {
		t.Errorf("got %d pages, want 3", pages)
	}
	if !slices.IsSorted(cities) || len(slices.Compact(cities)) != n {
		t.Errorf("got %d cities, want %d different ones in order", len(cities), n)
	}
}

func TestBadQueriesAreRefusedWithTheParameterAtFault(t *testing.T) {
	api := newAPIAt(t, "http://127.0.0.1:1")
	tests := []struct {
		name, why string
		query     string
		field     string
		message   string
	}{
		{"no state", "the target's partition key", "", "state", "is missing"},
		{"only a city", "a query needs the partition key", "city=Austin", "state", "is missing"},
		{"empty state", "a key value is never empty", "state=", "state", "must not be empty"},
		{"empty city", "not the same as no city", "state=Texas&city=", "city", "must not be empty"},
		{"state twice", "which one is meant?", "state=Texas&state=Utah", "state", "is given more than once"},
		{"state too long", "a partition key has 2048 bytes", "state=" + strings.Repeat("x", 2049), "state", "must be at most 2048 bytes long"},
		{"city too long", "a sort key has 1024 bytes", "state=x&city=" + strings.Repeat("x", 1025), "city", "must be at most 1024 bytes long"},
		{"not UTF-8", "DynamoDB strings are UTF-8", "state=%FF", "state", "must be UTF-8"},
		{"unknown parameter", "a typing mistake must not widen a query", "state=Texas&town=Austin", "town", "is not a parameter of this path"},
		{"long name", "an answer is short", "state=Texas&" + strings.Repeat("x", maxFieldBytes+1), strings.Repeat("x", maxFieldBytes), "is not a parameter of this path"},
		{"name not UTF-8", "an answer is UTF-8", "state=Texas&a%C3=1", "a\uFFFD", "is not a parameter of this path"},
		{"empty name", "even that one is named", "state=Texas&=1", "", "is not a parameter of this path"},
		{"bad escape", "not a query string", "state=%zz", "query", "is not a valid query string"},
		{"next not ours", "only what an answer gave", "state=Texas&next=*", "next", "must be the next of an earlier answer"},
		{"next not UTF-8", "only what an answer gave", "state=Texas&next=_w", "next", "must be the next of an earlier answer"},
		{"next with a city", "one city is one page", "state=Texas&city=Austin&next=QQ", "next", "must not be given with city: a city has one page"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			api.do("GET", "/users?"+tt.query).
				want(t, http.StatusBadRequest, fmt.Sprintf(`{"error":{"field":%q,"message":%q}}`, tt.field, tt.message))
		})
	}
}

func TestUnknownPathsAndMethodsAreTold(t *testing.T) {
	api := newAPIAt(t, "http://127.0.0.1:1")
	tests := []struct {
		name, why    string
		method, path string
		status       int
		allow        string
	}{
		{"read the root", "the root only takes users", "GET", "/", 405, "POST"},
		{"put at /users", "the list only answers", "POST", "/users", 405, "GET"},
		{"put at a user", "there is no PUT", "PUT", "/users/a@example.com", 405, "DELETE, GET"},
		{"preflight", "the API has no CORS", "OPTIONS", "/users", 405, "GET"},
		{"head", "HEAD is a method of its own here", "HEAD", "/users", 405, "GET"},
		{"unknown path", "nothing there", "GET", "/people", 404, ""},
		{"user without email", "an empty variable matches nothing", "GET", "/users/", 404, ""},
		{"empty path", "what an invocation by hand may send", "GET", "", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			want := `{"error":{"message":"there is no such path"}}`
			if tt.status == http.StatusMethodNotAllowed {
				want = fmt.Sprintf(`{"error":{"message":"this path takes %s"}}`, tt.allow)
			}
			got := api.do(tt.method, tt.path)
			got.want(t, tt.status, want)
			if got.Headers["Allow"] != tt.allow {
				t.Errorf("Allow is %q, want %q", got.Headers["Allow"], tt.allow)
			}
		})
	}
}

func TestAnEmailTooLongToBeAKeyIsUnknown(t *testing.T) {
	api := newAPIAt(t, "http://127.0.0.1:1")
	path := "/users/" + strings.Repeat("x", maxPartitionKeyBytes+1)
	api.do("GET", path).want(t, http.StatusNotFound, unknownUserBody)
	api.do("DELETE", path).want(t, http.StatusNotFound, unknownUserBody)
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
		cause      string
	}{
		{"throttled", "later may work", 400, "ProvisionedThroughputExceededException", 503, "1", busy, "ProvisionedThroughputExceededException"},
		{"server error", "later may work", 500, "InternalServerError", 503, "1", busy, "InternalServerError"},
		{"no permission", "later will not work", 400, "AccessDeniedException", 500, "", broken, "AccessDeniedException"},
		{"no table", "later will not work", 400, "ResourceNotFoundException", 500, "", broken, "ResourceNotFoundException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				w.WriteHeader(tt.httpStatus)
				if _, err := fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q}`, tt.code, secret); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			api := newAPIAt(t, server.URL)
			for _, answer := range []answered{
				api.post(adaBody), api.do("GET", "/users/"+adaEmail), api.do("DELETE", "/users/"+adaEmail), api.do("GET", "/users?state=Texas"),
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
			if n := strings.Count(log, `cause=`+tt.cause); n != 4 {
				t.Errorf("the log names the cause %d times, want 4: %s", n, log)
			}
		})
	}
}

func TestTheDeadlineIsAnsweredBeforeItIsReached(t *testing.T) {
	stuck := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stuck }))
	defer server.Close()
	defer close(stuck)
	api := newAPIAt(t, server.URL)

	deadline := time.Now().Add(answerReserve + 100*time.Millisecond)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	r := request("GET", "/users/"+adaEmail)
	got, err := api.Handle(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if time.Now().After(deadline) {
		t.Error("the answer came after the deadline")
	}
	answered{got}.want(t, http.StatusServiceUnavailable, `{"error":{"message":"the table is busy: try again"}}`)
	if !strings.Contains(api.log.String(), `cause="deadline exceeded"`) {
		t.Errorf("the log does not tell the cause: %s", api.log)
	}
}

func TestAnAttributeOfAnotherTypeIsLeftOut(t *testing.T) {
	api := newAPI(t)
	it := item(user{Email: "n@example.com", State: "Texas", City: "Austin"})
	it["zipcode"] = &types.AttributeValueMemberN{Value: "8540"}
	api.putItem(t, api.tables.source, it)
	api.do("GET", "/users/n@example.com").
		want(t, http.StatusOK, `{"email":"n@example.com","state":"Texas","city":"Austin"}`)
}

func TestNoPersonalDataIsLogged(t *testing.T) {
	api := newAPI(t)
	api.post(adaBody)
	api.do("GET", "/users/"+adaEmail)
	api.do("GET", "/users?state=New+Jersey&city=Princeton")
	api.do("PUT", "/users/"+adaEmail)
	api.do("GET", "/"+adaEmail)
	api.post(`{"ada+l@example.com":"Princeton"}`)
	api.do("DELETE", "/users/"+adaEmail)
	log := api.log.String()
	if got := strings.Count(log, "\n"); got != 7 {
		t.Errorf("got %d log lines, want one for each of 7 requests", got)
	}
	for _, personal := range []string{"ada", "example", "Jersey", "Princeton", "08540"} {
		if strings.Contains(log, personal) {
			t.Errorf("the log has %q in it:\n%s", personal, log)
		}
	}
}

func TestAMissingTableNameIsNamedAtStart(t *testing.T) {
	for _, missing := range []string{"SOURCE_TABLE", "TARGET_TABLE"} {
		environment := map[string]string{"SOURCE_TABLE": "s", "TARGET_TABLE": "t"}
		delete(environment, missing)
		_, err := start(t.Context(), func(name string) string { return environment[name] }, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: got error %v, want one that names it", missing, err)
		}
	}
}

func TestStartTakesTheTableNames(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	environment := map[string]string{"SOURCE_TABLE": "s", "TARGET_TABLE": "t"}
	h, err := start(t.Context(), func(name string) string { return environment[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if h.tables.source != "s" || h.tables.target != "t" || h.tables.client == nil {
		t.Errorf("got tables %q and %q, client %v", h.tables.source, h.tables.target, h.tables.client)
	}
}
