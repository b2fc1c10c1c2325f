package alarms

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Template is a CloudFormation template.
type Template struct {
	Resources map[string]Resource
	// Refs are what Ref of a logical ID is in the run. Of others it is the logical ID.
	Refs map[string]string `json:"-"`
	// Attributes are what Fn::GetAtt of "ID.Name" is in the run. Of others it is "ID.Name".
	Attributes map[string]string `json:"-"`
}

// Resource is one resource of a template.
type Resource struct {
	Type       string
	Properties json.RawMessage
}

// ParseTemplate reads a template.
func ParseTemplate(text []byte) (*Template, error) {
	t := &Template{Refs: map[string]string{}, Attributes: map[string]string{}}
	if err := json.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return t, nil
}

// Find returns the logical IDs of the resources of a type, sorted.
func (t *Template) Find(resourceType string) []string {
	var found []string
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		if t.Resources[id].Type == resourceType {
			found = append(found, id)
		}
	}
	return found
}

// Decode reads the properties of a resource, with its intrinsic functions carried out.
func (t *Template) Decode(id string, properties any) error {
	r, ok := t.Resources[id]
	if !ok {
		return fmt.Errorf("the template has no %s", id)
	}
	var raw any
	if err := json.Unmarshal(r.Properties, &raw); err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	resolved, err := t.resolve(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	text, err := json.Marshal(resolved)
	if err == nil {
		err = json.Unmarshal(text, properties)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	return nil
}

// resolve carries out the intrinsic functions of a value.
func (t *Template) resolve(value any) (any, error) {
	var err error
	switch value := value.(type) {
	case []any:
		for i := range value {
			if value[i], err = t.resolve(value[i]); err != nil {
				return nil, err
			}
		}
		return value, nil
	case map[string]any:
		if len(value) == 1 {
			for name, argument := range value {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return t.call(name, argument)
				}
			}
		}
		for name := range value {
			if value[name], err = t.resolve(value[name]); err != nil {
				return nil, err
			}
		}
		return value, nil
	default:
		return value, nil
	}
}

// call carries out one intrinsic function.
func (t *Template) call(name string, argument any) (any, error) {
	argument, err := t.resolve(argument)
	if err != nil {
		return nil, err
	}
	switch name {
	case "Ref":
		if id, ok := argument.(string); ok {
			return known(t.Refs, id), nil
		}
	case "Fn::GetAtt":
		if path, err := texts(argument); err == nil {
			return known(t.Attributes, strings.Join(path, ".")), nil
		}
	case "Fn::Join":
		if parts, ok := argument.([]any); ok && len(parts) == 2 {
			list, err := texts(parts[1])
			if separator, ok := parts[0].(string); ok && err == nil {
				return strings.Join(list, separator), nil
			}
		}
	case "Fn::Sub":
		return argument, nil // no property that is read here has a variable
	}
	return nil, fmt.Errorf("%s of %v is not known here", name, argument)
}

func known(names map[string]string, id string) string {
	if name, ok := names[id]; ok {
		return name
	}
	return id
}

func texts(value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%v is not a list", value)
	}
	found := make([]string, len(list))
	for i, one := range list {
		text, ok := one.(string)
		if !ok {
			return nil, fmt.Errorf("%v is not a text", one)
		}
		found[i] = text
	}
	return found, nil
}

// Remove removes an alarm, as if nobody had defined it: also from the rules of composite
// alarms, which look at another alarm of the rule instead.
func (t *Template) Remove(id string) error {
	if _, ok := t.Resources[id]; !ok {
		return fmt.Errorf("the template has no %s", id)
	}
	delete(t.Resources, id)
	reference := func(id string) string { return `{"Fn::GetAtt":["` + id + `","Arn"]}` }
	for _, composite := range t.Find("AWS::CloudWatch::CompositeAlarm") {
		r := t.Resources[composite]
		var compact bytes.Buffer
		if err := json.Compact(&compact, r.Properties); err != nil {
			return err
		}
		for _, other := range t.Find("AWS::CloudWatch::Alarm") {
			if bytes.Contains(compact.Bytes(), []byte(reference(other))) {
				r.Properties = bytes.ReplaceAll(compact.Bytes(), []byte(reference(id)), []byte(reference(other)))
				break
			}
		}
		t.Resources[composite] = r
	}
	return nil
}
