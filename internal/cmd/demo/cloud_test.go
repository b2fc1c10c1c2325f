package main

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestRealAWSIsRefused(t *testing.T) {
	addresses := map[string]string{
		"localhost":    "127.0.0.1",
		"127.0.0.1":    "127.0.0.1",
		"::1":          "::1",
		"emulator":     "172.18.0.2",
		"10.0.0.7":     "10.0.0.7",
		"moto.example": "198.51.100.7",
		"::ffff:c612":  "::ffff:198.18.0.1",
	}
	lookup := func(host string) ([]netip.Addr, error) {
		if a, ok := addresses[host]; ok {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr(a)}, nil
		}
		return nil, errors.New("no such host")
	}
	for _, row := range []struct {
		endpoint string
		why      string
		refused  string // part of the error; empty when the endpoint is taken
	}{
		{"http://localhost:4566", "the usual emulator", ""},
		{"http://127.0.0.1:4566/", "loopback", ""},
		{"http://[::1]:4566", "loopback", ""},
		{"https://emulator:4566", "another container", ""},
		{"http://10.0.0.7:4566", "a private network", ""},
		{"https://dynamodb.us-east-1.amazonaws.com", "a regional endpoint", "is real AWS"},
		{"https://DynamoDB.us-east-1.AmazonAWS.com.", "host names know no case, and may end in a dot", "is real AWS"},
		{"https://dynamodb.cn-north-1.amazonaws.com.cn", "China", "is real AWS"},
		{"https://dynamodb.us-east-1.api.aws", "dual-stack", "is real AWS"},
		{"https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com", "a VPC endpoint, whose address is private", "is real AWS"},
		{"https://moto.example", "one of its addresses is public", "public address 198.51.100.7"},
		{"https://unknown.example", "nobody knows what it is", "no such host"},
		{"localhost:4566", "no scheme", "not an http or https URL"},
		{"file:///etc/passwd", "no host", "not an http or https URL"},
	} {
		err := refuseRealAWS(row.endpoint, lookup)
		switch {
		case row.refused == "" && err != nil:
			t.Errorf("%s (%s) is refused: %v", row.endpoint, row.why, err)
		case row.refused != "" && (err == nil || !strings.Contains(err.Error(), row.refused)):
			t.Errorf("%s (%s): error %v, want one with %q", row.endpoint, row.why, err, row.refused)
		}
	}
}

func TestRealAWSIsTakenOnlyWhenAllowed(t *testing.T) {
	for _, row := range []struct {
		allow string
		taken bool
	}{{"", false}, {"no", false}, {"1", false}, {"yes", true}} {
		settings := map[string]string{
			"AWS_ENDPOINT_URL": "https://dynamodb.us-east-1.amazonaws.com", "ALLOW_REAL_AWS": row.allow,
		}
		r := &runner{getenv: func(name string) string { return settings[name] }}
		c, err := r.existingCloud(t.Context())
		if taken := err == nil && c != nil && c.real; taken != row.taken {
			t.Errorf("ALLOW_REAL_AWS=%q: %+v, %v, want it taken: %v", row.allow, c, err, row.taken)
		}
	}
}

func TestEmulatorNeverSeesTheCallersCredentials(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real", "AWS_SESSION_TOKEN": "real",
		"AWS_PROFILE": "real", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://elsewhere",
		"AWS_ENDPOINT_URL_DYNAMODB": "http://elsewhere", "AWS_WEB_IDENTITY_TOKEN_FILE": "/real",
	} {
		t.Setenv(name, value)
	}
	got := map[string]string{}
	for _, variable := range (&cloud{endpoint: "http://127.0.0.1:1"}).environment() {
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

	own := (&cloud{endpoint: "https://gateway.example", real: true}).environment()
	if !slices.Contains(own, "AWS_ACCESS_KEY_ID=AKIAREAL") || !slices.Contains(own, "AWS_REGION=eu-west-1") {
		t.Error("real AWS, once allowed, needs the caller's own credentials and region")
	}
}
