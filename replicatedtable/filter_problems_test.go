package replicatedtable

import (
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

func TestFiltersThatNoItemMeetsAreRefused(t *testing.T) {
	text := func(s string) Value { return Value_String(jsii.String(s)) }
	number := func(s string) Value { return Value_Number(jsii.String(s)) }
	yes := Value_Boolean(jsii.Bool(true))
	equals := func(path string, v Value) Condition { return Condition_Equals(jsii.String(path), v) }
	begins := func(path, prefix string) Condition {
		return Condition_BeginsWith(jsii.String(path), jsii.String(prefix))
	}
	const exclude = `Target.Filter has conditions on "a" in Condition_All that exclude each other: no item meets all ` +
		`of them; remove one, or use Condition_Any or Condition_In`

	var cases []propsCase
	for _, tt := range []struct {
		name, why string
		filter    Condition
		want      []string
	}{
		{"a path into a source key", "a key is a scalar", Condition_Exists(jsii.String("email.domain")), []string{
			`Target.Filter leads into the key attribute "email", which has type S and no members: no item can have ` +
				`"email.domain"; if the dot belongs to a name, write AttributePath("email.domain")`}},
		{"a path into a target key", "an item with a map there has no target item", equals("state.code", text("NY")), []string{
			`Target.Filter leads into the key attribute "state", which has type S and no members: no item can have ` +
				`"state.code"; if the dot belongs to a name, write AttributePath("state.code")`}},
		{"a key and a number", "the key is a string", equals("email", number("1")), []string{
			`Target.Filter compares the key attribute "email" of type S with "1", a value of type N: it never equals it`}},
		{"a key and a boolean in a list", "the others can match",
			Condition_In(jsii.String("state"), text("NY"), yes), []string{
				`Target.Filter compares the key attribute "state" of type S with "true", a value of type BOOL: it never equals it`}},
		{"a key that always differs", "a condition that always holds says nothing",
			Condition_NotEquals(jsii.String("state"), number("1")), []string{
				`Target.Filter compares the key attribute "state" of type S with "1", a value of type N: it always differs from it`}},
		{"a key of the right type", "that is what filters are for", begins("state", "N"), nil},
		{"two values", "an attribute has one", Condition_All(equals("a", text("x")), equals("a", text("y"))), []string{exclude}},
		{"two types", "the string 1 is not the number", Condition_All(equals("a", text("1")), equals("a", number("1"))),
			[]string{exclude}},
		{"two notations", "1 and 1.0 are one number", Condition_All(equals("a", number("1")), equals("a", number("1.0"))), nil},
		{"a value outside of a list", "In is a choice of Equals", Condition_All(
			equals("a", text("x")), Condition_In(jsii.String("a"), text("y"), text("z"))), []string{exclude}},
		{"a value and not that value", "NotEquals is the contrary", Condition_All(
			equals("a", text("x")), Condition_NotEquals(jsii.String("a"), text("x"))), []string{exclude}},
		{"a value with another beginning", "the beginning is part of it", Condition_All(
			equals("a", text("xy")), begins("a", "y")), []string{exclude}},
		{"two beginnings", "one must be the beginning of the other", Condition_All(begins("a", "xy"), begins("a", "xz")),
			[]string{exclude}},
		{"two beginnings that agree", "x is the beginning of xy", Condition_All(begins("a", "xy"), begins("a", "x")), nil},
		{"nested", "a Condition_All in another is one", Condition_All(
			equals("a", text("x")), Condition_All(equals("b", yes), equals("a", text("y")))), []string{exclude}},
		{"all in the nested one", "one mistake has one line", Condition_All(
			Condition_All(equals("a", text("x")), equals("a", text("y"))), equals("b", yes)), []string{exclude}},
		{"in Condition_All within Condition_Any", "this alternative has no items", Condition_Any(
			equals("b", yes), Condition_All(equals("a", text("x")), equals("a", text("y")))), []string{exclude}},
		{"in Condition_Any", "an item meets one of them", Condition_Any(equals("a", text("x")), equals("a", text("y"))), nil},
		{"another attribute", "each has its own value", Condition_All(equals("a", text("x")), equals("b", text("y"))), nil},
		{"a number out of range", "no attribute can hold it", equals("a", number("1e999")), []string{
			`Target.Filter compares "a" with 1e999: DynamoDB's numbers reach from 1e-130 to 9.99e125, so no attribute can have it`}},
		{"a number that is too small", "the same below", equals("a", number("1e-131")), []string{
			`Target.Filter compares "a" with 1e-131: DynamoDB's numbers reach from 1e-130 to 9.99e125, so no attribute can have it`}},
		{"a number with too many digits", "DynamoDB refuses it", equals("a", number(strings.Repeat("1", 50))), []string{
			`Target.Filter compares "a" with ` + strings.Repeat("1", 50) + `, which has 50 significant digits: ` +
				`DynamoDB keeps 38, so no attribute can have it`}},
		{"the largest numbers", "they are in range", Condition_All(
			equals("a", number("9.9e125")), equals("b", number("1e-130")), equals("c", number("1"+strings.Repeat("0", 50)))), nil},
	} {
		cases = append(cases, propsCase{
			name: tt.name, why: tt.why, props: func(p *ReplicatedTableProps) { p.Target.Filter = tt.filter }, want: tt.want,
		})
	}
	wantProblems(t, cases)
}

func TestPathsToWhatIsNotThereAreRefused(t *testing.T) {
	wantProblems(t, []propsCase{
		{
			name: "a filter on a derived key", why: "the source item has no such attribute",
			props: func(p *ReplicatedTableProps) {
				*p = *compositeProps()
				p.Target.Filter = Condition_BeginsWith(jsii.String("place"), jsii.String("Albany"))
			},
			want: []string{`Target.Filter names "place", a key attribute of the target table that is derived: the filter looks ` +
				`at the source item; name what it is derived from, "address.city" and "email"`},
		},
		{
			name: "a filter on an attribute that is left out", why: "it is the source item's own",
			props: func(p *ReplicatedTableProps) {
				*p = *compositeProps()
				p.Target.Projection = &Projection{Type: ProjectionType_EXCLUDE, Attributes: jsii.Strings("place")}
				p.Target.Filter = Condition_BeginsWith(jsii.String("place"), jsii.String("Albany"))
			},
		},
		{
			name: "a target key from inside a source key", why: "a key is a scalar",
			props: func(p *ReplicatedTableProps) {
				*p = *lastWriterProps()
				p.Target.KeySources = &map[string]*KeySource{"city": from("email.domain")}
			},
			want: []string{
				`Target.KeySources "city" leads into the source key "email", which has type S and no members: no item can have ` +
					`"email.domain"; if the dot belongs to a name, write AttributePath("email.domain")`,
			},
		},
	})
}

func TestWhatIsProbablyNotMeantIsWarnedOf(t *testing.T) {
	for _, tt := range []struct {
		name  string
		props func(p *ReplicatedTableProps)
		want  []string
	}{
		{"sound props", func(*ReplicatedTableProps) {}, nil},
		{"JSONPath", func(p *ReplicatedTableProps) { p.Target.Filter = Condition_Exists(jsii.String("$.active")) }, []string{
			`Target.Filter has the path "$.active": a path is not JSONPath, and this one leads to an attribute that is ` +
				`really called "$"`}},
		{"a wildcard", func(p *ReplicatedTableProps) { p.Target.Filter = Condition_Exists(jsii.String("tags.*")) }, []string{
			`Target.Filter has the path "tags.*": a path is not JSONPath, and this one leads to an attribute that is ` +
				`really called "*"`}},
		{"the new name of a rename", func(p *ReplicatedTableProps) {
			p.Target.Projection = &Projection{
				Type: ProjectionType_ALL, Renames: &map[string]*string{"name": jsii.String("title")},
			}
			p.Target.Filter = Condition_Exists(jsii.String("title"))
		}, []string{`Target.Filter names "title", the new name of "name": the filter looks at the source item, ` +
			`where that is called "name"`}},
		{"a number in a composite", func(p *ReplicatedTableProps) {
			*p = *compositeProps()
			p.Source.PartitionKey = num("id")
			p.Target.KeySources = &map[string]*KeySource{"place": joined("city", "id")}
		}, []string{`Target.KeySources "place" joins the number "id": in a string, 10 comes before 9. ` +
			`Keep numbers of one length in the source item if the order matters`}},
		{"a source key with a dot in its name", func(p *ReplicatedTableProps) {
			p.Source.PartitionKey, p.Target.SortKey = str("user.email"), str("user.email")
			p.Target.Filter = Condition_Exists(jsii.String("user.email"))
		}, []string{`Target.Filter names the member "email" of the map "user", and the source key is called "user.email": ` +
			`for that, write AttributePath("user.email")`}},
		{"keys that INCLUDE lists", func(p *ReplicatedTableProps) {
			p.Target.Projection = &Projection{
				Type: ProjectionType_INCLUDE, Attributes: jsii.Strings("name", "email", "state"),
			}
		}, []string{
			`Target.Projection INCLUDE lists the key attribute "email", which every target item carries: remove it from the list`,
			`Target.Projection INCLUDE lists the key attribute "state", which every target item carries: remove it from the list`,
		}},
		{"an INCLUDE of keys alone", func(p *ReplicatedTableProps) {
			p.Target.Projection = &Projection{Type: ProjectionType_INCLUDE, Attributes: jsii.Strings("email")}
		}, []string{
			`Target.Projection INCLUDE lists the key attribute "email", which every target item carries: remove it from the list`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			props := uniqueProps()
			tt.props(props)
			if problems := validate(props, sizes{}); len(problems) > 0 {
				t.Fatalf("it is refused: %v", problems)
			}

			var got []string
			for _, w := range toReplication(props, sizes{}).warnings(props.Target, nil) {
				got = append(got, w.text)
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}
