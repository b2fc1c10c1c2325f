// Package cdktest gets MiniStack for a test.
//
// It is not part of enginetest: the tests of what apps import use that, and an app's go.sum would have
// lines for the clients of the AWS services that package cdk uses.
package cdktest

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

// startMiniStack starts one cloud per test binary, with the role "functions".
var startMiniStack = sync.OnceValues(func() (*cdk.Cloud, error) {
	root, err := engine.Root()
	if err != nil {
		return nil, err
	}
	server, err := engine.StartMiniStack(context.Background(), root)
	if err != nil {
		return nil, err
	}
	cloud := &cdk.Cloud{Endpoint: server.Endpoint, Log: server.Log}
	return cloud, cloud.CreateStack(context.Background(), "Role", []byte(`{"Resources": {"Role": {"Type": "AWS::IAM::Role",
		"Properties": {"RoleName": "functions", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
			{"Effect": "Allow", "Action": "sts:AssumeRole",
				"Principal": {"Service": "lambda.amazonaws.com", "AWS": "000000000000"}}]}}}}}`))
})

// MiniStack returns the cloud for functions and queues, with the role "functions". All tests of one test
// binary share it. The first caller starts it, and it ends with the test binary, however that ends.
func MiniStack(t testing.TB) *cdk.Cloud {
	t.Helper()
	enginetest.Require(t, tools.Node, tools.Python)
	cloud, err := startMiniStack()
	if err != nil {
		t.Fatal(err)
	}
	return cloud
}

// Zip returns an archive with one file, as the code of a function or the content of a layer.
func Zip(name, content string) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write([]byte(content))
	}
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}
