package main

import (
	"strings"
	"testing"
)

func TestTheArchitectureIsReadFromTheContext(t *testing.T) {
	tests := []struct {
		name, why string
		value     any
		goarch    string
		want      architecture
		wantError string
	}{
		{"nothing", "arm64 costs less", nil, "amd64", arm64, ""},
		{"arm64", "said", "arm64", "amd64", arm64, ""},
		{"x86_64", "said", "x86_64", "arm64", x86_64, ""},
		{"host on Intel", "Go calls it amd64, Lambda x86_64", "host", "amd64", x86_64, ""},
		{"host on Arm", "both call it arm64", "host", "arm64", arm64, ""},
		{"host on another processor", "Lambda has only two", "host", "riscv64", "", "is host: use arm64, x86_64 or"},
		{"Go's name", "one name per architecture", "amd64", "amd64", "", "is amd64: use arm64, x86_64"},
		{"empty", "a context value set to nothing is a mistake", "", "amd64", "", "use arm64, x86_64"},
		{"a list", "a context value may be any JSON", []any{"arm64"}, "amd64", "", "use arm64, x86_64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Log(tt.why)
			got, err := parseArchitecture(tt.value, tt.goarch)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			switch {
			case tt.wantError == "" && err != nil:
				t.Errorf("got error %v, want none", err)
			case tt.wantError != "" && (err == nil || !strings.Contains(err.Error(), tt.wantError)):
				t.Errorf("got error %v, want one with %q", err, tt.wantError)
			}
		})
	}
}
