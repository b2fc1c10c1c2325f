package emf

import (
	"strings"
	"testing"
)

const sound = `{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[["F"],["F","T"]],` +
	`"Metrics":[{"Name":"A","Unit":"Count"}]}]},"F":"f","T":"t","A":3,"more":{}}` + "\n"

func TestASampleIsReadForEachMetricAndSetOfDimensions(t *testing.T) {
	samples, others, err := Read([]byte("START\n" + sound + `{"level":"INFO"}` + "\n"))
	if err != nil || len(samples) != 2 || len(others) != 2 {
		t.Fatalf("got %v, %q, %v", samples, others, err)
	}
	if got := samples[0].Metric() + ", " + samples[1].Metric(); got != "N A F=f, N A F=f T=t" {
		t.Errorf("the metrics are %s", got)
	}
	if s := samples[1]; s.Value != 3 || s.Unit != "Count" || s.At.Unix() != 1700000000 {
		t.Errorf("got %+v", s)
	}
}

func TestADocumentThatCloudWatchWouldDropIsAnError(t *testing.T) {
	for why, change := range map[string][2]string{
		"a metric is missing":       {`"A":3`, `"B":3`},
		"a metric is a text":        {`"A":3`, `"A":"3"`},
		"a metric is null":          {`"A":3`, `"A":null`},
		"a dimension is missing":    {`"T":"t",`, ``},
		"a dimension is a number":   {`"T":"t"`, `"T":1`},
		"a dimension is empty":      {`"T":"t"`, `"T":""`},
		"no dimensions":             {`[["F"],["F","T"]]`, `[[]]`},
		"no metrics":                {`[{"Name":"A","Unit":"Count"}]`, `[]`},
		"no namespace":              {`"N"`, `""`},
		"an unknown member of _aws": {`"Timestamp"`, `"Time"`},
		"two documents in one line": {"\n", sound},
	} {
		text := strings.Replace(sound, change[0], change[1], 1)
		if samples, _, err := Read([]byte(text)); err == nil || text == sound {
			t.Errorf("%s: got %v of %s", why, samples, text)
		}
	}
}
