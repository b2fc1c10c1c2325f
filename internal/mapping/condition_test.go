package mapping

import (
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// A test of the construct has the same cases, so that the function and the patterns that
// Lambda evaluates agree about a filter.
func TestAConditionHoldsForExactlyTheItemsThatMeetIt(t *testing.T) {
	text, err := os.ReadFile("../spec/testdata/conditions.json")
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
	var v evaluator // one for all: its memory of one case must not matter in the next
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			s := placeSpec("#")
			s.Targets[0].Filter = &c.Condition
			if problems := s.Problems(); len(problems) > 0 {
				t.Fatalf("the construct would refuse it: %v", problems)
			}
			ready := newCondition(c.Condition)
			for _, i := range c.Items {
				p, item := parse(t, string(i.Item))
				if got := v.holds(&ready, p, item); got != i.Holds {
					t.Errorf("%s: holds is %t, want %t", i.Item, got, i.Holds)
				}
			}
		})
	}
}

// FuzzCondition: a condition never panics, and its result for any image is that of a plain
// reading of the image's JSON.
func FuzzCondition(f *testing.F) {
	f.Add(`{"Path":["a"],"Operator":"EQUALS","Values":[{"Type":"S","Text":"x"}]}`, `{"a":{"S":"\u0078"}}`)
	f.Add(`{"Any":[{"Path":["a","b"],"Operator":"EXISTS"},`+
		`{"Path":["c"],"Operator":"NOT_EQUALS","Values":[{"Type":"BOOL","Text":"true"}]}]}`,
		`{"a":{"M":{"b":{"NULL":true}}},"c":{"BOOL":true}}`)
	f.Add(`{"All":[{"Path":["a"],"Operator":"BEGINS_WITH","Values":[{"Type":"S","Text":"x"}]},`+
		`{"Path":["n"],"Operator":"IN","Values":[{"Type":"N","Text":"1"},{"Type":"N","Text":"20e-1"}]}]}`,
		`{"a":{"S":"xy"},"n":{"N":"2"}}`)
	f.Fuzz(func(t *testing.T, conditionText, imageText string) {
		s := placeSpec("#")
		if json.Unmarshal([]byte(conditionText), &s.Targets[0].Filter) != nil || s.Targets[0].Filter == nil ||
			len(s.Problems()) > 0 {
			return
		}
		if !json.Valid([]byte(imageText)) || !strings.HasPrefix(imageText, "{") {
			return
		}
		var p dynamodbjson.Payload
		var r dynamodbjson.Reader
		p.Reset([]byte(imageText))
		r.Reset(&p)
		item, err := r.Item()
		var attributes map[string]any
		if err != nil || json.Unmarshal(item.Raw, &attributes) != nil || len(attributes) != len(p.Members(item)) {
			return // it is not an item, or a name appears twice
		}
		c := newCondition(*s.Targets[0].Filter)
		var v evaluator
		if got, want := v.holds(&c, &p, item), plainly(*s.Targets[0].Filter, attributes); got != want {
			t.Errorf("%s on %s: got %t, want %t", conditionText, imageText, got, want)
		}
	})
}

// plainly evaluates a condition on an item that Go's own JSON package has read.
func plainly(c spec.Condition, item map[string]any) bool {
	for _, sub := range c.Any {
		if plainly(sub, item) {
			return true
		}
	}
	if c.Any != nil {
		return false
	}
	for _, sub := range c.All {
		if !plainly(sub, item) {
			return false
		}
	}
	if c.All != nil {
		return true
	}
	value, exists := item[c.Path[0]].(map[string]any)
	for _, name := range c.Path[1:] {
		members, _ := value["M"].(map[string]any)
		value, exists = members[name].(map[string]any)
	}
	text, isString := value["S"].(string)
	only := len(value) == 1
	equals := func(v spec.Value) bool {
		switch v.Type {
		case "S":
			return only && isString && text == v.Text
		case "N":
			digits, _ := value["N"].(string)
			a, okA := new(big.Rat).SetString(digits)
			b, okB := new(big.Rat).SetString(v.Text)
			return only && okA && okB && a.Cmp(b) == 0
		default:
			truth, ok := value["BOOL"].(bool)
			return ok && truth == (v.Text == "true")
		}
	}
	switch c.Operator {
	case spec.Exists:
		return exists
	case spec.BeginsWith:
		return only && isString && strings.HasPrefix(text, c.Values[0].Text)
	default:
		in := false
		for _, v := range c.Values {
			in = in || equals(v)
		}
		return in == (c.Operator != spec.NotEquals)
	}
}
