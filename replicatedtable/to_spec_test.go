package replicatedtable

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestTheSpecSaysWhatThePropsSay(t *testing.T) {
	props := lastWriterProps()
	props.Source.SortKey = num("order")
	props.Target.SortKey.Type = awsdynamodb.AttributeType_BINARY
	props.Target.Projection = &Projection{Type: ProjectionType_EXCLUDE, Attributes: jsii.Strings("zipcode")}
	props.Target.Projection.Renames = &map[string]*string{"name": jsii.String("title")}
	props.Target.KeySources = &map[string]*KeySource{
		"state": from("address.state"),
	}
	props.Target.ExpiredItems = ExpiredItems_KEEP
	props.Target.WriteBrake = jsii.Bool(false)
	props.Target.Filter = Condition_All(
		Condition_In(jsii.String("address.country"),
			Value_String(jsii.String("US")), Value_Number(jsii.String("1"))),
		Condition_Any(
			Condition_NotEquals(jsii.String("banned"), Value_Boolean(jsii.Bool(true))),
			Condition_BeginsWith(jsii.String("name"), jsii.String("A")),
			Condition_Exists(jsii.String("name")),
		),
	)
	if problems := validate(props, sizes{}); len(problems) > 0 {
		t.Fatal(message("Users", problems))
	}

	got := toReplication(props, sizes{})
	got.Source.TableName, got.Targets[0].TableName, got.FailureQueueURL = "source", "target", "queue"
	want := spec.Spec{
		Source: spec.Table{TableName: "source", KeySchema: spec.KeySchema{
			PartitionKey: spec.Attribute{Name: "email", Type: spec.String},
			SortKey:      &spec.Attribute{Name: "order", Type: spec.Number},
		}},
		Targets: []spec.Target{{
			Table: spec.Table{TableName: "target", KeySchema: spec.KeySchema{
				PartitionKey: spec.Attribute{Name: "state", Type: spec.String},
				SortKey:      &spec.Attribute{Name: "city", Type: spec.Binary},
			}},
			KeySources: map[string]spec.KeySource{"state": {Parts: [][]string{{"address", "state"}}}},
			Filter: &spec.Condition{All: []spec.Condition{
				{
					Path: []string{"address", "country"}, Operator: spec.In,
					Values: []spec.Value{{Type: "S", Text: "US"}, {Type: "N", Text: "1"}},
				},
				{Any: []spec.Condition{
					{
						Path: []string{"banned"}, Operator: spec.NotEquals,
						Values: []spec.Value{{Type: "BOOL", Text: "true"}},
					},
					{
						Path: []string{"name"}, Operator: spec.BeginsWith,
						Values: []spec.Value{{Type: "S", Text: "A"}},
					},
					{Path: []string{"name"}, Operator: spec.Exists},
				}},
			}},
			ExpiredItems: spec.KeepExpired,
			Projection: spec.Projection{
				Type: spec.Exclude, Attributes: []string{"zipcode"}, Renames: map[string]string{"name": "title"},
			},
			OnKeyCollision:   spec.LastWriterWins,
			VersionAttribute: "replicatedtable:version",

			WriteBrakeDisabled: true,
		}},
		FailureQueueURL: "queue",
	}
	if got.Encode() != want.Encode() {
		t.Errorf("got  %s\nwant %s", got.Encode(), want.Encode())
	}
}

func TestAUniqueMappingHasNoOptionsByDefault(t *testing.T) {
	target := toReplication(uniqueProps(), sizes{}).Targets[0]
	if target.Projection.Type != spec.All || target.Filter != nil || target.OnKeyCollision != "" ||
		target.VersionAttribute != "" || target.ExpiredItems != "" {
		t.Errorf("got %+v, want ALL without filter, policy, version and kept items", target)
	}
}

func TestTheVersionGuardIsTheVersionAttributeWithoutAPolicy(t *testing.T) {
	props := uniqueProps()
	props.Target.Ordering = Ordering_VersionGuard(nil)
	target := toReplication(props, sizes{}).Targets[0]
	if target.OnKeyCollision != "" || target.VersionAttribute != spec.DefaultVersionAttribute {
		t.Errorf("got policy %q and attribute %q", target.OnKeyCollision, target.VersionAttribute)
	}
}

func TestDeletingExpiredItemsAndBrakingAreTheDefaultsWrittenOut(t *testing.T) {
	props := uniqueProps()
	props.Target.ExpiredItems = ExpiredItems_DELETE
	props.Target.WriteBrake = jsii.Bool(true)
	if got, want := toReplication(props, sizes{}).Encode(), toReplication(uniqueProps(), sizes{}).Encode(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
