package replicatedtable

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// propsCase is sound props with one change, and the problems that follow from it.
type propsCase struct {
	name, why string
	props     func(p *ReplicatedTableProps)
	sizes     sizes
	want      []string
}

func wantProblems(t *testing.T, cases []propsCase) {
	t.Helper()

	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			props := uniqueProps()
			tt.props(props)

			got := message("App/Users", validate(props, tt.sizes))
			var lines []string
			for _, line := range tt.want {
				lines = append(lines, "App/Users: "+line)
			}

			if want := strings.Join(lines, "\n"); got != want {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", tt.why, got, want)
			}
		})
	}
}

func TestPropsThatBreakARuleAreNamedWithTheRemedy(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name:  "sound props",
			why:   "the baseline that every other row breaks in one place",
			props: func(*ReplicatedTableProps) {},
		},
		{
			name:  "neither Source nor Target",
			why:   "the props' zero value",
			props: func(p *ReplicatedTableProps) { *p = ReplicatedTableProps{} },
			want: []string{
				`Source is nil: name the key attributes of the source table`,
				`Target has no props: name the key attributes of the target table`,
			},
		},
		{
			name: "several mistakes in several props",
			why:  "one synthesis names them all",
			props: func(p *ReplicatedTableProps) {
				p.Target.SortKey = str("city")
				p.Target.Projection = &Projection{Type: "SOME"}
				p.Target.Ordering = guard("state")
				p.RemovalPolicy = "KEEP"
			},
			sizes: sizes{memoryMiB: jsii.Number(1)},
			want: []string{
				`Target.Projection has type "SOME": use ALL, KEYS_ONLY, INCLUDE or EXCLUDE`,
				`Target.Ordering.Attribute "state" is a key attribute: name an attribute that nothing else uses`,
				`Target.SortKey "city" and PartitionKey "state" do not contain the source key "email": ` +
					`two items could meet on one target key; ` +
					`add "email" to the sort key or choose Ordering_LastWriterWins`,
				`MemorySize is 1 MiB: set a whole number from 128 to 10240`,
				`RemovalPolicy is "KEEP": use RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE`,
			},
		},
		{
			name: "mistakes beside an incomplete key schema",
			why:  "rules that do not depend on the keys still count",
			props: func(p *ReplicatedTableProps) {
				p.Source = nil
				p.Target.Projection = &Projection{Type: ProjectionType_INCLUDE}
				p.Target.Filter = Condition_Any()
				p.Target.ExpiredItems = "ARCHIVE"
			},
			sizes: sizes{batchSize: jsii.Number(-1)},
			want: []string{
				`Source is nil: name the key attributes of the source table`,
				`Target.Projection INCLUDE lists no attributes: name at least one, or use ALL or KEYS_ONLY`,
				`Target.Filter.Any is empty: give at least one condition`,
				`Target.ExpiredItems is "ARCHIVE": leave it out to delete the target item, or use KEEP`,
				`BatchSize is -1 records: set a whole number from 1 to 10000`,
			},
		},
		{
			name:  "unknown fate of expired items",
			why:   "a guess could delete what should stay",
			props: func(p *ReplicatedTableProps) { p.Target.ExpiredItems = "ARCHIVE" },
			want:  []string{`Target.ExpiredItems is "ARCHIVE": leave it out to delete the target item, or use KEEP`},
		},
		{
			name:  "snapshot as removal policy",
			why:   "none of the resources has snapshots",
			props: func(p *ReplicatedTableProps) { p.RemovalPolicy = awscdk.RemovalPolicy_SNAPSHOT },
			want:  []string{`RemovalPolicy is "SNAPSHOT": use RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE`},
		},
	})
}

func TestKeysThatBreakARuleAreNamedWithTheRemedy(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name:  "no Source",
			why:   "a required prop is nil, and the message repeats no consequence of that",
			props: func(p *ReplicatedTableProps) { p.Source = nil },
			want:  []string{`Source is nil: name the key attributes of the source table`},
		},
		{
			name:  "no Target",
			why:   "as above",
			props: func(p *ReplicatedTableProps) { p.Target = nil },
			want:  []string{`Target has no props: name the key attributes of the target table`},
		},
		{
			name:  "no partition key",
			why:   "the key schema's zero value",
			props: func(p *ReplicatedTableProps) { p.Source = &SourceProps{} },
			want:  []string{`Source.PartitionKey is nil: name the key attribute`},
		},
		{
			name:  "nil attribute name",
			why:   "the attribute's zero value",
			props: func(p *ReplicatedTableProps) { p.Target.SortKey = &awsdynamodb.Attribute{} },
			want:  []string{`Target.SortKey has no name: name the key attribute`},
		},
		{
			name:  "empty attribute name",
			why:   "DynamoDB would refuse the table, after minutes",
			props: func(p *ReplicatedTableProps) { p.Source.PartitionKey = str("") },
			want:  []string{`Source.PartitionKey has no name: name the key attribute`},
		},
		{
			name:  "attribute name is a token",
			why:   "uniqueness has to be decided at synthesis",
			props: func(p *ReplicatedTableProps) { p.Target.PartitionKey = str("${Token[TOKEN.7]}") },
			want: []string{
				`Target.PartitionKey "${Token[TOKEN.7]}" is a token: ` +
					`names and values of the mapping must be known at synthesis; write it out`,
			},
		},
		{
			name:  "key attribute name too long",
			why:   "DynamoDB's limit for keys is lower than for other attributes",
			props: func(p *ReplicatedTableProps) { p.Target.PartitionKey = str(strings.Repeat("n", 256)) },
			want:  []string{`Target.PartitionKey has a name of 256 bytes: a key attribute's name has at most 255`},
		},
		{
			name:  "no attribute type",
			why:   "a forgotten Type is Go's zero value",
			props: func(p *ReplicatedTableProps) { p.Target.PartitionKey.Type = "" },
			want: []string{`Target.PartitionKey "state" has the type "": ` +
				"use AttributeType_STRING, AttributeType_NUMBER or AttributeType_BINARY"},
		},
		{
			name:  "unknown attribute type",
			why:   "DynamoDB's own letter is not the CDK's value",
			props: func(p *ReplicatedTableProps) { p.Target.PartitionKey.Type = "S" },
			want: []string{`Target.PartitionKey "state" has the type "S": ` +
				"use AttributeType_STRING, AttributeType_NUMBER or AttributeType_BINARY"},
		},
		{
			name: "one attribute for both keys",
			why:  "DynamoDB refuses it",
			props: func(p *ReplicatedTableProps) {
				p.Target = &TargetProps{PartitionKey: str("email"), SortKey: str("email")}
			},
			want: []string{
				`Target.SortKey "email" is the partition key too: ` +
					`a key schema names two different attributes`,
			},
		},
		{
			name:  "one attribute with two types",
			why:   "every item would be refused by one of the tables",
			props: func(p *ReplicatedTableProps) { p.Target.SortKey = num("email") },
			want: []string{
				`Target.SortKey has type N but the source key "email" has type S: ` +
					`one attribute has one type`,
			},
		},
		{
			name:  "key that is not unique",
			why:   "two users of one city would overwrite each other silently",
			props: func(p *ReplicatedTableProps) { p.Target.SortKey = str("city") },
			want: []string{
				`Target.SortKey "city" and PartitionKey "state" do not contain the source key "email": ` +
					`two items could meet on one target key; ` +
					`add "email" to the sort key or choose Ordering_LastWriterWins`,
			},
		},
		{
			name:  "key that is not unique, without a sort key",
			why:   "the message names the only key",
			props: func(p *ReplicatedTableProps) { p.Target.SortKey = nil },
			want: []string{
				`Target.PartitionKey "state" does not contain the source key "email": ` +
					`two items could meet on one target key; ` +
					`add "email" to the sort key or choose Ordering_LastWriterWins`,
			},
		},
		{
			name:  "half of a composite source key",
			why:   "both attributes are needed to tell two items apart",
			props: func(p *ReplicatedTableProps) { p.Source.SortKey = str("order") },
			want: []string{
				`Target.SortKey "email" and PartitionKey "state" do not contain the source key "order": ` +
					`two items could meet on one target key; ` +
					`add "order" to the sort key or choose Ordering_LastWriterWins`,
			},
		},
	})
}

func TestNilPropsAreAProblemNotACrash(t *testing.T) {
	problems := validate(nil, knownSizes(nil))
	want := "Users: props are nil: Source and Target are required"
	if got := message("Users", problems); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
