package replicator

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// sourceTable is the source table while the history of a world unfolds: the application writes
// to it, and the stream carries what was written, a little or much later.
type sourceTable struct {
	world *world
	db    *memorydb.DB
	guard *guardWatch

	mu      sync.Mutex
	written int // of the world's timeline
	// delivered is how much of it the stream has carried, and ahead how much more may be written.
	delivered, ahead int
}

// newSourceTable creates the table with the items from before the stream.
func newSourceTable(t testing.TB, w *world, db *memorydb.DB, guard *guardWatch) *sourceTable {
	t.Helper()
	createTarget(t, db, spec.Target{Table: w.spec.Source})
	s := &sourceTable{world: w, db: db, guard: guard, ahead: []int{2, 8, 40}[w.random.IntN(3)]}
	for id, item := range w.initial {
		s.change(sourceChange{id: id, after: item})
	}

	return s
}

// write writes the next changes.
func (s *sourceTable) write(changes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reach(min(s.written+changes, s.limit()))
}

// limit is how much of the timeline may be written now.
func (s *sourceTable) limit() int { return min(s.delivered+s.ahead, len(s.world.timeline)) }

// meet writes up to the next change of a source item that a request is about, if there is one soon.
func (s *sourceTable) meet(request []byte) {
	const soon = 30
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := s.written; n < min(s.written+soon, s.limit()); n++ {
		for _, c := range s.world.timeline[n] {
			_, id, _ := strings.Cut(s.world.ids[c.id], ":")
			id, _, _ = strings.Cut(id, `,"since"`)
			if bytes.Contains(request, []byte(id)) {
				s.reach(n + 1)
				return
			}
		}
	}
}

// recent returns a source item that the application has written lately.
func (s *sourceTable) recent(random *rand.Rand) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written == 0 || random.IntN(4) == 0 {
		return random.IntN(len(s.world.ids))
	}
	changes := s.world.timeline[max(0, s.written-1-random.IntN(3))]

	return changes[random.IntN(len(changes))].id
}

// deliver writes what is needed for the stream to carry the records of a payload.
func (s *sourceTable) deliver(payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for rest := payload; ; {
		_, found, more := bytes.Cut(rest, []byte(`"SequenceNumber":"`))
		if !more {
			return
		}
		number, next, _ := bytes.Cut(found, []byte(`"`))
		s.delivered = max(s.delivered, s.world.position[string(number)])
		s.reach(s.delivered)
		rest = next
	}
}

// reach writes the timeline up to a position. Changes of one transaction are written at once.
func (s *sourceTable) reach(position int) {
	for ; s.written < position; s.written++ {
		s.change(s.world.timeline[s.written]...)
	}
}

func (s *sourceTable) change(changes ...sourceChange) {
	var requests []string
	for _, c := range changes {
		request := `{"PutRequest":{"Item":{` + strings.Join(membersOf(c.after), ",") + `}}}`
		if c.after == nil {
			request = `{"DeleteRequest":{"Key":{` + s.world.ids[c.id] + `}}}`
		}
		requests = append(requests, request)
	}
	body := fmt.Sprintf(`{"RequestItems":{%q:[%s]}}`, s.world.spec.Source.TableName, strings.Join(requests, ","))
	r, err := http.NewRequest(http.MethodPost, "http://memory/", strings.NewReader(body)) //nolint:noctx // it is in memory
	if err != nil {
		panic(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.BatchWriteItem")
	s.guard.mu.Lock() // not while a write to a target is checked, which reads the source table
	response, err := s.db.Do(r)
	s.guard.mu.Unlock()
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the source table refuses %s: %s", body, response.Status)
	}
	if err != nil {
		panic(err)
	}
	_ = response.Body.Close() // it is in memory
}
