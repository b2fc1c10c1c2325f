package memorydb

import "strconv"

// members says where the members of a JSON object go, by name: to a *string, a
// *bool, a **int, an *attributes or a func(any) error.
type members map[string]any

// decode reads a request.
func decode(request []byte, to members) error {
	v, err := parseJSON(request)
	if err != nil {
		return err
	}

	return to.read(v)
}

// read reads an object. A member that is null counts as absent. An unknown member
// is an error: the request could mean something else without it.
func (m members) read(v any) error {
	o, ok := v.(object)
	if !ok {
		return malformed("the request or a part of it is not an object")
	}
	for _, member := range o {
		to, known := m[member.name]
		if !known {
			// DynamoDB answers something else, but a test must not go on as if all were done.
			return invalid("memorydb does not implement the member %q of this request", member.name)
		}
		if member.value == nil {
			continue
		}
		if err := assign(to, member.value); err != nil {
			return err
		}
	}

	return nil
}

func assign(to, v any) error {
	var err error
	ok := true
	switch to := to.(type) {
	case *string:
		*to, ok = v.(string)
	case *bool:
		*to, ok = v.(bool)
	case **int:
		var text jsonNumber
		if text, ok = v.(jsonNumber); ok {
			*to = new(int)
			**to, err = strconv.Atoi(string(text))
			ok = err == nil
		}
	case *attributes:
		*to, err = readAttributes(v, 1)
	case func(any) error:
		err = to(v)
	}
	if !ok {
		return malformed("a member of the request has the wrong type")
	}

	return err
}
