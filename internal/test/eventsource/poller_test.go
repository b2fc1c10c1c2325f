package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/emf"
)

// polling is a poller that runs in a bubble, and what it emits.
type polling struct {
	*Poller
	t     *testing.T
	start time.Time
	end   func()

	mu      sync.Mutex
	samples []emf.Sample
	sent    []string // sequence numbers of each batch
	answer  string
	err     error
	given   []Discarded
	refuses bool // the destination
}

func startPolling(t *testing.T, mapping Mapping) *polling {
	t.Helper()
	p := &polling{t: t, start: time.Now()}
	mapping.Meter = &Meter{FunctionName: "f", UUID: "u", Emit: func(s emf.Sample) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.samples = append(p.samples, s)
	}}
	mapping.OnFailure = func(d Discarded) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.refuses {
			return errors.New("refused")
		}
		p.given = append(p.given, d)
		return nil
	}
	p.Poller = NewPoller(mapping, time.Minute, func(_ context.Context, event []byte) ([]byte, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sent = append(p.sent, strings.Join(delivered(t, event), " "))
		return []byte(p.answer), p.err
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	p.end = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	time.Sleep(time.Second) // never at the moment of a poll
	return p
}

func (p *polling) append(sequenceNumbers ...string) {
	p.Append(oneShard(records(sequenceNumbers...)))
}

// answers sets the handler's answers from now on.
func (p *polling) answers(answer string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer, p.err = answer, err
}

// emitted returns the values of a metric, with the minute of each.
func (p *polling) emitted(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var texts []string
	for _, s := range p.samples {
		if s.Name == name {
			texts = append(texts, fmt.Sprintf("%.0f:%v", s.At.Sub(p.start).Minutes(), s.Value))
		}
	}
	return strings.Join(texts, " ")
}

func (p *polling) want(name, want string) {
	p.t.Helper()
	if got := p.emitted(name); got != want {
		p.t.Errorf("%s is %q, want %q", name, got, want)
	}
}

func TestTheMetricsOfAStreamThatIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPolling(t, Mapping{BatchSize: 2, PartialResponses: true, MaxRetryAttempts: -1, RetryDelay: 2 * time.Minute})
		time.Sleep(time.Minute)
		p.append("1", "2", "3")
		time.Sleep(time.Minute)
		p.append("4")
		p.answers(failed("4"), nil)
		time.Sleep(3 * time.Minute)
		p.answers("", nil)
		time.Sleep(3 * time.Minute)
		p.end()

		if want := []string{"1 2", "3", "4", "4", "4"}; !slices.Equal(p.sent, want) {
			t.Errorf("sent %q, want %q", p.sent, want)
		}
		// There is no poll while record 4 is retried.
		p.want("PolledEventCount", "0:0 1:0 2:3 3:1 7:0 8:0")
		p.want("FilteredOutEventCount", "0:0 1:0 2:0 3:0 7:0 8:0")
		p.want("InvokedEventCount", "2:2 2:1 3:1 5:1 7:1")
		p.want("FailedInvokeEventCount", "2:0 2:0 3:1 5:1 7:0")
		p.want("Invocations", "2:1 2:1 3:1 5:1 7:1")
		p.want("Errors", "2:0 2:0 3:0 5:0 7:0") // a partial answer is not an error
		p.want("Throttles", "2:0 2:0 3:0 5:0 7:0")
		p.want("IteratorAge", "2:59000 2:59000 3:59000 5:179000 7:299000")
		p.want("DroppedEventCount", "")
		p.want("OnFailureDestinationDeliveredEventCount", "")

		for _, s := range p.samples {
			want := map[string]string{"FunctionName": "f"}
			if strings.HasSuffix(s.Name, "EventCount") {
				want = map[string]string{"EventSourceMappingUUID": "u"}
			}
			if s.Namespace != "AWS/Lambda" || !maps.Equal(s.Dimensions, want) {
				t.Errorf("%s has %v", s.Name, s.Dimensions)
			}
		}
	})
}

func TestAnErrorAndAThrottledRequestAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPolling(t, Mapping{MaxRetryAttempts: -1, RetryDelay: time.Minute})
		p.append("1")
		p.answers("", errors.New("thrown"))
		time.Sleep(time.Minute)
		p.answers("", ErrThrottled)
		time.Sleep(time.Minute)
		p.answers("", nil)
		time.Sleep(time.Minute)
		p.end()

		p.want("Invocations", "1:1 3:1")
		p.want("Errors", "1:1 3:0")
		p.want("Throttles", "1:0 2:1 3:0")
		p.want("InvokedEventCount", "1:1 2:1 3:1")
		p.want("FailedInvokeEventCount", "1:1 2:1 3:0")
	})
}

func TestAMappingThatDoesNotReadHasNoMetricsAndLosesWhatTheStreamDrops(t *testing.T) {
	for name, change := range map[string]func(*Poller, bool){"disabled": (*Poller).Enable, "without the right": (*Poller).Allow} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := startPolling(t, Mapping{Retention: 24 * time.Hour, MaxRetryAttempts: -1})
				change(p.Poller, false)
				p.append("1")
				time.Sleep(2 * time.Hour)
				p.append("2")
				time.Sleep(23 * time.Hour)
				p.want("PolledEventCount", "0:0")
				p.want("IteratorAge", "")
				change(p.Poller, true)
				time.Sleep(time.Minute)
				p.end()

				if want := []string{"2"}; !slices.Equal(p.sent, want) || p.Stats().Trimmed != 1 || p.Pending() != 0 {
					t.Errorf("sent %q, want %q: %+v", p.sent, want, p.Stats())
				}
				p.want("DroppedEventCount", "") // the stream dropped it, not the mapping
			})
		})
	}
}

func TestRecordsThatAreTooOldGoToTheDestinationOrAreDropped(t *testing.T) {
	const old = 3 * time.Hour
	for _, refuses := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := startPolling(t, Mapping{MaxRecordAge: old, MaxRetryAttempts: -1, RetryDelay: time.Hour, PartialResponses: true})
			p.mu.Lock()
			p.refuses = refuses
			p.mu.Unlock()
			p.append("1", "2")
			p.answers(failed("1"), nil)
			time.Sleep(time.Hour)
			p.append("3")
			time.Sleep(old)
			p.end()

			// Record 3 waits behind the others, and is young when they are given up.
			if want := []string{"1 2", "1 2", "1 2", "3"}; !slices.Equal(p.sent, want) {
				t.Errorf("sent %q, want %q", p.sent, want)
			}
			delivered, dropped := "181:2", ""
			if refuses {
				delivered, dropped = "", "181:2"
			}
			p.want("OnFailureDestinationDeliveredEventCount", delivered)
			p.want("DroppedEventCount", dropped)
			p.want("DestinationDeliveryFailures", strings.Replace(dropped, ":2", ":1", 1))
			if refuses {
				return
			}
			d := p.given[0]
			if d.Condition != EventAgeExceeded || d.StartSequenceNumber != "1" || d.EndSequenceNumber != "2" || d.BatchSize != 2 {
				t.Errorf("discarded %+v", d)
			}
			var message struct {
				RequestContext     struct{ Condition, FunctionARN string }
				DDBStreamBatchInfo struct {
					ShardID, StartSequenceNumber, EndSequenceNumber, StreamARN string
					BatchSize                                                  int
					ApproximateArrivalOfFirstRecord                            time.Time
				}
			}
			if err := json.Unmarshal(d.Message("function", "stream", time.Now()), &message); err != nil {
				t.Fatal(err)
			}
			info := message.DDBStreamBatchInfo
			if message.RequestContext.FunctionARN != "function" || info.StreamARN != "stream" || info.ShardID != "shard" ||
				info.EndSequenceNumber != "2" || info.BatchSize != 2 || info.ApproximateArrivalOfFirstRecord.Before(p.start.Truncate(time.Second)) {
				t.Errorf("the message is %+v", message)
			}
		})
	}
}

func TestAChangeOfTheSettingsEndsTheRetriesOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startPolling(t, Mapping{PartialResponses: true, MaxRetryAttempts: -1, RetryDelay: time.Hour, BatchSize: 2})
		p.append("1", "2", "3")
		p.answers(failed("2"), nil)
		time.Sleep(10 * time.Minute)
		p.Change(func(m *Mapping) { m.PartialResponses, m.BatchSize = false, 10 })
		time.Sleep(2 * time.Minute)
		p.end()

		if want := []string{"1 2", "2 3"}; !slices.Equal(p.sent, want) || p.Pending() != 0 {
			t.Errorf("sent %q, want %q", p.sent, want)
		}
	})
}

func TestAPollerTellsTheStreamsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPoller(Mapping{MaxRetryAttempts: -1}, time.Minute, nil)
		p.Append(oneShard([]Record{{JSON: []byte(`{"dynamodb":{"ApproximateCreationDateTime":1.7E9,"Keys":{}}}`)}}))
		parsed, err := ParseRecord(p.kept[0].JSON)
		if err != nil || !parsed.Created.Equal(time.Now().Truncate(time.Second)) || !p.kept[0].Created.Equal(time.Now()) {
			t.Errorf("the record %s was created at %v, %v", p.kept[0].JSON, parsed.Created, err)
		}
	})
}

func TestAPollerRefusesWhatLambdaWould(t *testing.T) {
	for why, mapping := range map[string]Mapping{
		"an age of seconds":       {MaxRetryAttempts: -1, MaxRecordAge: time.Second},
		"an age of more than 7 d": {MaxRetryAttempts: -1, MaxRecordAge: 8 * 24 * time.Hour},
		"a negative retention":    {MaxRetryAttempts: -1, Retention: -1},
		"several batches at once": {MaxRetryAttempts: -1, ParallelizationFactor: 2},
	} {
		if err := NewPoller(mapping, time.Minute, nil).Run(t.Context()); err == nil {
			t.Errorf("%s is accepted", why)
		}
	}
}
