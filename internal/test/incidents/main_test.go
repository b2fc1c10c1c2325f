package incidents

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
	"github.com/replicatedtable/cdk-go/internal/tools"
)

// storiesAtOnce is how many stories are told at the same time. They mostly wait: for the command, which
// looks at differences twice, and for a queue that has no more messages.
const storiesAtOnce = "16"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", storiesAtOnce); err != nil {
		panic(err)
	}
	code := m.Run()
	if p, err := programs(); err == nil {
		_ = os.RemoveAll(p.folder)
	}
	os.Exit(code)
}

func engineRoot(t testing.TB) string {
	t.Helper()
	root, err := engine.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// built are the programs of all stories.
type built struct{ folder, function, command string }

// programs builds the programs once.
var programs = sync.OnceValues(func() (*built, error) {
	root, err := engine.Root()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "incidents-")
	if err != nil {
		return nil, err
	}
	p := &built{folder: folder}
	var functionErr, commandErr error
	var both sync.WaitGroup
	both.Go(func() { p.function, functionErr = buildFunction(root, folder) })
	both.Go(func() {
		p.command, commandErr = buildProgram(root, filepath.Join(folder, "replicatedtable"), "./runtime/cmd/replicatedtable")
	})
	both.Wait()
	return p, errors.Join(functionErr, commandErr)
})

// miniStack starts the cloud with the queues and the functions' configuration, once.
var miniStack = sync.OnceValues(func() (*cdk.Cloud, error) {
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

// engines starts what all stories share.
func engines(t testing.TB) (dynamoDB, others string, programsOfAll *built) {
	t.Helper()
	enginetest.Require(t, tools.Node, tools.Python)
	var start sync.WaitGroup
	var cloud *cdk.Cloud
	var cloudErr, buildErr error
	start.Go(func() { cloud, cloudErr = miniStack() })
	start.Go(func() { programsOfAll, buildErr = programs() })
	dynamoDB = enginetest.DynamoDBLocal(t)
	start.Wait()
	if err := errors.Join(cloudErr, buildErr); err != nil {
		t.Fatal(err)
	}
	return dynamoDB, cloud.Endpoint, programsOfAll
}

// zipped returns an archive with one file, as the code of a function that only has a
// configuration.
func zipped() ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("bootstrap")
	if err == nil {
		_, err = f.Write([]byte("#!/bin/sh\n"))
	}
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}
