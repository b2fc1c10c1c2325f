// Package stub is a DynamoDB endpoint that keeps nothing: a source table of generated orders of 1 KB,
// and a target table that has whatever one expects. So a benchmark of a million items measures the
// program that moves them, and hardly the endpoint.
//
// It answers Scan from pages that are ready but for the digits of the keys, and every write with a
// success. It speaks HTTP/1.1 by itself: no more than the SDK needs.
package stub

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/delay"
)

// Server answers requests of DynamoDB's JSON protocol.
type Server struct {
	delay          *delay.Delay
	source, target *table

	mu     sync.Mutex
	items  int
	totals Totals
}

// Totals are what DynamoDB would have counted.
type Totals struct {
	Requests              int
	ReadUnits, WriteUnits float64
}

// New returns a Server whose tables are empty. It answers a request when the time by has passed since
// it has read it.
func New(by time.Duration) (*Server, error) {
	source, target, err := tables()
	if err != nil {
		return nil, err
	}

	return &Server{delay: delay.New(by), source: source, target: target}, nil
}

// Begin gives the tables so many items, and returns the totals since it was last called.
func (s *Server) Begin(items int) Totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	totals := s.totals
	s.items, s.totals = items, Totals{}

	return totals
}

// Pages is the number of pages of a table with so many items.
func (s *Server) Pages(items int) int { return s.source.pages(items) }

// Serve answers the requests of a listener until it is closed.
func (s *Server) Serve(listener net.Listener) error {
	for {
		c, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			_ = (&connection{Server: s, conn: c, reader: bufio.NewReaderSize(c, 64<<10)}).serve() // the client has gone away
		}()
	}
}

// connection is one client's. Its memory is used for one request after the other.
type connection struct {
	*Server
	conn   net.Conn
	reader *bufio.Reader

	operation string
	body      []byte

	head, begin, tail []byte            // of the answer
	list              []byte            // its items, between begin and tail
	copies            map[*table][]byte // of the texts of the tables
}

func (c *connection) serve() error {
	for {
		if err := c.read(); err != nil {
			return err
		}
		ready := c.delay.Begin()
		status, err := c.answer()
		if err != nil {
			status = "400 Bad Request"
			c.begin = fmt.Appendf(c.begin[:0], `{"__type":"com.amazon.coral.validate#ValidationException","message":%q}`, err)
			c.list, c.tail = nil, c.tail[:0]
		}
		<-ready
		if err := c.write(status); err != nil {
			return err
		}
	}
}

// read reads a request.
func (c *connection) read() error {
	length := 0
	c.operation = ""
	for first := true; ; first = false {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case first:
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		case bytes.EqualFold(name, []byte("X-Amz-Target")):
			c.operation = strings.TrimPrefix(string(value), "DynamoDB_20120810.")
		}
	}

	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err := io.ReadFull(c.reader, c.body)

	return err
}

// write writes an answer. Without a checksum, the SDK closes the connection.
func (c *connection) write(status string) error {
	sum := crc32.ChecksumIEEE(c.begin)
	sum = crc32.Update(sum, crc32.IEEETable, c.list)
	sum = crc32.Update(sum, crc32.IEEETable, c.tail)
	c.head = fmt.Appendf(c.head[:0], "HTTP/1.1 %s\r\nContent-Type: application/x-amz-json-1.0\r\n"+
		"X-Amz-Crc32: %d\r\nContent-Length: %d\r\n\r\n", status, sum, len(c.begin)+len(c.list)+len(c.tail))
	c.head = append(c.head, c.begin...)
	answer := net.Buffers{c.head, c.list, c.tail}
	_, err := answer.WriteTo(c.conn)

	return err
}

func (c *connection) answer() (status string, err error) {
	c.begin, c.list, c.tail = c.begin[:0], nil, c.tail[:0]
	switch c.operation {
	case "Scan":
		err = c.scan()
	case "BatchGetItem":
		c.batchGet()
	case "BatchExecuteStatement":
		statements := bytes.Count(c.body, []byte(`{"Statement":`))
		one := fmt.Sprintf(`{"TableName":%q},`, c.target.name)
		c.begin = fmt.Appendf(c.begin, `{"Responses":[%s]`, strings.TrimSuffix(strings.Repeat(one, statements), ","))
		c.wrote(statements, "[", "]")
	case "BatchWriteItem":
		writes := bytes.Count(c.body, []byte(`{"PutRequest":`)) + bytes.Count(c.body, []byte(`{"DeleteRequest":`))
		c.begin = append(c.begin, `{"UnprocessedItems":{}`...)
		c.wrote(writes, "[", "]")
	case "PutItem":
		c.begin = append(c.begin, `{"Attributes":{}`...)
		c.wrote(1, "", "")
	default:
		err = fmt.Errorf("there is no %q here", c.operation)
	}

	return "200 OK", err
}

// wrote counts the write units of a request: one for each item, which has at most 1 KB.
func (c *connection) wrote(items int, open, end string) {
	c.count(Totals{Requests: 1, WriteUnits: float64(items)})
	c.consumed(c.target, float64(items), open, end)
}

func (c *connection) count(more Totals) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals.Requests += more.Requests
	c.totals.ReadUnits += more.ReadUnits
	c.totals.WriteUnits += more.WriteUnits
}

// consumed ends an answer, with the consumed units when they were asked for.
func (c *connection) consumed(t *table, units float64, open, end string) {
	if bytes.Contains(c.body, []byte(`"ReturnConsumedCapacity":"TOTAL"`)) {
		c.tail = fmt.Appendf(c.tail, `,"ConsumedCapacity":%s{"TableName":%q,"CapacityUnits":%g}%s`, open, t.name, units, end)
	}
	c.tail = append(c.tail, '}')
}

// table returns the table that a request names.
func (c *connection) table() *table {
	if bytes.Contains(c.body, fmt.Appendf(nil, "%q", c.target.name)) {
		return c.target
	}
	return c.source
}

func (c *connection) scan() error {
	request := struct {
		Limit, Segment, TotalSegments int
		ExclusiveStartKey             json.RawMessage
	}{TotalSegments: 1}
	if err := json.Unmarshal(c.body, &request); err != nil {
		return err
	}
	if request.TotalSegments < 1 || request.Segment < 0 || request.Segment >= request.TotalSegments {
		return fmt.Errorf("there is no segment %d of %d", request.Segment, request.TotalSegments)
	}
	c.mu.Lock()
	items := c.items
	c.mu.Unlock()
	t := c.table()
	first, end := t.segment(items, request.Segment, request.TotalSegments)
	numbers(request.ExclusiveStartKey, func(number int) { first = number + 1 })
	after := t.page(first, end, request.Limit)

	if c.copies == nil {
		c.copies = map[*table][]byte{}
	}
	if c.copies[t] == nil {
		c.copies[t] = bytes.Clone(t.text)
	}
	list, size := t.items(c.copies[t], first, after)
	c.begin, c.list = append(c.begin, `{"Items":[`...), list
	c.tail = fmt.Appendf(c.tail, `],"Count":%d,"ScannedCount":%[1]d`, after-first)
	if after < end {
		c.tail = fmt.Appendf(c.tail, `,"LastEvaluatedKey":%s`, t.key(after-1))
	}
	c.hasRead(t, float64((size+readUnit-1)/readUnit), "", "")

	return nil
}

// hasRead counts the units of a consistent read, or half of them.
func (c *connection) hasRead(t *table, units float64, open, end string) {
	if !bytes.Contains(c.body, []byte(`"ConsistentRead":true`)) {
		units /= 2
	}
	c.count(Totals{Requests: 1, ReadUnits: units})
	c.consumed(t, units, open, end)
}

func (c *connection) batchGet() {
	t := c.table()
	c.mu.Lock()
	items := c.items
	c.mu.Unlock()
	c.begin = fmt.Appendf(c.begin, `{"UnprocessedKeys":{},"Responses":{%q:[`, t.name)
	units, found := 0, 0
	numbers(c.body, func(number int) {
		units++
		if number >= items {
			return
		}
		if found++; found > 1 {
			c.begin = append(c.begin, ',')
		}
		c.begin = t.appendItem(c.begin, number)
	})
	c.tail = append(c.tail, "]}"...)
	c.hasRead(t, float64(units), "[", "]")
}
