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
// /users/ is the email. A plus sign is a plus sign: only in a query string does
// it mean a space.
//
// What becomes of %25 is not documented. Requests recorded on AWS show that it
// is decoded twice (%2540 arrives as @, and %25 before other text is refused:
// github.com/hotsock/voker, ingress-paths.json), and an emulator leaves it as it
// is. Whatever it is, no user's email contains a percent sign: see decodeUser.
func parsePath(rawPath string) path {
	switch rawPath {
	case "/", "/users":
		return path{template: rawPath}
	}
	email, ok := strings.CutPrefix(rawPath, "/users/")
	if !ok || email == "" {
		return path{}
	}
	return path{template: "/users/{email}", email: email}
}

// userPath is the path of one user, percent-encoded.
func userPath(email string) string {
	return "/users/" + url.PathEscape(email)
}
