package replicatedtable

import (
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/aws/constructs-go/constructs/v10"
)

func TestTheRoleAllowsExactlyWhatIsUsed(t *testing.T) {
	k := allKinds(t)
	for _, tt := range []struct {
		name   string
		why    string
		table  ReplicatedTable
		target []string
	}{
		{"unique mapping", "writes go in batches", k.users, []string{"dynamodb:BatchWriteItem"}},
		{"LAST_WRITER_WINS", "writes have conditions", k.cities, []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}},
		{"version guard", "writes have them too", k.active, []string{"dynamodb:DeleteItem", "dynamodb:PutItem"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			on := func(c constructs.IConstruct, attribute string, actions ...string) []string {
				for i, action := range actions {
					actions[i] = action + " on " + toJSON(t, getAtt(logicalID(k.stack, c), attribute))
				}
				return actions
			}

			want := slices.Concat(
				on(tt.table.Target().Table(), "Arn", tt.target...),
				on(tt.table.SourceTable(), "StreamArn", "dynamodb:DescribeStream", "dynamodb:GetRecords",
					"dynamodb:GetShardIterator", "dynamodb:ListStreams"),
				on(tt.table.LogGroup(), "Arn", "logs:CreateLogStream", "logs:PutLogEvents"),
				on(tt.table.FailureQueue(), "Arn", "sqs:SendMessage"),
			)
			sort.Strings(want)

			got := k.template.permissions(t, logicalID(k.stack, tt.table.Role()))
			if !slices.Equal(got, want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", tt.why, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if all := strings.Join(got, "\n"); strings.Contains(all, "*") {
				t.Errorf("a wildcard among the permissions:\n%s", all)
			}
		})
	}
}

func TestOnlyLambdaAssumesTheRole(t *testing.T) {
	k := allKinds(t)
	r := k.resource(k.users.Role())
	r.want(t, "AssumeRolePolicyDocument", map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole",
			"Principal": map[string]any{"Service": "lambda.amazonaws.com"},
		}},
	})
}
