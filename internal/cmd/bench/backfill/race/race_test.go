package race_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/backfill/race"
)

func TestWithoutAnythingThatFillsItTheTableMissesWhatNobodyWrote(t *testing.T) {
	got, err := race.Race{
		Items: 100, WritesPerSecond: 1, InFlight: 1,
		Fill: func(context.Context, dynamodb.Options) error { return nil },
	}.Run(t.Context())
	if want := (race.Outcome{Missing: 100}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
