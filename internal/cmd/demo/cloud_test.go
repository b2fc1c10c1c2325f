package main

import (
	"errors"
	"net/netip"
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
		if taken := err == nil && c != nil && c.Real; taken != row.taken {
			t.Errorf("ALLOW_REAL_AWS=%q: %+v, %v, want it taken: %v", row.allow, c, err, row.taken)
		}
	}
}
