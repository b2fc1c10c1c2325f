package main

import (
	"fmt"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
)

// function is one of the functions that are compared.
type function struct {
	name, title string
	// folder is that of its main package, below functions.
	folder string
	// flags are go build's.
	flags []string
	// writes means that it writes the items of a batch.
	writes bool
	// variables are in the environment of this function only.
	variables map[string]string
}

// constructFlags are the flags with which the construct builds the function.
var constructFlags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-s", "-tags=lambda.norpc,nethttpomithttp2"}

// memory is the memory of every function, in MiB.
const memory = 256

var functions = []function{
	{"bare", "bare lambda.Start", "bare", constructFlags, false, nil},
	{"ours", "ours", "replicator", constructFlags, true, orders.Unique().Environment(memory)},
	{"article", "article", "article", nil, true, nil},
	{"article_small", "article, with our build flags", "article", constructFlags, true, nil},
}

// environment is the part of a function's environment that matters here.
func (f function) environment(address string, e dynamoDB) []string {
	environment := []string{
		"AWS_LAMBDA_RUNTIME_API=" + address,
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", memory),
		"AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=bench",
		"AWS_SECRET_ACCESS_KEY=bench",
		"AWS_ENDPOINT_URL=" + e.url,
		"SSL_CERT_FILE=" + e.roots,
		"TABLE_NAME=" + orders.ByCustomer,
	}
	for name, value := range f.variables {
		environment = append(environment, name+"="+value)
	}

	return environment
}
