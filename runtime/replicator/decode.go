package replicator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

// member is one attribute of an image: a slice of the payload.
type member struct {
	// name is the attribute name, without quotes and escapes.
	name []byte
	// value is the attribute value as JSON: {"S":"text"}.
	value []byte
	// raw is the whole member as JSON: "name":{"S":"text"}.
	raw []byte
}

// image is an item as the stream shows it. A nil image is an absent item.
type image []member

// find returns the position of the attribute called name, or -1.
func (m image) find(name string) int {
	for i := range m {
		if string(m[i].name) == name {
			return i
		}
	}
	return -1
}

// near is how far findNear looks.
const near = 64

// findNear is find for a name that is probably at position start: both images of
// a record list their attributes in one order as a rule. It looks at near
// attributes from there on, so that comparing two large images takes no more time
// than reading them.
func (m image) findNear(start int, name []byte) int {
	for n := range min(near, len(m)) {
		if at := (start + n) % len(m); bytes.Equal(m[at].name, name) {
			return at
		}
	}
	return -1
}

// What happened to the source item: the event names of a DynamoDB stream.
const (
	insert = "INSERT"
	modify = "MODIFY"
	remove = "REMOVE"
)

// change is one decoded stream record.
type change struct {
	// sequenceNumber is empty when the record has none.
	sequenceNumber []byte
	event          []byte
	// createdAt is the record's creation time in seconds, as JSON.
	createdAt []byte
	// streamARN names the stream the record came from, viewType what it holds.
	streamARN, viewType []byte
	keys                image
	oldImage            image
	newImage            image
	// expired says that DynamoDB itself deleted the item, by its time to live.
	expired bool
	// The record, its keys and its images as JSON, for the failure queue.
	raw, rawKeys, rawOldImage, rawNewImage []byte
	// source identifies the source item among the changes of a batch.
	source []byte
	// err is why the record could not be decoded. The fields that could be are set.
	err error
}

// decoder turns an invocation's payload into changes. It keeps its memory from
// one batch to the next, so what decode returns is valid until the next call.
type decoder struct {
	sourceTable string
	sourceKey   []keyAttribute
	// versioned says that records must carry what versions are made of.
	versioned bool

	json       jsontext.Decoder
	payload    []byte
	changes    []change
	members    []member
	names      []byte // attribute names that were escaped in the payload
	identities []byte
}

func newDecoder(s spec.Spec) *decoder {
	guarded := func(t spec.Target) bool { return t.VersionAttribute != "" }
	return &decoder{sourceTable: s.Source.TableName, sourceKey: keyAttributes(s.Source.KeySchema, spec.Target{}.KeySource), versioned: slices.ContainsFunc(s.Targets, guarded)}
}

// lenient are the options for all JSON that DynamoDB has written. A name that
// stands twice in one object would be DynamoDB's own error, and looking for it
// costs a hash per attribute. Half a surrogate pair in a string is the doing of
// whoever wrote the item; DynamoDB lets it through, and one such string must not
// stop a stream.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// decode reads the payload of one invocation. A record that is well-formed JSON
// but not a stream record is one change with an error; only a payload that is no
// event of stream records at all is an error of the batch.
func (d *decoder) decode(payload []byte) ([]change, error) {
	d.payload = payload
	d.changes, d.members, d.names, d.identities = d.changes[:0], d.members[:0], d.names[:0], d.identities[:0]
	d.json.Reset(bytes.NewBuffer(payload), lenient...)
	if err := d.event(); err != nil {
		return nil, fmt.Errorf("the payload is not an event of DynamoDB stream records: %w", err)
	}
	return d.changes, nil
}

// event reads {"Records":[…]}.
func (d *decoder) event() error {
	found := false
	err := d.object(func(name []byte, _ int) error {
		if string(name) != "Records" {
			return d.json.SkipValue()
		}
		found = true
		return d.records()
	})
	if err != nil {
		return err
	}
	if !found {
		return errors.New("it has no Records")
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the event")
	}
	return nil
}

func (d *decoder) records() error {
	if err := d.open('[', "Records", "an array"); err != nil {
		return err
	}
	for d.json.PeekKind() != ']' {
		if err := d.record(); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// record reads one element of Records and appends its change.
func (d *decoder) record() error {
	d.changes = append(d.changes, change{})
	c := &d.changes[len(d.changes)-1]
	depth := d.json.StackDepth()
	start := d.json.InputOffset()
	err := d.object(func(name []byte, _ int) error {
		switch string(name) {
		case "eventName":
			return d.text("eventName", &c.event)
		case "eventSourceARN":
			return d.text("eventSourceARN", &c.streamARN)
		case "userIdentity":
			if d.json.PeekKind() != '{' { // nobody in particular
				return d.json.SkipValue()
			}
			return d.object(func(name []byte, _ int) error { return d.userIdentity(c, name) })
		case "dynamodb":
			return d.object(func(name []byte, _ int) error { return d.streamRecord(c, name) })
		default:
			return d.json.SkipValue()
		}
	})
	if err == nil {
		c.err = d.check(c)
	} else if permanent := permanentError(""); errors.As(err, &permanent) {
		c.err, err = permanent, d.unwind(depth)
	}
	c.raw = d.since(start)
	return err
}

// timeToLive is the principal that deletes expired items. Source: Amazon DynamoDB
// Developer Guide, "DynamoDB Streams and Time to Live".
const timeToLive = "dynamodb.amazonaws.com"

func (d *decoder) userIdentity(c *change, name []byte) error {
	if string(name) != "principalId" || d.json.PeekKind() != '"' {
		return d.json.SkipValue()
	}
	var principal []byte
	err := d.text("principalId", &principal)
	c.expired = string(principal) == timeToLive
	return err
}

// unwind skips the rest of the value that is being read, up to the depth it
// started at.
func (d *decoder) unwind(depth int) error {
	for d.json.StackDepth() > depth {
		var err error
		if kind := d.json.PeekKind(); kind == '}' || kind == ']' {
			_, err = d.json.ReadToken()
		} else {
			err = d.json.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// streamRecord reads one member of a record's dynamodb object.
func (d *decoder) streamRecord(c *change, name []byte) error {
	switch string(name) {
	case "SequenceNumber":
		return d.text("SequenceNumber", &c.sequenceNumber)
	case "ApproximateCreationDateTime":
		value, err := d.json.ReadValue()
		c.createdAt = d.last(value)
		return err
	case "StreamViewType":
		return d.text("StreamViewType", &c.viewType)
	case "Keys":
		return d.image(&c.keys, &c.rawKeys)
	case "OldImage":
		return d.image(&c.oldImage, &c.rawOldImage)
	case "NewImage":
		return d.image(&c.newImage, &c.rawNewImage)
	default:
		return d.json.SkipValue()
	}
}

// image reads an item: {"name":{"S":"text"},…}. A nil dst afterwards means that
// it could not be read whole.
func (d *decoder) image(dst *image, raw *[]byte) error {
	at := len(d.members)
	start := d.json.InputOffset()
	err := d.object(func(name []byte, start int) error {
		value, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		if value.Kind() != '{' {
			return permanentf("an attribute value is %s, not an object", describe(value.Kind()))
		}
		d.members = append(d.members, member{
			name:  name,
			value: d.last(value),
			raw:   d.payload[start:d.json.InputOffset()],
		})
		return nil
	})
	if err != nil {
		return err
	}
	*dst = image(d.members[at:len(d.members):len(d.members)])
	*raw = d.since(start)
	return nil
}

// object reads an object and hands each member's name, and where in the payload
// the member starts, to read, which must consume the value.
func (d *decoder) object(read func(name []byte, start int) error) error {
	if err := d.open('{', "a part of a record", "an object"); err != nil {
		return err
	}
	for d.json.PeekKind() != '}' {
		text, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		start := int(d.json.InputOffset()) - len(text)
		if err := read(d.name(d.last(text)), start); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// open reads the token that opens what. Anything else is consumed, so that the
// reader stands behind it, and is a permanent error.
func (d *decoder) open(kind jsontext.Kind, what, want string) error {
	switch got := d.json.PeekKind(); got {
	case kind, 0: // 0 is malformed JSON: reading on gives the error
		_, err := d.json.ReadToken()
		return err
	default:
		if err := d.json.SkipValue(); err != nil {
			return err
		}
		return permanentf("%s is %s, not %s", what, describe(got), want)
	}
}

// name returns the name that text, a JSON string, stands for.
func (d *decoder) name(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1]
	}
	at := len(d.names)
	// It cannot fail: the decoder has just read it as a string.
	d.names, _ = jsontext.AppendUnquote(d.names, text)
	return d.names[at:len(d.names):len(d.names)]
}

// text reads a string that has no business being escaped: a sequence number, an
// event name, an ARN.
func (d *decoder) text(what string, dst *[]byte) error {
	value, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() != '"' {
		return permanentf("%s is %s, not a string", what, describe(value.Kind()))
	}
	*dst = d.name(d.last(value))
	return nil
}

// last returns the payload's own bytes of value, which was just read.
// jsontext promises a value only until the next read; the payload stays.
func (d *decoder) last(value jsontext.Value) []byte {
	end := int(d.json.InputOffset())
	return d.payload[end-len(value) : end : end]
}

// since returns the payload's own bytes of the one value that was read since the
// reader stood at start: there it had read what comes before the separator.
func (d *decoder) since(start int64) []byte {
	return bytes.TrimLeft(d.payload[start:d.json.InputOffset()], ",: \t\r\n")
}

// check says whether a record that was read holds everything that replication
// needs, and identifies its source item.
func (d *decoder) check(c *change) error {
	if err := checkSequenceNumber(c.sequenceNumber); err != nil {
		return err
	}
	if table := streamTable(c.streamARN); table != nil && string(table) != d.sourceTable {
		return configurationError("the records come from the stream of another table")
	}
	if len(c.viewType) > 0 && string(c.viewType) != newAndOldImages {
		return configurationError("the stream's view type is not NEW_AND_OLD_IMAGES")
	}
	if c.keys == nil {
		return permanentError("it has no Keys")
	}
	at := len(d.identities)
	for i := range d.sourceKey {
		k := &d.sourceKey[i]
		m := c.keys.find(k.name)
		if m < 0 {
			return configurationError(fmt.Sprintf("the records' Keys have no %q, the source table's key attribute", k.name))
		}
		var err error
		if d.identities, err = k.appendIdentity(d.identities, c.keys[m].value); err != nil {
			d.identities = d.identities[:at]
			return configurationError(fmt.Sprintf("the records' Keys are not those of the source table: %v", err))
		}
	}
	c.source = d.identities[at:len(d.identities):len(d.identities)]
	var needsOld, needsNew bool
	switch string(c.event) {
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
		if !jsontext.Value(c.createdAt).IsValid() || jsontext.Value(c.createdAt).Kind() != '0' {
			return permanentError("ApproximateCreationDateTime is missing or not a number: a version needs it")
		}
		if streamLabel(c.streamARN) == nil {
			return permanentError("eventSourceARN is missing or not the ARN of a stream: a version needs its label")
		}
	}
	if err := d.checkImage(c.oldImage, needsOld, "OldImage"); err != nil {
		return err
	}
	return d.checkImage(c.newImage, needsNew, "NewImage")
}

func (d *decoder) checkImage(m image, needed bool, what string) error {
	if m == nil {
		if needed {
			return permanentf("it has no %s", what)
		}
		return nil
	}
	if !needed {
		return permanentf("it has an %s, which its event does not have", what)
	}
	for i := range d.sourceKey {
		if m.find(d.sourceKey[i].name) < 0 {
			return permanentf("%s has no %q, the source table's key attribute", what, d.sourceKey[i].name)
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
		if c < '0' || c > '9' {
			return permanentError("SequenceNumber is not a decimal number")
		}
	}
	return nil
}

// describe names a kind of JSON value.
func describe(k jsontext.Kind) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "malformed"
	}
}
