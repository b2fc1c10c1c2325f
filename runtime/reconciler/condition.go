package reconciler

import (
	"strconv"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// The limits of one condition. DynamoDB allows 300 operators and functions (Amazon DynamoDB Developer
// Guide, "Quotas"): 150 comparisons and the ANDs between them.
const (
	maxClauses        = 150
	maxConditionBytes = 4096
)

// condition is a condition that is being written: clauses joined by AND.
type condition struct {
	text, names, values []byte
	clauses             int
}

// clause adds a clause, and returns the placeholder of a name in it.
func (c *condition) clause(function, name string) (placeholder []byte) {
	if c.clauses > 0 {
		c.text, c.names = append(c.text, " AND "...), append(c.names, ',')
	}
	placeholder = strconv.AppendInt([]byte("#"), int64(c.clauses), 10)
	c.clauses++
	c.names = append(c.names, '"')
	c.names = append(append(c.names, placeholder...), `":`...)
	c.names = dynamodbjson.AppendQuoted(c.names, name)

	c.text = append(c.text, function...)
	c.text = append(c.text, placeholder...)
	if function != "" {
		c.text = append(c.text, ')')
	}

	return placeholder
}

func (c *condition) exists(name string) { c.clause("attribute_exists(", name) }

func (c *condition) absent(name string) { c.clause("attribute_not_exists(", name) }

// equals demands that an attribute has a value. A nil value is that of an absent attribute.
func (c *condition) equals(name string, value []byte) {
	if value == nil {
		c.absent(name)
		return
	}
	placeholder := c.clause("", name)
	placeholder[0] = ':'
	c.text = append(append(c.text, '='), placeholder...)
	if len(c.values) > 0 {
		c.values = append(c.values, ',')
	}
	c.values = append(c.values, '"')
	c.values = append(append(c.values, placeholder...), `":`...)
	c.values = append(c.values, value...)
}

// isFull reports whether another clause may be too much.
func (c *condition) isFull() bool {
	const clause = len(" AND attribute_not_exists(#150)")
	return c.clauses == maxClauses || len(c.text)+clause > maxConditionBytes
}

// append appends the condition as members of a JSON object, with a comma in front.
func (c *condition) append(dst []byte) []byte {
	dst = append(dst, `,"ConditionExpression":"`...)
	dst = append(dst, c.text...) // placeholders and functions only
	dst = append(dst, `","ExpressionAttributeNames":{`...)
	dst = append(append(dst, c.names...), '}')
	if len(c.values) > 0 {
		dst = append(dst, `,"ExpressionAttributeValues":{`...)
		dst = append(append(dst, c.values...), '}')
	}

	return dst
}

// check is the condition that a source item is still as it was read, in what decides about its
// target items. An item may have more attributes than a condition can name: those that a key or a
// filter is derived from come first. An attribute that was added is not seen.
func (r *Reconciler) check(of stored, targets []*target) *condition {
	c := &condition{}
	if !of.exists() {
		c.absent(r.source.key[0].Name)
		return c
	}

	named := map[string]bool{}
	for _, k := range r.source.key {
		named[k.Name] = true
	}
	c.exists(r.source.key[0].Name)
	for _, t := range targets {
		for _, name := range t.inputs {
			if !named[name] && !c.isFull() {
				named[name] = true
				c.equals(name, value(of, name))
			}
		}
	}
	members := of.in.Members(of.item)
	for i := range members {
		name := of.in.Name(&members[i])
		if c.isFull() {
			break
		}
		if !named[string(name)] && carriedByAny(targets, name) {
			c.equals(string(name), of.in.Value(&members[i]))
		}
	}

	return c
}

func carriedByAny(targets []*target, name []byte) bool {
	for _, t := range targets {
		if t.mapping.Carries(name) {
			return true
		}
	}
	return false
}

// asRead is the condition that a target item is still the one that was read: of the same owner, with
// the same version. An absent item must be absent.
func (t *target) asRead(have stored, owner []mapping.KeyAttribute) *condition {
	c := &condition{}
	if !have.exists() {
		c.absent(t.key[0].Name)
		return c
	}

	c.exists(t.key[0].Name)
	for _, k := range owner {
		c.equals(k.Name, value(have, k.Name))
	}
	if t.guarded() {
		c.equals(t.mapping.VersionAttribute, t.mapping.StoredVersion(have.in, have.item))
	}

	return c
}

// value returns the value of an attribute, or nil.
func value(of stored, name string) []byte {
	if m := of.in.Find(of.item, name); m != nil {
		return of.in.Value(m)
	}
	return nil
}
