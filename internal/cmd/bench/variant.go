package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/cmd/bench/typed"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/test/article"
	"github.com/replicatedtable/cdk-go/runtime/replicator"
)

// variant is one of the functions that are compared.
type variant struct {
	name  string
	title string
	// memory is the function's, in MB as Lambda counts them. It decides the share of a
	// CPU, the requests in flight of ours, and the settings of tuned.
	memory int
	// inFlight is how many requests it has in flight at once.
	inFlight int
	// serial means that a run takes seconds, so the warm-up has fewer records.
	serial bool
	// tuned means that the Go runtime is fitted to the memory.
	tuned bool
	// yardstick means that ours are compared with it.
	yardstick bool
	// guards means that it can write under a version guard.
	guards bool
	// firstTarget means that it writes to the first of several targets only.
	firstTarget bool
	// silent means that it reports no metrics.
	silent bool
	// handler returns the function's handler as lambda.Start runs it. The process has
	// the function's environment.
	handler func(ctx context.Context, s spec.Spec) (lambda.Handler, error)
}

var variants = []variant{
	{"article", "article: PutItem, one after the other", 256, 1, true, false, true, false, false, false, newArticle},
	{"typed", "typed SDK, 8 in flight", 256, typed.InFlight, false, false, true, true, false, false, newTyped},
	{"typed_tuned", "the same, its Go runtime tuned", 256, typed.InFlight, false, true, true, true, false, false, newTyped},
	{"ours256", "ours at 256 MB, 8 in flight", 256, 8, false, true, false, true, false, false, newOurs},
	{"silent256", "the same without metrics", 256, 8, false, true, false, true, false, true, newOurs},
	{"ours1280", "ours at 1,280 MB, 40 in flight", 1280, 40, false, true, false, true, false, false, newOurs},
	{"one256", "the same at 256 MB, to the first target only", 256, 8, false, true, false, true, true, false, newOurs},
	{"one1280", "the same at 1,280 MB, to the first target only", 1280, 40, false, true, false, true, true, false, newOurs},
}

// variantsFor returns the variants that can do a workload. The yardsticks write to one target;
// where there are several, ours are compared with themselves.
func variantsFor(w workload) []variant {
	guarded, several := w.spec.Targets[0].VersionAttribute != "", len(w.spec.Targets) > 1
	return slices.DeleteFunc(slices.Clone(variants), func(v variant) bool {
		return guarded && (!v.guards || v.silent) || several && (v.yardstick || v.silent) || !several && v.firstTarget
	})
}

// isLess reports whether it is one of ours that does less, with which the others are compared.
func (v variant) isLess() bool { return v.firstTarget || v.silent }

func findVariant(name string) (variant, error) {
	i := slices.IndexFunc(variants, func(v variant) bool { return v.name == name })
	if i < 0 {
		return variant{}, fmt.Errorf("there is no variant %q", name)
	}
	return variants[i], nil
}

func newArticle(ctx context.Context, s spec.Spec) (lambda.Handler, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}

	f := &article.Function{Client: dynamodb.NewFromConfig(c), TableName: s.Targets[0].TableName, Log: stderrLog()}

	return lambda.NewHandler(f.Handle), nil
}

func newTyped(ctx context.Context, s spec.Spec) (lambda.Handler, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}

	t := s.Targets[0]
	f := &typed.Function{
		Client: dynamodb.NewFromConfig(c), TableName: t.TableName,
		SourceKey: s.Source.PartitionKey.Name, PartitionKey: t.PartitionKey.Name, SortKey: t.SortKey.Name,
		Excluded: orders.InternalNote, VersionAttribute: t.VersionAttribute,
	}

	return lambda.NewHandler(func(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		response, err := f.Handle(ctx, event)
		if err == nil && len(response.BatchItemFailures) > 0 {
			err = errors.New("typed: not everything was applied")
		}

		return response, err
	}), nil
}

// newOurs writes the metrics to a file, as a function does, unless the spec says NONE.
func newOurs(context.Context, spec.Spec) (lambda.Handler, error) {
	r, err := replicator.New(os.Getenv, stderrLog())
	if err != nil {
		return nil, err
	}
	metrics, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	r.WriteMetrics(metrics, "bench")

	return r, nil
}

func stderrLog() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }
