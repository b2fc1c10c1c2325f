package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// deployment is what the command works on.
type deployment struct {
	config aws.Config
	spec   spec.Spec
	// function is the ARN of the function, and functionName its name without an alias. Both are empty
	// when the mapping came from a file.
	function, functionName string
	// updated is when the function was last changed, zero when that is not known.
	updated time.Time
}

// deployment reads the mapping from where the flags say. The configuration of the clients is that
// of the function's Region, for so many connections.
func (c *command) deployment(ctx context.Context, connections int) (*deployment, error) {
	config, err := loadConfig(ctx, c.flags.function, connections)
	if err != nil {
		return nil, err
	}
	d := &deployment{config: config}

	if c.flags.function != "" {
		err = d.readFunction(ctx, c.flags.function)
	} else {
		d.spec, err = readSpec(c.flags.spec)
	}
	if err != nil {
		return nil, err
	}

	if c.flags.target != "" {
		err = d.choose(c.flags.target)
	}

	return d, err
}

// readSpec reads the mapping from a file, or from the variable that a function has it in.
func readSpec(file string) (spec.Spec, error) {
	text := os.Getenv(spec.EnvironmentVariable)
	if file != "" {
		content, err := os.ReadFile(file)
		if err != nil {
			return spec.Spec{}, usageError("the mapping cannot be read: %s", err)
		}
		text = strings.TrimSpace(string(content))
	}
	if text == "" {
		return spec.Spec{}, usageError("which ReplicatedTable? name its function with -function, or a file with its mapping "+
			"with -spec (or set %s)", spec.EnvironmentVariable)
	}

	return loadSpec(text, os.ReadFile)
}

// choose leaves only one target.
func (d *deployment) choose(table string) error {
	at := slices.IndexFunc(d.spec.Targets, func(t spec.Target) bool { return t.TableName == table })
	if at < 0 {
		return usageError("%q is not a target table of %s: its target tables are %s",
			table, d.spec.Source.TableName, strings.Join(targetTables(d.spec), ", "))
	}
	d.spec.Targets = []spec.Target{d.spec.Targets[at]}

	return nil
}

func targetTables(s spec.Spec) []string {
	var tables []string
	for _, t := range s.Targets {
		tables = append(tables, t.TableName)
	}
	return tables
}

// readFunction reads the mapping from the configuration of a function.
func (d *deployment) readFunction(ctx context.Context, name string) error {
	client := lambda.NewFromConfig(d.config)
	out, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
		return d.noFunction(ctx, name)
	}
	if err != nil {
		return err
	}

	d.function, d.functionName = aws.ToString(out.FunctionArn), aws.ToString(out.FunctionName)
	// Lambda writes 2019-09-07T16:21:04.000+0000. A time in another form is not known.
	d.updated, _ = time.Parse("2006-01-02T15:04:05.000-0700", aws.ToString(out.LastModified))
	if out.Environment == nil || out.Environment.Variables[spec.EnvironmentVariable] == "" {
		if out.Environment != nil && out.Environment.Error != nil {
			return usageError("the environment of the function %s cannot be read: %s",
				name, aws.ToString(out.Environment.Error.Message))
		}
		return usageError("%s is not the function of a ReplicatedTable: it has no variable %s",
			name, spec.EnvironmentVariable)
	}

	layers := layers{ctx, client, out.Layers}
	d.spec, err = loadSpec(out.Environment.Variables[spec.EnvironmentVariable], layers.readFile)

	return err
}

// noFunction says where there is no such function.
func (d *deployment) noFunction(ctx context.Context, name string) error {
	account := "this account"
	if who, err := sts.NewFromConfig(d.config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err == nil {
		account = "account " + aws.ToString(who.Account)
	}
	if parsed, err := arn.Parse(name); err == nil && !strings.HasSuffix(account, parsed.AccountID) {
		return usageError("the function is in account %s, and the credentials are those of %s: set AWS_PROFILE",
			parsed.AccountID, account)
	}

	return usageError("there is no function %s in %s, Region %s: check the name, AWS_PROFILE and AWS_REGION",
		name, account, d.config.Region)
}

// sameRelease says how to get the command of the release that an app deploys. With go run, each exit
// code but 0 would be 1.
const sameRelease = "use the command of the release that deployed it: in the CDK app, " +
	"go install github.com/replicatedtable/cdk-go/runtime/cmd/replicatedtable@" +
	"$(go list -m -f {{.Version}} github.com/replicatedtable/cdk-go)"

// loadSpec reads a mapping. One that was written for other rules than ours is an error that says
// which command knows them.
func loadSpec(text string, readFile func(path string) ([]byte, error)) (spec.Spec, error) {
	// Another release's mapping may have fields that this one does not know, so the version is read
	// alone first.
	if err := checkVersion([]byte(text)); err != nil {
		return spec.Spec{}, err
	}
	s, err := spec.Load(text, func(path string) ([]byte, error) {
		mapping, err := readFile(path)
		if err == nil {
			err = checkVersion(mapping)
		}
		return mapping, err
	})

	known := (*failure)(nil)
	switch {
	case err == nil:
		return s, nil
	case errors.As(err, &known):
		return spec.Spec{}, known
	default:
		return spec.Spec{}, usageError("the mapping is not one of this release (%s): %s", err, sameRelease)
	}
}

func checkVersion(text []byte) error {
	v := spec.VersionOf(text)
	if v == 0 || v == spec.MappingVersion {
		return nil // spec.Load says what is wrong with a text that is not JSON
	}
	return usageError("the function maps by the rules of version %d, and this command by those of version %d: %s",
		v, spec.MappingVersion, sameRelease)
}

// layers are the layers of a function.
type layers struct {
	ctx    context.Context
	client *lambda.Client
	list   []types.Layer
}

// readFile reads a file of the layers, as the function finds it: that of a later layer replaces
// that of an earlier one.
func (l layers) readFile(path string) ([]byte, error) {
	name := strings.TrimPrefix(path, "/opt/")
	for _, layer := range slices.Backward(l.list) {
		content, err := l.download(layer)
		if err != nil {
			return nil, fmt.Errorf("the layer %s: %w", aws.ToString(layer.Arn), err)
		}
		files, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return nil, fmt.Errorf("the layer %s: %w", aws.ToString(layer.Arn), err)
		}
		file, err := files.Open(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return io.ReadAll(file)
	}

	return nil, fmt.Errorf("none of the function's %d layers has the file %s", len(l.list), name)
}

// download returns the archive of a layer.
func (l layers) download(layer types.Layer) ([]byte, error) {
	version, err := l.client.GetLayerVersionByArn(l.ctx, &lambda.GetLayerVersionByArnInput{Arn: layer.Arn})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(l.ctx, http.MethodGet, aws.ToString(version.Content.Location), http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}

	return io.ReadAll(response.Body)
}
