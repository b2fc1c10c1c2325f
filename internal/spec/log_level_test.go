package spec

import (
	"log/slog"
	"testing"
)

func TestTheLevelsAreThoseOfSlog(t *testing.T) {
	for _, tt := range []struct {
		level LogLevel
		want  slog.Level
	}{
		{"", slog.LevelInfo},
		{LogDebug, slog.LevelDebug},
		{LogInfo, slog.LevelInfo},
		{LogWarn, slog.LevelWarn},
		{LogError, slog.LevelError},
	} {
		if got := tt.level.Slog(); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.level, got, tt.want)
		}
	}
}
