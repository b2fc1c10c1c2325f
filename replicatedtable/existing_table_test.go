package replicatedtable

import (
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

const bothImages = awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES

func newTable(stack awscdk.Stack, id string, partition, sort *awsdynamodb.Attribute, view awsdynamodb.StreamViewType,
) awsdynamodb.ITable {
	return awsdynamodb.NewTable(stack, jsii.String(id), &awsdynamodb.TableProps{
		PartitionKey: partition, SortKey: sort, Stream: view,
	})
}

func newTableV2(stack awscdk.Stack, id string, partition, sort *awsdynamodb.Attribute, view awsdynamodb.StreamViewType,
) awsdynamodb.ITable {
	return awsdynamodb.NewTableV2(stack, jsii.String(id), &awsdynamodb.TablePropsV2{
		PartitionKey: partition, SortKey: sort, DynamoStream: view,
	})
}

func imported(stack awscdk.Stack, id string, attributes awsdynamodb.TableAttributes) awsdynamodb.ITable {
	return awsdynamodb.Table_FromTableAttributes(stack, jsii.String(id), &attributes)
}

func TestAReplicatedTableFollowsATableOfAnyKindIntoOneOfAnyKind(t *testing.T) {
	for _, tt := range []struct {
		name           string
		source, target func(stack awscdk.Stack) awsdynamodb.ITable
	}{
		{"Table",
			func(s awscdk.Stack) awsdynamodb.ITable { return newTable(s, "From", str("email"), nil, bothImages) },
			func(s awscdk.Stack) awsdynamodb.ITable { return newTable(s, "To", str("state"), str("email"), "") }},
		{"TableV2",
			func(s awscdk.Stack) awsdynamodb.ITable { return newTableV2(s, "From", str("email"), nil, bothImages) },
			func(s awscdk.Stack) awsdynamodb.ITable { return newTableV2(s, "To", str("state"), str("email"), "") }},
		{"imported",
			func(s awscdk.Stack) awsdynamodb.ITable {
				return imported(s, "From", awsdynamodb.TableAttributes{
					TableName:      jsii.String("users"),
					TableStreamArn: jsii.String("arn:aws:dynamodb:eu-west-1:123456789012:table/users/stream/2026"),
				})
			},
			func(s awscdk.Stack) awsdynamodb.ITable {
				return imported(s, "To", awsdynamodb.TableAttributes{TableName: jsii.String("users-by-state")})
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			tables := awscdk.NewStack(stack.Node().Root().(awscdk.App), jsii.String("Tables"), nil)
			props := uniqueProps()
			props.Source.Table, props.Target.Table = tt.source(tables), tt.target(tables)
			table := NewReplicatedTable(stack, jsii.String("Users"), props)

			stream := stack.Resolve(table.SourceTable().TableStreamArn())
			if got := stack.Resolve(table.EventSourceMapping().EventSourceArn()); toJSON(t, got) != toJSON(t, stream) {
				t.Errorf("the function reads %v, want %v", got, stream)
			}
			for id, arn := range map[string]*string{
				"Stream": table.SourceTable().TableStreamArn(), "Target": table.Target().Table().TableArn(),
			} {
				awscdk.NewCfnOutput(stack, jsii.String(id), &awscdk.CfnOutputProps{Value: arn})
			}
			synthesized := assertions.Template_FromStack(stack, nil)
			tpl := decode(t, synthesized)
			for _, r := range tpl.Resources {
				if strings.HasPrefix(r.Type, "AWS::DynamoDB::") {
					t.Errorf("a table is defined beside those that exist: %v", r)
				}
			}
			policies := toJSON(t, tpl.Resources[logicalID(stack, table.Role())].Properties["Policies"])
			for id, output := range (*synthesized.ToJSON())["Outputs"].(map[string]any) {
				arn := toJSON(t, output.(map[string]any)["Value"])
				if !strings.Contains(policies, arn) {
					t.Errorf("the role does not name the %s %s:\n%s", id, arn, policies)
				}
			}
		})
	}
}

func TestATableThatCannotBeFollowedIsRefused(t *testing.T) {
	const cli = "aws dynamodb update-table --table-name users " +
		"--stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
	const streamARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/users/stream/2026"
	for _, tt := range []struct {
		name           string
		source, target func(stack awscdk.Stack) awsdynamodb.ITable
		want           []string
	}{
		{name: "Table without a stream",
			source: func(s awscdk.Stack) awsdynamodb.ITable { return newTable(s, "From", str("email"), nil, "") },
			want: []string{"App/Users: Source.Table has no stream: set its stream to NEW_AND_OLD_IMAGES where " +
				"Tables/From is defined", "aws dynamodb update-table --table-name NAME"}},
		{name: "TableV2 without a stream",
			source: func(s awscdk.Stack) awsdynamodb.ITable { return newTableV2(s, "From", str("email"), nil, "") },
			want:   []string{"App/Users: Source.Table has no stream"}},
		{name: "Table with another view type",
			source: func(s awscdk.Stack) awsdynamodb.ITable {
				return newTable(s, "From", str("email"), nil, awsdynamodb.StreamViewType_KEYS_ONLY)
			},
			want: []string{"App/Users: Source.Table has a stream with the view type KEYS_ONLY"}},
		{name: "TableV2 with another view type",
			source: func(s awscdk.Stack) awsdynamodb.ITable {
				return newTableV2(s, "From", str("email"), nil, awsdynamodb.StreamViewType_NEW_IMAGE)
			},
			want: []string{"App/Users: Source.Table has a stream with the view type NEW_IMAGE"}},
		{name: "imported without its stream's ARN",
			source: func(s awscdk.Stack) awsdynamodb.ITable {
				return awsdynamodb.Table_FromTableName(s, jsii.String("From"), jsii.String("users"))
			},
			want: []string{"App/Users: Source.Table is imported without its stream's ARN", cli}},
		{name: "imported with the table's ARN for its stream's",
			source: func(s awscdk.Stack) awsdynamodb.ITable {
				return imported(s, "From", awsdynamodb.TableAttributes{
					TableName:      jsii.String("users"),
					TableStreamArn: jsii.String("arn:aws:dynamodb:eu-west-1:123456789012:table/users"),
				})
			},
			want: []string{`App/Users: Source.Table has the stream ARN ` +
				`"arn:aws:dynamodb:eu-west-1:123456789012:table/users": set TableStreamArn to ` +
				`arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/TIME`}},
		{name: "imported with the stream of another table",
			source: func(s awscdk.Stack) awsdynamodb.ITable {
				return imported(s, "From", awsdynamodb.TableAttributes{
					TableName: jsii.String("users-by-state"), TableStreamArn: jsii.String(streamARN),
				})
			},
			want: []string{"App/Users: Source.Table is the table users-by-state, " +
				"and has the stream of the table users: set TableStreamArn to its own"}},
		{name: "imported by name with a stream of another Region",
			source: func(s awscdk.Stack) awsdynamodb.ITable {
				return imported(s, "From", awsdynamodb.TableAttributes{
					TableName: jsii.String("users"),
					TableStreamArn: jsii.String(
						"arn:aws:dynamodb:us-east-1:123456789012:table/users/stream/2026-11-02T10:11:12.345"),
				})
			},
			want: []string{"App/Users: Source.Table is in the Region us-east-1, and the stack in eu-west-1"}},
		{name: "a replica, whose stream the CDK does not know",
			source: func(s awscdk.Stack) awsdynamodb.ITable {
				elsewhere := awscdk.NewStack(s.Node().Root().(awscdk.App), jsii.String("Elsewhere"), &awscdk.StackProps{
					Env: &awscdk.Environment{Account: jsii.String("123456789012"), Region: jsii.String("us-east-1")},
				})
				return awsdynamodb.NewTableV2(elsewhere, jsii.String("From"), &awsdynamodb.TablePropsV2{
					PartitionKey: str("email"), DynamoStream: bothImages,
					Replicas: &[]*awsdynamodb.ReplicaTableProps{{Region: jsii.String("eu-west-1")}},
				}).Replica(jsii.String("eu-west-1"))
			},
			want: []string{"App/Users: Source.Table has the stream ARN .../stream/*, as a replica has in the CDK, " +
				"and only one stream can be read"}},
		{name: "another partition key",
			source: func(s awscdk.Stack) awsdynamodb.ITable { return newTable(s, "From", str("id"), nil, bothImages) },
			want: []string{`App/Users: Source.PartitionKey is "email" of type S, and "id" of type S in the key ` +
				"of Table Tables/From: write the table's own key"}},
		{name: "another type",
			source: func(s awscdk.Stack) awsdynamodb.ITable { return newTableV2(s, "From", num("email"), nil, bothImages) },
			want:   []string{`App/Users: Source.PartitionKey is "email" of type S, and "email" of type N in the key`}},
		{name: "a sort key that is not said",
			source: func(s awscdk.Stack) awsdynamodb.ITable {
				return newTableV2(s, "From", str("email"), num("since"), bothImages)
			},
			want: []string{`App/Users: Source.SortKey is not set, and "since" of type N in the key of Table Tables/From`}},
		{name: "a target without the sort key",
			target: func(s awscdk.Stack) awsdynamodb.ITable { return newTable(s, "To", str("state"), nil, "") },
			want:   []string{`App/Users: Target.SortKey is "email" of type S, and not in the key of Table Tables/To`}},
		{name: "another account",
			source: func(s awscdk.Stack) awsdynamodb.ITable {
				return imported(s, "From", awsdynamodb.TableAttributes{
					TableArn:       jsii.String("arn:aws:dynamodb:eu-west-1:999999999999:table/users"),
					TableStreamArn: jsii.String(streamARN),
				})
			},
			want: []string{"App/Users: Source.Table is in the account 999999999999, and the stack in 123456789012: " +
				"define the ReplicatedTable in a stack of the table's account and Region"}},
		{name: "another Region",
			target: func(s awscdk.Stack) awsdynamodb.ITable {
				return imported(s, "To", awsdynamodb.TableAttributes{
					TableArn: jsii.String("arn:aws:dynamodb:us-east-1:123456789012:table/users-by-state"),
				})
			},
			want: []string{"App/Users: Target.Table is in the Region us-east-1, and the stack in eu-west-1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := newStack(t).Node().Root().(awscdk.App)
			env := &awscdk.Environment{Account: jsii.String("123456789012"), Region: jsii.String("eu-west-1")}
			app.Node().TryRemoveChild(jsii.String("App"))
			stack := awscdk.NewStack(app, jsii.String("App"), &awscdk.StackProps{Env: env})
			tables := awscdk.NewStack(app, jsii.String("Tables"), &awscdk.StackProps{Env: env})
			props := uniqueProps()
			if tt.source != nil {
				props.Source.Table = tt.source(tables)
			}
			if tt.target != nil {
				props.Target.Table = tt.target(tables)
			}

			got := panicOf(func() { NewReplicatedTable(stack, jsii.String("Users"), props) })
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%s\nwant a text with\n%s", got, want)
				}
			}
			if lines := strings.Count(got, "\n"); lines > 0 {
				t.Errorf("one mistake has %d lines: %s", lines+1, got)
			}
			if n := len(*stack.Node().Children()); n != 0 {
				t.Errorf("%d constructs were added", n)
			}
		})
	}
}

func TestEachTargetHasATableOfItsOwn(t *testing.T) {
	byName := func(stack awscdk.Stack, id string) awsdynamodb.ITable {
		return imported(stack, id, awsdynamodb.TableAttributes{
			TableName:      jsii.String("users"),
			TableStreamArn: jsii.String("arn:aws:dynamodb:eu-west-1:123456789012:table/users/stream/2026"),
		})
	}
	for _, tt := range []struct {
		name string
		add  func(stack awscdk.Stack)
		want string
	}{
		{"the source table", func(stack awscdk.Stack) {
			props := uniqueProps()
			props.Target.PartitionKey, props.Target.SortKey = str("email"), nil
			props.Source.Table = newTable(stack, "From", str("email"), nil, bothImages)
			props.Target.Table = props.Source.Table
			NewReplicatedTable(stack, jsii.String("Users"), props)
		}, "App/Users: Target.Table is App/From, which is the source table: give the target a table of its own"},
		{"the source table by its name", func(stack awscdk.Stack) {
			props := uniqueProps()
			props.Source.Table, props.Target.Table = byName(stack, "From"), byName(stack, "To")
			NewReplicatedTable(stack, jsii.String("Users"), props)
		}, `App/Users: Target.Table "users" is the source table: its changes would never end; name another table`},
		{"another target's table", func(stack awscdk.Stack) {
			props := uniqueProps()
			props.Target.Table = newTable(stack, "To", str("state"), str("email"), "")
			table := NewReplicatedTable(stack, jsii.String("Users"), props)
			table.AddTarget(jsii.String("Again"), props.Target)
		}, `App/Users: AddTarget("Again").Table is App/To, which is the table of Target already`},
		{"the source table that the construct has defined", func(stack awscdk.Stack) {
			table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
			table.AddTarget(jsii.String("Again"), &TargetProps{Table: table.SourceTable(), PartitionKey: str("email")})
		}, `App/Users: AddTarget("Again").Table is App/Users/Source, which is the source table: ` +
			"give the target a table of its own"},
		{"a target table that the construct has defined", func(stack awscdk.Stack) {
			table := NewReplicatedTable(stack, jsii.String("Users"), uniqueProps())
			props := uniqueProps().Target
			props.Table = table.Target().Table()
			table.AddTarget(jsii.String("Again"), props)
		}, `App/Users: AddTarget("Again").Table is App/Users/Target, which is the table of Target already`},
		{"another target's table by its name", func(stack awscdk.Stack) {
			props := uniqueProps()
			props.Target.TableProps = &awsdynamodb.TablePropsV2{TableName: jsii.String("users")}
			table := NewReplicatedTable(stack, jsii.String("Users"), props)
			table.AddTarget(jsii.String("Again"), props.Target)
		}, `App/Users: AddTarget("Again").Table "users" is the table of Target too: they would delete each other's items`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			if got := panicOf(func() { tt.add(stack) }); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestTheSettingsOfANewTableAreTheCDKs(t *testing.T) {
	stack := newStack(t)
	props := uniqueProps()
	props.Source.TableProps = &awsdynamodb.TablePropsV2{
		TableName:           jsii.String("users"),
		DeletionProtection:  jsii.Bool(false),
		TimeToLiveAttribute: jsii.String("expires"),
	}
	props.Target.TableProps = &awsdynamodb.TablePropsV2{
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		Billing: awsdynamodb.Billing_Provisioned(&awsdynamodb.ThroughputProps{
			ReadCapacity:  awsdynamodb.Capacity_Fixed(jsii.Number(5)),
			WriteCapacity: awsdynamodb.Capacity_Autoscaled(&awsdynamodb.AutoscaledCapacityOptions{MaxCapacity: jsii.Number(50)}),
		}),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(false),
		},
	}
	table := NewReplicatedTable(stack, jsii.String("Users"), props)
	if props.Source.TableProps.PartitionKey != nil || props.Target.TableProps.DeletionProtection != nil {
		t.Error("the caller's settings were written to")
	}

	tpl := synthesize(t, stack)
	source := tpl.Resources[logicalID(stack, table.SourceTable())]
	source.want(t, "TableName", "users")
	source.want(t, "TimeToLiveSpecification", map[string]any{"AttributeName": "expires", "Enabled": true})
	source.want(t, "BillingMode", "PAY_PER_REQUEST")
	target := tpl.Resources[logicalID(stack, table.Target().Table())]
	target.want(t, "BillingMode", "PROVISIONED")
	if target.DeletionPolicy != "Delete" || source.DeletionPolicy != "Retain" {
		t.Errorf("the policies are %s and %s", source.DeletionPolicy, target.DeletionPolicy)
	}
	for _, r := range []resource{source, target} {
		protected := r.Properties["Replicas"].([]any)[0].(map[string]any)["DeletionProtectionEnabled"]
		if protected == true {
			t.Errorf("it is protected from deletion: %v", r)
		}
	}
}

func TestSettingsThatTheConstructDecidesAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(props *ReplicatedTableProps)
		want   string
	}{
		{"the partition key", func(p *ReplicatedTableProps) {
			p.Target.TableProps = &awsdynamodb.TablePropsV2{PartitionKey: str("state")}
		}, "App/Users: Target.TableProps.PartitionKey is set: set Target.PartitionKey instead"},
		{"the sort key", func(p *ReplicatedTableProps) {
			p.Source.TableProps = &awsdynamodb.TablePropsV2{SortKey: str("state")}
		}, "App/Users: Source.TableProps.SortKey is set: set Source.SortKey instead"},
		{"the source's stream", func(p *ReplicatedTableProps) {
			p.Source.TableProps = &awsdynamodb.TablePropsV2{DynamoStream: awsdynamodb.StreamViewType_KEYS_ONLY}
		}, "App/Users: Source.TableProps.DynamoStream is set: leave it out"},
		{"a policy that no table has", func(p *ReplicatedTableProps) {
			p.Target.TableProps = &awsdynamodb.TablePropsV2{RemovalPolicy: awscdk.RemovalPolicy_SNAPSHOT}
		}, `App/Users: Target.TableProps.RemovalPolicy is "SNAPSHOT": use RETAIN, DESTROY or`},
		{"a customer key in a stack of any Region", func(p *ReplicatedTableProps) {
			key := awskms.Key_FromKeyArn(awscdk.NewStack(nil, nil, nil), jsii.String("Key"), jsii.String(importedKeyARN))
			p.Target.TableProps = &awsdynamodb.TablePropsV2{
				Encryption: awsdynamodb.TableEncryptionV2_CustomerManagedKey(key, nil),
			}
		}, "App/Users: Target.TableProps.Encryption is a customer key, and the Region of the stack is not known: set Env"},
		{"a name that no table can have", func(p *ReplicatedTableProps) {
			p.Source.TableProps = &awsdynamodb.TablePropsV2{TableName: jsii.String("my users")}
		}, `App/Users: Source.TableProps.TableName is "my users": use 3 to 255 letters, digits, underscores, hyphens and dots`},
		{"a number that ends the CDK's process", func(p *ReplicatedTableProps) {
			p.Target.TableProps = &awsdynamodb.TablePropsV2{
				GlobalSecondaryIndexes: &[]*awsdynamodb.GlobalSecondaryIndexPropsV2{{
					IndexName: jsii.String("a"), PartitionKey: str("b"), MaxReadRequestUnits: jsii.Number(math.NaN()),
				}},
			}
		}, "App/Users: Target.TableProps.GlobalSecondaryIndexes[0].MaxReadRequestUnits is no finite number: set one"},
		{"what the CDK refuses of two indexes", func(p *ReplicatedTableProps) {
			index := &awsdynamodb.GlobalSecondaryIndexPropsV2{IndexName: jsii.String("a"), PartitionKey: str("b")}
			p.Source.TableProps = &awsdynamodb.TablePropsV2{
				GlobalSecondaryIndexes: &[]*awsdynamodb.GlobalSecondaryIndexPropsV2{index, index},
			}
		}, "App/Users: the CDK refuses it: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := newStack(t)
			props := uniqueProps()
			tt.change(props)
			got := panicOf(func() { NewReplicatedTable(stack, jsii.String("Users"), props) })
			if !strings.HasPrefix(got, tt.want) || strings.Contains(got, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if n := len(*stack.Node().Children()); n != 0 {
				t.Errorf("%d constructs were added", n)
			}
		})
	}
}

// warningsOf returns the warnings of a construct, one per line.
func warningsOf(table ReplicatedTable) string {
	found := ""
	for _, m := range *table.Node().Metadata() {
		if *m.Type == "aws:cdk:warning" {
			found += m.Data.(string) + "\n"
		}
	}
	return found
}

func TestWarningsSayWhatSynthesisCannotKnowOfATable(t *testing.T) {
	stack := newStack(t)
	app := stack.Node().Root().(awscdk.App)
	global := awscdk.NewStack(app, jsii.String("Tables"), &awscdk.StackProps{
		Env: &awscdk.Environment{Region: jsii.String("eu-west-1")},
	})
	source := awsdynamodb.NewTableV2(global, jsii.String("From"), &awsdynamodb.TablePropsV2{
		PartitionKey: str("email"), DynamoStream: bothImages,
		Replicas: &[]*awsdynamodb.ReplicaTableProps{{Region: jsii.String("us-east-1")}},
	})
	regional := awscdk.NewStack(app, jsii.String("Users"), &awscdk.StackProps{
		Env: &awscdk.Environment{Region: jsii.String("eu-west-1")},
	})
	warnings := func(id string) string {
		props := uniqueProps()
		props.Source.Table = source
		props.Target.Table = newTable(global, "To"+id, str("state"), str("email"), "")
		table := NewReplicatedTable(regional, jsii.String(id), props)
		return warningsOf(table)
	}

	first := warnings("First")
	for _, want := range []string{
		"the source table Tables/From has replicas",
		"the target table Tables/ToFirst exists apart from this construct: items that it has already stay",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("got %q, want a warning with %q", first, want)
		}
	}
	warnings("Second")
	const readers = "3 event source mappings of this app read the stream of the source table Tables/From"
	if third := warnings("Third"); !strings.Contains(third, readers) || strings.Contains(first, readers) {
		t.Errorf("got %q, want a warning with %q, and none before", third, readers)
	}
}

func TestATargetTableOfTwoReplicatedTablesIsWarnedOf(t *testing.T) {
	stack := newStack(t)
	first := NewReplicatedTable(stack, jsii.String("First"), uniqueProps())
	props := uniqueProps()
	props.Target.Table = newTable(stack, "To", str("state"), str("email"), "")
	second := NewReplicatedTable(stack, jsii.String("Second"), props)
	third := NewReplicatedTable(stack, jsii.String("Third"), props)
	props.Target.Table = first.Target().Table()
	third.AddTarget(jsii.String("Again"), props.Target)

	for _, tt := range []struct {
		table ReplicatedTable
		want  []string
	}{
		{first, nil},
		{second, nil},
		{third, []string{
			"the target table App/To is a target table of App/Second too",
			"the target table App/First/Target is a target table of App/First too",
		}},
	} {
		got := warningsOf(tt.table)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("got %q, want a warning with %q", got, want)
			}
		}
		if n := strings.Count(got, warningShared); n != len(tt.want) {
			t.Errorf("%s has %d such warnings, want %d: %s", *tt.table.Node().Path(), n, len(tt.want), got)
		}
	}
}

func TestASourceWithReplicasIsWarnedOf(t *testing.T) {
	for name, set := range map[string]func(stack awscdk.Stack, source *SourceProps){
		"defined by the construct": func(_ awscdk.Stack, source *SourceProps) {
			source.TableProps = &awsdynamodb.TablePropsV2{
				Replicas: &[]*awsdynamodb.ReplicaTableProps{{Region: jsii.String("us-east-1")}},
			}
		},
		"a Table with ReplicationRegions": func(stack awscdk.Stack, source *SourceProps) {
			source.Table = awsdynamodb.NewTable(stack, jsii.String("From"), &awsdynamodb.TableProps{
				PartitionKey: str("email"), ReplicationRegions: jsii.Strings("us-east-1"),
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			stack := awscdk.NewStack(newStack(t).Node().Root().(awscdk.App), jsii.String("Global"), &awscdk.StackProps{
				Env: &awscdk.Environment{Region: jsii.String("eu-west-1")},
			})
			props := uniqueProps()
			set(stack, props.Source)
			table := NewReplicatedTable(stack, jsii.String("Users"), props)

			want := "the source table " + *table.SourceTable().Node().Path() + " has replicas"
			if got := warningsOf(table); !strings.Contains(got, want) {
				t.Errorf("got %q, want a warning with %q", got, want)
			}
		})
	}
}
