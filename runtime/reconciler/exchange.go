package reconciler

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replicatedtable/cdk-go/internal/rawdynamodb"
)

// exchange is the memory of a request and its answer, one after the other. The items of an answer
// are valid until the exchange is put back.
type exchange struct {
	body rawdynamodb.Body
	answer
	// retried says that the request was sent more than once: an earlier attempt may have been
	// carried out without an answer.
	retried bool
	// isPage says that it is for pages of tables.
	isPage bool
}

// operation sends one request whose body is ready.
type operation func(ctx context.Context, c *dynamodb.Client) error

// exchanges keeps the memory of exchanges.
type exchanges struct {
	mu sync.Mutex
	// An exchange that has held a page keeps up to megabytes. There are many more others, which must
	// not grow to that one after the other.
	pages, others []*exchange
}

// maxKeptAnswer is the largest answer whose memory is kept: a page of a table is 1 MB of items, and
// their JSON has up to three times as many bytes.
const maxKeptAnswer = 4 << 20

// getPage returns an exchange for a page of a table.
func (e *exchanges) getPage() *exchange {
	x := e.take(&e.pages)
	x.isPage = true

	return x
}

// get returns an exchange for anything else.
func (e *exchanges) get() *exchange { return e.take(&e.others) }

func (e *exchanges) take(kept *[]*exchange) *exchange {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(*kept)
	if n == 0 {
		return &exchange{}
	}
	x := (*kept)[n-1]
	*kept = (*kept)[:n-1]

	return x
}

func (e *exchanges) put(unused ...*exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, x := range unused {
		if !x.body.IsFree() || cap(x.body.Answer) > maxKeptAnswer {
			continue
		}
		if x.isPage {
			e.pages = append(e.pages, x)
		} else {
			e.others = append(e.others, x)
		}
	}
}
