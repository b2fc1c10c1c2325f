package replicator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// usersSpec is the mapping of examples/users: email -> state and city, without the zip
// code.
func usersSpec() spec.Spec {
	return spec.Spec{
		Source: spec.Table{TableName: "source",
			KeySchema: spec.KeySchema{PartitionKey: spec.Attribute{Name: "email", Type: spec.String}}},
		Targets: []spec.Target{{
			Table: spec.Table{TableName: "target", KeySchema: spec.KeySchema{
				PartitionKey: spec.Attribute{Name: "state", Type: spec.String},
				SortKey:      &spec.Attribute{Name: "city", Type: spec.String},
			}},
			Projection:       spec.Projection{Type: spec.Exclude, Attributes: []string{"zipcode"}},
			OnKeyCollision:   spec.LastWriterWins,
			VersionAttribute: spec.DefaultVersionAttribute,
		}},
		FailureQueueURL: "http://127.0.0.1:1/queue",
	}
}

// uniqueSpec maps id -> group and id.
func uniqueSpec(p spec.Projection) spec.Spec {
	return spec.Spec{
		Source: spec.Table{TableName: "source",
			KeySchema: spec.KeySchema{PartitionKey: spec.Attribute{Name: "id", Type: spec.String}}},
		Targets: []spec.Target{{
			Table: spec.Table{TableName: "target", KeySchema: spec.KeySchema{
				PartitionKey: spec.Attribute{Name: "group", Type: spec.String},
				SortKey:      &spec.Attribute{Name: "id", Type: spec.String},
			}},
			Projection: p,
		}},
		FailureQueueURL: "http://127.0.0.1:1/queue",
	}
}

// derivedSpec maps id -> the country in the address, and the city there with id.
func derivedSpec(p spec.Projection) spec.Spec {
	s := uniqueSpec(p)
	t := &s.Targets[0]
	t.PartitionKey.Name, t.SortKey.Name = "country", "place"
	t.KeySources = map[string]spec.KeySource{
		"country": {Parts: [][]string{{"address", "country"}}},
		"place":   {Parts: [][]string{{"address", "city"}, {"id"}}, Separator: "#"},
	}
	return s
}

var all = spec.Projection{Type: spec.All}

// item returns an item of string attributes: item("id", "1", "group", "a").
func item(namesAndValues ...string) string {
	var members []string
	for i := 0; i < len(namesAndValues); i += 2 {
		members = append(members, fmt.Sprintf(`%q:{"S":%q}`, namesAndValues[i], namesAndValues[i+1]))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// record returns a stream record as Lambda delivers it, without images that are empty.
func record(event string, sequence int, keys, oldImage, newImage string) string {
	images := ""
	if oldImage != "" {
		images += `"OldImage":` + oldImage + ","
	}
	if newImage != "" {
		images += `"NewImage":` + newImage + ","
	}
	return fmt.Sprintf(`{"eventName":%q,"eventSource":"aws:dynamodb",`+
		`"dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%s,%s"SequenceNumber":"%024d"},`+
		`"eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/source/stream/2026-01-02T03:04:05.678"}`,
		event, 1700000000+sequence, keys, images, sequence)
}

func payload(records ...string) []byte {
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

// planOf runs the pure stages and lists the planned writes, in the order of the plan:
// "put group/id" or "then delete group/id".
func planOf(t *testing.T, s spec.Spec, payload []byte) (planned []string, failures []failure) {
	t.Helper()
	r := newReplicator(s, nil, nil, minInFlight, nil)
	w := r.workspace()
	e, undecoded, err := w.decoder.decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	effects, unmapped := w.projector.project(e)
	p, rest := w.planner.plan(e, effects)
	if len(rest) > 0 {
		t.Fatal("a part of the effects waits")
	}
	list := func(prefix string, writes [][]write) {
		for index := range writes {
			for _, write := range writes[index] {
				verb := "delete"
				if write.put {
					verb = "put"
				}
				planned = append(planned, prefix+verb+" "+keyText(t, &r.mappings[index], write.item))
			}
		}
	}
	list("", p.first)
	list("then ", p.then)
	return planned, append(undecoded, unmapped...)
}

// keyText returns the target key of an item with string keys: "group/id".
func keyText(t *testing.T, m *mapping.Mapping, item *mapping.TargetItem) string {
	t.Helper()
	var key map[string]struct{ S string }
	if err := json.Unmarshal([]byte("{"+string(m.AppendKey(nil, item))+"}"), &key); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for i := range m.Key {
		texts = append(texts, key[m.Key[i].Name].S)
	}
	return strings.Join(texts, "/")
}

func createTarget(t testing.TB, db *memorydb.DB, target spec.Target) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://memory/",
		strings.NewReader(createTableBody(target.Table, "")))
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810.CreateTable")
	response, err := db.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("create the target: %s", response.Status)
	}
}

func createTableBody(table spec.Table, more string) string {
	var definitions, schema []string
	for i, a := range table.Attributes() {
		definitions = append(definitions, fmt.Sprintf(`{"AttributeName":%q,"AttributeType":%q}`, a.Name, a.Type))
		schema = append(schema, fmt.Sprintf(`{"AttributeName":%q,"KeyType":%q}`, a.Name, []string{"HASH", "RANGE"}[i]))
	}
	return fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST",`+
		`"AttributeDefinitions":[%s],"KeySchema":[%s]%s}`,
		table.TableName, strings.Join(definitions, ","), strings.Join(schema, ","), more)
}
