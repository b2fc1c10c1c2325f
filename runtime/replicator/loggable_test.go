package replicator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// marker is in every attribute value of an item, and in whatever a service says.
const marker = "MARKER-0815"

// places are the places of an answer that an error can come from. Each writes the marker there
// and everywhere else what an answer has.
var places = map[string]func(r *http.Request) (*http.Response, error){
	"the message of an error": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusBadRequest, `{"__type":"com.amazonaws#ValidationException","message":"`+marker+`"}`), nil
	},
	"the message of a known refusal": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusBadRequest, `{"__type":"com.amazonaws#ValidationException",`+
			`"message":"One or more parameter values were invalid: Type mismatch for Index Key `+marker+`"}`), nil
	},
	"the message of a wrong key schema": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusBadRequest, `{"__type":"com.amazonaws#ValidationException",`+
			`"message":"The provided key element does not match the schema `+marker+`"}`), nil
	},
	"the message of a denial": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusBadRequest, `{"__type":"com.amazonaws#AccessDeniedException",`+
			`"Message":"not authorized to perform: dynamodb:PutItem on `+marker+`"}`), nil
	},
	"the message of a key's error": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusBadRequest, `{"__type":"com.amazonaws#KMSDisabledException","message":"`+marker+`"}`), nil
	},
	"the message of a throttle": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusBadRequest, `{"__type":"com.amazonaws#ThrottlingException","message":"`+marker+`"}`), nil
	},
	"the message of a collection's limit": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusBadRequest,
			`{"__type":"com.amazonaws#ItemCollectionSizeLimitExceededException","message":"`+marker+`"}`), nil
	},
	"the message of a missing queue": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusBadRequest, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"`+marker+`"}`), nil
	},
	"the message of a server's fault": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusInternalServerError, `{"__type":"com.amazonaws#InternalServerError","message":"`+marker+`"}`), nil
	},
	"the code": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusBadRequest, `{"__type":"com.amazonaws#`+marker+`","message":"none"}`), nil
	},
	"the code in a header": func(r *http.Request) (*http.Response, error) {
		a := answer(r, http.StatusBadRequest, `{}`)
		a.Header.Set("X-Amzn-Errortype", marker)
		return a, nil
	},
	"the request ID": func(r *http.Request) (*http.Response, error) {
		a := answer(r, http.StatusBadRequest, `{"__type":"com.amazonaws#ResourceNotFoundException"}`)
		a.Header.Set("X-Amzn-Requestid", marker)
		return a, nil
	},
	"a page in place of an error": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusForbidden, "<html>"+marker+"</html>"), nil
	},
	"a page in place of an answer": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusOK, marker), nil
	},
	"the status": func(r *http.Request) (*http.Response, error) {
		a := answer(r, http.StatusTeapot, "")
		a.Status = "418 " + marker
		return a, nil
	},
	"the transport": func(*http.Request) (*http.Response, error) {
		return nil, errors.New("malformed HTTP response \"" + marker + "\"")
	},
	"the connection": func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: marker, Net: marker, Err: syscall.ECONNRESET}
	},
	"the name server": func(*http.Request) (*http.Response, error) {
		return nil, &net.DNSError{Err: marker, Name: marker, Server: marker}
	},
	"the error of a statement": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusOK, `{"Responses":[`+each(r, `{"Error":{"Code":"`+marker+`","Message":"`+marker+`"}}`)+`]}`), nil
	},
	"the message of a statement that is refused": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusOK, `{"Responses":[`+each(r, `{"Error":{"Code":"ThrottlingError","Message":"`+marker+`"}}`)+`]}`), nil
	},
	"an unprocessed write that was not sent": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusOK, `{"UnprocessedItems":{"target":[{"PutRequest":{"Item":`+
			`{"group":{"S":"`+marker+`"},"id":{"S":"`+marker+`"}}}}]}}`), nil
	},
	"an unprocessed write that cannot be read": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusOK, `{"UnprocessedItems":{"target":[{"PutRequest":{"Item":`+
			`{"`+marker+`":{"N":"`+marker+`"}}}}]}}`), nil
	},
	"the entry of a message": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusOK, `{"Failed":[{"Id":"0","Code":"`+marker+`","Message":"`+marker+`","SenderFault":true}],"Successful":[]}`), nil
	},
	"the message of an entry": func(r *http.Request) (*http.Response, error) {
		return answer(r, http.StatusOK, `{"Failed":[{"Id":"0","Code":"InternalError","Message":"`+marker+`","SenderFault":false}],"Successful":[]}`), nil
	},
}

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// each repeats a text for every statement of a request.
func each(r *http.Request, text string) string {
	body, _ := io.ReadAll(r.Body)
	return strings.TrimSuffix(strings.Repeat(text+",", strings.Count(string(body), `"Statement"`)), ",")
}

func TestNoLineOfTheLogQuotesAnItemOrAService(t *testing.T) {
	// Whatever a service says, and wherever, in every way to write and to give up.
	lines := 0
	for place, say := range places {
		for how, s := range map[string]spec.Spec{
			"batch": uniqueSpec(all), "statements": guarded(uniqueSpec(all)), "two targets": pairSpec(),
		} {
			for _, who := range []string{"DynamoDB", "SQS", "the read", "the single write"} {
				name := fmt.Sprintf("%s, %s, %s", place, how, who)
				test := func(t *testing.T) {
					f := newFunction(t, s)
					for _, target := range s.Targets[1:] {
						createTarget(t, f.db, target)
					}
					client := doFunc(func(r *http.Request) (*http.Response, error) {
						operation := r.Header.Get("X-Amz-Target")
						speaks := map[string]bool{
							"DynamoDB":         strings.HasPrefix(operation, "DynamoDB"),
							"SQS":              strings.HasPrefix(operation, "AmazonSQS"),
							"the read":         strings.HasSuffix(operation, ".BatchGetItem"),
							"the single write": strings.HasSuffix(operation, ".PutItem"),
						}[who]
						switch {
						case speaks:
							return say(r)
						case strings.HasPrefix(operation, "AmazonSQS"):
							return answer(r, http.StatusOK, `{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"m"}],"Failed":[]}`), nil
						default:
							return f.db.Do(r)
						}
					})
					f.Replicator = inMemory(client).replicator(s, slog.New(slog.NewJSONHandler(f.log, nil)))
					for range 2 { // the second time, all guarded writes are refused
						f.invoke(t, secrets(1), secrets(2), secrets(3),
							record("INSERT", 4, item("id", marker), "", `{"id":{"S":"`+marker+`"},"group":{"`+marker+`":"`+marker+`"}}`),
							record("MODIFY", 5, item("id", marker), `{"id":{"S":"`+marker+`"},"group":{"N":"`+marker+`"}}`, ""),
							`{"eventName":"`+marker+`","dynamodb":{"SequenceNumber":"`+marker+`"},"`+marker+`":1}`)
					}
					if strings.Contains(f.log.String(), "MARKER") {
						t.Errorf("the log has\n%s", f.log)
					}
					lines += strings.Count(f.log.String(), "\n")
				}
				t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
			}
		}
	}
	if lines < len(places) {
		t.Errorf("there were only %d lines", lines)
	}
	t.Logf("%d lines, none with the marker", lines)
}

// secrets is a record with the marker in every attribute value.
func secrets(sequence int) string {
	id := fmt.Sprint(marker, sequence)
	return record("INSERT", sequence, item("id", id), "", item("id", id, "group", marker, "kind", marker, "note", marker))
}

func TestAReasonSaysWhatIsKnown(t *testing.T) {
	api := func(code, message string) error {
		return fmt.Errorf("operation: %w", &smithy.GenericAPIError{Code: code, Message: message})
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{api("ThrottlingException", marker), "ThrottlingException"},
		{api("AWS.SimpleQueueService.NonExistentQueue", marker), "AWS.SimpleQueueService.NonExistentQueue"},
		{api("AccessDeniedException", "not authorized to perform: kms:Decrypt on "+marker), "AccessDeniedException: kms:Decrypt"},
		{api("AccessDenied", marker), "AccessDenied"},
		{api(marker, marker), "the service has answered with an error code that is not known"},
		{api("ValidationException", "Item size has "+marker), "ValidationException: the item breaks a limit of DynamoDB, such as 400 KB or 32 levels"},
		{fmt.Errorf("write: %w", errTimeIsUp), errTimeIsUp.Error()},
		{context.DeadlineExceeded, "there was no answer before the time was up"},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "the service's endpoint refuses connections"},
		{&net.DNSError{Name: marker}, "the name of the service's endpoint cannot be resolved"},
		{io.ErrUnexpectedEOF, "the connection broke"},
		{&net.OpError{Op: "read", Err: timeout{}}, "the service's endpoint does not answer"},
		{&smithy.DeserializationError{Err: errors.New(marker)}, "the service's answer cannot be read"},
		{errors.New(marker), "the request failed in a way that is not known"},
		{
			&queueError{"the reason", api("OverLimit", marker)},
			"the failure queue did not accept a message (the reason): OverLimit",
		},
	} {
		if got := loggable(tt.err); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.err, got, tt.want)
		}
	}
}

type timeout struct{}

func (timeout) Error() string   { return marker }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

func TestTheLineForALostFailureQueueHasItsRemedy(t *testing.T) {
	for code, want := range map[string]string{
		"AWS.SimpleQueueService.NonExistentQueue": "create a queue with its name",
		"QueueDoesNotExist":                       "create a queue with its name",
		"AccessDenied":                            "sqs:SendMessage",
		"KmsDisabled":                             "enable the failure queue's key",
		"OverLimit":                               "look up the error code",
		"":                                        "can reach SQS",
	} {
		f := newFunction(t, uniqueSpec(all))
		f.queue.refuse = func(string) error {
			if code == "" {
				return io.EOF
			}
			return &smithy.GenericAPIError{Code: code}
		}
		f.invoke(t, record("INSERT", 1, item("id", "9"), "", `{"id":{"S":"9"},"group":{"BOOL":true}}`))
		lines := f.logLines(t)
		if len(lines) != 1 || !strings.Contains(lines[0].Remedy, want) || lines[0].Target != "target" {
			t.Errorf("%s: got %+v, want one line with the remedy %q", code, lines, want)
		}
	}
}

func TestEveryLineNamesItsTarget(t *testing.T) {
	f, c := newPairFunction(t, pairSpec())
	c.failing["second"] = "ThrottlingException"
	illTyped := record("INSERT", 2, item("id", "9"), "", `{"id":{"S":"9"},"group":{"BOOL":true}}`)
	synctest.Test(t, func(t *testing.T) { f.invoke(t, illTyped, `{"eventName":"INSERT"}`, both(3, "3")) })

	var line struct {
		Target  string
		Reasons []loggedReason
	}
	texts := strings.Split(strings.TrimSpace(f.log.String()), "\n")
	if len(texts) != 2 {
		t.Fatalf("got %q", texts)
	}
	if err := json.Unmarshal([]byte(texts[0]), &line); err != nil || len(line.Reasons) != 2 ||
		line.Reasons[0].Target != "target" || line.Reasons[1].Target != "all" {
		t.Errorf("got %+v, %v", line, err)
	}
	if err := json.Unmarshal([]byte(texts[1]), &line); err != nil || line.Target != "second" {
		t.Errorf("got %+v, %v", line, err)
	}
}

func TestTheLineAboutTargetsThatAllFailNamesTheOneOfItsReason(t *testing.T) {
	f, c := newPairFunction(t, pairSpec())
	c.failing["target"], c.failing["second"] = "AccessDeniedException", "AccessDeniedException"
	f.invoke(t, both(1, "1"))
	if lines := f.logLines(t); len(lines) != 1 || lines[0].Target != "target" && lines[0].Target != "second" {
		t.Errorf("got %+v", lines)
	}
}
