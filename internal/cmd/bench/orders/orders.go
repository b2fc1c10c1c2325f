// Package orders makes the stream records that the benchmarks replicate: the
// orders of a shop, under two mappings. The same arguments make the same bytes.
//
// An order has twelve attributes of eight types, nested ones included, or ten flat
// ones when it is small. Texts have escapes and letters outside of ASCII, as real
// ones do.
package orders

import (
	"fmt"
	"strings"
	"time"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// Tables and key attributes of both mappings.
const (
	Source = "orders"
	// ByCustomer is the target of Unique, ByTime that of Colliding.
	ByCustomer = "orders-by-customer"
	ByTime     = "orders-by-time"

	OrderID    = "orderId"
	CustomerID = "customerId"
	PlacedAt   = "placedAt"
	// InternalNote is the attribute that no target item carries.
	InternalNote = "internalNote"
)

// Unique maps orderId to customerId and orderId, without the internal note.
func Unique() spec.Spec { return mapping(ByCustomer, OrderID) }

// Several is Unique with several targets: ByCustomer, and tables named after it with a number.
func Several(targets int) spec.Spec {
	s := Unique()
	for i := 2; i <= targets; i++ {
		next := s.Targets[0]
		next.TableName = fmt.Sprintf("%s-%d", ByCustomer, i)
		s.Targets = append(s.Targets, next)
	}
	return s
}

// Colliding maps orderId to customerId and placedAt, without the internal note.
// Two orders could meet there, so the newest wins and every write has a
// condition. The orders of this package do not meet.
func Colliding() spec.Spec {
	s := mapping(ByTime, PlacedAt)
	s.Targets[0].OnKeyCollision = spec.LastWriterWins
	s.Targets[0].VersionAttribute = spec.DefaultVersionAttribute
	return s
}

func mapping(target, sortKey string) spec.Spec {
	return spec.Spec{
		Source: spec.Table{TableName: Source, KeySchema: spec.KeySchema{
			PartitionKey: spec.Attribute{Name: OrderID, Type: spec.String},
		}},
		Targets: []spec.Target{{
			Table: spec.Table{TableName: target, KeySchema: spec.KeySchema{
				PartitionKey: spec.Attribute{Name: CustomerID, Type: spec.String},
				SortKey:      &spec.Attribute{Name: sortKey, Type: spec.String},
			}},
			Projection: spec.Projection{Type: spec.Exclude, Attributes: []string{InternalNote}},
		}},
		// No benchmark makes a record that can never be applied.
		FailureQueueURL: "http://127.0.0.1:1/failures",
	}
}

// Size is the size of an order, by DynamoDB's rule for item sizes.
type Size int

// The sizes, in bytes. An order has up to an eighth less, so a large one needs one write
// unit even with a version attribute.
const (
	Small Size = 200
	Large Size = 1024
)

// Inserts is the payload of an invocation with n new orders. An INSERT has one
// image.
func Inserts(n int, size Size) []byte {
	records := make([]string, n)
	for i := range n {
		records[i] = Record(i, i, "", order(i, 0, 0, size))
	}
	return payload(records)
}

// Changes is the payload of an invocation with n orders, each with the same number of
// changes, of which the first inserts it. A MODIFY has both images. The changes of
// different orders alternate, as they do in a stream.
func Changes(n, changes int, size Size) []byte {
	var records []string
	for revision := range changes {
		for i := range n {
			old := ""
			if revision > 0 {
				old = order(i, revision-1, revision-1, size)
			}
			records = append(records, Record(len(records), i, old, order(i, revision, revision, size)))
		}
	}
	return payload(records)
}

// Checks is the payload of an invocation in which n orders are checked. That brings
// every tenth to its next revision; of the others only the internal note changes.
func Checks(n int, size Size) []byte {
	records := make([]string, n)
	for i := range n {
		revision := 0
		if i%10 == 0 {
			revision = 1
		}
		records[i] = Record(i, i, order(i, 0, 0, size), order(i, revision, 1, size))
	}
	return payload(records)
}

// later is the sequence number of the first of a payload that follows another one.
const later = 1_000_000

// Updates is the payload of an invocation that brings n orders to their next revision.
func Updates(n int, size Size) []byte {
	return changes(n, func(i int) (before, after string) { return order(i, 0, 0, size), order(i, 1, 0, size) })
}

// Renewals is the payload of an invocation in which n orders get an attribute and lose one.
func Renewals(n int, size Size) []byte {
	return changes(n, func(i int) (before, after string) {
		before = order(i, 0, 0, size)
		return before, strings.Replace(before, `"tags":`, `"labels":`, 1)
	})
}

// Newer is the payload of an invocation with n new orders that are newer than those of Inserts.
func Newer(n int, size Size) []byte {
	records := make([]string, n)
	for i := range n {
		records[i] = Record(later+i, i, "", order(i, 1, 0, size))
	}
	return payload(records)
}

func changes(n int, images func(i int) (before, after string)) []byte {
	records := make([]string, n)
	for i := range n {
		before, after := images(i)
		records[i] = Record(later+i, i, before, after)
	}
	return payload(records)
}

func payload(records []string) []byte {
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

// Item is an order as an item of the source table, at a revision.
func Item(number, revision int, size Size) string { return order(number, revision, 0, size) }

// firstPlaced is when order number 0 was placed. One follows every second.
var firstPlaced = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

// Record is a stream record with the members that Lambda delivers. Its sequence number ends in
// sequence. An image that is empty does not exist.
func Record(sequence, number int, oldImage, newImage string) string {
	event, images := "MODIFY", `,"NewImage":`+newImage+`,"OldImage":`+oldImage
	switch {
	case oldImage == "":
		event, images = "INSERT", `,"NewImage":`+newImage
	case newImage == "":
		event, images = "REMOVE", `,"OldImage":`+oldImage
	}

	return fmt.Sprintf(`{"eventID":"%032x","eventName":%q,"eventVersion":"1.1","eventSource":"aws:dynamodb",`+
		`"awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{%q:{"S":%q}}%s,`+
		`"SequenceNumber":"44215845000000%014d","SizeBytes":%d,"StreamViewType":"NEW_AND_OLD_IMAGES"},`+
		`"eventSourceARN":"arn:aws:dynamodb:eu-west-1:123456789012:table/%s/stream/2026-03-01T08:00:00.000"}`,
		0x9e3779b97f4a7c15*uint64(sequence+1), event, firstPlaced.Unix()+int64(sequence), // #nosec G115 -- small and positive
		OrderID, ID(number), images, sequence, len(oldImage)+len(newImage), Source)
}

// ID is the order ID of an order.
func ID(number int) string { return fmt.Sprintf("ord-%08d", number) }

// order is one revision of an order as a stream image, after a number of checks.
func order(number, revision, checks int, size Size) string {
	placed := firstPlaced.Add(time.Duration(number) * time.Second).Format(time.RFC3339)
	status := []string{"placed", "paid", "packed", "sent", "received"}[revision%5]
	flat := fmt.Sprintf(`{%q:{"S":%q},%q:{"S":"cus-%05d"},%q:{"S":%q},"status":{"S":%q},`+
		`"total":{"N":"%d.%02d"},"quantity":{"N":"%d"},"paid":{"BOOL":%t},`,
		OrderID, ID(number), CustomerID, number%1000, PlacedAt, placed, status,
		10+number%90, number%100, 1+revision, revision > 0)
	if size == Small {
		return flat + fmt.Sprintf(`"tags":{"SS":["gift","web"]},%q:{"S":"checked %d"},`+
			`"note":{"S":"Please leave it at the door of the neighbours, Thank you!"}}`, InternalNote, checks)
	}

	return flat + fmt.Sprintf(`"coupon":{"NULL":true},"tags":{"SS":["gift","priority","web"]},`+
		`"address":{"M":{"street":{"S":"H\u00f6heweg %d"},"city":{"S":"Interlaken"},"zip":{"S":"3800"},"floor":{"N":"%d"}}},`+
		`"lines":{"L":[{"M":{"sku":{"S":"SKU-%06d"},"count":{"N":"2"},"price":{"N":"12.50"}}},`+
		`{"M":{"sku":{"S":"SKU-%06d"},"count":{"N":"1"},"price":{"N":"7.95"}}}]},`+
		`%q:{"S":"checked %d"},"note":{"S":"%s"}}`,
		1+number%90, number%7, number%1000000, (number+7)%1000000, InternalNote, checks, longNote)
}

// longNote is a note of a large order, as JSON writes it.
var longNote = `Ring twice: \"Möller\" is on the 2nd floor.\n` +
	strings.Repeat("Leave it with the neighbours if nobody is in. ", 12) + "Many thanks in advance."
