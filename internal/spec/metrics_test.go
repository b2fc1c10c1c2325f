package spec

import (
	"slices"
	"testing"
)

// maxMetrics is what a document may cost: CloudWatch bills each metric.
const maxMetrics = 10

func TestADocumentHasAtMostTenMetricsAndNoneTwice(t *testing.T) {
	for name, metrics := range map[string][]Metric{
		"invocation": InvocationMetrics(), "trouble": TroubleMetrics(), "target": TargetMetrics(),
	} {
		if len(metrics) == 0 || len(metrics) > maxMetrics {
			t.Errorf("%s: %d metrics", name, len(metrics))
		}
		names := map[string]bool{}
		for _, m := range metrics {
			if m.Name == "" || names[m.Name] {
				t.Errorf("%s: %q is empty or there twice", name, m.Name)
			}
			names[m.Name] = true
		}
	}
}

func TestEveryMetricOfATroubledTargetIsOneOfPerTargetToo(t *testing.T) {
	for _, m := range TroubleMetrics() {
		if !slices.Contains(TargetMetrics(), m) {
			t.Errorf("%s is missing, so an alarm on it would go blind with the level %s", m.Name, MetricsPerTarget)
		}
	}
}
