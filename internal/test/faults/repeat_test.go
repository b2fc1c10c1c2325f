package faults_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

func TestTheSameFaultsHitWhateverTheConcurrency(t *testing.T) {
	rules := []faults.Rule{
		{Kind: faults.Throttled, Probability: 0.2},
		{Kind: faults.ResetAfter, Probability: 0.2},
		{Kind: faults.Poison, Probability: 0.1},
	}
	// outcomes sends each of 50 puts three times, by a number of goroutines, and
	// returns what each was answered.
	outcomes := func(seed uint64, goroutines int) string {
		_, _, c := setup(t, seed, rules...)
		answers := make([]string, 50)
		work := make(chan int, len(answers))
		for i := range answers {
			work <- i
		}
		close(work)
		var workers sync.WaitGroup
		for range goroutines {
			workers.Go(func() {
				for i := range work {
					for range 3 {
						err := put(t.Context(), c, strconv.Itoa(i))
						var api smithy.APIError
						switch {
						case err == nil:
							answers[i] += " ok"
						case errors.As(err, &api):
							answers[i] += " " + api.ErrorCode()
						default:
							answers[i] += " reset"
						}
					}
				}
			})
		}
		workers.Wait()
		return strings.Join(answers, "\n")
	}
	alone := outcomes(1, 1)
	if together := outcomes(1, 8); together != alone {
		t.Errorf("1 goroutine:\n%s\n8 goroutines:\n%s", alone, together)
	}
	if other := outcomes(2, 1); other == alone {
		t.Error("another seed gives the same faults")
	}
	for _, line := range strings.Split(alone, "\n") {
		if strings.Contains(line, " ok") && strings.Contains(line, "ThrottlingException") {
			return
		}
	}
	t.Errorf("no put was throttled and then succeeded: the attempt makes no difference:\n%s", alone)
}
