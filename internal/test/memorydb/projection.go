package memorydb

import (
	"slices"
	"strings"
)

// projection is the part of a read that says which attributes it returns. It knows whole
// attributes, by placeholders.
type projection struct {
	expression *string
	names      map[string]string
}

// with adds the projection's members to those of an operation.
func (p *projection) with(operation members) members {
	operation["ProjectionExpression"] = func(v any) error {
		p.expression = new(string)
		return assign(p.expression, v)
	}
	operation["ExpressionAttributeNames"] = func(v any) (err error) {
		p.names, err = readNames(v)
		return err
	}

	return operation
}

// attributes returns the names of the attributes that are read, or nil for all.
func (p *projection) attributes() ([]string, error) {
	if p.expression == nil {
		if p.names != nil {
			return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
		}

		return nil, nil
	}
	if strings.TrimSpace(*p.expression) == "" {
		return nil, invalidProjection("The expression can not be empty;")
	}

	var names []string
	used := map[string]bool{}
	for token := range strings.SplitSeq(*p.expression, ",") {
		placeholder := strings.TrimSpace(token)
		if !strings.HasPrefix(placeholder, "#") {
			return nil, invalidProjection("Syntax error; token: %q", placeholder)
		}
		name, defined := p.names[placeholder]
		if !defined {
			return nil, invalidProjection("An expression attribute name used in the document path is not defined; "+
				"attribute name: %s", placeholder)
		}
		if slices.Contains(names, name) {
			return nil, invalidProjection("Two document paths overlap with each other; "+
				"must remove or rewrite one of these paths; path one: [%s], path two: [%[1]s]", name)
		}
		names, used[placeholder] = append(names, name), true
	}
	for placeholder, name := range p.names {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if !used[placeholder] {
			return nil, invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", placeholder)
		}
	}

	return names, nil
}

func invalidProjection(format string, arguments ...any) error {
	return invalid("Invalid ProjectionExpression: "+format, arguments...)
}

// project returns the canonical JSON of an item's attributes with the names, of all for nil.
func (i item) project(names []string) string {
	if names == nil {
		return i.json
	}
	var projected attributes
	for _, a := range i.attributes {
		if slices.Contains(names, a.name) {
			projected = append(projected, a)
		}
	}

	return string(projected.append(nil))
}
