// Package emf reads embedded metrics from a log as CloudWatch does. Source: Amazon
// CloudWatch User Guide, "Specification: Embedded metric format".
package emf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Limits of a document. Source: as above, "Root node" and "MetricDirective object".
const (
	maxBytes      = 1 << 20
	maxMetrics    = 100
	maxDimensions = 30
)

// Sample is one value of a metric.
type Sample struct {
	Namespace, Name, Unit string
	// Dimensions are the values by their names.
	Dimensions map[string]string
	At         time.Time
	Value      float64
}

// Metric is the sample's metric in one text, such as "ReplicatedTable Writes
// FunctionName=f TargetTable=t".
func (s Sample) Metric() string {
	text := s.Namespace + " " + s.Name
	for _, name := range slices.Sorted(maps.Keys(s.Dimensions)) {
		text += " " + name + "=" + s.Dimensions[name]
	}
	return text
}

// Read returns the samples of a log, and the lines that hold none. CloudWatch drops a
// document that breaks the specification without a word; here it is an error.
func Read(log []byte) (samples []Sample, others []string, err error) {
	for line := range bytes.Lines(log) {
		if !bytes.Contains(line, []byte(`"_aws"`)) {
			others = append(others, string(line))
			continue
		}
		found, err := document(line)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", bytes.TrimSpace(line), err)
		}
		samples = append(samples, found...)
	}
	return samples, others, nil
}

// metadata is the member _aws.
type metadata struct {
	Timestamp         int64
	CloudWatchMetrics []struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []struct{ Name, Unit string }
	}
}

func document(line []byte) (samples []Sample, err error) {
	if len(line) > maxBytes {
		return nil, fmt.Errorf("it has %d bytes", len(line))
	}
	var root map[string]json.RawMessage
	if err := json.Unmarshal(line, &root); err != nil {
		return nil, err
	}
	var about metadata
	known := json.NewDecoder(bytes.NewReader(root["_aws"]))
	known.DisallowUnknownFields()
	if err := known.Decode(&about); err != nil {
		return nil, err
	}

	for _, d := range about.CloudWatchMetrics {
		if d.Namespace == "" || len(d.Dimensions) == 0 || len(d.Metrics) == 0 || len(d.Metrics) > maxMetrics {
			return nil, fmt.Errorf("the directive %+v is incomplete or too long", d)
		}
		for _, names := range d.Dimensions {
			dimensions, err := texts(root, names)
			if err != nil {
				return nil, err
			}
			for _, m := range d.Metrics {
				s := Sample{d.Namespace, m.Name, m.Unit, dimensions, time.UnixMilli(about.Timestamp), 0}
				if err := json.Unmarshal(root[m.Name], &s.Value); err != nil || string(root[m.Name]) == "null" {
					return nil, fmt.Errorf("the metric %q is %q", m.Name, root[m.Name])
				}
				samples = append(samples, s)
			}
		}
	}

	return samples, nil
}

// texts returns the members that are dimensions.
func texts(root map[string]json.RawMessage, names []string) (map[string]string, error) {
	if len(names) == 0 || len(names) > maxDimensions {
		return nil, fmt.Errorf("%d dimensions", len(names))
	}
	found := map[string]string{}
	for _, name := range names {
		var text string
		if err := json.Unmarshal(root[name], &text); err != nil || strings.TrimSpace(text) == "" {
			return nil, fmt.Errorf("the dimension %q is %q", name, root[name])
		}
		found[name] = text
	}
	return found, nil
}
