package cdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// The account of an emulator's root user, and the bucket that cdk bootstrap makes there
// for templates and functions.
const (
	account      = "000000000000"
	assetsBucket = "cdk-hnb659fds-assets-" + account + "-" + Region
)

// allowPlainHTTP deletes the policy of the assets bucket, which denies everything that
// does not come over TLS. An emulator that we start enforces it, and has no TLS.
func (c *Cloud) allowPlainHTTP(ctx context.Context) error {
	if c.Log == "" {
		return nil
	}
	_, err := c.send(ctx, http.MethodDelete, "s3", "/"+assetsBucket+"?policy", "", form)
	return err
}

// CreateStack creates a stack that needs nothing but its template, which may define roles.
func (c *Cloud) CreateStack(ctx context.Context, name string, template []byte) error {
	return c.query(ctx, "cloudformation", map[string]string{
		"Action": "CreateStack", "StackName": name, "TemplateBody": string(template),
		"Capabilities.member.1": "CAPABILITY_NAMED_IAM",
	}, nil)
}

// PhysicalID returns the name by which APIs know a resource of a stack.
func (c *Cloud) PhysicalID(ctx context.Context, stack, logicalID string) (string, error) {
	var answer struct {
		ID string `xml:"DescribeStackResourceResult>StackResourceDetail>PhysicalResourceId"`
	}
	err := c.query(ctx, "cloudformation", map[string]string{
		"Action": "DescribeStackResource", "StackName": stack, "LogicalResourceId": logicalID,
	}, &answer)
	if err == nil && answer.ID == "" {
		err = fmt.Errorf("stack %s has no resource %s", stack, logicalID)
	}
	return answer.ID, err
}

// query calls an API whose requests are forms and whose answers are XML. answer is nil
// where nobody asks for it.
func (c *Cloud) query(ctx context.Context, service string, fields map[string]string, answer any) error {
	values := url.Values{}
	for name, value := range fields {
		values.Set(name, value)
	}
	content, err := c.send(ctx, http.MethodPost, service, "/", values.Encode(), form)
	if err != nil || answer == nil {
		return err
	}
	return xml.Unmarshal(content, answer)
}

// form is the header of a request whose body is a form.
var form = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}

// send sends a request of the root user to an emulator. It is for the few calls to APIs
// whose SDKs are no dependencies of this module.
func (c *Cloud) send(ctx context.Context, method, service, path, body string, header http.Header) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.Endpoint+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header.Clone()
	key, err := root().Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(body))
	err = v4.NewSigner().SignHTTP(ctx, key, request, hex.EncodeToString(hash[:]), service, Region, time.Now())
	if err != nil {
		return nil, err
	}

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s of %s answered %s: %s", method, path, service, response.Status, content)
	}
	return content, err
}
