package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

// inserts executes a statement for each key, and returns the codes of their errors.
func inserts(t *testing.T, c *dynamodb.Client, pks ...string) ([]string, error) {
	t.Helper()
	var statements []types.BatchStatementRequest
	for _, pk := range pks {
		statements = append(statements, types.BatchStatementRequest{
			Statement:  aws.String(`INSERT INTO "table" VALUE {'pk':?}`),
			Parameters: []types.AttributeValue{&types.AttributeValueMemberS{Value: pk}},
		})
	}
	out, err := c.BatchExecuteStatement(t.Context(), &dynamodb.BatchExecuteStatementInput{Statements: statements})
	if err != nil {
		return nil, err
	}
	codes := make([]string, len(out.Responses))
	for i, r := range out.Responses {
		if r.Error != nil {
			codes[i] = string(r.Error.Code)
		}
	}
	return codes, nil
}

func TestASelectedStatementFailsByItself(t *testing.T) {
	for kind, want := range map[faults.Kind][]string{
		faults.Throttled:           {"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"},
		faults.InternalServerError: {"InternalServerError"},
		faults.Poison:              {"ValidationError"},
		faults.AccessDenied:        {"AccessDenied"},
		faults.NotFound:            {"ResourceNotFound"},
	} {
		db, injector, c := setup(t, 2, faults.Rule{Kind: kind, Probability: 1, Select: with(`"b"`)},
			faults.Rule{Kind: faults.Poison, Probability: 1, Select: with(`"c"`)})
		codes, err := inserts(t, c, "a", "b", "c", "d")
		if err != nil || codes[0] != "" || !slices.Contains(want, codes[1]) || codes[2] != "ValidationError" || codes[3] != "" {
			t.Errorf("%s: got %q, %v", kind, codes, err)
		}
		if stored(db) != 2 || injector.Injected()[kind] == 0 {
			t.Errorf("%s: %d items stored, %v", kind, stored(db), injector.Injected())
		}
	}
}

func TestWithAnOddSeedADeniedStatementRefusesTheCall(t *testing.T) {
	db, _, c := setup(t, 1, faults.Rule{Kind: faults.AccessDenied, Probability: 1, Select: with(`"b"`)})
	_, err := inserts(t, c, "a", "b")
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") || stored(db) != 0 {
		t.Errorf("%v, %d items stored", err, stored(db))
	}
}

func TestARuleForOneOperationHitsNoOther(t *testing.T) {
	db, _, c := setup(t, 1, faults.Rule{Kind: faults.AccessDenied, Probability: 1, Operation: "BatchExecuteStatement"})
	_, err := inserts(t, c, "a")
	if put := put(t.Context(), c, "b"); err == nil || put != nil || stored(db) != 1 {
		t.Errorf("statement %v, put %v, %d items stored", err, put, stored(db))
	}
}

func TestAnUnprocessedReadReturnsItsKeys(t *testing.T) {
	_, injector, c := setup(t, 1)
	for i := range 3 {
		if err := put(t.Context(), c, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	read := func() (items, left int, err error) {
		out, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{*table: {Keys: []attributes{key("0"), key("1"), key("x")}}},
		})
		if err != nil {
			return 0, 0, err
		}
		return len(out.Responses[*table]), len(out.UnprocessedKeys[*table].Keys), nil
	}
	if items, left, err := read(); items != 2 || left != 0 || err != nil {
		t.Errorf("read %d items, %d keys left, %v", items, left, err)
	}
	injector.Use(faults.Rule{Kind: faults.Unprocessed, Probability: 1})
	if items, left, err := read(); items != 0 || left != 3 || err != nil {
		t.Errorf("unprocessed: read %d items, %d keys left, %v", items, left, err)
	}
	injector.Use(faults.Rule{Kind: faults.Unprocessed, Probability: 0.5})
	some := false
	for range 20 {
		items, left, err := read()
		if err != nil || items+left > 3 || items+left < 2 { // one key has no item
			t.Errorf("some unprocessed: read %d items, %d keys left, %v", items, left, err)
		}
		some = some || items > 0 && left > 0
	}
	if !some {
		t.Error("no answer had items and unprocessed keys")
	}
}
