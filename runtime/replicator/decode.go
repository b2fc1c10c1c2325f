package replicator

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// decoder turns an invocation's payload into an event. It keeps its memory from
// one to the next, so what decode returns is valid until the next call.
type decoder struct {
	sourceTable string
	sourceKey   []keyAttribute
	// versioned says that records must carry what versions are made of.
	versioned bool

	event event
	// streamARN is the last one that was checked: a batch comes from one stream.
	streamARN []byte
	// at is the position behind what was read. Negative, it is the complement of
	// the position where the payload is malformed; then nothing more is read.
	at int
}

func newDecoder(s spec.Spec) *decoder {
	guarded := func(t spec.Target) bool { return t.VersionAttribute != "" }
	return &decoder{
		sourceTable: s.Source.TableName,
		sourceKey:   keyAttributes(s.Source.KeySchema, spec.Target{}.KeySource),
		versioned:   slices.ContainsFunc(s.Targets, guarded),
	}
}

// decode reads the payload of one invocation. A record that is well-formed JSON
// but not a stream record is one change with an error; only a payload that is no
// event of stream records at all is an error of the batch.
func (d *decoder) decode(payload []byte) (*event, error) {
	e := &d.event
	e.payload, e.made, e.members, e.changes = payload, e.made[:0], e.members[:0], e.changes[:0]
	d.at, d.streamARN = 0, nil
	err := d.records()
	if d.at < 0 {
		err = fmt.Errorf("it is malformed at byte %d", ^d.at)
	}
	if err == nil && d.at != len(payload) {
		err = errors.New("something follows the event")
	}
	if err != nil {
		return nil, fmt.Errorf("the payload is not an event of DynamoDB stream records: %w", err)
	}
	return e, nil
}

// records reads {"Records":[…]}.
func (d *decoder) records() error {
	if len(d.event.payload) > maxPayloadBytes {
		return fmt.Errorf("it has %d bytes", len(d.event.payload))
	}
	d.at = skipSpace(d.event.payload, 0)
	if err := d.open('{', "the event"); err != nil {
		return err
	}
	found := false
	for n := 0; d.more('}', n); n++ {
		if name, _ := d.name(); string(d.event.text(name)) != "Records" {
			d.value()
			continue
		}
		found = true
		if err := d.open('[', "Records"); err != nil {
			return err
		}
		for n := 0; d.more(']', n); n++ {
			d.record()
		}
	}
	if !found {
		return errors.New("it has no Records")
	}
	if d.at >= 0 {
		d.at = skipSpace(d.event.payload, d.at)
	}
	return nil
}

// record reads one element of Records and appends its change.
func (d *decoder) record() {
	d.event.changes = append(d.event.changes, change{})
	c := &d.event.changes[len(d.event.changes)-1]
	start := d.at
	d.object(c, (*decoder).recordMember)
	if d.at < 0 {
		return
	}
	c.raw = d.since(start)
	if err := d.check(c); c.err == nil {
		c.err = err
	}
}

// object reads an object that is a part of c's record. A value that is not what it
// should be is skipped, and is c's error if it is the first: what follows is read
// all the same.
func (d *decoder) object(c *change, read func(d *decoder, c *change, name []byte) error) {
	start := d.at
	err := d.open('{', "a part of a record")
	for n := 0; err == nil && d.more('}', n); n++ {
		name, _ := d.name()
		value := d.at
		if err := read(d, c, d.event.text(name)); err != nil {
			d.skip(c, value, err)
		}
	}
	if err != nil {
		d.skip(c, start, err)
	}
}

// skip skips the value at start, which cannot be read because of err.
func (d *decoder) skip(c *change, start int, err error) {
	d.at = start
	d.value()
	if c.err == nil {
		c.err = err
	}
}

// recordMember reads the value of one member of a record.
func (d *decoder) recordMember(c *change, name []byte) (err error) {
	switch string(name) {
	case "eventName":
		c.eventName, err = d.string("eventName")
	case "eventSourceARN":
		c.streamARN, err = d.string("eventSourceARN")
	case "userIdentity":
		if d.kind() != '{' { // nobody in particular
			d.value()
			return nil
		}
		d.object(c, (*decoder).userIdentityMember)
	case "dynamodb":
		d.object(c, (*decoder).streamRecordMember)
	default:
		d.value()
	}
	return err
}

// timeToLive is the principal that deletes expired items. Source: Amazon DynamoDB
// Developer Guide, "DynamoDB Streams and Time to Live".
const timeToLive = "dynamodb.amazonaws.com"

// userIdentityMember reads the value of one member of the record's userIdentity
// object: who made the change.
func (d *decoder) userIdentityMember(c *change, name []byte) error {
	if string(name) != "principalId" || d.kind() != '"' {
		d.value()
		return nil
	}
	principal, err := d.string("principalId")
	c.expired = string(d.event.text(principal)) == timeToLive
	return err
}

// streamRecordMember reads the value of one member of the record's dynamodb object.
func (d *decoder) streamRecordMember(c *change, name []byte) (err error) {
	switch string(name) {
	case "SequenceNumber":
		c.sequenceNumber, err = d.string("SequenceNumber")
	case "ApproximateCreationDateTime":
		c.createdAt = d.value()
	case "StreamViewType":
		c.viewType, err = d.string("StreamViewType")
	case "Keys":
		c.keys, err = d.image()
	case "OldImage":
		c.oldImage, err = d.optionalImage()
	case "NewImage":
		c.newImage, err = d.optionalImage()
	default:
		d.value()
	}
	return err
}

// optionalImage reads an image that a record may lack. Null or an item without
// attributes is no image: emulators send them where DynamoDB leaves the image out.
func (d *decoder) optionalImage() (image, error) {
	if d.kind() == 'n' {
		d.value()
		return image{}, nil
	}
	img, err := d.image()
	if img.first == img.end {
		return image{}, err
	}
	return img, err
}

// image reads an item: {"name":{"S":"text"},…}.
func (d *decoder) image() (image, error) {
	start := d.at
	if err := d.open('{', "a part of a record"); err != nil {
		return image{}, err
	}
	first := len(d.event.members)
	for n := 0; d.more('}', n); n++ {
		name, from := d.name()
		value, err := d.attributeValue()
		if err != nil {
			return image{}, err
		}
		d.event.members = append(d.event.members, member{name: name, value: value, from: from})
	}
	if d.at < 0 {
		return image{}, nil
	}
	return image{uint32(first), uint32(len(d.event.members)), d.since(start)}, nil // #nosec G115 -- see maxPayloadBytes
}

// attributeValue reads an attribute value, which has one type descriptor. What is
// inside lists and maps is only carried.
func (d *decoder) attributeValue() (span, error) {
	if d.at < 0 {
		return span{}, nil
	}
	b, start := d.event.payload, d.at
	if d.at = skipScalar(b, start); d.at > 0 {
		return d.since(start), nil
	}
	d.at = start
	if kind := d.kind(); kind != '{' {
		return span{}, permanentf("an attribute value is %s, not an object", describe(kind))
	}
	descriptors := 0
	for d.at++; d.more('}', descriptors); descriptors++ {
		d.name()
		d.value()
	}

	switch {
	case d.at < 0:
		return span{}, nil
	case descriptors == 0:
		return span{}, permanentError("an attribute value has no type descriptor")
	case descriptors > 1:
		return span{}, errSeveralDescriptors
	default:
		return d.since(start), nil
	}
}

// open reads the bracket that opens what.
func (d *decoder) open(bracket byte, what string) error {
	if kind := d.kind(); kind != bracket {
		return permanentf("%s is %s, not %s", what, describe(kind), describe(bracket))
	}
	d.at++
	return nil
}

// more goes on to element number n of an object or array, where it begins, or to
// behind the bracket that closes it. It reports whether there is an element.
func (d *decoder) more(closing byte, n int) bool {
	if d.at < 0 {
		return false
	}
	b := d.event.payload
	i := skipSpace(b, d.at)
	switch {
	case i >= len(b):
		d.at = ^i
		return false
	case b[i] == closing:
		d.at = i + 1
		return false
	case n == 0:
		d.at = i
		return true
	case b[i] == ',':
		d.at = skipSpace(b, i+1)
		return true
	default:
		d.at = ^i
		return false
	}
}

// name reads a member's name, up to where its value begins. It returns where the
// member begins, too.
func (d *decoder) name() (name span, from uint32) {
	if d.at < 0 {
		return span{}, 0
	}
	start := d.at
	if value := skipPlainName(d.event.payload, start); value > 0 {
		d.at = value
		return span{uint32(start + 1), uint32(value - 2)}, uint32(start) // #nosec G115 -- see maxPayloadBytes
	}
	end, value := skipName(d.event.payload, start)
	if d.at = value; value < 0 {
		return span{}, 0
	}
	return d.unquoted(start, end), uint32(start) // #nosec G115 -- see maxPayloadBytes
}

// unquoted returns what the JSON string from start up to end says.
func (d *decoder) unquoted(start, end int) span {
	e := &d.event
	if bytes.IndexByte(e.payload[start:end], '\\') < 0 {
		return span{uint32(start + 1), uint32(end - 1)} // #nosec G115 -- see maxPayloadBytes
	}
	at := len(e.made)
	// It cannot fail for what was read as a string, but for half a surrogate pair,
	// which becomes a replacement character.
	e.made, _ = jsontext.AppendUnquote(e.made, e.payload[start:end])
	return e.madeSince(at)
}

// kind returns the first byte of the value that comes next, or 0 when there is
// none.
func (d *decoder) kind() byte {
	if d.at < 0 || d.at >= len(d.event.payload) {
		return 0
	}
	return d.event.payload[d.at]
}

// value reads a value.
func (d *decoder) value() span {
	if d.at < 0 {
		return span{}
	}
	start := d.at
	if d.at = skipValue(d.event.payload, start, 0); d.at < 0 {
		return span{}
	}
	return d.since(start)
}

// string reads a string.
func (d *decoder) string(what string) (span, error) {
	if kind := d.kind(); kind != '"' && d.at >= 0 {
		return span{}, permanentf("%s is %s, not a string", what, describe(kind))
	}
	text := d.value()
	if d.at < 0 {
		return span{}, nil
	}
	return d.unquoted(int(text.from), int(text.to)), nil
}

// since returns the span of what was read since the reader stood at start.
func (d *decoder) since(start int) span {
	return span{uint32(start), uint32(d.at)} // #nosec G115 -- see maxPayloadBytes
}

// check says whether a record that was read holds everything that replication
// needs, and identifies its source item.
func (d *decoder) check(c *change) error {
	e := &d.event
	if err := checkSequenceNumber(e.text(c.sequenceNumber)); err != nil {
		return err
	}
	if arn := e.text(c.streamARN); !bytes.Equal(arn, d.streamARN) {
		if table := streamTable(arn); table != nil && string(table) != d.sourceTable {
			return wrongStream("the records come from the stream of another table")
		}
		d.streamARN = arn
	}
	if viewType := e.text(c.viewType); len(viewType) > 0 && string(viewType) != newAndOldImages {
		return wrongStream("the stream's view type is not NEW_AND_OLD_IMAGES")
	}
	if !c.keys.exists() {
		return permanentError("it has no Keys")
	}
	at := len(e.made)
	for i := range d.sourceKey {
		k := &d.sourceKey[i]
		m := e.find(c.keys, k.name)
		if m == nil {
			return wrongStream(fmt.Sprintf("the records' Keys have no %q, the source table's key attribute", k.name))
		}
		var err error
		if e.made, err = k.appendIdentity(e.made, e.text(m.value)); err != nil {
			if typ, _, _ := scalar(e.text(m.value)); string(typ) != string(k.typ) {
				return wrongStream(fmt.Sprintf("the records' Keys are not those of the source table: %v", err))
			}
			return err // this record's own
		}
	}
	c.source = e.madeSince(at)
	var needsOld, needsNew bool
	switch string(e.text(c.eventName)) {
	case insert:
		needsNew = true
	case modify:
		needsOld, needsNew = true, true
	case remove:
		needsOld = true
	default:
		return permanentError("eventName is not INSERT, MODIFY or REMOVE")
	}
	if d.versioned {
		if first := e.text(c.createdAt); len(first) == 0 || first[0] != '-' && !isDigit(first[0]) {
			return permanentError("ApproximateCreationDateTime is missing or not a number: a version needs it")
		}
		if streamLabel(e.text(c.streamARN)) == nil {
			return permanentError("eventSourceARN is missing or not the ARN of a stream: a version needs its label")
		}
	}
	if err := d.checkImage(c.oldImage, needsOld, "an OldImage"); err != nil {
		return err
	}
	return d.checkImage(c.newImage, needsNew, "a NewImage")
}

func (d *decoder) checkImage(m image, needed bool, what string) error {
	if !m.exists() {
		if needed {
			return permanentf("it lacks %s", what)
		}
		return nil
	}
	if !needed {
		return permanentf("it has %s, which its event does not have", what)
	}
	for i := range d.sourceKey {
		if d.event.find(m, d.sourceKey[i].name) == nil {
			return permanentf("it has %s without %q, the source table's key attribute", what, d.sourceKey[i].name)
		}
	}
	return nil
}

// newAndOldImages is the one view type in which a change of key can be seen.
const newAndOldImages = "NEW_AND_OLD_IMAGES"

// maxSequenceNumberDigits is the longest sequence number. Source: Amazon
// DynamoDB Streams API Reference, StreamRecord: 21 to 40 characters.
const maxSequenceNumberDigits = 40

func checkSequenceNumber(n []byte) error {
	if len(n) == 0 {
		return permanentError("it has no SequenceNumber")
	}
	if len(n) > maxSequenceNumberDigits {
		return permanentf("SequenceNumber has %d digits: at most %d are known", len(n), maxSequenceNumberDigits)
	}
	for _, c := range n {
		if !isDigit(c) {
			return permanentError("SequenceNumber is not a decimal number")
		}
	}
	return nil
}

// describe names the kind of JSON value that begins with first.
func describe(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case 0:
		return "missing"
	default:
		return "a number"
	}
}
