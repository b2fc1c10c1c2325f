package memorydb

// Limits of one BatchWriteItem call. Source: DynamoDB API Reference,
// BatchWriteItem. It does not say how a longer request is refused.
const (
	maxBatchWrites = 25
	maxBatchBytes  = 16 << 20
)

// batchWriteItem checks all writes before it applies the first one: one bad write
// refuses the call.
func (db *DB) batchWriteItem(request []byte) ([]byte, error) {
	if len(request) > maxBatchBytes {
		return nil, invalid("The request is longer than %d bytes", maxBatchBytes)
	}
	var (
		requests []tableRequests
		c        consumption
	)
	err := decode(request, c.with(members{"RequestItems": func(v any) (err error) {
		requests, err = readRequestItems(v)
		return err
	}}))
	if err != nil {
		return nil, err
	}
	if len(requests) == 0 {
		return nil, invalid("The batch write request list for a table cannot be null or empty")
	}

	var writes []write
	for _, r := range requests {
		checked, err := db.checkBatch(r)
		if err != nil {
			return nil, err
		}
		writes = append(writes, checked...)
	}
	if len(writes) > maxBatchWrites {
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	}

	var used []consumed
	for _, r := range requests {
		u := consumed{table: r.table}
		for range r.requests {
			u.units += float64(writes[0].apply())
			writes = writes[1:]
		}
		used = append(used, u)
	}

	return answer(`"UnprocessedItems":{}`, c.list(used)), nil
}

// tableRequests are the writes of a batch to one table.
type tableRequests struct {
	table    string
	requests []writeRequest
}

// writeRequest is one element of RequestItems.
type writeRequest struct {
	isPut, isDelete bool
	item, key       attributes
}

func readRequestItems(v any) ([]tableRequests, error) {
	o, ok := v.(object)
	if !ok {
		return nil, malformed("RequestItems is not an object")
	}
	all := make([]tableRequests, len(o))
	for i, m := range o {
		list, ok := m.value.([]any)
		if !ok {
			return nil, malformed("the writes to %s are not a list", m.name)
		}
		all[i] = tableRequests{m.name, make([]writeRequest, len(list))}
		for n, v := range list {
			if err := all[i].requests[n].read(v); err != nil {
				return nil, err
			}
		}
	}

	return all, nil
}

func (r *writeRequest) read(v any) error {
	return members{
		"PutRequest": func(v any) error {
			r.isPut = true
			return members{"Item": &r.item}.read(v)
		},
		"DeleteRequest": func(v any) error {
			r.isDelete = true
			return members{"Key": &r.key}.read(v)
		},
	}.read(v)
}

// checkBatch returns the writes to one table.
func (db *DB) checkBatch(r tableRequests) ([]write, error) {
	if len(r.requests) == 0 || len(r.requests) > maxBatchWrites {
		return nil, invalid("The batch write request list of %s has %d writes, not 1 to %d",
			r.table, len(r.requests), maxBatchWrites)
	}
	t, err := db.table(r.table)
	if err != nil {
		return nil, err
	}

	writes := make([]write, len(r.requests))
	identities := make(map[string]bool, len(r.requests))
	for i, request := range r.requests {
		w, err := t.check(request)
		if err != nil {
			return nil, err
		}
		if identities[w.identity] {
			return nil, invalid("Provided list of item keys contains duplicates")
		}
		identities[w.identity] = true
		writes[i] = w
	}

	return writes, nil
}

func (t *table) check(r writeRequest) (write, error) {
	switch {
	case r.isPut == r.isDelete:
		return write{}, invalid("Supplied WriteRequest must contain exactly one of PutRequest and DeleteRequest")
	case r.isPut:
		return t.checkPut(r.item)
	default:
		return t.checkDelete(r.key)
	}
}
