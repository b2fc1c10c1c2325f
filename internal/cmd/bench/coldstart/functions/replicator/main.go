// Command replicator is the function of a ReplicatedTable, as the construct
// generates it.
package main

import "github.com/replicatedtable/cdk-go/runtime/replicator"

func main() { replicator.Start() }
