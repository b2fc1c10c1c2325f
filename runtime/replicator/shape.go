package replicator

import (
	"slices"
	"sync"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/statement"
)

// shapes finds the shapes of one mapping's target items, and the statements between them.
type shapes struct {
	encoder *encoder

	mu      sync.Mutex
	known   *statement.Shapes
	updates map[update]string
}

// update is what the statement of an UPDATE depends on: the shape of the new item and those of
// the items that it may replace.
type update struct {
	to   *statement.Shape
	from [maxAccepted]*statement.Shape
}

func newShapes(e *encoder) *shapes {
	s := &shapes{encoder: e, known: statement.NewShapes(e.mapping), updates: map[update]string{}}
	s.known.Forgotten = func() { s.updates = map[update]string{} }
	return s
}

// resolve decides how guarded puts are sent: by a statement, or by themselves when none
// can carry them.
func (s *shapes) resolve(from *event, writes []write) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range writes {
		w := &writes[i]
		if !w.put || w.shape != nil {
			continue
		}

		w.shape = s.known.Of(&from.payload, w.item)
		if w.statement = s.statement(&from.payload, w); w.statement == "" {
			w.step = bySingle
		}
	}
}

// statement returns the statement for a put whose shape is known, or "".
func (s *shapes) statement(p *dynamodbjson.Payload, w *write) string {
	to := w.shape
	if len(w.earlier) == 0 {
		return to.Insert
	}

	u := update{to: to}
	accepted := 0
	for _, t := range w.earlier {
		from := s.known.Of(p, t)
		known := func(s *statement.Shape) bool { return s.Fingerprint == from.Fingerprint }
		if slices.ContainsFunc(u.from[:accepted], known) {
			continue
		}
		if accepted == maxAccepted {
			return ""
		}
		u.from[accepted] = from
		accepted++
	}

	text, known := s.updates[u]
	if !known {
		text = s.encoder.updateStatement(to, u.from[:accepted])
		s.known.Reserve(len(text) + 64) // with the memory of the key
		s.updates[u] = text
	}

	return text
}
