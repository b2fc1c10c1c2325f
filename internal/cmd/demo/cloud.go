package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
)

// existingCloud is the cloud that AWS_ENDPOINT_URL names, or nil when it is not
// set. It must be on this machine or on a private network, so that nothing is
// ever deployed to real AWS by mistake; ALLOW_REAL_AWS=yes lifts that, and then
// the caller's own credentials and region are used.
func (r *runner) existingCloud(ctx context.Context) (*cdk.Cloud, error) {
	endpoint := r.getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		return nil, nil
	}
	if r.getenv("ALLOW_REAL_AWS") == "yes" {
		return &cdk.Cloud{Endpoint: endpoint, Real: true}, nil
	}
	lookup := func(host string) ([]netip.Addr, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	}
	if err := refuseRealAWS(endpoint, lookup); err != nil {
		return nil, fmt.Errorf("AWS_ENDPOINT_URL=%s: %w; "+
			"unset it to start a local emulator, or set ALLOW_REAL_AWS=yes to use real AWS", endpoint, err)
	}
	return &cdk.Cloud{Endpoint: strings.TrimSuffix(endpoint, "/")}, nil
}

// realAWS are the domains of AWS's own endpoints, VPC endpoints among them,
// whose addresses are private. Source: AWS General Reference, "AWS service
// endpoints": standard, China, dual-stack in both.
var realAWS = []string{"amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn"}

// refuseRealAWS returns an error unless the endpoint can only be an emulator:
// not in one of AWS's domains, and all its addresses loopback or private.
func refuseRealAWS(endpoint string, lookup func(host string) ([]netip.Addr, error)) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("it is not an http or https URL")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	for _, domain := range realAWS {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return fmt.Errorf("%s is real AWS", host)
		}
	}
	addresses, err := lookup(host)
	if err != nil {
		return err
	}
	for _, a := range addresses {
		if a = a.Unmap(); !a.IsLoopback() && !a.IsPrivate() {
			return fmt.Errorf("%s has the public address %s", host, a)
		}
	}
	return nil
}
