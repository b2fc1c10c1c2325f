package replicatedtable

import (
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
)

// place is where a ReplicatedTable is defined. It decides how long the names are that
// CloudFormation generates for the tables.
type place struct {
	// stackName is empty if only deployment knows it.
	stackName string
	// path holds the IDs of the constructs below the stack, the ReplicatedTable last. It
	// is nil if there is no stack.
	path []string
	// hasNoRegion says that only deployment knows the stack's Region.
	hasNoRegion bool
}

// findPlace returns the place of a construct called id in scope.
func findPlace(scope constructs.Construct, id *string) place {
	if !slices.ContainsFunc(*scope.Node().Scopes(), isStack) {
		return place{}
	}

	stack := awscdk.Stack_Of(scope)
	path := strings.TrimPrefix(childPath(scope, id), *stack.Node().Path())
	p := place{path: strings.Split(strings.TrimPrefix(path, "/"), "/"), hasNoRegion: isToken(*stack.Region())}
	if name := *stack.StackName(); !isToken(name) {
		p.stackName = name
	}

	return p
}

const (
	// maxTableNameBytes is the greatest length of a table's name. Source: Amazon
	// DynamoDB Developer Guide, "Quotas", naming rules.
	maxTableNameBytes = 255

	// maxStackNameBytes is the greatest length of a stack's name. Source: AWS
	// CloudFormation User Guide, "CloudFormation quotas".
	maxStackNameBytes = 128

	// nameSuffixBytes is what CloudFormation adds to a generated name: a hyphen before
	// the logical ID, and one before up to 13 random characters. Source: AWS
	// CloudFormation User Guide, "Resource identifiers".
	nameSuffixBytes = 15
)

// nameBytes is the greatest length of the name of a table that exists, or that the
// construct defines with these settings and calls id.
func (p place) nameBytes(id string, existing *existingTable, settings *awsdynamodb.TablePropsV2) int {
	if name := tableName(existing, settings); name != "" {
		return len(name)
	}
	if existing != nil || settings != nil && settings.TableName != nil {
		return maxTableNameBytes
	}
	return p.tableNameBytes(id)
}

// tableNameBytes is the greatest length of the name that CloudFormation generates for
// the table of a construct called id in the ReplicatedTable.
func (p place) tableNameBytes(id string) int {
	if p.path == nil {
		return maxTableNameBytes
	}

	return p.generatedNameBytes(append(slices.Clone(p.path), id)...)
}

// generatedNameBytes is the greatest length of the name that CloudFormation generates for a table or an
// alarm, whose limits are the same.
func (p place) generatedNameBytes(path ...string) int {
	stack := len(p.stackName)
	if stack == 0 {
		stack = maxStackNameBytes
	}
	return min(stack+logicalIDBytes(path...)+nameSuffixBytes, maxTableNameBytes)
}

const (
	// maxReadableBytes is the most of a logical ID that the CDK derives from IDs of
	// constructs, and logicalIDHashBytes the length of the hash behind it. Source:
	// aws-cdk-lib, core/lib/private/uniqueid.ts.
	maxReadableBytes   = 240
	logicalIDHashBytes = 8
)

// logicalIDBytes is the greatest length of the logical ID of a resource below the
// construct with this path. The CDK keeps letters and digits, and leaves out an ID that
// repeats the end of the one before it.
func logicalIDBytes(path ...string) int {
	readable := 0
	for _, id := range path {
		for _, c := range id {
			if '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
				readable++
			}
		}
	}
	return min(readable, maxReadableBytes) + logicalIDHashBytes
}
