package replicator

import "bytes"

// event is the payload of one invocation, decoded. What it holds are spans: it is
// small, nothing of the payload is copied, and the garbage collector has nothing
// to follow in it.
type event struct {
	payload []byte
	// made is text that does not stand in the payload as it is: names without
	// their escapes, identities, composites. Its positions go on where the
	// payload's end.
	made    []byte
	members []member
	changes []change
}

// span is a part of an event's text, from one position up to another. The zero
// span is none.
type span struct{ from, to uint32 }

// maxPayloadBytes keeps every position in a span, those of what is made included:
// that is never more than a few times the payload. Lambda's payloads have 6 MB.
const maxPayloadBytes = 1 << 29

// text returns the text of a span.
func (e *event) text(s span) []byte {
	if n := uint32(len(e.payload)); s.from >= n && s.to > 0 { // #nosec G115 -- see maxPayloadBytes
		return e.made[s.from-n : s.to-n : s.to-n]
	}
	return e.payload[s.from:s.to:s.to]
}

// madeSince returns the span of what was made since made had the length at.
func (e *event) madeSince(at int) span {
	return span{uint32(len(e.payload) + at), uint32(len(e.payload) + len(e.made))} // #nosec G115 -- see maxPayloadBytes
}

// member is one attribute of an image.
type member struct {
	// name is the attribute name, without quotes and escapes.
	name span
	// value is the attribute value as JSON: {"S":"text"}.
	value span
	// from is where the whole member begins as JSON: "name":{"S":"text"}.
	from uint32
}

func (m *member) raw() span { return span{m.from, m.value.to} }

// image is an item as the stream shows it: the members with the numbers from first
// up to end. The zero image is an absent item.
type image struct {
	first, end uint32
	// raw is the image as JSON.
	raw span
}

func (m image) exists() bool { return m.raw.to > 0 }

// attributes returns the members of an image.
func (e *event) attributes(m image) []member { return e.members[m.first:m.end] }

// find returns the attribute called name, or nil.
func (e *event) find(m image, name string) *member {
	attributes := e.attributes(m)
	for i := range attributes {
		if n := attributes[i].name; int(n.to-n.from) == len(name) && string(e.text(n)) == name {
			return &attributes[i]
		}
	}
	return nil
}

// near is how far findNear looks.
const near = 64

// findNear is find for a name that is probably at position start: both images of
// a record list their attributes in one order as a rule. It looks at near
// attributes from there on, so that comparing two large images takes no more time
// than reading them.
func (e *event) findNear(m image, start int, name []byte) *member {
	attributes := e.attributes(m)
	for n := range min(near, len(attributes)) {
		if at := &attributes[(start+n)%len(attributes)]; bytes.Equal(e.text(at.name), name) {
			return at
		}
	}
	return nil
}

// at returns the attribute value at path: a top-level attribute, then members of
// nested maps. The zero span says that there is none.
func (e *event) at(m image, path []string) span {
	attribute := e.find(m, path[0])
	if attribute == nil {
		return span{}
	}
	value := attribute.value
	for _, name := range path[1:] {
		value = e.member(e.member(value, "M"), name)
	}
	return value
}

// member returns the value of the member called name of an object, or the zero
// span when there is no such member or no object. The JSON is known to be
// well-formed.
func (e *event) member(object span, name string) span {
	b := e.payload
	i := int(object.from)
	if object.to == 0 || b[i] != '{' {
		return span{}
	}
	for i = skipSpace(b, i+1); b[i] == '"'; {
		nameEnd, at := skipName(b, i)
		end := skipValue(b, at, 0)
		if is(b[i:nameEnd], name) {
			return span{uint32(at), uint32(end)} // #nosec G115 -- see maxPayloadBytes
		}
		if i = skipSpace(b, end); b[i] == ',' {
			i = skipSpace(b, i+1)
		}
	}
	return span{}
}

// is reports whether text, a JSON string, stands for name.
func is(text []byte, name string) bool {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1:len(text)-1]) == name
	}
	unquoted, err := appendUnquoted(nil, text)
	return err == nil && string(unquoted) == name
}

// What happened to the source item: the event names of a DynamoDB stream.
const (
	insert = "INSERT"
	modify = "MODIFY"
	remove = "REMOVE"
)

// change is one decoded stream record.
type change struct {
	// raw is the whole record as JSON.
	raw span
	// sequenceNumber is none when the record has none.
	sequenceNumber span
	eventName      span
	// createdAt is the record's creation time in seconds, as JSON.
	createdAt span
	// streamARN names the stream the record came from, viewType what it holds.
	streamARN, viewType span
	keys                image
	oldImage            image
	newImage            image
	// source identifies the source item among the changes of a batch. None when
	// it is not known.
	source span
	// expired says that DynamoDB itself deleted the item, by its time to live.
	expired bool
	// err is why the record could not be decoded. The fields that could be are set.
	err error
}
