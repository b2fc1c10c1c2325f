// Package templates checks the golden templates of the construct and of the examples.
//
// The checks are not in the packages that they check: the sums of all modules that a
// package's tests import get into the go.sum of every app that imports the package.
package templates

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/cloudformationinclude"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// No finding says little about the tables: cdk-nag 2.35.0 has rules for
// AWS::DynamoDB::Table, but none for the AWS::DynamoDB::GlobalTable of TableV2.
func TestCDKNagFindsOnlyWhatIsAccepted(t *testing.T) {
	var findings []finding
	for _, file := range templateFiles(t) {
		findings = append(findings, nag(t, file)...)
	}

	wantOnlyAccepted(t, findings, []acceptedRule{
		{
			rule: `AwsSolutions-IAM5\[Resource::\*\]`,
			file: "../../../replicatedtable/testdata/each_kind.golden.json",
			why:  "tracing and a VPC need actions that have no resources; only props that ask for them get them",
		},
		{
			rule: `AwsSolutions-IAM5\[Resource::arn:.*:log-group:/callers/logs:\*\]`,
			file: "../../../replicatedtable/testdata/each_kind.golden.json",
			why:  "the wildcard stands for the streams of one log group, which Lambda names",
		},
		{
			rule: `AwsSolutions-IAM5\[Action::kms:(GenerateDataKey|ReEncrypt)\*\]`,
			file: "../../../replicatedtable/testdata/customer_keys.golden.json",
			why:  "each stands for the variants of one action on one key, as in the CDK's own grants",
		},
		{
			rule: `AwsSolutions-IAM5\[(Resource::\*|Action::kms:(GenerateDataKey|ReEncrypt)\*)\]`,
			file: "../../../replicatedtable/testdata/reconcilers.golden.json",
			why:  "as above: tracing, and the variants of one action on one key",
		},
		{
			rule: `AwsSolutions-IAM5\[Resource::arn:.*:execution:<.*StateMachine.*\.Name>(/Segments)?:\*\]`,
			file: "../../../replicatedtable/testdata/reconcilers.golden.json",
			why:  "the wildcard stands for the executions of one state machine, which Step Functions names",
		},
		{
			rule: `AwsSolutions-SF1`,
			file: "../../../replicatedtable/testdata/reconcilers.golden.json",
			why:  "Step Functions keeps the history of each execution, and a log would need actions on all resources",
		},
		{
			rule: `AwsSolutions-SF2`,
			file: "../../../replicatedtable/testdata/reconcilers.golden.json",
			why:  "tracing is the choice of the caller",
		},
		{
			rule: `AwsSolutions-APIG4`,
			file: "../../../examples/users/testdata/users.golden.json",
			why:  "the example is about tables, not about signing in; its README says that it has no authorizer",
		},
	})
}

func TestCDKNagResolvesTheFunctionsOfATemplate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "template.json")
	if err := os.WriteFile(file, []byte(`{"Resources": {
		"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
			"AttributeDefinitions": [{"AttributeName": "email", "AttributeType": "S"}],
			"KeySchema": [{"AttributeName": "email", "KeyType": "HASH"}],
			"BillingMode": "PAY_PER_REQUEST"
		}},
		"Policy": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "Policy", "PolicyDocument": {
			"Version": "2012-10-17",
			"Statement": [{"Effect": "Allow", "Action": "dynamodb:Query", "Resource": [
				"*", {"Fn::Join": ["", [{"Fn::GetAtt": ["Table", "Arn"]}, "/index/*"]]}
			]}]
		}}}
	}}`), 0o644); err != nil {
		t.Fatal(err)
	}

	var got []string
	for _, f := range nag(t, file) {
		got = append(got, f.resource+" "+f.rule)
	}
	slices.Sort(got)
	want := []string{
		"Policy AwsSolutions-IAM5[Resource::*]",
		"Policy AwsSolutions-IAM5[Resource::<Table.Arn>/index/*]",
		"Table AwsSolutions-DDB3",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// nag returns the errors and warnings of the AwsSolutions checks. The checks look only
// at the resources of a stack. They find the same in a stack that includes a template as
// in the stack that it was synthesized from.
func nag(t *testing.T, file string) []finding {
	t.Helper()

	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir:             jsii.String(t.TempDir()),
		AnalyticsReporting: jsii.Bool(false),
	})
	stack := awscdk.NewStack(app, jsii.String("App"), &awscdk.StackProps{
		// The template has this rule already.
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: jsii.Bool(false),
		}),
	})
	cloudformationinclude.NewCfnInclude(stack, jsii.String("Template"), &cloudformationinclude.CfnIncludeProps{
		TemplateFile: &file,
	})
	checks := cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)})
	awscdk.Aspects_Of(stack).Add(checks, nil)

	annotations := assertions.Annotations_FromStack(stack)
	everywhere, anything := jsii.String("*"), assertions.Match_AnyValue()
	errors, warnings := annotations.FindError(everywhere, anything), annotations.FindWarning(everywhere, anything)
	var findings []finding
	//nolint:staticcheck // assertions still returns the messages in their deprecated type
	for _, message := range slices.Concat(*errors, *warnings) {
		rule, text, _ := strings.Cut(fmt.Sprint(message.Entry.Data), ": ")
		findings = append(findings, finding{file, path.Base(*message.Id), rule, strings.TrimSpace(text)})
	}

	return findings
}
