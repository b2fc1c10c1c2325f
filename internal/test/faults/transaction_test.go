package faults_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

// transact puts one item, deletes another one and checks that a third is absent.
func transact(ctx context.Context, c *dynamodb.Client, put, deleted, absent string) error {
	_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: table, Item: key(put)}},
		{Delete: &types.Delete{TableName: table, Key: key(deleted)}},
		{ConditionCheck: &types.ConditionCheck{TableName: table, Key: key(absent),
			ConditionExpression: aws.String("attribute_not_exists(#pk)"), ExpressionAttributeNames: map[string]string{"#pk": "pk"}}},
	}})
	return err
}

// reasons returns the codes of the reasons of a canceled transaction, or the error.
func reasons(err error) string {
	canceled := (*types.TransactionCanceledException)(nil)
	if !errors.As(err, &canceled) {
		return err.Error()
	}
	var codes []string
	for _, r := range canceled.CancellationReasons {
		codes = append(codes, *r.Code)
	}
	return strings.Join(codes, ",")
}

func TestATransactionMeetsAConflictOfOneAction(t *testing.T) {
	db, injector, c := setup(t, 1, faults.Rule{Kind: faults.Conflict, Probability: 1})
	met := map[string]bool{}
	for i := range 20 {
		err := transact(t.Context(), c, strconv.Itoa(i), "y", "z")
		if err == nil {
			t.Fatal("the transaction succeeded")
		}
		met[reasons(err)] = true
	}
	if got, want := slices.Sorted(maps.Keys(met)), []string{"None,None,TransactionConflict", "None,TransactionConflict,None",
		"TransactionConflict,None,None"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	conflict := (*types.TransactionConflictException)(nil)
	if err := put(t.Context(), c, "x"); !errors.As(err, &conflict) {
		t.Errorf("a put: %v", err)
	}
	if stored(db) != 0 || injector.Injected()[faults.Conflict] != 21 {
		t.Errorf("%d items stored, %v", stored(db), injector.Injected())
	}
	if _, err := batch(t.Context(), c, "x"); err != nil || stored(db) != 1 {
		t.Errorf("a batch: %v", err)
	}
}

func TestASelectedActionIsTheReason(t *testing.T) {
	for name, c := range map[string]struct {
		rule faults.Rule
		seed uint64
		want string
	}{
		"a conflict of the check": {faults.Rule{Kind: faults.Conflict, Probability: 1, Select: with(`"z"`)}, 1,
			"None,None,TransactionConflict"},
		"poison is a reason": {faults.Rule{Kind: faults.Poison, Probability: 1, Select: with(`"x"`)}, 2,
			"ValidationError,None,None"},
		"poison of the call":   {faults.Rule{Kind: faults.Poison, Probability: 1, Select: with(`"x"`)}, 1, "ValidationException"},
		"a 500":                {faults.Rule{Kind: faults.InternalServerError, Probability: 1, Select: with(`"y"`)}, 1, "InternalServerError"},
		"a table that refuses": {faults.Rule{Kind: faults.AccessDenied, Probability: 1, Select: with(`"z"`)}, 2, "AccessDenied"},
	} {
		db, _, client := setup(t, c.seed, c.rule)
		err := transact(t.Context(), client, "x", "y", "z")
		if err == nil || !strings.Contains(reasons(err), c.want) || stored(db) != 0 {
			t.Errorf("%s: %v, %d items", name, err, stored(db))
		}
		if err := transact(t.Context(), client, "1", "2", "3"); err != nil || stored(db) != 1 {
			t.Errorf("%s: other items: %v, %d items", name, err, stored(db))
		}
	}
}

func TestAThrottledTransactionFailsAsAWholeOrForOneAction(t *testing.T) {
	_, _, c := setup(t, 1, faults.Rule{Kind: faults.Throttled, Probability: 1})
	met := map[string]int{}
	for i := range 100 {
		err := reasons(transact(t.Context(), c, strconv.Itoa(i), "y", "z"))
		for _, code := range []string{"ThrottlingError", "ProvisionedThroughputExceeded,", "Exception: injected"} {
			if strings.Contains(err+",", code) {
				met[code]++
			}
		}
	}
	if len(met) != 3 {
		t.Errorf("got %v", met)
	}
}

// The answer of an executed transaction is lost: sent again by the SDK with the same token, it is done.
func TestALostAnswerOfATransactionIsFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _, c := setup(t, 3, faults.Rule{Kind: faults.ResetAfter, Probability: 0.5})
		for i := range 20 {
			_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{
				Put: &types.Put{TableName: table, Item: key(strconv.Itoa(i)),
					ConditionExpression: aws.String("attribute_not_exists(#pk)"), ExpressionAttributeNames: map[string]string{"#pk": "pk"}},
			}}}, func(o *dynamodb.Options) { o.Retryer = retrying() })
			if err != nil {
				t.Error(err)
			}
		}
		if stored(db) != 20 {
			t.Errorf("%d items", stored(db))
		}
	})
}
