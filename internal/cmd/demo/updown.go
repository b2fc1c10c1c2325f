package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/replicatedtable/cdk-go/internal/test/cdk"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
)

// upOutputs is .local/outputs.json: what a script needs to use what up left running.
type upOutputs struct {
	Endpoint      string `json:"endpoint"`
	APIID         string `json:"apiId"`
	SourceTable   string `json:"sourceTable"`
	TargetTable   string `json:"targetTable"`
	LosslessTable string `json:"losslessTable"`
}

// up deploys the example and leaves it running. When it is running already, it
// deploys again to the same place.
func (r *runner) up(ctx context.Context) error {
	existing, err := r.existingCloud(ctx)
	if err != nil {
		return err
	}
	if err := r.install(ctx); err != nil {
		return err
	}

	c, started := existing, (*engine.Detached)(nil)
	if c == nil {
		if c, started, err = r.startDetached(ctx); err != nil {
			return err
		}
	}
	outputs, err := r.deploy(ctx, c)
	if err == nil {
		err = r.writeOutputs(upOutputs{
			Endpoint: c.Endpoint, APIID: outputs.APIID,
			SourceTable: outputs.SourceTableName,
			TargetTable: outputs.TargetTableName, LosslessTable: outputs.LosslessTableName,
		})
	}
	if err != nil {
		if started != nil {
			err = errors.Join(err, r.step(context.WithoutCancel(ctx), "stop MiniStack", started.Stop))
		}
		return withLog(ctx, err, c)
	}
	r.printCommands(c, outputs)
	return nil
}

// startDetached starts MiniStack unless it is running. started is nil if it was.
func (r *runner) startDetached(ctx context.Context) (c *cdk.Cloud, started *engine.Detached, err error) {
	running, err := engine.FindDetached(r.recordFile())
	if err != nil {
		return nil, nil, err
	}
	if running != nil {
		r.printf("MiniStack is already running at %s: deploying to it again\n", running.Endpoint)
		return &cdk.Cloud{Endpoint: running.Endpoint, Log: running.Log}, nil, nil
	}
	err = r.step(ctx, "start MiniStack, a local cloud", func() error {
		started, err = engine.StartDetachedMiniStack(ctx, r.root, r.recordFile())
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	r.printEmulator(started.Endpoint, started.Log)
	return &cdk.Cloud{Endpoint: started.Endpoint, Log: started.Log}, started, nil
}

func (r *runner) recordFile() string { return filepath.Join(r.state, "ministack.json") }

func (r *runner) outputsFile() string { return filepath.Join(r.state, "outputs.json") }

// writeOutputs replaces the file in one step, so that a reader never sees half of it.
func (r *runner) writeOutputs(o upOutputs) error {
	content, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	incomplete := r.outputsFile() + ".incomplete"
	if err := os.WriteFile(incomplete, append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(incomplete, r.outputsFile())
}

func (r *runner) printCommands(c *cdk.Cloud, o *stackOutputs) {
	a := newAPI(c, o)
	host := ""
	if a.host != "" {
		host = " -H 'Host: " + a.host + "'"
	}
	u := users[0]
	r.printf(`
It is running, and %s says where. Try:

  # put a user: into the source table
  curl -i%[2]s %[3]s/ \
    -d '{"email":"%[4]s","state":"%[5]s","city":"%[6]s","zipcode":"%[7]s"}'

  # a moment later, list users by state, or by state and city: from the lossless target
  curl -i%[2]s -G %[3]s/users --data-urlencode 'state=%[5]s'
  curl -i%[2]s -G %[3]s/users --data-urlencode 'state=%[5]s' --data-urlencode 'city=%[6]s'

  # read and delete the user: in the source table
  curl -i%[2]s %[3]s/users/%[4]s
  curl -i%[2]s -X DELETE %[3]s/users/%[4]s

`, r.outputsFile(), host, a.base, u.Email, u.State, u.City, u.Zipcode)
	r.printf("Stop it with: make down\n")
}

// down stops what up left running.
func (r *runner) down(ctx context.Context) error {
	running, err := engine.FindDetached(r.recordFile())
	if err != nil {
		return err
	}
	if running == nil {
		return r.forget()
	}
	if err := r.step(ctx, "stop MiniStack at "+running.Endpoint, running.Stop); err != nil {
		return err
	}
	return r.removeOutputs()
}

// forget handles down when no MiniStack of ours runs: up used another emulator,
// or what it started has ended by itself.
func (r *runner) forget() error {
	content, err := os.ReadFile(r.outputsFile())
	if errors.Is(err, fs.ErrNotExist) {
		r.printf("Nothing is running.\n")
		return nil
	}
	if err != nil {
		return err
	}
	var o upOutputs
	if err := json.Unmarshal(content, &o); err != nil {
		return fmt.Errorf("%s: %w", r.outputsFile(), err)
	}
	r.printf("No MiniStack that make up started is running. "+
		"If %s is another emulator, what was deployed there stays there.\n", o.Endpoint)
	return r.removeOutputs()
}

func (r *runner) removeOutputs() error {
	if err := os.Remove(r.outputsFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
