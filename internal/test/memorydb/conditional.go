package memorydb

// conditional is the part of PutItem and DeleteItem that says when the write is
// applied.
type conditional struct {
	expression *string
	names      map[string]string
	values     map[string]value
}

// with adds the condition's members to those of an operation.
func (c *conditional) with(operation members) members {
	operation["ConditionExpression"] = func(v any) error {
		c.expression = new(string)
		return assign(c.expression, v)
	}
	operation["ExpressionAttributeNames"] = func(v any) error { return c.readNames(v) }
	operation["ExpressionAttributeValues"] = func(v any) error { return c.readValues(v) }

	return operation
}

func (c *conditional) readNames(v any) error {
	o, ok := v.(object)
	if !ok {
		return malformed("ExpressionAttributeNames is not an object")
	}
	c.names = make(map[string]string, len(o))
	for _, m := range o {
		name, ok := m.value.(string)
		if !ok {
			return malformed("the attribute name %s is not a string", m.name)
		}
		c.names[m.name] = name
	}

	return nil
}

func (c *conditional) readValues(v any) error {
	o, ok := v.(object)
	if !ok {
		return malformed("ExpressionAttributeValues is not an object")
	}
	c.values = make(map[string]value, len(o))
	for _, m := range o {
		v, err := readValue(m.value, 1)
		if err != nil {
			return err
		}
		c.values[m.name] = v
	}

	return nil
}

// condition returns a function that reports whether an item, as it is, meets the
// condition.
func (db *DB) condition(c *conditional) (func(attributes) bool, error) {
	if c.expression == nil {
		if c.names != nil || c.values != nil {
			return nil, invalid("ExpressionAttributeNames and ExpressionAttributeValues " +
				"can only be specified when using expressions")
		}

		return func(attributes) bool { return true }, nil
	}
	if c.names != nil && len(c.names) == 0 {
		return nil, invalid("ExpressionAttributeNames must not be empty")
	}
	if c.values != nil && len(c.values) == 0 {
		return nil, invalid("ExpressionAttributeValues must not be empty")
	}
	for _, name := range c.names {
		if err := checkName(name); err != nil {
			return nil, err
		}
	}

	parsed, err := db.parsedCondition(*c.expression)
	if err != nil {
		return nil, err
	}
	a := &arguments{names: c.names, values: c.values}
	if err := parsed.check(a); err != nil {
		return nil, err
	}

	return func(item attributes) bool {
		a.item = item
		return parsed.root.holds(a)
	}, nil
}

// parsedCondition parses an expression once.
func (db *DB) parsedCondition(expression string) (*condition, error) {
	if parsed := db.conditions[expression]; parsed != nil {
		return parsed, nil
	}
	parsed, err := parseCondition(expression)
	if err != nil {
		return nil, err
	}
	db.conditions[expression] = parsed

	return parsed, nil
}
