package memorydb_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func scanCases() []conformanceCase {
	scan := func(members, want string) step { return step{"Scan", `{"TableName":"sorted"` + members + `}`, want} }
	get := func(members, want string) step {
		return step{"GetItem", `{"TableName":"strings","Key":{"pk":{"S":"x"}}` + members + `}`, want}
	}
	names := func(expression, names string) string {
		return `,"ProjectionExpression":"` + expression + `","ExpressionAttributeNames":` + names
	}
	return []conformanceCase{
		{
			name: "pages and segments", table: "strings",
			steps: []step{
				scan(`,"Limit":1`, ok), scan(`,"Limit":0`, invalid), scan(`,"Limit":-1`, invalid),
				scan(`,"Segment":1,"TotalSegments":2`, ok), scan(`,"Segment":999999,"TotalSegments":1000000`, ok),
				scan(`,"Segment":2,"TotalSegments":2`, invalid), scan(`,"Segment":-1,"TotalSegments":2`, invalid),
				scan(`,"Segment":0,"TotalSegments":0`, invalid), scan(`,"Segment":0,"TotalSegments":1000001`, invalid),
				scan(`,"Segment":0`, invalid), scan(`,"TotalSegments":1`, invalid),
			},
		},
		{
			name: "start keys", table: "strings",
			steps: []step{
				scan(`,"ExclusiveStartKey":{"pk":{"S":"none"},"sk":{"N":"1"}}`, ok),
				scan(`,"ExclusiveStartKey":{"pk":{"S":"none"}}`, invalid), scan(`,"ExclusiveStartKey":{}`, invalid),
				scan(`,"ExclusiveStartKey":{"pk":{"S":"none"},"sk":{"S":"1"}}`, invalid),
				scan(`,"ExclusiveStartKey":{"pk":{"S":""},"sk":{"N":"1"}}`, invalid),
			},
		},
		{
			name: "projections", table: "strings",
			steps: []step{
				scan(names("#a, #b", `{"#a":"pk","#b":"sk"}`), ok), get(names("#a", `{"#a":"a"}`), ok),
				scan(names("#a,#b", `{"#a":"pk"}`), invalid), get(names("#a", `{"#a":"pk","#b":"sk"}`), invalid),
				scan(names("#a,#b", `{"#a":"pk","#b":"pk"}`), invalid), get(names("#a,", `{"#a":"pk"}`), invalid),
				get(names("", `{"#a":"pk"}`), invalid), get(names(" ", `{"#a":"pk"}`), invalid),
				get(names("#a", `{"#a":""}`), invalid), get(`,"ExpressionAttributeNames":{"#a":"pk"}`, invalid),
			},
		},
		{
			name: "a consumption that does not exist", table: "strings",
			steps: []step{scan(`,"ReturnConsumedCapacity":"NONE"`, ok), scan(`,"ReturnConsumedCapacity":"TOTAL"`, ok),
				scan(`,"ReturnConsumedCapacity":"ALL"`, invalid)},
		},
	}
}

// page is an answer of Scan.
type page struct {
	Items            []json.RawMessage
	LastEvaluatedKey json.RawMessage
}

func (e engine) page(t *testing.T, account, members string) page {
	t.Helper()
	a := e.mustSend(t, account, "Scan", `{"ConsistentRead":true`+members+`}`)
	var p page
	if err := json.Unmarshal(a.body, &p); err != nil || a.outcome() != ok {
		t.Fatalf("%v %s", err, a.body)
	}
	return p
}

// walk returns all items of a segment, after checking its pages.
func (e engine) walk(t *testing.T, account, members string, limit int) []string {
	t.Helper()
	var all []string
	for start := ""; ; {
		p := e.page(t, account, members+start)
		if len(p.Items) > limit || len(p.Items) < limit && p.LastEvaluatedKey != nil {
			t.Fatalf("a page of %d items, limit %d, next key %s", len(p.Items), limit, p.LastEvaluatedKey)
		}
		for _, item := range p.Items {
			all = append(all, canonical(t, item))
		}
		if p.LastEvaluatedKey == nil {
			return all
		}
		if last := all[len(all)-1]; canonical(t, p.LastEvaluatedKey) != last {
			t.Fatalf("the next page starts at %s, the page ends with %s", p.LastEvaluatedKey, last)
		}
		start = fmt.Sprintf(`,"ExclusiveStartKey":%s`, p.LastEvaluatedKey)
	}
}

func TestPagesOfAllSegmentsAreTheTable(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			const account = "pages"
			const items = 60
			e.createTables(t, account)
			for i := range items {
				e.mustSend(t, account, "PutItem",
					fmt.Sprintf(`{"TableName":"sorted","Item":{"pk":{"S":"%d"},"sk":{"N":"%d"}}}`, i/4, i))
			}
			want := e.items(t, account, "sorted")
			for segments := range 5 {
				for _, limit := range []int{1, 7, 1000} {
					var all []string
					for segment := range segments + 1 {
						all = append(all, e.walk(t, account, fmt.Sprintf(`,"TableName":"sorted","Limit":%d,"Segment":%d,"TotalSegments":%d`,
							limit, segment, segments+1), limit)...)
					}
					if slices.Sort(all); !slices.Equal(all, want) {
						t.Errorf("%d segments, limit %d: got %d items %q", segments+1, limit, len(all), all)
					}
				}
			}
			if one := e.walk(t, account, `,"TableName":"sorted","Limit":60`, items); len(one) != items {
				t.Errorf("a page that the table just fills: %d items", len(one))
			}
		})
	}
}

// What a reconciler relies on: the second look at a page.
func TestAPageReadAgainHasTheSameOrderWithoutWhatIsDeleted(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			const account = "again"
			e.createTables(t, account)
			for i := range 20 {
				e.mustSend(t, account, "PutItem", fmt.Sprintf(`{"TableName":"strings","Item":{"pk":{"S":"%d"}}}`, i))
			}
			first := e.page(t, account, `,"TableName":"strings","Limit":5`)
			next := `,"TableName":"strings","Limit":10,"ExclusiveStartKey":` + string(first.LastEvaluatedKey)
			before := e.page(t, account, next)
			for _, key := range []json.RawMessage{first.LastEvaluatedKey, before.Items[3]} {
				e.mustSend(t, account, "DeleteItem", fmt.Sprintf(`{"TableName":"strings","Key":%s}`, key))
			}
			after := e.page(t, account, next)
			var got, want []string
			for i, item := range before.Items {
				if i != 3 {
					want = append(want, canonical(t, item))
				}
			}
			for _, item := range after.Items[:len(want)] {
				got = append(got, canonical(t, item))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAStartKeyLiesInItsSegment(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			const account = "segment"
			e.createTables(t, account)
			outcomes := map[string]int{}
			for segment := range 4 {
				a := e.mustSend(t, account, "Scan", fmt.Sprintf(`{"TableName":"strings","Segment":%d,"TotalSegments":4,`+
					`"ExclusiveStartKey":{"pk":{"S":"x"}}}`, segment))
				outcomes[a.outcome()]++
			}
			if outcomes[ok] != 1 || outcomes[invalid] != 3 {
				t.Errorf("got %v", outcomes)
			}
		})
	}
}

func TestAPageEndsAfter1MB(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			const account = "megabyte"
			e.createTables(t, account)
			for i := range 13 {
				e.mustSend(t, account, "PutItem", fmt.Sprintf(`{"TableName":"strings","Item":{"pk":{"S":"%02d"},"a":{"S":%q}}}`,
					i, strings.Repeat("a", 100<<10)))
			}
			p := e.page(t, account, `,"TableName":"strings","ProjectionExpression":"#pk","ExpressionAttributeNames":{"#pk":"pk"}`)
			if len(p.Items) != 11 || p.LastEvaluatedKey == nil || len(p.Items[0]) > 100 {
				t.Errorf("%d items, then %s", len(p.Items), p.LastEvaluatedKey)
			}
		})
	}
}

func TestABatchOfMoreThan16MBLeavesKeys(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			const account = "sixteen"
			const items = 45
			e.createTables(t, account)
			var keys []string
			for i := range items {
				keys = append(keys, fmt.Sprintf(`{"pk":{"S":"%02d"}}`, i))
				e.mustSend(t, account, "PutItem", fmt.Sprintf(`{"TableName":"strings","Item":{"pk":{"S":"%02d"},"a":{"S":%q}}}`,
					i, strings.Repeat("a", 399<<10)))
			}
			request := `{"strings":{"ConsistentRead":true,"Keys":[` + strings.Join(keys, ",") +
				`],"ProjectionExpression":"#p","ExpressionAttributeNames":{"#p":"pk"}}}`
			read, rounds := 0, 0
			for ; request != `{}` && rounds < 10; rounds++ {
				a := e.mustSend(t, account, "BatchGetItem", `{"RequestItems":`+request+`}`)
				var answered struct {
					Responses       map[string][]json.RawMessage
					UnprocessedKeys json.RawMessage
				}
				if err := json.Unmarshal(a.body, &answered); err != nil || a.outcome() != ok {
					t.Fatalf("%v %.300s", err, a.body)
				}
				read += len(answered.Responses["strings"])
				request = string(answered.UnprocessedKeys)
			}
			if read != items || rounds != 2 {
				t.Errorf("read %d items in %d rounds", read, rounds)
			}
		})
	}
}
