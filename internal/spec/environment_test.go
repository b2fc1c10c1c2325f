package spec

import (
	"maps"
	"testing"
)

func TestTheEnvironmentFitsTheGoRuntimeToTheMemory(t *testing.T) {
	s := Spec{FailureQueueURL: "queue"}
	for _, tt := range []struct {
		name      string
		mebibytes int
		want      map[string]string
	}{
		{"not known", 0, map[string]string{"GOGC": "200"}},
		{"the least", 128, map[string]string{"GOGC": "200", "GOMEMLIMIT": "96MiB", "GOMAXPROCS": "1"}},
		{"almost one processor", 1768, map[string]string{"GOGC": "200", "GOMEMLIMIT": "1326MiB", "GOMAXPROCS": "1"}},
		{"one processor", 1769, map[string]string{"GOGC": "200", "GOMEMLIMIT": "1326MiB"}},
		{"the most", 10240, map[string]string{"GOGC": "200", "GOMEMLIMIT": "7680MiB"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.want[EnvironmentVariable] = s.Encode()
			if got := s.Environment(tt.mebibytes); !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
