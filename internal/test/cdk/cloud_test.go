package cdk_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
)

func TestEmulatorNeverSeesTheCallersCredentials(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real", "AWS_SESSION_TOKEN": "real",
		"AWS_PROFILE": "real", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://elsewhere",
		"AWS_ENDPOINT_URL_DYNAMODB": "http://elsewhere", "AWS_WEB_IDENTITY_TOKEN_FILE": "/real",
	} {
		t.Setenv(name, value)
	}
	got := map[string]string{}
	for _, variable := range (&cdk.Cloud{Endpoint: "http://127.0.0.1:1"}).Environment() {
		name, value, _ := strings.Cut(variable, "=")
		got[name] = value // the last one wins, as in os/exec
	}
	for name, want := range map[string]string{
		"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
		"AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_ENDPOINT_URL_DYNAMODB": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}

	own := (&cdk.Cloud{Endpoint: "https://gateway.example", Real: true}).Environment()
	if !slices.Contains(own, "AWS_ACCESS_KEY_ID=AKIAREAL") || !slices.Contains(own, "AWS_REGION=eu-west-1") {
		t.Error("real AWS, once allowed, needs the caller's own credentials and region")
	}
}
