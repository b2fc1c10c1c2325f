package replicatedtable

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// A key attribute of each kind, short enough for the table below.
func str(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

func num(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_NUMBER}
}

// uniqueProps are sound: the target key contains the source key.
func uniqueProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source: &KeySchema{PartitionKey: str("email")},
		Target: &KeySchema{PartitionKey: str("state"), SortKey: str("email")},
	}
}

// madeProps are sound: the sort key is a composite that contains the source key.
func madeProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source: &KeySchema{PartitionKey: str("email")},
		Target: &KeySchema{PartitionKey: str("state"), SortKey: str("place")},
		KeySources: &map[string]KeySource{
			"place": KeySource_Composite(jsii.String("#"), jsii.String("address.city"), jsii.String("email")),
		},
	}
}

// lastWriterProps are sound too: users of one city collide, and that is decided.
func lastWriterProps() *ReplicatedTableProps {
	return &ReplicatedTableProps{
		Source:         &KeySchema{PartitionKey: str("email")},
		Target:         &KeySchema{PartitionKey: str("state"), SortKey: str("city")},
		OnKeyCollision: OnKeyCollision_LAST_WRITER_WINS,
	}
}

func TestPropsThatBreakARuleAreNamedWithTheRemedy(t *testing.T) {
	tests := []struct {
		name  string
		why   string
		props func(p *ReplicatedTableProps)
		sizes sizes
		want  []string
	}{
		{
			name:  "sound props",
			why:   "the baseline that every other row breaks in one place",
			props: func(*ReplicatedTableProps) {},
		},
		{
			name:  "no Source",
			why:   "a required prop is nil, and nothing else is said about what follows from that",
			props: func(p *ReplicatedTableProps) { p.Source = nil },
			want:  []string{`Source is nil: set it to the key schema of the source table`},
		},
		{
			name:  "no Target",
			why:   "as above",
			props: func(p *ReplicatedTableProps) { p.Target = nil },
			want:  []string{`Target is nil: set it to the key schema of the target table`},
		},
		{
			name:  "neither Source nor Target",
			why:   "the props' zero value",
			props: func(p *ReplicatedTableProps) { *p = ReplicatedTableProps{} },
			want: []string{
				`Source is nil: set it to the key schema of the source table`,
				`Target is nil: set it to the key schema of the target table`,
			},
		},
		{
			name:  "no partition key",
			why:   "the key schema's zero value",
			props: func(p *ReplicatedTableProps) { p.Source = &KeySchema{} },
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
			want:  []string{`Target.PartitionKey "${Token[TOKEN.7]}" is a token: names and values of the mapping must be known at synthesis; write it out`},
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
			want:  []string{`Target.PartitionKey "state" has type "": a key attribute has type S, N or B`},
		},
		{
			name:  "unknown attribute type",
			why:   "DynamoDB's own letter is not the CDK's value",
			props: func(p *ReplicatedTableProps) { p.Target.PartitionKey.Type = "S" },
			want:  []string{`Target.PartitionKey "state" has type "": a key attribute has type S, N or B`},
		},
		{
			name: "one attribute for both keys",
			why:  "DynamoDB refuses it",
			props: func(p *ReplicatedTableProps) {
				p.Target = &KeySchema{PartitionKey: str("email"), SortKey: str("email")}
			},
			want: []string{`Target.SortKey "email" is the partition key too: a key schema names two different attributes`},
		},
		{
			name:  "one attribute with two types",
			why:   "every item would be refused by one of the tables",
			props: func(p *ReplicatedTableProps) { p.Target.SortKey = num("email") },
			want:  []string{`Target.SortKey has type N but the source key "email" has type S: one attribute has one type`},
		},
		{
			name:  "key that is not unique",
			why:   "two users of one city would overwrite each other silently",
			props: func(p *ReplicatedTableProps) { p.Target.SortKey = str("city") },
			want:  []string{`Target.SortKey "city" and PartitionKey "state" do not contain the source key "email": two items could meet on one target key; add "email" to the sort key or set OnKeyCollision`},
		},
		{
			name: "source of no key",
			why:  "a misspelt name would leave the key attribute as it is by default",
			props: func(p *ReplicatedTableProps) {
				p.KeySources = &map[string]KeySource{"sate": KeySource_Attribute(jsii.String("x"))}
			},
			want: []string{`KeySources "sate" is not a key attribute of the target table: name one of its key attributes`},
		},
		{
			name:  "nil source",
			why:   "the zero value of what makes one",
			props: func(p *ReplicatedTableProps) { p.KeySources = &map[string]KeySource{"state": nil} },
			want:  []string{`KeySources "state" is derived from nothing: name an attribute of the source item`},
		},
		{
			name: "nil attribute and separator",
			why:  "all problems at once",
			props: func(p *ReplicatedTableProps) {
				p.KeySources = &map[string]KeySource{"state": KeySource_Composite(nil, jsii.String("a..b"), nil)}
			},
			want: []string{
				`KeySources "state" has an empty name in its Path "a", "", "b": name every step`,
				`KeySources "state" has an empty name in its Path "": name every step`,
				`KeySources "state" has the separator "": use one character, and not the backslash, which escapes it`,
			},
		},
		{
			name: "tokens in KeySources and Renames",
			why:  "names of the mapping must be known at synthesis",
			props: func(p *ReplicatedTableProps) {
				p.KeySources = &map[string]KeySource{"state": KeySource_Attribute(jsii.String("${Token[TOKEN.7]}"))}
				p.Projection = &Projection{Type: ProjectionType_ALL, Renames: &map[string]*string{"a": jsii.String("${Token[TOKEN.8]}")}}
			},
			want: []string{
				`KeySources "${Token[TOKEN.7]}" is a token: names and values of the mapping must be known at synthesis; write it out`,
				`Projection "${Token[TOKEN.8]}" is a token: names and values of the mapping must be known at synthesis; write it out`,
			},
		},
		{
			name: "KeySources that do not fit",
			why:  "the message says what takes the room",
			props: func(p *ReplicatedTableProps) {
				p.KeySources = &map[string]KeySource{"state": KeySource_Attribute(jsii.String(strings.Repeat("x", 4000)))}
			},
			want: []string{`Source, Target, KeySources, Projection and Filter need 5079 bytes of the function's environment with table names of 255: Lambda's limit is 4096; ` +
				`shorten the attribute names, or Projection (0 names, 0 bytes now), KeySources (4048 bytes now) or Filter (0 bytes now)`},
		},
		{
			name: "nil rename",
			why:  "the zero value of a new name",
			props: func(p *ReplicatedTableProps) {
				p.Projection = &Projection{Type: ProjectionType_ALL, Renames: &map[string]*string{"a": nil}}
			},
			want: []string{`Projection renames "a" to "": write both names out`},
		},
		{
			name:  "key that is not unique, without a sort key",
			why:   "the message names the key there is",
			props: func(p *ReplicatedTableProps) { p.Target.SortKey = nil },
			want:  []string{`Target.PartitionKey "state" does not contain the source key "email": two items could meet on one target key; add "email" to the sort key or set OnKeyCollision`},
		},
		{
			name:  "half of a composite source key",
			why:   "both attributes are needed to tell two items apart",
			props: func(p *ReplicatedTableProps) { p.Source.SortKey = str("order") },
			want:  []string{`Target.SortKey "email" and PartitionKey "state" do not contain the source key "order": two items could meet on one target key; add "order" to the sort key or set OnKeyCollision`},
		},
		{
			name: "decided key collision",
			why:  "the other way out of the rule above",
			props: func(p *ReplicatedTableProps) {
				p.Target.SortKey = str("city")
				p.OnKeyCollision = OnKeyCollision_LAST_WRITER_WINS
			},
		},
		{
			name:  "policy for a unique key",
			why:   "conditional writes would cost a request per item for nothing",
			props: func(p *ReplicatedTableProps) { p.OnKeyCollision = OnKeyCollision_LAST_WRITER_WINS },
			want:  []string{`OnKeyCollision is LAST_WRITER_WINS but the target key contains the whole source key: two items can never meet; remove it, unconditional writes are cheaper`},
		},
		{
			name:  "unknown policy",
			why:   "a policy that nobody implements must not pass as one",
			props: func(p *ReplicatedTableProps) { p.OnKeyCollision = "FIRST_WRITER_WINS" },
			want:  []string{`OnKeyCollision is "FIRST_WRITER_WINS": the policy is LAST_WRITER_WINS`},
		},
		{
			name:  "version attribute without a policy",
			why:   "it would never be written",
			props: func(p *ReplicatedTableProps) { p.VersionAttribute = jsii.String("v") },
			want:  []string{`VersionAttribute "v" is set without OnKeyCollision or VersionGuard: nothing writes versions; remove it`},
		},
		{
			name: "empty version attribute",
			why:  "empty is not the same as not set",
			props: func(p *ReplicatedTableProps) {
				*p = *lastWriterProps()
				p.VersionAttribute = jsii.String("")
			},
			want: []string{`VersionAttribute is empty: LAST_WRITER_WINS needs an attribute for the version`},
		},
		{
			name: "version attribute is a key",
			why:  "a version would overwrite the key",
			props: func(p *ReplicatedTableProps) {
				*p = *lastWriterProps()
				p.VersionAttribute = jsii.String("city")
			},
			want: []string{`VersionAttribute "city" is a key attribute: name an attribute that nothing else uses`},
		},
		{
			name: "version attribute is a token",
			why:  "it has to be told apart from the item's own attributes",
			props: func(p *ReplicatedTableProps) {
				*p = *lastWriterProps()
				p.VersionAttribute = jsii.String("${Token[TOKEN.8]}")
			},
			want: []string{`VersionAttribute "${Token[TOKEN.8]}" is a token: names and values of the mapping must be known at synthesis; write it out`},
		},
		{
			name: "version guard",
			why:  "what a unique target key can have instead of a policy",
			props: func(p *ReplicatedTableProps) {
				p.VersionGuard = jsii.Bool(true)
				p.VersionAttribute = jsii.String("v")
			},
		},
		{
			name: "version guard beside a policy",
			why:  "one of them is enough, and which one is needed depends on the key",
			props: func(p *ReplicatedTableProps) {
				*p = *lastWriterProps()
				p.VersionGuard = jsii.Bool(true)
			},
			want: []string{`VersionGuard is set, and so is OnKeyCollision, which guards every write too: set only one of them`},
		},
		{
			name: "version guard for a key that is not unique",
			why:  "the guard alone does not say who owns a target item",
			props: func(p *ReplicatedTableProps) {
				p.Target.SortKey = str("city")
				p.VersionGuard = jsii.Bool(true)
			},
			want: []string{`Target.SortKey "city" and PartitionKey "state" do not contain the source key "email": two items could meet on one target key; add "email" to the sort key or set OnKeyCollision`},
		},
		{
			name: "version guard turned off, with an attribute",
			why:  "false is the default, written out",
			props: func(p *ReplicatedTableProps) {
				p.VersionGuard = jsii.Bool(false)
				p.VersionAttribute = jsii.String("v")
			},
			want: []string{`VersionAttribute "v" is set without OnKeyCollision or VersionGuard: nothing writes versions; remove it`},
		},
		{
			name: "version guard without an attribute",
			why:  "it would silently guard nothing",
			props: func(p *ReplicatedTableProps) {
				p.VersionGuard = jsii.Bool(true)
				p.VersionAttribute = jsii.String("")
			},
			want: []string{`VersionAttribute is empty: VersionGuard needs an attribute for the version`},
		},
		{
			name: "version guard on a key",
			why:  "as with a policy",
			props: func(p *ReplicatedTableProps) {
				p.VersionGuard = jsii.Bool(true)
				p.VersionAttribute = jsii.String("email")
			},
			want: []string{`VersionAttribute "email" is a key attribute: name an attribute that nothing else uses`},
		},
		{
			name:  "unknown fate of expired items",
			why:   "a guess could delete what should stay",
			props: func(p *ReplicatedTableProps) { p.ExpiredItems = "ARCHIVE" },
			want:  []string{`ExpiredItems is "ARCHIVE": leave it out to delete the target item, or use KEEP`},
		},
		{
			name: "filter with nothing in it",
			why:  "all of nothing holds and any of nothing does not, neither of which somebody means",
			props: func(p *ReplicatedTableProps) {
				p.Filter = Condition_All(Condition_All(), Condition_Any())
			},
			want: []string{
				`Filter.All[0].All is empty: give at least one condition`,
				`Filter.All[1].Any is empty: give at least one condition`,
			},
		},
		{
			name: "nil in a filter",
			why:  "nil is what was forgotten, not false or the empty string",
			props: func(p *ReplicatedTableProps) {
				p.Filter = Condition_Any(
					nil,
					Condition_Exists(nil),
					Condition_Equals(jsii.String("a"), nil),
					Condition_Equals(jsii.String("a"), Value_String(nil)),
					Condition_NotEquals(jsii.String("a"), Value_Number(nil)),
					Condition_In(jsii.String("a"), Value_Boolean(nil)),
				)
			},
			want: []string{
				`Filter.Any[0] is empty: give a Path with an Operator, or conditions in All or Any`,
				`Filter.Any[1] has an empty name in its Path "": name every step`,
				`Filter.Any[2] compares with a value of type "": use S, N or BOOL`,
				`Filter.Any[3] compares with a value of type "": use S, N or BOOL`,
				`Filter.Any[4] compares with "", which is not a decimal number`,
				`Filter.Any[5] compares with "", which is neither true nor false`,
			},
		},
		{
			name: "conditions that cannot be evaluated",
			why:  "each is a mistake of its own: no operand, a step without a name, no number",
			props: func(p *ReplicatedTableProps) {
				p.Filter = Condition_All(
					Condition_In(jsii.String("a")),
					Condition_Exists(jsii.String("a..b")),
					Condition_Equals(jsii.String("a"), Value_Number(jsii.String("one"))),
				)
			},
			want: []string{
				`Filter.All[0] IN has 0 values: give at least 1`,
				`Filter.All[1] has an empty name in its Path "a", "", "b": name every step`,
				`Filter.All[2] compares with "one", which is not a decimal number`,
			},
		},
		{
			name: "filter nested too deep",
			why:  "the function evaluates it by recursion",
			props: func(p *ReplicatedTableProps) {
				p.Filter = Condition_Exists(jsii.String("a"))
				for range spec.MaxConditionDepth {
					p.Filter = Condition_Any(p.Filter)
				}
			},
			want: []string{`Filter` + strings.Repeat(".Any[0]", spec.MaxConditionDepth) + ` is nested deeper than 10 levels: flatten it`},
		},
		{
			name: "tokens in a filter",
			why:  "the function would compare with what stands for the value",
			props: func(p *ReplicatedTableProps) {
				p.Filter = Condition_Any(
					Condition_Exists(jsii.String("${Token[TOKEN.7]}")),
					Condition_BeginsWith(jsii.String("a"), jsii.String("x${Token[TOKEN.8]}")),
				)
			},
			want: []string{
				`Filter "${Token[TOKEN.7]}" is a token: names and values of the mapping must be known at synthesis; write it out`,
				`Filter "x${Token[TOKEN.8]}" is a token: names and values of the mapping must be known at synthesis; write it out`,
			},
		},
		{
			name:  "projection without a type",
			why:   "a list alone does not say whether to add or to leave out",
			props: func(p *ReplicatedTableProps) { p.Projection = &Projection{Attributes: jsii.Strings("zipcode")} },
			want:  []string{`Projection has type "": use ALL, KEYS_ONLY, INCLUDE or EXCLUDE`},
		},
		{
			name: "list that nothing reads",
			why:  "the caller believes something is left out",
			props: func(p *ReplicatedTableProps) {
				p.Projection = &Projection{Type: ProjectionType_KEYS_ONLY, Attributes: jsii.Strings("zipcode")}
			},
			want: []string{`Projection KEYS_ONLY lists attributes ("zipcode"): only INCLUDE and EXCLUDE do`},
		},
		{
			name:  "missing list",
			why:   "nil list of attributes",
			props: func(p *ReplicatedTableProps) { p.Projection = &Projection{Type: ProjectionType_EXCLUDE} },
			want:  []string{`Projection EXCLUDE lists no attributes: name at least one, or use ALL or KEYS_ONLY`},
		},
		{
			name: "bad names in the list",
			why:  "each is a mistake of its own: nil, twice, a key of the source, a key of the target, a token",
			props: func(p *ReplicatedTableProps) {
				names := []*string{nil, jsii.String("a"), jsii.String("a"), jsii.String("email"), jsii.String("state"), jsii.String("#{Token[TOKEN.9]}")}
				p.Projection = &Projection{Type: ProjectionType_INCLUDE, Attributes: &names}
			},
			want: []string{
				`Projection INCLUDE lists an empty name: remove it`,
				`Projection INCLUDE lists "a" twice: remove one`,
				`Projection INCLUDE lists "email", a key attribute of the source table: a target item always carries it; remove it from the list`,
				`Projection INCLUDE lists "state", a key attribute of the target table: a target item always carries it; remove it from the list`,
				`Projection "#{Token[TOKEN.9]}" is a token: names and values of the mapping must be known at synthesis; write it out`,
			},
		},
		{
			name:  "smallest sizes",
			why:   "limits are inclusive",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(128), jsii.Number(10), jsii.Number(1)},
		},
		{
			name:  "largest sizes",
			why:   "limits are inclusive",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(10240), jsii.Number(900), jsii.Number(10000)},
		},
		{
			name:  "sizes below the range",
			why:   "0 is a value, not a default",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(127), jsii.Number(9), jsii.Number(0)},
			want: []string{
				`MemorySize is 127 MiB: set a whole number from 128 to 10240`,
				`Timeout is 9 s: set a whole number from 10 to 900`,
				`BatchSize is 0 records: set a whole number from 1 to 10000`,
			},
		},
		{
			name:  "sizes above the range",
			why:   "Lambda would refuse them, after minutes",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(10241), jsii.Number(901), jsii.Number(10001)},
			want: []string{
				`MemorySize is 10241 MiB: set a whole number from 128 to 10240`,
				`Timeout is 901 s: set a whole number from 10 to 900`,
				`BatchSize is 10001 records: set a whole number from 1 to 10000`,
			},
		},
		{
			name:  "sizes that are no whole numbers",
			why:   "the props are floats only because JavaScript's numbers are",
			props: func(*ReplicatedTableProps) {},
			sizes: sizes{jsii.Number(256.5), jsii.Number(30.25), jsii.Number(math.NaN())},
			want: []string{
				`MemorySize is 256.5 MiB: set a whole number from 128 to 10240`,
				`Timeout is 30.25 s: set a whole number from 10 to 900`,
				`BatchSize is NaN records: set a whole number from 1 to 10000`,
			},
		},
		{
			name:  "snapshot as removal policy",
			why:   "none of the resources has snapshots",
			props: func(p *ReplicatedTableProps) { p.RemovalPolicy = awscdk.RemovalPolicy_SNAPSHOT },
			want:  []string{`RemovalPolicy is "SNAPSHOT": use RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE`},
		},
		{
			name:  "environment too large",
			why:   "Lambda would refuse the function, after the tables were made",
			props: func(p *ReplicatedTableProps) { p.Projection = include(300) },
			want: []string{`Source, Target, KeySources, Projection and Filter need 5552 bytes of the function's environment with table names of 255: Lambda's limit is 4096; ` +
				`shorten the attribute names, or Projection (300 names, 4517 bytes now), KeySources (0 bytes now) or Filter (0 bytes now)`},
		},
		{
			name: "environment too large for its filter",
			why:  "the filter travels in the environment too",
			props: func(p *ReplicatedTableProps) {
				p.Filter = Condition_Equals(jsii.String("bio"), Value_String(jsii.String(strings.Repeat("<", 3500))))
			},
			want: []string{`Source, Target, KeySources, Projection and Filter need 4631 bytes of the function's environment with table names of 255: Lambda's limit is 4096; ` +
				`shorten the attribute names, or Projection (0 names, 0 bytes now), KeySources (0 bytes now) or Filter (3600 bytes now)`},
		},
		{
			name: "several mistakes in several props",
			why:  "one synthesis names them all",
			props: func(p *ReplicatedTableProps) {
				p.Target.SortKey = str("city")
				p.Projection = &Projection{Type: "SOME"}
				p.VersionAttribute = jsii.String("v")
				p.RemovalPolicy = "KEEP"
			},
			sizes: sizes{memoryMiB: jsii.Number(1)},
			want: []string{
				`Projection has type "SOME": use ALL, KEYS_ONLY, INCLUDE or EXCLUDE`,
				`Target.SortKey "city" and PartitionKey "state" do not contain the source key "email": two items could meet on one target key; add "email" to the sort key or set OnKeyCollision`,
				`VersionAttribute "v" is set without OnKeyCollision or VersionGuard: nothing writes versions; remove it`,
				`MemorySize is 1 MiB: set a whole number from 128 to 10240`,
				`RemovalPolicy is "KEEP": use RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE`,
			},
		},
		{
			name: "mistakes beside an incomplete key schema",
			why:  "what does not depend on the keys is still said",
			props: func(p *ReplicatedTableProps) {
				p.Source = nil
				p.Projection = &Projection{Type: ProjectionType_INCLUDE}
				p.Filter = Condition_Any()
				p.ExpiredItems = "ARCHIVE"
			},
			sizes: sizes{batchSize: jsii.Number(-1)},
			want: []string{
				`Source is nil: set it to the key schema of the source table`,
				`Projection INCLUDE lists no attributes: name at least one, or use ALL or KEYS_ONLY`,
				`Filter.Any is empty: give at least one condition`,
				`ExpiredItems is "ARCHIVE": leave it out to delete the target item, or use KEEP`,
				`BatchSize is -1 records: set a whole number from 1 to 10000`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			props := uniqueProps()
			tt.props(props)
			problems := validate(props, tt.sizes)
			got := message("App/Users", problems)
			want := ""
			for i, line := range tt.want {
				if i > 0 {
					want += "\n"
				}
				want += "App/Users: " + line
			}
			if got != want {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", tt.why, got, want)
			}
		})
	}
}

func TestNilPropsAreAProblemNotACrash(t *testing.T) {
	problems := validate(nil, knownSizes(nil))
	if got, want := message("Users", problems), "Users: props are nil: Source and Target are required"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// include returns a projection of count attributes with names of ten bytes.
func include(count int) *Projection {
	names := make([]*string, count)
	for i := range names {
		names[i] = jsii.String(fmt.Sprintf("attr%06d", i))
	}
	return &Projection{Type: ProjectionType_INCLUDE, Attributes: &names}
}

func TestTheEnvironmentMayFillLambdasLimitExactly(t *testing.T) {
	props := uniqueProps()
	props.Projection = include(200)
	replication := toSpec(props)
	room := maxEnvironmentBytes - environmentBytes(replication)
	for length, fits := range map[int]bool{room: true, room + 1: false} {
		(*props.Projection.Attributes)[0] = jsii.String("attr000000" + strings.Repeat("x", length))
		problems := validate(props, sizes{})
		if (len(problems) == 0) != fits {
			t.Errorf("%d more bytes where %d are left: fits is %v, got %v", length, room, fits, problems)
		}
	}
}

func TestNoMemoryMakesTheEnvironmentLongerThanWhatIsChecked(t *testing.T) {
	replication := toSpec(uniqueProps())
	checked := environmentBytes(replication)
	for mebibytes := int(memoryRange.min); mebibytes <= int(memoryRange.max); mebibytes++ {
		if size := len(encode(replication.Environment(mebibytes))); size > checked {
			t.Fatalf("with %d MiB it has %d bytes, checked are %d", mebibytes, size, checked)
		}
	}
}

func TestTheMappingSaysWhatThePropsSay(t *testing.T) {
	props := lastWriterProps()
	props.Source.SortKey = num("order")
	props.Target.SortKey.Type = awsdynamodb.AttributeType_BINARY
	props.Projection = &Projection{Type: ProjectionType_EXCLUDE, Attributes: jsii.Strings("zipcode")}
	props.Projection.Renames = &map[string]*string{"name": jsii.String("title")}
	props.KeySources = &map[string]KeySource{
		"state": KeySource_Attribute(jsii.String("address.state")),
	}
	props.ExpiredItems = ExpiredItems_KEEP
	props.WriteBrake = jsii.Bool(false)
	props.Filter = Condition_All(
		Condition_In(jsii.String("address.country"), Value_String(jsii.String("US")), Value_Number(jsii.String("1"))),
		Condition_Any(
			Condition_NotEquals(jsii.String("banned"), Value_Boolean(jsii.Bool(true))),
			Condition_BeginsWith(jsii.String("name"), jsii.String("A")),
			Condition_Exists(jsii.String("name")),
		),
	)
	if problems := validate(props, sizes{}); len(problems) > 0 {
		t.Fatal(message("Users", problems))
	}
	got := toSpec(props)
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
				{Path: []string{"address", "country"}, Operator: spec.In, Values: []spec.Value{{Type: "S", Text: "US"}, {Type: "N", Text: "1"}}},
				{Any: []spec.Condition{
					{Path: []string{"banned"}, Operator: spec.NotEquals, Values: []spec.Value{{Type: "BOOL", Text: "true"}}},
					{Path: []string{"name"}, Operator: spec.BeginsWith, Values: []spec.Value{{Type: "S", Text: "A"}}},
					{Path: []string{"name"}, Operator: spec.Exists},
				}},
			}},
			ExpiredItems:     spec.KeepExpired,
			Projection:       spec.Projection{Type: spec.Exclude, Attributes: []string{"zipcode"}, Renames: map[string]string{"name": "title"}},
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

func TestACompositeThatContainsTheSourceKeyIsUnique(t *testing.T) {
	props := madeProps()
	if problems := validate(props, sizes{}); len(problems) > 0 {
		t.Fatal(message("Users", problems))
	}
	replication := toSpec(props)
	got := replication.Targets[0].KeySources["place"]
	want := spec.KeySource{Parts: [][]string{{"address", "city"}, {"email"}}, Separator: "#"}
	if !reflect.DeepEqual(got, want) || replication.Targets[0].VersionAttribute != "" {
		t.Errorf("got %+v, want %+v and no version", got, want)
	}
	(*props.KeySources)["place"] = KeySource_Attribute(jsii.String("address.city"))
	if problems := validate(props, sizes{}); len(problems) != 1 || problems[0].Path != "Target.SortKey" {
		t.Errorf("without the email: got %v, want a problem of the sort key", problems)
	}
}

func TestASourceKeyWithADotInItsNameIsAPart(t *testing.T) {
	props := madeProps()
	props.Source.PartitionKey = str("user.email")
	(*props.KeySources)["place"] = KeySource_Composite(jsii.String("#"), jsii.String("address.city"), jsii.String("user.email"))
	if problems := validate(props, sizes{}); len(problems) > 0 {
		t.Error(message("Users", problems))
	}
}

func TestDefaultsOfTheMapping(t *testing.T) {
	replication := toSpec(uniqueProps())
	target := replication.Targets[0]
	if target.Projection.Type != spec.All || target.Filter != nil || target.OnKeyCollision != "" || target.VersionAttribute != "" || target.ExpiredItems != "" {
		t.Errorf("a unique mapping without options is ALL without filter, policy, version and kept items, got %+v", target)
	}
}

func TestTheVersionGuardIsTheVersionAttributeWithoutAPolicy(t *testing.T) {
	props := uniqueProps()
	props.VersionGuard = jsii.Bool(true)
	replication := toSpec(props)
	if target := replication.Targets[0]; target.OnKeyCollision != "" || target.VersionAttribute != spec.DefaultVersionAttribute {
		t.Errorf("got policy %q and attribute %q", target.OnKeyCollision, target.VersionAttribute)
	}
}

func TestDeletingExpiredItemsAndBrakingAreTheDefaultsWrittenOut(t *testing.T) {
	props := uniqueProps()
	props.ExpiredItems = ExpiredItems_DELETE
	props.WriteBrake = jsii.Bool(true)
	written := toSpec(props)
	leftOut := toSpec(uniqueProps())
	if written.Encode() != leftOut.Encode() {
		t.Errorf("got %s, want %s", written.Encode(), leftOut.Encode())
	}
}
