// Command api answers the HTTP API of the users example.
//
// It writes users to the source table of a ReplicatedTable and lists them by
// state and city from the target table. It never writes to the target table:
// that is the replicator's work.
//
//	POST   /                      put a user               -> 201, the user
//	GET    /users?state=&city=    users of a state or city -> 200, {"users": [...], "next": "..."}
//	GET    /users/{email}         one user                 -> 200, the user
//	DELETE /users/{email}         delete a user            -> 204
//
// Every other answer is {"error": {"field": "...", "message": "..."}}; field is
// there when one member, parameter or the body is at fault. No answer and no
// log line repeats a value from DynamoDB's error messages, and no log line
// holds a user's email, state, city or zip code.
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
	h, err := start(context.Background(), os.Getenv, log)
	if err != nil {
		log.Error("cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(h.Handle)
}

// start makes the handler from the function's environment: SOURCE_TABLE and
// TARGET_TABLE name the two tables, and the AWS SDK reads its own variables.
// A missing table name is an error that names the variable.
func start(ctx context.Context, getenv func(string) string, log *slog.Logger) (handler, error) {
	var t tables
	for _, v := range []struct {
		name  string
		value *string
	}{{"SOURCE_TABLE", &t.source}, {"TARGET_TABLE", &t.target}} {
		if *v.value = getenv(v.name); *v.value == "" {
			return handler{}, fmt.Errorf("environment variable %s is not set: it names a DynamoDB table", v.name)
		}
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return handler{}, fmt.Errorf("load the AWS configuration: %w", err)
	}
	t.client = dynamodb.NewFromConfig(cfg)
	return handler{tables: t, log: log}, nil
}
