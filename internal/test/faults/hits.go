package faults

// hits reports whether the rule hits a request, and which of its writes.
func (rule Rule) hits(d dice, q *request) (hit bool, chosen []bool, err error) {
	perWrite := rule.Kind == Unprocessed || rule.Kind == Poison
	switch {
	case rule.Operation != "" && rule.Operation != q.operation():
		return false, nil, nil
	case !perWrite && !d.hit(rule.Probability):
		return false, nil, nil
	case !perWrite && rule.Select == nil:
		return true, nil, nil
	case rule.Kind == Unprocessed && q.operation() == "BatchGetItem":
		return rule.Select == nil && d.hit(rule.Probability), nil, nil // a read has no writes to select
	case rule.Kind == Unprocessed && q.operation() != "BatchWriteItem" && q.operation() != "BatchExecuteStatement":
		return false, nil, nil
	case rule.Kind == Poison:
		d.content, d.attempt = 0, 0 // the write alone decides
	}

	writes, err := q.writes()
	if err != nil {
		return false, nil, err
	}
	chosen = make([]bool, len(writes))
	for n, write := range writes {
		chosen[n] = (rule.Select == nil || rule.Select(write)) && (!perWrite || d.of(write).hit(rule.Probability))
		hit = hit || chosen[n]
	}

	return hit, chosen, nil
}
