package memorydb

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of Scan. Source: DynamoDB API Reference, Scan.
const (
	maxSegments  = 1_000_000
	maxPageBytes = 1 << 20
)

// scan is the input of Scan.
type scan struct {
	name                     string
	consistent               bool
	limit, segment, segments *int
	start                    attributes
	projection               projection
	consumption              consumption
}

func (db *DB) scan(request []byte) ([]byte, error) {
	var s scan
	err := decode(request, s.consumption.with(s.projection.with(members{
		"TableName": &s.name, "ConsistentRead": &s.consistent, "Limit": &s.limit, "ExclusiveStartKey": &s.start,
		"Segment": &s.segment, "TotalSegments": &s.segments,
	})))
	if err != nil {
		return nil, err
	}
	names, err := s.projection.attributes()
	if err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	t, err := db.table(s.name)
	if err != nil {
		return nil, err
	}
	positions, err := s.positions(t)
	if err != nil {
		return nil, err
	}

	items, size, last := s.page(t, positions, names)
	next := ""
	if last != nil {
		next = `,"LastEvaluatedKey":` + string(t.keyOf(last).append(nil))
	}

	return answer(fmt.Sprintf(`"Count":%d,"ScannedCount":%[1]d,"Items":[%s]`, len(items), strings.Join(items, ",")), next,
		s.consumption.member(consumed{table: s.name, units: readUnits(size, s.consistent)})), nil
}

func (s *scan) check() error {
	switch {
	case s.limit != nil && *s.limit < 1:
		return invalid("Limit must be greater than or equal to 1")
	case (s.segment == nil) != (s.segments == nil):
		return invalid("Segment and TotalSegments must be specified together")
	case s.segments == nil:
		s.segment, s.segments = new(int), new(int)
		*s.segments = 1
	case *s.segments < 1 || *s.segments > maxSegments || *s.segment < 0 || *s.segment >= *s.segments:
		return invalid("Segment %d of %d is not one of 1 to %d segments", *s.segment, *s.segments, maxSegments)
	}

	return nil
}

// positions returns the positions of the segment behind the start key, in order.
func (s *scan) positions(t *table) ([]position, error) {
	positions := t.inOrder()
	first, _ := slices.BinarySearchFunc(positions, *s.segment, func(p position, segment int) int {
		return p.segment(*s.segments) - segment
	})
	positions = positions[first:]
	if s.start == nil {
		return positions, nil
	}
	identity, err := t.checkKey(s.start)
	if err != nil {
		return nil, err
	}
	start := t.position(s.start, identity)
	if start.segment(*s.segments) != *s.segment {
		return nil, invalid("Exclusive start key must lie within the segment")
	}
	at, found := slices.BinarySearchFunc(positions, start, position.compare)
	if found {
		at++
	}

	return positions[at:], nil
}

// page returns the items of a page, as JSON, and their size before the projection. last are
// the attributes of the last one, unless the segment ends there.
func (s *scan) page(t *table, positions []position, names []string) (items []string, size int, last attributes) {
	for _, p := range positions {
		if p.segment(*s.segments) != *s.segment {
			break
		}
		found, exists := t.items[p.identity]
		if !exists {
			continue
		}
		items = append(items, found.project(names))
		size += found.size
		// Like DynamoDB Local: a page that is full has a next one, which may be empty.
		if s.limit != nil && len(items) == *s.limit || size > maxPageBytes {
			return items, size, found.attributes
		}
	}

	return items, size, nil
}
