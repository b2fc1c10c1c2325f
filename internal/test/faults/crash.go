package faults

// ErrCrashed is the error of every request after a crash. The SDK does not retry
// it, as a process that was killed does not retry either.
var ErrCrashed error = crashed{}

type crashed struct{}

func (crashed) Error() string { return "faults: the function was killed" }

// CanceledError is what the SDK's retries look at.
func (crashed) CanceledError() bool { return true }

// CrashAfter lets n more requests be executed. From then on every request fails
// with [ErrCrashed] and is not executed: a function that is killed between two
// requests.
func (i *Injector) CrashAfter(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.killed, i.allowed = true, n
}

// Recover ends the state that CrashAfter has begun.
func (i *Injector) Recover() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.killed = false
}

// admit counts a request that is about to be executed, unless the function was
// killed.
func (i *Injector) admit() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.killed {
		if i.allowed == 0 {
			return ErrCrashed
		}
		i.allowed--
	}
	i.executed++

	return nil
}
