package main

import (
	"net/url"
	"strings"
)

// path is a request path as the API knows it.
type path struct {
	// template is the path with its variable, or "" for an unknown path.
	template string
	// email is the value of {email}, decoded.
	email string
}

// parsePath reads the rawPath of a request.
//
// An HTTP API decodes the path before it invokes the function: %40 is @, and
// %2F is a slash that no longer matches the route with {email}, so such a
// request comes in over the $default route. That is why everything after
// /users/ is the email. The one escape that may be left is %25. Decoding just
// that one is right whether the gateway left it or not, unless an email itself
// contains the text "%25". A plus sign is a plus sign: only in a query string
// does it mean a space.
func parsePath(rawPath string) path {
	switch rawPath {
	case "/", "/users":
		return path{template: rawPath}
	}
	email, ok := strings.CutPrefix(rawPath, "/users/")
	if !ok || email == "" {
		return path{}
	}
	return path{
		template: "/users/{email}",
		email:    strings.ReplaceAll(email, "%25", "%"),
	}
}

// userPath is the path of one user, percent-encoded.
func userPath(email string) string {
	return "/users/" + url.PathEscape(email)
}
