package memorydb

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// Limits of one TransactWriteItems call. Source: DynamoDB API Reference, TransactWriteItems.
const (
	maxActions          = 100
	maxTransactionBytes = 4 << 20
	maxToken            = 36
)

// The codes of a cancellation reason. Source: DynamoDB API Reference,
// TransactionCanceledException.
const (
	noReason              = "None"
	reasonConditionFailed = "ConditionalCheckFailed"
	reasonValidation      = "ValidationError"
)

// action is one element of TransactItems: a Put, a Delete or a ConditionCheck.
type action struct {
	kinds       int // how many of them it has
	put         bool
	checks      bool
	table       string
	item        attributes // or the key
	conditional conditional

	// What follows is set by the checks.

	write  write
	meets  func(attributes) bool
	reason *refusal // why the transaction is canceled, whatever the item is
}

// transactWriteItems carries out all actions or none.
func (db *DB) transactWriteItems(request []byte) ([]byte, error) {
	var (
		actions     []action
		token       string
		fingerprint string
		c           consumption
	)
	err := decode(request, c.with(members{
		"ClientRequestToken": &token,
		"TransactItems": func(v any) (err error) {
			fingerprint = fingerprintOf(v)
			actions, err = readActions(v)
			return err
		},
	}))
	if err != nil {
		return nil, err
	}
	if len(token) > maxToken {
		return nil, invalid("Member must have length less than or equal to %d", maxToken)
	}
	if err := db.checkActions(actions); err != nil {
		return nil, err
	}
	if earlier, repeated := db.tokens[token]; token != "" && repeated {
		return repeat(earlier, fingerprint, actions, c)
	}
	if err := canceled(actions); err != nil {
		return nil, err
	}

	if token != "" {
		db.tokens[token] = fingerprint
	}
	var used []consumed
	for _, a := range actions {
		used = append(used, consumed{a.table, float64(a.apply()), "Write"})
	}

	return answer(c.list(byTable(used))), nil
}

// repeat is the answer to a request whose token a successful request had: nothing is done a
// second time. It holds for ten minutes in DynamoDB, and for the DB's life here.
func repeat(earlier, fingerprint string, actions []action, c consumption) ([]byte, error) {
	if earlier != fingerprint {
		return nil, refuse(idempotentParameterMismatchException, "")
	}
	var used []consumed
	for _, a := range actions {
		size := a.write.stored().size
		used = append(used, consumed{a.table, transactional * readUnits(size, true), "Read"})
	}

	return answer(c.list(byTable(used))), nil
}

// fingerprintOf tells requests apart, whatever the order of an object's members was.
func fingerprintOf(v any) string {
	h := fnv.New128a()
	_, _ = fmt.Fprintf(h, "%q", v) // never fails

	return string(h.Sum(nil))
}

func readActions(v any) ([]action, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, malformed("TransactItems is not a list")
	}
	actions := make([]action, len(list)) // not nil: present
	for i, v := range list {
		if err := actions[i].read(v); err != nil {
			return nil, err
		}
	}

	return actions, nil
}

func (a *action) read(v any) error {
	read := func(member string) func(any) error {
		return func(v any) error {
			a.kinds++
			return a.conditional.with(members{"TableName": &a.table, member: &a.item}).read(v)
		}
	}
	put, check := read("Item"), read("Key")

	return members{
		"Put":    func(v any) error { a.put = true; return put(v) },
		"Delete": read("Key"),
		"ConditionCheck": func(v any) error {
			a.checks = true
			return check(v)
		},
	}.read(v)
}

// checkActions makes the checks that do not depend on the items as they are.
func (db *DB) checkActions(actions []action) error {
	if actions == nil {
		return missing("transactItems")
	}
	if len(actions) < 1 || len(actions) > maxActions {
		return invalid("The transaction has %d actions, not 1 to %d", len(actions), maxActions)
	}

	size := 0
	identities := map[string]bool{}
	for i := range actions {
		a := &actions[i]
		if err := db.checkAction(a); err != nil {
			return err
		}
		size += a.item.size()
		if a.reason != nil {
			continue
		}
		id := a.table + "\x00" + a.write.identity
		if identities[id] {
			return invalid("Transaction request cannot include multiple operations on one item")
		}
		identities[id] = true
	}
	if size > maxTransactionBytes {
		return invalid("Transaction payload size cannot exceed 4MB. Payload Size: %d", size)
	}

	return nil
}

func (db *DB) checkAction(a *action) error {
	switch {
	case a.kinds != 1:
		return invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	case a.checks && a.conditional.expression == nil:
		return missing("conditionExpression")
	}
	var err error
	if a.meets, err = db.condition(&a.conditional); err != nil {
		return err
	}
	t, err := db.table(a.table)
	if err != nil {
		return err
	}
	if a.put {
		a.write, err = t.checkPut(a.item)
	} else {
		a.write, err = t.checkDelete(a.item)
	}
	if refused, ok := err.(*refusal); ok && refused.ofItem { //nolint:errorlint // it is never wrapped
		a.write, a.reason = write{table: t}, &refusal{code: reasonValidation, message: refused.message}
		return nil
	}

	return err
}

// canceled returns the refusal of a transaction with an action that cannot be carried out.
func canceled(actions []action) error {
	codes, reasons := make([]string, len(actions)), make([]string, len(actions))
	refused := false
	for i, a := range actions {
		reason := a.reason
		if reason == nil && !a.meets(a.write.stored().attributes) {
			reason = &refusal{code: reasonConditionFailed, message: "The conditional request failed"}
			if a.conditional.returnOld {
				reason.item = a.write.stored().json
			}
		}
		if reason == nil {
			codes[i], reasons[i] = noReason, fmt.Sprintf(`{"Code":%q}`, noReason)
			continue
		}
		refused = true
		codes[i], reasons[i] = reason.code, reason.asReason()
	}
	if !refused {
		return nil
	}
	canceled := refuse(transactionCanceledException,
		"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	canceled.reasons = reasons

	return canceled
}

// apply carries the action out and returns its write units. A check uses those of its item.
func (a action) apply() int {
	used := transactional * a.write.units()
	if a.checks {
		a.write.table.units += used
		return used
	}
	// The write itself counts as a single one.
	a.write.table.units += used - a.write.apply()

	return used
}
