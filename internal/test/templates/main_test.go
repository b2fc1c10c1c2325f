package templates

import (
	"os"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/jsiitest"
)

func TestMain(m *testing.M) { os.Exit(jsiitest.Run(m)) }
