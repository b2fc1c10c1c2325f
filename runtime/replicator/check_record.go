package replicator

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/replicatedtable/cdk-go/internal/dynamodbjson"
	"github.com/replicatedtable/cdk-go/internal/mapping"
)

// check returns an error unless a record has everything that replication needs. It also
// identifies the record's source item.
func (d *decoder) check(c *change) error {
	if err := checkSequenceNumber(c.sequenceNumber); err != nil {
		return err
	}
	if err := d.checkStream(c); err != nil {
		return err
	}
	if !c.keys.Exists() {
		return errors.New("it has no Keys")
	}
	if err := d.identify(c); err != nil {
		return err
	}

	if d.versioned {
		c.versionErr = checkVersion(c)
	}

	return d.checkImages(c)
}

// newAndOldImages is the one view type in which a change of key can be seen.
const newAndOldImages = "NEW_AND_OLD_IMAGES"

// checkStream returns an error unless the record comes from the stream of the source table.
func (d *decoder) checkStream(c *change) error {
	if !bytes.Equal(c.streamARN, d.streamARN) {
		if table := streamTable(c.streamARN); table != nil && string(table) != d.sourceTable {
			return wrongStream("the records come from the stream of another table")
		}
		d.streamARN = c.streamARN
	}

	if len(c.viewType) > 0 && string(c.viewType) != newAndOldImages {
		return wrongStream("the stream's view type is not NEW_AND_OLD_IMAGES")
	}

	return nil
}

// identify sets the identity of the change's source item.
func (d *decoder) identify(c *change) error {
	p := &d.event.payload
	at := len(d.identities)
	for i := range d.sourceKey {
		k := &d.sourceKey[i]
		m := p.Find(c.keys, k.Name)
		if m == nil {
			return wrongStream(fmt.Sprintf("the records' Keys have no %q, the source table's key attribute", k.Name))
		}
		var err error
		if d.identities, err = k.AppendIdentity(d.identities, p.Value(m)); err != nil {
			if typ, _, _ := dynamodbjson.Scalar(p.Value(m)); string(typ) != string(k.Type) {
				return wrongStream(fmt.Sprintf("the records' Keys are not those of the source table: %v", err))
			}
			return err // only this record is wrong
		}
	}
	c.source = d.identities[at:len(d.identities):len(d.identities)]

	return nil
}

// checkVersion returns an error unless a version can be derived from the record.
func checkVersion(c *change) error {
	if len(c.createdAt) == 0 || c.createdAt[0] != '-' && !isDigit(c.createdAt[0]) {
		return errors.New("ApproximateCreationDateTime is missing or not a number: a version needs it")
	}
	if streamLabel(c.streamARN) == nil {
		return errors.New("eventSourceARN is missing or not the ARN of a stream: a version needs its label")
	}
	return nil
}

// checkImages returns an error unless the record has the images of its event.
func (d *decoder) checkImages(c *change) error {
	var needsOld, needsNew bool
	switch string(c.eventName) {
	case insert:
		needsNew = true
	case modify:
		needsOld, needsNew = true, true
	case remove:
		needsOld = true
	default:
		return errors.New("eventName is not INSERT, MODIFY or REMOVE")
	}

	if err := d.checkImage(c.oldImage, needsOld, "an OldImage"); err != nil {
		return err
	}

	return d.checkImage(c.newImage, needsNew, "a NewImage")
}

func (d *decoder) checkImage(image dynamodbjson.Item, needed bool, what string) error {
	switch {
	case needed && !image.Exists():
		return fmt.Errorf("it lacks %s", what)
	case !needed && image.Exists():
		return fmt.Errorf("it has %s, which its event does not have", what)
	case !needed:
		return nil
	}

	for i := range d.sourceKey {
		if name := d.sourceKey[i].Name; d.event.payload.Find(image, name) == nil {
			return fmt.Errorf("it has %s without %q, the source table's key attribute", what, name)
		}
	}

	return nil
}

func checkSequenceNumber(n []byte) error {
	if len(n) == 0 {
		return errors.New("it has no SequenceNumber")
	}
	if len(n) > mapping.MaxSequenceNumberDigits {
		return fmt.Errorf("SequenceNumber has %d digits: at most %d are known", len(n), mapping.MaxSequenceNumberDigits)
	}
	for _, c := range n {
		if !isDigit(c) {
			return errors.New("SequenceNumber is not a decimal number")
		}
	}

	return nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
