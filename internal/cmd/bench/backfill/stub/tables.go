package stub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/replicatedtable/cdk-go/internal/cmd/bench/orders"
	"github.com/replicatedtable/cdk-go/internal/test/memorydb"
)

// maxPageBytes is the most that one Scan reads. Source: DynamoDB API Reference, Scan.
const maxPageBytes = 1 << 20

// readUnit is how much one read unit covers. Source: DynamoDB Developer Guide, "DynamoDB read and
// write operations".
const readUnit = 4 << 10

// table is a table of generated items. Item number n is the template n modulo the number of
// templates, with the digits of n in its order ID.
type table struct {
	name string
	// text holds the templates, with commas between them: the items of a page.
	text []byte
	// templates are where they are in the text.
	templates []template
}

type template struct {
	begin, end int
	digits     int // where those of the order ID begin
	size       int // in bytes, as DynamoDB counts
}

const (
	idPrefix = `"` + orders.OrderID + `":{"S":"ord-`
	idDigits = 8
)

// tables returns the source table and the target table that it maps to.
func tables() (source, target *table, err error) {
	source, target = &table{name: orders.Source}, &table{name: orders.ByCustomer}
	for n, bytes := 0, 0; ; n++ {
		item := orders.Item(n, 0, orders.Large)
		var attributes map[string]json.RawMessage
		if err := json.Unmarshal([]byte(item), &attributes); err != nil {
			return nil, nil, err
		}
		delete(attributes, orders.InternalNote)
		projected, err := json.Marshal(attributes)
		if err != nil {
			return nil, nil, err
		}

		size, err := memorydb.ItemSize([]byte(item))
		if err != nil {
			return nil, nil, err
		}
		if bytes += size; bytes > maxPageBytes {
			return source, target, nil
		}
		if err := source.add(item); err != nil {
			return nil, nil, err
		}
		if err := target.add(string(projected)); err != nil {
			return nil, nil, err
		}
	}
}

// add adds a template.
func (t *table) add(item string) error {
	size, err := memorydb.ItemSize([]byte(item))
	if err != nil {
		return err
	}
	if len(t.text) > 0 {
		t.text = append(t.text, ',')
	}
	begin := len(t.text)
	digits := begin + strings.Index(item, idPrefix) + len(idPrefix)
	t.text = append(t.text, item...)
	t.templates = append(t.templates, template{begin, len(t.text), digits, size})

	return nil
}

// page returns the number after those of the page that begins with first. end is the end of the
// segment, limit the highest number of items or 0.
func (t *table) page(first, end, limit int) (after int) {
	after = first + len(t.templates) - first%len(t.templates)
	if limit > 0 {
		after = min(after, first+limit)
	}

	return min(after, end)
}

// segment returns the items of a segment: pages that begin with the first template.
func (t *table) segment(items, number, of int) (first, end int) {
	pages := t.pages(items)
	return min(items, pages*number/of*len(t.templates)), min(items, pages*(number+1)/of*len(t.templates))
}

// pages is the number of pages of a table with so many items.
func (t *table) pages(items int) int { return (items + len(t.templates) - 1) / len(t.templates) }

// items returns the JSON of the items first to after, in a copy of the text, and their size.
func (t *table) items(text []byte, first, after int) (list []byte, size int) {
	if first == after {
		return nil, 0
	}
	at := first % len(t.templates)
	templates := t.templates[at : at+after-first]
	for i, template := range templates {
		putDigits(text[template.digits:template.digits+idDigits], first+i)
		size += template.size
	}

	return text[templates[0].begin:templates[len(templates)-1].end], size
}

// appendItem appends the JSON of one item, which one read unit covers.
func (t *table) appendItem(dst []byte, number int) []byte {
	template := t.templates[number%len(t.templates)]
	begin := len(dst)
	dst = append(dst, t.text[template.begin:template.end]...)
	putDigits(dst[begin+template.digits-template.begin:][:idDigits], number)

	return dst
}

// key returns the key of an item as JSON.
func (t *table) key(number int) string {
	key := fmt.Sprintf(`%q:{"S":%q}`, orders.OrderID, orders.ID(number))
	if t.name == orders.Source {
		return "{" + key + "}"
	}
	var attributes map[string]json.RawMessage
	template := t.templates[number%len(t.templates)]
	_ = json.Unmarshal(t.text[template.begin:template.end], &attributes) // add has read it

	return fmt.Sprintf(`{%q:%s,%s}`, orders.CustomerID, attributes[orders.CustomerID], key)
}

func putDigits(dst []byte, number int) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + number%10)
		number /= 10
	}
}

// numbers calls do with the number in each order ID of a request.
func numbers(request []byte, do func(number int)) {
	for {
		_, rest, found := bytes.Cut(request, []byte(idPrefix))
		if !found || len(rest) < idDigits {
			return
		}
		number := 0
		for _, digit := range rest[:idDigits] {
			number = 10*number + int(digit-'0')
		}
		do(number)
		request = rest
	}
}
