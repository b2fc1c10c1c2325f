package awsconfig

import "testing"

func TestTheEndpointVariablesOfTheSDKsAreUsed(t *testing.T) {
	environment := map[string]string{"AWS_REGION": "r", "AWS_ACCESS_KEY_ID": "i", "AWS_SECRET_ACCESS_KEY": "s",
		"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
	get := func(name string) string { return environment[name] }
	c, err := FromLambda(get)
	if err != nil || *c.Endpoint("DYNAMODB") != "http://127.0.0.1:1" || *c.Endpoint("SQS") != "http://127.0.0.1:1" {
		t.Errorf("AWS_ENDPOINT_URL: got %v, %v", c, err)
	}
	environment["AWS_ENDPOINT_URL_DYNAMODB"] = "http://127.0.0.1:2"
	if got := *c.Endpoint("DYNAMODB"); got != "http://127.0.0.1:2" {
		t.Errorf("the service's own variable comes first, got %s", got)
	}
}
