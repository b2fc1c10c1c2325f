package reconciler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// local is DynamoDB Local.
type local struct {
	t        *testing.T
	endpoint *url.URL
}

// newLocal returns DynamoDB Local with tables of its own for each account.
func newLocal(t *testing.T) *local {
	t.Helper()
	endpoint, err := url.Parse(enginetest.DynamoDBLocal(t))
	if err != nil {
		t.Fatal(err)
	}
	return &local{t, endpoint}
}

func (l *local) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = l.endpoint.Scheme, l.endpoint.Host, ""
	// The account decides which tables are seen.
	account := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, l.t.Name())
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+
		"/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=none")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")

	return http.DefaultClient.Do(r)
}

func (l *local) Items(table string) []string {
	var items []string
	for start := ""; ; {
		page := l.scan(fmt.Sprintf(`{"TableName":%q,"ConsistentRead":true%s}`, table, start))
		for _, item := range page.Items {
			canonical, err := memorydb.Canonical(item)
			if err != nil {
				l.t.Fatal(err)
			}
			items = append(items, canonical)
		}
		if page.LastEvaluatedKey == nil {
			slices.Sort(items)
			return items
		}
		start = `,"ExclusiveStartKey":` + string(page.LastEvaluatedKey)
	}
}

type scanned struct {
	Items            []json.RawMessage
	LastEvaluatedKey json.RawMessage
}

func (l *local) scan(body string) (page scanned) {
	l.t.Helper()
	request, err := http.NewRequestWithContext(
		l.t.Context(), http.MethodPost, l.endpoint.String(), strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810.Scan")
	response, err := l.Do(request)
	if err != nil {
		l.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		l.t.Fatal(err)
	}

	return page
}

func TestOnDynamoDBLocalTheTargetBecomesRight(t *testing.T) {
	for name, s := range map[string]spec.Spec{
		"unique": unique(), "guarded": guarded(), "last writer wins": lastWriterWins(),
	} {
		t.Run(name, func(t *testing.T) {
			h := startIn(t, newLocal(t), s, Options{Grace: time.Millisecond})
			collisions := s.Targets[0].OnKeyCollision != ""
			long := "long=" + strings.Repeat("n", 30_000)
			for i := range 40 {
				h.put("source", fmt.Sprint("id=", i), fmt.Sprint("city=", i), long, fmt.Sprintf(`n={"N":"%d"}`, i),
					`all={"M":{"b":{"B":"AAE="},"s":{"NS":["1","2.50"]},"l":{"L":[{"NULL":true},{"BOOL":false},{"S":""}]}}}`)
			}
			h.put("source", "id=none", "note=it has no city")
			h.put("target", "id=0", "city=0", "note=stale")
			h.put("target", "id=extra", "city=extra")
			h.put("target", "id=other", "city=1")

			missing := int64(39)
			if collisions {
				missing = 38 // another owner has the key
			}
			if c := h.run(Backfill, 2); c.Put != missing || c.Changed != 1 || c.Filtered != 1 || c.Pages < 2 {
				t.Errorf("backfill: %+v", c)
			}
			if c := h.run(Repair, 2); c.Differences(true) == 0 || c.Unrepaired != 0 || c.Unmappable != 0 {
				t.Errorf("repair: %+v", c)
			}
			h.found = nil
			if c := h.run(Verify, 2); c.Differences(true) != 0 || c.Equal != 40 {
				t.Errorf("verify: %+v, %+v", c, h.found)
			}

			h.delete("source", "id=3")
			key := item("city=3", "id=3")
			if collisions {
				key = item("city=3")
			}
			if got := h.reconcile(item("id=3"), Key{TargetTable: "target", Key: []byte(key)}); !got.Gone {
				t.Errorf("%+v", got)
			}
			if n := len(h.db.Items("target")); n != 39 {
				t.Errorf("the target has %d items", n)
			}
		})
	}
}
