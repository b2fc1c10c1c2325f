package replicatedtable

import (
	"flag"
	"os"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/jsiitest"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func TestMain(m *testing.M) { os.Exit(jsiitest.Run(m)) }
