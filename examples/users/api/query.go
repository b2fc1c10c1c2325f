package main

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"unicode/utf8"
)

// query asks for the users of a state, or of one city in it.
type query struct {
	state string
	// city narrows the query to one city; empty for all.
	city string
	// after is the city that ended the page before; empty for the first page.
	after string
}

// decodeQuery reads the query string of GET /users. The raw string is read
// because the gateway joins a repeated parameter's values with commas, and a
// city's name may have a comma in it. An error is a *problem that names the
// parameter.
func decodeQuery(raw string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, invalid("query", "is not a valid query string")
	}
	var q query
	var next string
	for _, p := range []struct {
		name     string
		value    *string
		maxBytes int
	}{
		{"state", &q.state, maxPartitionKeyBytes},
		{"city", &q.city, maxSortKeyBytes},
		{"next", &next, base64.RawURLEncoding.EncodedLen(maxSortKeyBytes)},
	} {
		given, ok := values[p.name]
		delete(values, p.name)
		switch {
		case !ok && p.name == "state":
			return query{}, invalid(p.name, "is missing")
		case !ok:
			continue
		case len(given) > 1:
			return query{}, invalid(p.name, "is given more than once")
		case given[0] == "":
			return query{}, invalid(p.name, "must not be empty")
		case !utf8.ValidString(given[0]):
			return query{}, invalid(p.name, "must be UTF-8")
		case len(given[0]) > p.maxBytes:
			return query{}, invalid(p.name, fmt.Sprintf("must be at most %d bytes long", p.maxBytes))
		}
		*p.value = given[0]
	}
	if unknown := slices.Sorted(maps.Keys(values)); len(unknown) > 0 {
		return query{}, invalid(unknown[0], "is not a parameter of this path")
	}
	if q.city != "" && next != "" {
		return query{}, invalid("next", "must not be given with city: a city has one page")
	}
	if q.after, err = decodeNext(next); err != nil {
		return query{}, err
	}
	return q, nil
}

// encodeNext makes the value that asks for the page after a city.
func encodeNext(city string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(city))
}

func decodeNext(next string) (string, error) {
	city, err := base64.RawURLEncoding.DecodeString(next)
	if err != nil || !utf8.Valid(city) {
		return "", invalid("next", "must be the next of an earlier answer")
	}
	return string(city), nil
}
