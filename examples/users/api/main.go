// Command api answers the HTTP API of the users example. It writes users to the
// source table and lists them from the lossless target table, which the replicator writes.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	tables, err := newTables(context.Background())
	if err != nil {
		log.Error("cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(handler{tables: tables, log: log}.Handle)
}

// newTables reads the environment that the stack sets.
func newTables(ctx context.Context) (tables, error) {
	t := tables{
		source: os.Getenv("SOURCE_TABLE"),
		target: os.Getenv("TARGET_TABLE"),
	}
	if t.source == "" || t.target == "" {
		return t, fmt.Errorf("SOURCE_TABLE is %q, TARGET_TABLE is %q: name two tables", t.source, t.target)
	}
	settings, err := config.LoadDefaultConfig(ctx)
	t.client = dynamodb.NewFromConfig(settings)
	return t, err
}
