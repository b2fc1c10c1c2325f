package eventsource

// Stats counts what happened.
type Stats struct {
	Batches        int // cut from a shard, retries not counted
	Invocations    int
	Delivered      int // records in all invocations
	Redelivered    int // records in all invocations that were delivered before
	Retries        int // of a batch or of the rest of one
	Splits         int // of a batch in two
	PartialAnswers int // that named a record after the first one
	InvalidAnswers int // that failed their batch because they could not be read
	Errors         int // that the handler returned
	Timeouts       int // answers that came too late or not at all
	Crashes        int // answers that were lost
	Rewinds        int
	Discarded      int // records
	Trimmed        int // records that the stream had dropped
}

func (s *Stats) add(more Stats) {
	s.Batches += more.Batches
	s.Invocations += more.Invocations
	s.Delivered += more.Delivered
	s.Redelivered += more.Redelivered
	s.Retries += more.Retries
	s.Splits += more.Splits
	s.PartialAnswers += more.PartialAnswers
	s.InvalidAnswers += more.InvalidAnswers
	s.Errors += more.Errors
	s.Timeouts += more.Timeouts
	s.Crashes += more.Crashes
	s.Rewinds += more.Rewinds
	s.Discarded += more.Discarded
	s.Trimmed += more.Trimmed
}
