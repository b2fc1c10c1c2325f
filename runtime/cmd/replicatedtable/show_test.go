package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestShowPrintsTheMappingOfADeployedFunction(t *testing.T) {
	r := newRig(t)
	cloud := r.withCloud()
	s := usersSpec("show")
	s.Targets[0].KeySources = map[string]spec.KeySource{"city": {Parts: [][]string{{"address", "city"}}}}
	s.Targets[0].Filter = &spec.Condition{Path: []string{"status"}, Operator: spec.Equals,
		Values: []spec.Value{{Type: "S", Text: "ACTIVE"}}}
	function := createFunction(t, cloud, s.Environment(0))
	r.want(exitDone, `city (S), from address.city`, "show", "-function", function)
	r.want(exitDone, `status equals "ACTIVE"`, "show", "-function", function)
	r.want(exitDone, s.Encode(), "show", "-function", function, "-json")

	layer, err := lambda.NewFromConfig(cloud).PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
		LayerName: aws.String("Mapping"),
		Content: &types.LayerVersionContentInput{
			ZipFile: zipped(t, strings.TrimPrefix(spec.MappingFile, "/opt/"), s.WithoutNames().Encode())},
	})
	check(t, err)
	function = createFunction(t, cloud, s.Names().Environment(0), *layer.LayerVersionArn)
	r.want(exitDone, s.Encode(), "show", "-function", function, "-json")
	r.want(exitUsage, "there is no function Nobody in account", "show", "-function", "Nobody")
}
