package main

import (
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// What all callers together may send. An open demo API should not be able to
// run up a bill.
const (
	requestsPerSecond = 50
	requestsBurst     = 100
)

// httpAPI is the API and its one stage.
type httpAPI struct {
	api   awsapigatewayv2.HttpApi
	stage awsapigatewayv2.HttpStage
}

// newHTTPAPI makes the API in front of function. It has no authorizer: anyone
// who knows the URL can read and write users.
func newHTTPAPI(stack awscdk.Stack, function awslambda.IFunction) httpAPI {
	api := awsapigatewayv2.NewHttpApi(stack, jsii.String("Api"), &awsapigatewayv2.HttpApiProps{
		Description: jsii.String("Users, by email and by state and city"),
		// The stage below replaces it: the one made here could have no access log.
		CreateDefaultStage: jsii.Bool(false),
	})
	integration := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("Function"), function, nil)
	for _, route := range []awsapigatewayv2.AddRoutesOptions{
		{Path: jsii.String("/"), Methods: &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod_POST}},
		{Path: jsii.String("/users"), Methods: &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod_GET}},
		{Path: jsii.String("/users/{email}"), Methods: &[]awsapigatewayv2.HttpMethod{
			awsapigatewayv2.HttpMethod_GET, awsapigatewayv2.HttpMethod_DELETE,
		}},
	} {
		route.Integration = integration
		api.AddRoutes(&route)
	}
	// Everything else goes to the function too: it answers 404 and 405 in the
	// API's own form, and takes emails with a slash, which no route can match.
	awsapigatewayv2.NewHttpRoute(stack, jsii.String("DefaultRoute"), &awsapigatewayv2.HttpRouteProps{
		HttpApi:     api,
		Integration: integration,
		RouteKey:    awsapigatewayv2.HttpRouteKey_DEFAULT(),
	})
	return httpAPI{api: api, stage: newStage(stack, api)}
}

// newStage makes the stage at the root of the API's URL, with an access log.
func newStage(stack awscdk.Stack, api awsapigatewayv2.HttpApi) awsapigatewayv2.HttpStage {
	stage := awsapigatewayv2.NewHttpStage(stack, jsii.String("Stage"), &awsapigatewayv2.HttpStageProps{
		HttpApi:    api,
		StageName:  jsii.String("$default"),
		AutoDeploy: jsii.Bool(true),
		Throttle: &awsapigatewayv2.ThrottleSettings{
			RateLimit:  jsii.Number(requestsPerSecond),
			BurstLimit: jsii.Number(requestsBurst),
		},
	})
	logs := awslogs.NewLogGroup(stack, jsii.String("AccessLogs"), &awslogs.LogGroupProps{
		Retention:     awslogs.RetentionDays_ONE_MONTH,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	// The L1 resource takes the settings as a plain struct; for the L2 stage
	// they would be a class written in Go.
	stage.Node().DefaultChild().(awsapigatewayv2.CfnStage).SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: logs.LogGroupArn(),
		Format:         jsii.String(accessLogFormat()),
	})
	return stage
}

// accessLogFormat is one line of JSON per request. It has no address, path or
// query: the path holds an email, the query a state and a city.
func accessLogFormat() string {
	format, err := json.Marshal(map[string]string{
		"requestId":     "$context.requestId",
		"routeKey":      "$context.routeKey",
		"status":        "$context.status",
		"latencyMs":     "$context.responseLatency",
		"integrationMs": "$context.integrationLatency",
	})
	if err != nil {
		panic(err)
	}
	return string(format)
}
