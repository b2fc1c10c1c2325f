// Command article is the article's function as its author builds it: with the
// SDK's default configuration.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/test/article"
)

func main() {
	log := slog.Default()
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Error("could not load the configuration", slog.Any("error", err))
		os.Exit(1)
	}
	f := &article.Function{Client: dynamodb.NewFromConfig(c), TableName: os.Getenv("TABLE_NAME"), Log: log}
	lambda.Start(f.Handle)
}
