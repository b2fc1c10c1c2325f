package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
)

// stackName is the stack of examples/users.
const stackName = "ReplicatedTableUsers"

// stackOutputs are the outputs of the stack.
type stackOutputs struct {
	APIURL            string `json:"ApiUrl"`
	APIID             string `json:"ApiId"`
	SourceTableName   string `json:"SourceTableName"`
	TargetTableName   string `json:"TargetTableName"`
	LosslessTableName string `json:"LosslessTableName"`
}

// deploy builds examples/users once and deploys what it built.
func (r *runner) deploy(ctx context.Context, c *cdk.Cloud) (*stackOutputs, error) {
	app, err := cdk.NewApp(c, r.root, "examples/users")
	if err != nil {
		return nil, err
	}
	defer app.Close()

	var outputs []byte
	for _, s := range []struct {
		name string
		do   func() error
	}{
		{"build examples/users (cdk synth)", func() error { return app.Synth(ctx) }},
		{"prepare the account (cdk bootstrap)", func() error { return app.Bootstrap(ctx) }},
		{"deploy examples/users (cdk deploy)", func() (err error) {
			outputs, err = app.Deploy(ctx, stackName)
			return err
		}},
	} {
		if err := r.step(ctx, s.name, s.do); err != nil {
			return nil, err
		}
	}

	return parseOutputs(outputs)
}

// parseOutputs reads what cdk deploy --outputs-file wrote.
func parseOutputs(content []byte) (*stackOutputs, error) {
	var stacks map[string]stackOutputs
	if err := json.Unmarshal(content, &stacks); err != nil {
		return nil, fmt.Errorf("the stack's outputs: %w", err)
	}
	o := stacks[stackName]
	if slices.Contains([]string{o.APIURL, o.APIID, o.SourceTableName, o.TargetTableName, o.LosslessTableName}, "") {
		return nil, fmt.Errorf("the stack %s has not all of its outputs: %s", stackName, content)
	}
	return &o, nil
}
