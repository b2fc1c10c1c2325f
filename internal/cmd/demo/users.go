package main

import "github.com/replicatedtable/cdk-go/runtime/compositekey"

// user is one of the users that the demo posts.
type user struct {
	Email   string `json:"email"`
	State   string `json:"state"`
	City    string `json:"city"`
	Zipcode string `json:"zipcode,omitempty"`
	// Active is added by the API.
	Active bool `json:"active,omitempty"`
}

// users are those of the article. They live in five cities, so even a target table whose
// key is state and city has them all.
var users = []user{
	{Email: "user1@example.com", State: "New York", City: "Brooklyn", Zipcode: "11208"},
	{Email: "user2@example.com", State: "New York", City: "Staten Island", Zipcode: "10314"},
	{Email: "user3@example.com", State: "Ohio", City: "Cincinnati", Zipcode: "45201"},
	{Email: "user4@example.com", State: "Ohio", City: "Cleveland", Zipcode: "44101"},
	{Email: "user5@example.com", State: "California", City: "Los Angeles", Zipcode: "90003"},
}

// neighbor lives in the city of users[0].
var neighbor = user{Email: "user6@example.com", State: "New York", City: "Brooklyn", Zipcode: "11209"}

// sourceItem is the item of a user that was posted.
func (u user) sourceItem() item {
	i := u.articleItem()
	i["zipcode"] = u.Zipcode
	return i
}

// articleItem is the item that the article's target has for the user, without its version.
func (u user) articleItem() item {
	return item{"email": u.Email, "state": u.State, "city": u.City, "active": "true"}
}

// losslessItem is the item that the lossless target has for the user.
func (u user) losslessItem() item {
	i := u.articleItem()
	i["cityEmail"] = compositekey.Join("#", u.City, u.Email)
	return i
}

// listed is the user as GET /users answers.
func (u user) listed() user {
	u.Zipcode, u.Active = "", true
	return u
}
