package reconciler

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/rawdynamodb"
	"github.com/replicatedtable/cdk-go/internal/spec"
	"github.com/replicatedtable/cdk-go/internal/statement"
)

// Options are how a Reconciler reaches the tables, and how fast it may be.
type Options struct {
	// DynamoDB has the Region, the credentials, the endpoint and the HTTP client. The HTTP client
	// should keep as many idle connections per host as requests are in flight.
	DynamoDB dynamodb.Options
	// InFlight is the highest number of requests in flight of one call of Page. 0 is
	// DefaultInFlight. A page ends with a request of its own, so eight segments at once with one
	// request in flight each are faster than one segment with eight.
	InFlight int
	// WriteUnits and ReadUnits are limits per second, over all pages of this Reconciler: of the
	// write units of each target table, and of the read units of each table. 0 is no limit. The
	// rate is halved when a table throttles, and rises again slowly. With a limit, a page has at most
	// the items of 30 seconds.
	WriteUnits, ReadUnits float64
	// Grace is how long a difference is read again before it counts: the time that the stream may
	// need to carry a change. 0 is DefaultGrace.
	Grace time.Duration
	// Strict takes an empty target key that live source items map to for a difference, under
	// LAST_WRITER_WINS: Verify reads it again until Grace is over. Otherwise it is counted as
	// unclaimed at once.
	Strict bool
	// DryRun writes nothing. Backfill then counts what it would put.
	DryRun bool
	// Report is called with every difference, collision and unmappable item that is final, from
	// any goroutine. Nil reports nothing.
	Report func(Finding)
}

const (
	// DefaultInFlight is the number of requests in flight of one call of Page.
	DefaultInFlight = 8
	// DefaultGrace is how long a difference is read again. A stream is usually behind by less than
	// a second, and by a minute after an error of the function.
	DefaultGrace = time.Minute
)

// Reconciler reads the source table and the target tables of one spec, and writes to the target
// tables. It never writes to the source table. Its methods can be called from several goroutines.
type Reconciler struct {
	options   Options
	client    *dynamodb.Client
	source    *table
	targets   []*target
	exchanges exchanges
}

// table is a table, and how fast it may be used.
type table struct {
	name        string
	key         []mapping.KeyAttribute
	read, write *limiter
	isSource    bool
}

// target is a target table and what fills it.
type target struct {
	table
	mapping mapping.Mapping
	// inputs are the names of the source attributes that the key and the filter are derived from.
	inputs []string
	// added is more than the size of what a target item has beyond its source item.
	added int

	fallback statement.Fallback
	// refusedInRow counts the items that the table has refused for unknown reasons since it took one.
	refusedInRow atomic.Int32
	mu           sync.Mutex
	shapes       *statement.Shapes
}

// New returns a Reconciler for a spec without problems.
func New(s spec.Spec, o Options) *Reconciler {
	if o.InFlight == 0 {
		o.InFlight = DefaultInFlight
	}
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	// Throttling must be seen to slow down: retries are not the SDK's.
	o.DynamoDB.Retryer = aws.NopRetryer{}

	newTable := func(name string, key []mapping.KeyAttribute) table {
		return table{name: name, key: key, read: newLimiter(o.ReadUnits), write: newLimiter(o.WriteUnits)}
	}
	r := &Reconciler{options: o, client: rawdynamodb.New(o.DynamoDB, rawdynamodb.KeepAnswers)}
	source := newTable(s.Source.TableName, mapping.SourceKey(s.Source.KeySchema))
	source.isSource, source.write = true, newLimiter(0)
	r.source = &source
	// A target item's new names are in the spec, and its derived key values and its version are short.
	added := len(s.Encode()) + maxDerivedBytes
	for _, t := range s.Targets {
		m := mapping.New(s.Source.KeySchema, t)
		to := &target{table: newTable(t.TableName, m.Key), mapping: m, inputs: m.AppendInputs(nil), added: added}
		to.shapes = statement.NewShapes(&to.mapping)
		r.targets = append(r.targets, to)
	}

	return r
}

// maxDerivedBytes is more than two key values, of 2,048 and 1,024 bytes, and a version. Source: Amazon
// DynamoDB Developer Guide, "Quotas in Amazon DynamoDB", partition key and sort key values.
const maxDerivedBytes = 4 << 10

// target returns the target called name.
func (r *Reconciler) target(name string) (*target, error) {
	for _, t := range r.targets {
		if t.name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%q is not a target table of the mapping", name)
}
