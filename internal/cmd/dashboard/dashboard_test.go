package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../../../"

func TestThePictureIsThatOfTheDashboard(t *testing.T) {
	drawn := filepath.Join(t.TempDir(), "dashboard.svg")
	if err := run(root+template, drawn); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(drawn)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(root + picture)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not the dashboard of %s: look at what \"go run ./internal/cmd/dashboard\" draws, and commit it", picture, template)
	}
	const maxBytes = 100_000
	if len(got) > maxBytes {
		t.Errorf("the picture has %d bytes", len(got))
	}
}

func TestEveryWidgetIsInThePicture(t *testing.T) {
	text, err := os.ReadFile(root + template)
	if err != nil {
		t.Fatal(err)
	}
	widgets, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	svg := string(draw(widgets))
	curves := 0
	for _, w := range widgets {
		names := []string{w.Properties.Title, strings.TrimPrefix(w.Properties.Markdown, "## ")}
		for _, m := range w.Properties.Metrics {
			names = append(names, m.options.Label)
			curves++
		}
		for _, name := range append(names, w.Properties.Alarms...) {
			if !strings.Contains(svg, ">"+name+"<") && name != "" {
				t.Errorf("%q is not in the picture", name)
			}
		}
	}
	if n := strings.Count(svg, "<polyline"); n != curves || n < 30 {
		t.Errorf("%d curves of %d metrics", n, curves)
	}
}

func TestATemplateWithoutADashboardIsAnError(t *testing.T) {
	for _, text := range []string{`{"Resources":{}}`, `{`} {
		if _, err := read([]byte(text)); err == nil {
			t.Errorf("%s: got no error", text)
		}
	}
}
