package memorydb

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// object is a JSON object with its members sorted by name.
type object []member

type member struct {
	name  string
	value any
}

// jsonNumber is a JSON number as it is written.
type jsonNumber string

// parseJSON reads JSON text into an object, an []any, a string, a bool, a
// jsonNumber or nil.
//
// Unlike encoding/json it refuses an object with the same name twice and text
// that is not Unicode. AWS does not document what DynamoDB does with either.
func parseJSON(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, malformed("the request is not UTF-8")
	}

	p := &jsonParser{text: text}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if p.next(); p.at < len(text) {
		return nil, p.unexpected()
	}

	return v, nil
}

// jsonParser is a recursive descent.
type jsonParser struct {
	text []byte
	at   int
}

// next skips spaces and returns the next byte without consuming it, 0 at the end.
func (p *jsonParser) next() byte {
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}

	return 0
}

// skip consumes a byte if it is the next one.
func (p *jsonParser) skip(c byte) bool {
	if p.next() != c {
		return false
	}
	p.at++

	return true
}

func (p *jsonParser) unexpected() error {
	if p.at >= len(p.text) {
		return malformed("unexpected end of JSON")
	}

	return malformed("unexpected %q at byte %d of JSON", p.text[p.at], p.at)
}

func (p *jsonParser) value() (any, error) {
	switch c := p.next(); c {
	case '{':
		return p.object()
	case '[':
		return p.list()
	case '"':
		return p.string()
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	default:
		return p.number()
	}
}

func (p *jsonParser) word(word string) error {
	if !bytes.HasPrefix(p.text[p.at:], []byte(word)) {
		return p.unexpected()
	}
	p.at += len(word)

	return nil
}

func (p *jsonParser) number() (any, error) {
	end := p.at
	for end < len(p.text) && strings.IndexByte("+-.0123456789Ee", p.text[end]) >= 0 {
		end++
	}
	text := p.text[p.at:end]
	if !json.Valid(text) {
		return nil, p.unexpected()
	}
	p.at = end

	return jsonNumber(text), nil
}

func (p *jsonParser) list() (any, error) {
	p.at++ // [
	list := []any{}
	if p.skip(']') {
		return list, nil
	}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if p.skip(']') {
			return list, nil
		}
		if !p.skip(',') {
			return nil, p.unexpected()
		}
	}
}

func (p *jsonParser) object() (any, error) {
	p.at++ // {
	o := object{}
	if p.skip('}') {
		return o, nil
	}
	for {
		m, err := p.member()
		if err != nil {
			return nil, err
		}
		o = append(o, m)
		if p.skip('}') {
			return o.sorted()
		}
		if !p.skip(',') {
			return nil, p.unexpected()
		}
	}
}

func (p *jsonParser) member() (member, error) {
	if p.next() != '"' {
		return member{}, p.unexpected()
	}
	name, err := p.string()
	if err != nil {
		return member{}, err
	}
	if !p.skip(':') {
		return member{}, p.unexpected()
	}
	v, err := p.value()

	return member{name, v}, err
}

// sorted sorts the members and refuses a name that is there twice.
func (o object) sorted() (any, error) {
	slices.SortFunc(o, func(a, b member) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(o); i++ {
		if o[i].name == o[i-1].name {
			return nil, malformed("an object has the name %q twice", o[i].name)
		}
	}

	return o, nil
}
