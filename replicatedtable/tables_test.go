package replicatedtable

import (
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
)

func TestTablesAreOnDemandWithPointInTimeRecovery(t *testing.T) {
	k := allKinds(t)
	for _, table := range []ReplicatedTable{k.users, k.cities, k.active} {
		for _, c := range []constructs.IConstruct{table.SourceTable(), table.Target().Table()} {
			r := k.resource(c)
			r.want(t, "BillingMode", "PAY_PER_REQUEST")

			replicas := r.Properties["Replicas"].([]any)
			if len(replicas) != 1 {
				t.Fatalf("%s has %d replicas, want 1: its own Region", *c.Node().Path(), len(replicas))
			}
			got := toJSON(t, replicas[0].(map[string]any)["PointInTimeRecoverySpecification"])
			if want := `{"PointInTimeRecoveryEnabled":true}`; got != want {
				t.Errorf("%s: point-in-time recovery is %s, want %s", *c.Node().Path(), got, want)
			}
		}
	}
}

func TestTablesHaveTheKeysOfTheProps(t *testing.T) {
	k := allKinds(t)
	source := k.resource(k.users.SourceTable())
	source.want(t, "KeySchema", []any{map[string]any{"AttributeName": "email", "KeyType": "HASH"}})
	target := k.resource(k.users.Target().Table())
	target.want(t, "KeySchema", []any{
		map[string]any{"AttributeName": "state", "KeyType": "HASH"},
		map[string]any{"AttributeName": "email", "KeyType": "RANGE"},
	})
}

func TestOnlyTheSourceTableHasAStreamAndItCarriesBothImages(t *testing.T) {
	k := allKinds(t)
	source := k.resource(k.users.SourceTable())
	source.want(t, "StreamSpecification", map[string]any{"StreamViewType": "NEW_AND_OLD_IMAGES"})
	target := k.resource(k.users.Target().Table())
	target.want(t, "StreamSpecification", nil)
}
