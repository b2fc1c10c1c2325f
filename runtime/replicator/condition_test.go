package replicator

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// The cases drive a test of the construct too, so that the function and the
// patterns that Lambda evaluates agree about a filter.
func TestAConditionHoldsForExactlyTheItemsThatMeetIt(t *testing.T) {
	text, err := os.ReadFile("../../internal/spec/testdata/conditions.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name      string
		Condition spec.Condition
		Items     []struct {
			Item  json.RawMessage
			Holds bool
		}
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	var v evaluator // one for all: what it remembers of one case must not matter in the next
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			s := uniqueSpec(all)
			s.Targets[0].Filter = &c.Condition
			if problems := s.Problems(); len(problems) > 0 {
				t.Fatalf("the construct would refuse it: %v", problems)
			}
			ready := newCondition(c.Condition)
			for _, i := range c.Items {
				decoded, err := newDecoder(s).decode(payload(record("INSERT", 1, item("id", "1"), "", string(i.Item))))
				if err != nil {
					t.Fatal(err)
				}
				if got := v.holds(&ready, decoded, decoded.changes[0].newImage); got != i.Holds {
					t.Errorf("%s: holds is %t, want %t", i.Item, got, i.Holds)
				}
			}
		})
	}
}
