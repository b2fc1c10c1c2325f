package memorydb

// conditional is the part of a write that says when the write is
// applied.
type conditional struct {
	expression *string
	names      map[string]string
	values     map[string]value
	// returnOld says that a refusal returns the item as it is.
	returnOld bool
}

// with adds the condition's members to those of an operation.
func (c *conditional) with(operation members) members {
	operation["ConditionExpression"] = func(v any) error {
		c.expression = new(string)
		return assign(c.expression, v)
	}
	operation["ExpressionAttributeNames"] = func(v any) (err error) {
		c.names, err = readNames(v)
		return err
	}
	operation["ExpressionAttributeValues"] = func(v any) error { return c.readValues(v) }
	operation["ReturnValuesOnConditionCheckFailure"] = func(v any) error {
		var values string
		if err := assign(&values, v); err != nil {
			return err
		}
		if values != "NONE" && values != "ALL_OLD" {
			return invalid("Value '%s' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: "+
				"Member must satisfy enum value set: [ALL_OLD, NONE]", values)
		}
		c.returnOld = values == "ALL_OLD"

		return nil
	}

	return operation
}

// readNames reads the names of an expression's placeholders.
func readNames(v any) (map[string]string, error) {
	o, ok := v.(object)
	if !ok {
		return nil, malformed("ExpressionAttributeNames is not an object")
	}
	names := make(map[string]string, len(o))
	for _, m := range o {
		name, ok := m.value.(string)
		if !ok {
			return nil, malformed("the attribute name %s is not a string", m.name)
		}
		names[m.name] = name
	}

	return names, nil
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
