package main

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

func TestAnyRequestIsAnsweredAsDocumented(t *testing.T) {
	const seed, requests = 1, 2000
	random := rand.New(rand.NewPCG(seed, 0))
	api := newAPI(t)
	api.replicated(t, ada)
	met := map[int]bool{}
	for n := range requests {
		met[api.checkAnswer(t, randomRequest(random))] = true
		if t.Failed() {
			t.Fatalf("seed %d, request %d", seed, n)
		}
	}
	for _, status := range []int{200, 201, 204, 400, 404} {
		if !met[status] {
			t.Errorf("no request was answered %d: they are not odd enough, or too odd", status)
		}
	}
}

func FuzzHandle(f *testing.F) {
	f.Add("POST", "/", "", adaBody, false)
	f.Add("POST", "/", "", base64.StdEncoding.EncodeToString([]byte(adaBody)), true)
	f.Add("POST", "/", "", `{"email":"a%25b@example.com","state":"Texas","city":"Austin"}`, false)
	f.Add("POST", "/", "", `{"email":"..","state":"Texas","city":"Austin"}`, false)
	f.Add("POST", "/", "", `{"":1,"":2}`, false)
	f.Add("POST", "/", "", `{"`+strings.Repeat("x", maxBodyBytes/2)+`":1}`, false)
	f.Add("GET", "/users", "state=x&%C3=1", "", false)
	f.Add("GET", "/users", "state=x&"+strings.Repeat("y", maxBodyBytes), "", false)
	f.Add("GET", "/users", "state=New+Jersey&next=QQ", "", false)
	f.Add("GET", "/users", "state=New+Jersey&city=Princeton&next=UHJpbmNldG9uI2E", "", false)
	f.Add("GET", "/users/"+adaEmail, "", "", false)
	f.Add("DELETE", "/users/"+adaEmail, "", "", false)
	f.Add("PUT", "/users/\xff", "", "", true)
	api := newAPI(f)
	api.replicated(f, ada)
	f.Fuzz(func(t *testing.T, method, rawPath, query, body string, isBase64 bool) {
		r := request(method, "")
		r.RawPath, r.RawQueryString, r.Body, r.IsBase64Encoded = rawPath, query, body, isBase64
		api.checkAnswer(t, r)
	})
}

// checkAnswer sends a request while Ada is stored, and checks all that holds for
// any answer. It returns the status.
func (a api) checkAnswer(t testing.TB, r events.APIGatewayV2HTTPRequest) int {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if t.Failed() {
			t.Errorf("the request was %q, %q, %q, %q, %v",
				r.RequestContext.HTTP.Method, r.RawPath, r.RawQueryString, r.Body, r.IsBase64Encoded)
		}
	}()
	a.post(adaBody)
	a.log.Reset()

	got := a.send(r)
	if a.log.Len() > 0 {
		t.Errorf("the log is not empty: %s", a.log)
	}
	switch got.StatusCode {
	case http.StatusOK:
		if r.RawPath == "/users" {
			got.as(t, &page{}, 6<<20)
		} else {
			got.as(t, &user{}, maxBodyBytes)
		}
	case http.StatusCreated:
		got.as(t, &user{}, maxBodyBytes)
		a.checkLocation(t, got)
	case http.StatusNoContent:
		got.want(t, http.StatusNoContent, "")
	case http.StatusBadRequest, http.StatusNotFound:
		var failure struct {
			Error problem `json:"error"`
		}
		got.as(t, &failure, 512)
		if failure.Error.Message == "" || failure.Error.Field == "" {
			t.Errorf("status is %d, body: %s", got.StatusCode, got.Body)
		}
	default:
		t.Errorf("status is %d, body: %s", got.StatusCode, got.Body)
	}

	return got.StatusCode
}

// as decodes the body, which has to be JSON in UTF-8, of v's members alone and
// at most maxBytes long.
func (a answered) as(t testing.TB, v any, maxBytes int) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(a.Body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil || !utf8.ValidString(a.Body) {
		t.Errorf("status is %d, body %q: %v", a.StatusCode, a.Body, err)
	}
	if len(a.Body) > maxBytes {
		t.Errorf("status is %d, body has %d bytes: %s", a.StatusCode, len(a.Body), a.Body)
	}
}

// checkLocation reads and deletes the user that was just put, by its Location
// and through every gateway.
func (a api) checkLocation(t testing.TB, put answered) {
	t.Helper()
	for _, rawPath := range rawPaths(t, put.Headers["Location"]) {
		a.post(put.Body).want(t, http.StatusCreated, put.Body)
		get, del := request("GET", ""), request("DELETE", "")
		get.RawPath, del.RawPath = rawPath, rawPath
		a.send(get).want(t, http.StatusOK, put.Body)
		a.send(del).want(t, http.StatusNoContent, "")
		a.send(get).wantUnknownUser(t)
	}
}

// randomRequest is often almost right, because a request that makes no sense at
// all is refused early.
func randomRequest(random *rand.Rand) events.APIGatewayV2HTTPRequest {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	rarely := func() bool { return random.IntN(8) == 0 }
	text := func() string {
		var b strings.Builder
		for range random.IntN(5) {
			b.WriteString(pick("a", "@", "%", "%25", "%40", "%C3", "%zz", "25", "\xff", "é", "\x00", "?", "#", "&", "=", ";",
				"+", "/", ".", "..", " ", `"`, `\`, `\ud800`, "{", strings.Repeat("x", 64), strings.Repeat("é", 700)))
		}
		return b.String()
	}

	method, rawPath, _ := strings.Cut(pick("POST /", "POST /", "POST /", "GET /users", "GET /users", "GET /users/"+text(),
		"GET /users/"+adaEmail, "DELETE /users/"+adaEmail, "DELETE /users/"+text(), "PUT /users", text()+" /"+text()), " ")
	r := request(method, "")
	r.RawPath = rawPath

	parameters := []string{"state=" + pick("New+Jersey", "New+Jersey", url.QueryEscape(text()), text())}
	for range random.IntN(3) {
		name, value := pick("state", "city", "next", text(), text()), pick("QQ", url.QueryEscape(text()), text())
		parameters = append(parameters, name+"="+value)
	}
	r.RawQueryString = strings.Join(parameters, "&")

	names := []string{"email", "state", "city", "zipcode"}
	if rarely() {
		names = append(names[random.IntN(4):], pick("city", "zip", text()))
	}
	for i, name := range names {
		value, err := json.Marshal(text()) // what is not UTF-8 is replaced
		if err != nil {
			panic(err)
		}
		if rarely() {
			value = []byte(pick("null", "1", "{}", `"`+text()+`"`))
		}
		names[i] = `"` + name + `":` + string(value)
	}
	r.Body = "{" + strings.Join(names, ",") + "}"
	if rarely() {
		r.Body = pick("", text(), strings.Repeat(" ", maxBodyBytes)+r.Body)
	}
	if r.IsBase64Encoded = rarely(); r.IsBase64Encoded && !rarely() {
		r.Body = base64.StdEncoding.EncodeToString([]byte(r.Body))
	}
	return r
}
