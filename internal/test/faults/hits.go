package faults

import "slices"

// hits reports whether the rule hits a request, and which of its writes.
func (rule Rule) hits(d dice, q *request) (hit bool, chosen []bool, err error) {
	of := q.writes
	perWrite := rule.Kind == Unprocessed || rule.Kind == Poison
	switch {
	case rule.Operation != "" && rule.Operation != q.operation(), !rule.Kind.meets(q.operation()):
		return false, nil, nil
	case !perWrite && !d.hit(rule.Probability):
		return false, nil, nil
	case !perWrite && rule.Select == nil:
		return true, nil, nil
	case rule.Kind == Unprocessed && q.operation() == "BatchGetItem" && rule.Select == nil:
		of = q.keys
	case rule.Kind == Poison:
		d.content, d.attempt = 0, 0 // the write alone decides
	}

	writes, err := of()
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

// meets reports whether a kind of fault can meet an operation.
func (k Kind) meets(operation string) bool {
	switch k {
	case Unprocessed:
		return slices.Contains([]string{"BatchWriteItem", "BatchExecuteStatement", "BatchGetItem"}, operation)
	case Conflict:
		return slices.Contains([]string{"PutItem", "DeleteItem", "TransactWriteItems"}, operation)
	default:
		return true
	}
}
