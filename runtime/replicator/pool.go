package replicator

import "sync"

// pool keeps unused memory for its next user. Unlike a sync.Pool it keeps all of it: an
// invocation needs as much as the one before it, and a function that waits between two
// invocations has no other use for it.
type pool[T any] struct {
	mu   sync.Mutex
	kept []*T
}

// get returns memory in the state in which it was put back, or new memory.
func (p *pool[T]) get() *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.kept)
	if n == 0 {
		return new(T)
	}
	kept := p.kept[n-1]
	p.kept = p.kept[:n-1]

	return kept
}

// put puts memory back that its user no longer needs.
func (p *pool[T]) put(unused *T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = append(p.kept, unused)
}
