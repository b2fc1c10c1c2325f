package partiql_test

import (
	"reflect"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/partiql"
)

func TestTheStatementsOfTheReplicatorAreRead(t *testing.T) {
	for text, want := range map[string]partiql.Statement{
		`INSERT INTO "t" VALUE {'pk':?,'a''b"c':?}`: {
			Kind: partiql.Insert, Table: "t", Set: []string{"pk", `a'b"c`}, Parameters: 2,
		},
		`UPDATE "t" SET "a"=? SET "v"=? REMOVE "b""c" WHERE "pk"=? AND "v"<? AND contains("v",'/x')`: {
			Kind: partiql.Update, Table: "t", Set: []string{"a", "v"}, Remove: []string{`b"c`}, Parameters: 4,
			Where: []partiql.Term{
				{{Operator: partiql.Equal, Path: []string{"pk"}, Parameter: 2}},
				{{Operator: partiql.Less, Path: []string{"v"}, Parameter: 3}},
				{{Operator: partiql.Contains, Path: []string{"v"}, Text: "/x"}},
			},
		},
		`DELETE FROM "t" WHERE "pk"=? AND ("v"."seq" IS MISSING OR "v"."seq"<?)`: {
			Kind: partiql.Delete, Table: "t", Parameters: 2,
			Where: []partiql.Term{
				{{Operator: partiql.Equal, Path: []string{"pk"}}},
				{{Operator: partiql.Missing, Path: []string{"v", "seq"}},
					{Operator: partiql.Less, Path: []string{"v", "seq"}, Parameter: 1}},
			},
		},
	} {
		if got, err := partiql.Parse(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
}

func TestAnyOtherTextIsAnError(t *testing.T) {
	for _, text := range []string{
		``, `SELECT * FROM "t"`, `INSERT INTO t VALUE {'pk':?}`, `INSERT INTO "t" VALUE {'pk':?,}`,
		`INSERT INTO "t" VALUE {'pk': ?}`, `INSERT INTO "t" VALUE {'pk':?} `, `INSERT INTO "t" VALUE {'pk:?}`,
		`UPDATE "t" SET "a"=?`, `UPDATE "t" WHERE "pk"=?`, `UPDATE "t" SET "a"=?, "b"=? WHERE "pk"=?`,
		`DELETE FROM "t" WHERE "pk">?`, `DELETE FROM "t" WHERE ("pk"=?`, `DELETE FROM "t" WHERE "pk"=? AND`,
		`DELETE FROM "t"`, `delete from "t" where "pk"=?`,
	} {
		if got, err := partiql.Parse(text); err == nil {
			t.Errorf("%s was read as %+v", text, got)
		}
	}
}
