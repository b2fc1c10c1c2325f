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
		all    []string
	}{
		{"unique mapping", "writes go in batches", k.users, []string{"dynamodb:BatchWriteItem"}, nil},
		{"LAST_WRITER_WINS", "writes have conditions; tracing and a VPC need actions without resources",
			k.cities, guardedActions(), []string{
				`ec2:AssignPrivateIpAddresses on "*"`, `ec2:CreateNetworkInterface on "*"`,
				`ec2:DeleteNetworkInterface on "*"`, `ec2:DescribeNetworkInterfaces on "*"`,
				`ec2:DescribeSubnets on "*"`, `ec2:UnassignPrivateIpAddresses on "*"`,
				`xray:PutTelemetryRecords on "*"`, `xray:PutTraceSegments on "*"`,
			}},
		{"version guard", "writes have them too", k.active, guardedActions(), nil},
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
				tt.all,
			)
			sort.Strings(want)

			got := k.template.permissions(t, logicalID(k.stack, tt.table.Role()))
			if !slices.Equal(got, want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", tt.why, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// guardedActions are the actions on a target whose writes have conditions.
func guardedActions() []string {
	return []string{
		"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert",
		"dynamodb:PartiQLUpdate", "dynamodb:PutItem",
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
