// The main that the construct writes for a function.
package main

import "github.com/replicatedtable/cdk-go/runtime/replicator"

func main() { replicator.Start() }
