package memorydb

import "encoding/base64"

// append appends the canonical JSON of the attributes.
func (a attributes) append(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range a {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, a[i].name)
		dst = append(dst, ':')
		dst = a[i].value.append(dst)
	}

	return append(dst, '}')
}

func (v value) append(dst []byte) []byte {
	dst = append(dst, `{"`...)
	dst = append(dst, v.typ...)
	dst = append(dst, `":`...)
	switch v.typ {
	case "M":
		dst = v.members.append(dst)
	case "L":
		dst = v.appendElements(dst, value.append)
	case "SS", "NS", "BS":
		dst = v.appendElements(dst, value.appendScalar)
	default:
		dst = v.appendScalar(dst)
	}

	return append(dst, '}')
}

func (v value) appendElements(dst []byte, appendElement func(value, []byte) []byte) []byte {
	dst = append(dst, '[')
	for i := range v.elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendElement(v.elements[i], dst)
	}

	return append(dst, ']')
}

// appendScalar appends the content of a value without parts.
func (v value) appendScalar(dst []byte) []byte {
	switch v.typ {
	case "S":
		return appendQuoted(dst, v.text)
	case "B":
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.text))

		return append(dst, '"')
	case "N":
		dst = append(dst, '"')
		dst = append(dst, v.text...)

		return append(dst, '"')
	default: // BOOL, NULL
		return append(dst, v.text...)
	}
}
