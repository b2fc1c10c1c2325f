package replicator

import "sync"

// spares keeps memory that is not in use for the next user. Unlike a sync.Pool it
// keeps all of it: an invocation needs what the one before needed, and a function
// that waits between two has no other use for it.
type spares[T any] struct {
	mu   sync.Mutex
	kept []*T
}

// take returns memory in the state in which it was left, or new.
func (s *spares[T]) take() *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.kept)
	if n == 0 {
		return new(T)
	}
	spare := s.kept[n-1]
	s.kept = s.kept[:n-1]
	return spare
}

func (s *spares[T]) leave(spare *T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, spare)
}
