package replicator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
	"github.com/replicatedtable/cdk-go/internal/spec"
)

// decoder turns an invocation's payload into an event. It keeps its memory from one
// payload to the next.
type decoder struct {
	sourceTable string
	sourceKey   []mapping.KeyAttribute
	// versioned says that a target needs what versions are derived from.
	versioned bool

	event  event
	reader dynamodbjson.Reader
	// identities holds the identities of source items.
	identities []byte
	// streamARN is the last one that was checked: a batch comes from one stream.
	streamARN []byte
}

func newDecoder(s spec.Spec) *decoder {
	guarded := func(t spec.Target) bool { return t.VersionAttribute != "" }
	return &decoder{
		sourceTable: s.Source.TableName,
		sourceKey:   mapping.SourceKey(s.Source.KeySchema),
		versioned:   slices.ContainsFunc(s.Targets, guarded),
	}
}

// decode reads the payload of one invocation. A record that is well-formed JSON but not a
// stream record is a change with an error, and a permanent failure. A record that is not
// meant for this function is one systemic failure of the whole batch. Only a payload that
// is not an event of stream records is an error.
func (d *decoder) decode(payload []byte) (*event, []failure, error) {
	e := &d.event
	e.payload.Reset(payload)
	e.changes, d.identities, d.streamARN = e.changes[:0], d.identities[:0], nil

	if err := d.records(len(payload)); err != nil {
		return nil, nil, fmt.Errorf("the payload is not an event of DynamoDB stream records: %w", err)
	}

	return e, undecoded(e.changes), nil
}

// undecoded returns the failures of the records that could not be decoded.
func undecoded(changes []change) []failure {
	var failures []failure
	for i := range changes {
		err := changes[i].err
		if err == nil {
			continue // before anything that allocates: nearly every record is fine
		}
		if wrong := (*configurationError)(nil); errors.As(err, &wrong) {
			return systemicFailure(wrong)
		}
		failures = append(failures, failure{change: i, mapping: everyMapping, class: permanent, err: recordError{err}})
	}

	return failures
}

// records reads {"Records":[…]}.
func (d *decoder) records(size int) error {
	if size > dynamodbjson.MaxPayloadBytes {
		return fmt.Errorf("it has %d bytes", size)
	}

	r := &d.reader
	r.Reset(&d.event.payload)
	err := r.Open('{', "the event")
	found := false
	for n := 0; err == nil && r.More('}', n); n++ {
		if string(r.Name()) != "Records" {
			r.Value()
			continue
		}
		found = true
		err = r.Open('[', "Records")
		for n := 0; err == nil && r.More(']', n); n++ {
			d.record()
		}
	}

	switch {
	case r.Err() != nil:
		return r.Err()
	case err != nil:
		return err
	case !found:
		return errors.New("it has no Records")
	default:
		return r.End()
	}
}

// record reads one element of Records and appends its change.
func (d *decoder) record() {
	d.event.changes = append(d.event.changes, change{})
	c := &d.event.changes[len(d.event.changes)-1]
	start := d.reader.Position()
	d.object(c, (*decoder).recordMember)
	if c.raw = d.reader.Since(start); c.raw == nil {
		return
	}

	if err := d.check(c); c.err == nil {
		c.err = err
	}
}

// object reads an object that is a part of c's record. It skips a value of the wrong
// kind, keeps the first such error as c's, and reads on.
func (d *decoder) object(c *change, read func(d *decoder, c *change, name []byte) error) {
	start := d.reader.Position()
	err := d.reader.Open('{', "a part of a record")
	for n := 0; err == nil && d.reader.More('}', n); n++ {
		name := d.reader.Name()
		value := d.reader.Position()
		if err := read(d, c, name); err != nil {
			d.skip(c, value, err)
		}
	}

	if err != nil {
		d.skip(c, start, err)
	}
}

// skip skips the value at start. err says why it cannot be read.
func (d *decoder) skip(c *change, start dynamodbjson.Position, err error) {
	d.reader.Return(start)
	d.reader.Value()
	if c.err == nil {
		c.err = err
	}
}

// recordMember reads the value of one member of a record.
func (d *decoder) recordMember(c *change, name []byte) (err error) {
	switch string(name) {
	case "eventName":
		c.eventName, err = d.reader.String("eventName")
	case "eventSourceARN":
		c.streamARN, err = d.reader.String("eventSourceARN")
	case "userIdentity":
		if d.reader.Kind() != '{' { // null: the author is an application
			d.reader.Value()
			return nil
		}
		d.object(c, (*decoder).userIdentityMember)
	case "dynamodb":
		d.object(c, (*decoder).streamRecordMember)
	default:
		d.reader.Value()
	}

	return err
}

// userIdentityMember reads the value of one member of the record's userIdentity object,
// which names the author of the change.
func (d *decoder) userIdentityMember(c *change, name []byte) error {
	if string(name) != "principalId" || d.reader.Kind() != '"' {
		d.reader.Value()
		return nil
	}
	principal, err := d.reader.String("principalId")
	c.expired = string(principal) == mapping.TimeToLive
	return err
}

// streamRecordMember reads the value of one member of the record's dynamodb object.
func (d *decoder) streamRecordMember(c *change, name []byte) (err error) {
	switch string(name) {
	case "SequenceNumber":
		c.sequenceNumber, err = d.reader.String("SequenceNumber")
	case "ApproximateCreationDateTime":
		c.createdAt = d.reader.Value()
	case "StreamViewType":
		c.viewType, err = d.reader.String("StreamViewType")
	case "Keys":
		c.keys, err = d.reader.Item()
	case "OldImage":
		c.oldImage, err = d.reader.OptionalItem()
	case "NewImage":
		c.newImage, err = d.reader.OptionalItem()
	default:
		d.reader.Value()
	}

	if errors.Is(err, dynamodbjson.ErrSeveralDescriptors) {
		return errSeveralDescriptors
	}

	return err
}
