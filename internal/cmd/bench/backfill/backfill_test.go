package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/backfill/race"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/process"
)

func TestMain(m *testing.M) { process.TestMain(roles, m.Run) }

func filler(v variant) func(context.Context, dynamodb.Options) error {
	return func(ctx context.Context, o dynamodb.Options) error { return v.fill(ctx, o, 0) }
}

func TestEveryVariantFillsATableAtRest(t *testing.T) {
	for _, v := range variants {
		got, err := race.Race{Items: 100, InFlight: v.inFlight, Fill: filler(v)}.Run(t.Context())
		if err != nil || got != (race.Outcome{}) {
			t.Errorf("%s: %+v, %v", v.name, got, err)
		}
	}
}

// R2: a backfill may run while the stream flows.
func TestABackfillLeavesNothingWrongWhileTheApplicationWrites(t *testing.T) {
	v, err := findVariant("ours")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(2) {
		got, err := race.Race{
			Seed: seed, Items: 2000, WritesPerSecond: 2000, InFlight: v.inFlight, Fill: filler(v),
		}.Run(t.Context())
		if err != nil || got.Wrong() > 0 || got.Writes < 100 {
			t.Errorf("seed %d: %+v, %v", seed, got, err)
		}
	}
}

func TestTheCommandPrintsEveryPart(t *testing.T) {
	o, err := parse([]string{"-items", "500", "-delay", "1ms", "-write-units", "2000", "-seconds", "1",
		"-race-items", "50", "-seeds", "1"})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	for _, v := range variants {
		title := regexp.QuoteMeta(v.title)
		if !regexp.MustCompile(`(?m)^\| ` + title + `( \(measured with 5 items\))? \|( [0-9.]+( s| µs| MB)? \|){7}$`).
			MatchString(out.String()) {
			t.Errorf("no row of the speed of %s in\n%s", v.name, out.String())
		}
		if v.races && !regexp.MustCompile(`(?m)^\| `+title+` \|( \d+ \|){4}$`).MatchString(out.String()) {
			t.Errorf("no row of the races of %s in\n%s", v.name, out.String())
		}
	}
	for _, line := range []string{
		"ratio speed requests:typed 28.0\n", "ratio speed requests:ours 29.0\n", "ratio speed requests:loop 600\n",
		"ratio speed cpu_per_item:ours/typed ", "ratio speed wall:ours/floor ",
		"ratio rate write_units_per_second:ours/limit ", "ratio races wrong:ours 0\n",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no line %q in\n%s", line, out.String())
		}
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		why  string
		args []string
		want string
	}{
		{"a typing error would measure nothing", []string{"-variants", "ours,x"}, `there is no variant "x"`},
		{"a typing error would measure nothing", []string{"-parts", "x"}, `there is no part "x"`},
		{"the loop puts a hundredth", []string{"-items", "99"}, "-items must be 100"},
		{"no answer comes before its request", []string{"-delay", "-1ms"}, "-delay 0"},
	} {
		if _, err := parse(tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.why, err, tt.want)
		}
	}
	o, err := parse([]string{"-variants", "ours"})
	if err != nil || len(o.variants) != 1 || o.variants[0].name != "ours" || o.delay != 5*time.Millisecond {
		t.Errorf("got %+v, %v", o, err)
	}
}
