package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// What all callers together may send: an open demo should not run up a bill.
const (
	requestsPerSecond = 50
	requestsBurst     = 100
)

// newHTTPAPI makes the API in front of function. It has no authorizer: anyone who knows
// the URL can read and write users.
func newHTTPAPI(
	stack awscdk.Stack, function awslambda.IFunction,
) (awsapigatewayv2.HttpApi, awsapigatewayv2.HttpStage) {
	api := awsapigatewayv2.NewHttpApi(stack, jsii.String("Api"), &awsapigatewayv2.HttpApiProps{
		Description: jsii.String("Users, by email and by state and city"),
		// The default stage could have no access log.
		CreateDefaultStage: jsii.Bool(false),
	})
	integration := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("Function"), function, nil)
	add := func(path string, methods ...awsapigatewayv2.HttpMethod) {
		api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{Path: &path, Methods: &methods, Integration: integration})
	}
	add("/", awsapigatewayv2.HttpMethod_POST)
	add("/users", awsapigatewayv2.HttpMethod_GET)
	add("/users/{email}", awsapigatewayv2.HttpMethod_GET, awsapigatewayv2.HttpMethod_DELETE)
	// Emails with a slash match none of these routes. The function answers the rest with 404.
	awsapigatewayv2.NewHttpRoute(stack, jsii.String("DefaultRoute"), &awsapigatewayv2.HttpRouteProps{
		HttpApi:     api,
		Integration: integration,
		RouteKey:    awsapigatewayv2.HttpRouteKey_DEFAULT(),
	})
	return api, newStage(stack, api)
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
	// The L2 stage would need a class written in Go.
	l1 := stage.Node().DefaultChild().(awsapigatewayv2.CfnStage)
	l1.SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: logs.LogGroupArn(),
		Format:         jsii.String(accessLogFormat),
	})
	return stage
}

// accessLogFormat is one line of JSON per request. It has no address, path or query: the
// path holds an email, the query a state and a city.
const accessLogFormat = `{"integrationMs":"$context.integrationLatency","latencyMs":"$context.responseLatency",` +
	`"requestId":"$context.requestId","routeKey":"$context.routeKey","status":"$context.status"}`
