package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// widget is a part of a dashboard, as CloudWatch reads it. Source: Amazon CloudWatch API
// Reference, "Dashboard Body Structure and Syntax".
type widget struct {
	Type                string
	X, Y, Width, Height int
	Properties          struct {
		Title, Markdown string
		Alarms          []string
		Metrics         []metric
		Annotations     struct{ Horizontal []line }
	}
}

// line is a horizontal line of a graph.
type line struct {
	Label string
	Value float64
}

// metric is a metric of a graph.
type metric struct {
	namespace, name string
	// of names the resources of the dimensions.
	of      string
	options struct{ Label, Stat, YAxis string }
}

// UnmarshalJSON reads the list of a metric: its namespace and name, names and values of
// dimensions in turns, and options.
func (m *metric) UnmarshalJSON(text []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	if len(list) < 5 || len(list)%2 == 0 {
		return fmt.Errorf("a metric has %d parts", len(list))
	}

	texts := make([]string, len(list)-1)
	for i := range texts {
		if err := json.Unmarshal(list[i], &texts[i]); err != nil {
			return err
		}
	}
	m.namespace, m.name = texts[0], texts[1]
	for i := 3; i < len(texts); i += 2 {
		m.of += " " + texts[i]
	}

	return json.Unmarshal(list[len(list)-1], &m.options)
}

// read returns the widgets of the only dashboard in a template. The names of resources stand
// for what deployment makes of them.
func read(template []byte) ([]widget, error) {
	var t struct {
		Resources map[string]struct {
			Type       string
			Properties struct {
				DashboardBody struct {
					Join []json.RawMessage `json:"Fn::Join"`
				}
			}
		}
	}
	if err := json.Unmarshal(template, &t); err != nil {
		return nil, err
	}

	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		if r.Type != "AWS::CloudWatch::Dashboard" || len(r.Properties.DashboardBody.Join) != 2 {
			continue
		}
		body, err := join(r.Properties.DashboardBody.Join[1])
		if err != nil {
			return nil, err
		}
		var read struct{ Widgets []widget }
		err = json.Unmarshal([]byte(body), &read)
		return read.Widgets, err
	}

	return nil, errors.New("there is no dashboard")
}

// join joins the parts of a text, which are texts and references to resources.
func join(list json.RawMessage) (string, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(list, &parts); err != nil {
		return "", err
	}

	var body strings.Builder
	for _, part := range parts {
		var text string
		if json.Unmarshal(part, &text) == nil {
			body.WriteString(text)
			continue
		}
		var reference struct {
			Ref    string
			GetAtt []string `json:"Fn::GetAtt"`
		}
		if err := json.Unmarshal(part, &reference); err != nil {
			return "", err
		}
		id := reference.Ref
		if len(reference.GetAtt) > 0 {
			id = reference.GetAtt[0]
		}
		body.WriteString(construct(id))
	}

	return body.String(), nil
}

// hash is what the CDK appends to a logical ID.
var hash = regexp.MustCompile(`[0-9A-F]{8}$`)

// construct is a logical ID without the name of the table and the hash.
func construct(id string) string {
	return strings.TrimPrefix(hash.ReplaceAllString(id, ""), "Users")
}
