package incidents

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/cdktest"
	"github.com/replicatedtable/cdk-go/internal/test/engine"
	"github.com/replicatedtable/cdk-go/internal/test/enginetest"
)

// storiesAtOnce is how many stories are told at the same time. They mostly wait: for the command, which
// looks at differences twice, and for a queue that has no more messages.
const storiesAtOnce = "16"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", storiesAtOnce); err != nil {
		panic(err)
	}
	code := m.Run()
	if p, err := programs(); err == nil {
		_ = os.RemoveAll(p.folder)
	}
	os.Exit(code)
}

func engineRoot(t testing.TB) string {
	t.Helper()
	root, err := engine.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// built are the programs of all stories.
type built struct{ folder, function, command string }

// programs builds the programs once.
var programs = sync.OnceValues(func() (*built, error) {
	root, err := engine.Root()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "incidents-")
	if err != nil {
		return nil, err
	}
	p := &built{folder: folder}
	var functionErr, commandErr error
	var both sync.WaitGroup
	both.Go(func() { p.function, functionErr = buildFunction(root, folder) })
	both.Go(func() {
		p.command, commandErr = buildProgram(root, filepath.Join(folder, "replicatedtable"), "./runtime/cmd/replicatedtable")
	})
	both.Wait()
	return p, errors.Join(functionErr, commandErr)
})

// engines starts what all stories share.
func engines(t testing.TB) (dynamoDB, others string, programsOfAll *built) {
	t.Helper()
	var start sync.WaitGroup
	var err error
	start.Go(func() { programsOfAll, err = programs() })
	dynamoDB, others = enginetest.DynamoDBLocal(t), cdktest.MiniStack(t).Endpoint
	start.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return dynamoDB, others, programsOfAll
}
