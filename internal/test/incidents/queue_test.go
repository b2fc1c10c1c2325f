package incidents

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/emf"
)

// queueMeter emits the metrics that CloudWatch has of queues, by the requests that the queues
// have accepted. Sources: Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon
// SQS", and "Monitoring Amazon SQS queues using CloudWatch": there is a value every minute of an
// active queue, and a queue is active for six hours after it was used, or while it has messages.
// It was not seen on AWS. Redrive policies move no messages here: nothing receives a message
// five times.
type queueMeter struct {
	now  func() time.Time
	emit func(emf.Sample)

	mu     sync.Mutex
	queues map[string]*queue // by name
}

type queue struct {
	// messages are when the messages were sent, by ID.
	messages map[string]time.Time
	// received are the IDs of messages by their receipt handles.
	received map[string]string
	// sent is how many were sent since the last sample.
	sent int
	used time.Time
}

// activeFor is how long a queue without messages has metrics.
const activeFor = 6 * time.Hour

// watch begins to emit the metrics of a queue.
func (m *queueMeter) watch(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queues[name] = &queue{messages: map[string]time.Time{}, received: map[string]string{}, used: m.now()}
}

// see looks at an operation that a queue has carried out.
func (m *queueMeter) see(operation string, body, answer []byte) {
	type entry struct{ ID, MessageID, ReceiptHandle string }
	var in struct {
		entry
		QueueURL string
		Entries  []entry
	}
	var out struct {
		entry
		Successful, Messages []entry
	}
	if json.Unmarshal(body, &in) != nil || json.Unmarshal(answer, &out) != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queues[in.QueueURL[strings.LastIndex(in.QueueURL, "/")+1:]]
	if q == nil {
		return
	}

	q.used = m.now()
	switch operation {
	case "SendMessage":
		q.send(out.MessageID, q.used)
	case "SendMessageBatch":
		for _, s := range out.Successful {
			q.send(s.MessageID, q.used)
		}
	case "ReceiveMessage":
		for _, received := range out.Messages {
			q.received[received.ReceiptHandle] = received.MessageID
		}
	case "DeleteMessage":
		delete(q.messages, q.received[in.ReceiptHandle])
	case "DeleteMessageBatch":
		for _, deleted := range out.Successful {
			for _, e := range in.Entries {
				if e.ID == deleted.ID {
					delete(q.messages, q.received[e.ReceiptHandle])
				}
			}
		}
	}
}

func (q *queue) send(id string, at time.Time) {
	q.messages[id] = at
	q.sent++
}

// sample emits the values of a minute. Nobody receives messages at that moment, so all of them
// are visible.
func (m *queueMeter) sample() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for name, q := range m.queues {
		if len(q.messages) == 0 && now.Sub(q.used) > activeFor {
			continue
		}
		oldest := now
		for _, sent := range q.messages {
			if sent.Before(oldest) {
				oldest = sent
			}
		}
		for metric, value := range map[string]float64{
			"ApproximateNumberOfMessagesVisible": float64(len(q.messages)),
			"NumberOfMessagesSent":               float64(q.sent),
			"ApproximateAgeOfOldestMessage":      now.Sub(oldest).Seconds(),
		} {
			m.emit(emf.Sample{
				Namespace: "AWS/SQS", Name: metric, Dimensions: map[string]string{"QueueName": name}, At: now, Value: value,
			})
		}
		q.sent = 0
	}
}
