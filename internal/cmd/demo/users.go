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

// users are those of the article. They live in five cities, because two users of one
// city have one item in a target table whose key is state and city.
var users = []user{
	{Email: "user1@example.com", State: "New York", City: "Brooklyn", Zipcode: "11208"},
	{Email: "user2@example.com", State: "New York", City: "Staten Island", Zipcode: "10314"},
	{Email: "user3@example.com", State: "Ohio", City: "Cincinnati", Zipcode: "45201"},
	{Email: "user4@example.com", State: "Ohio", City: "Cleveland", Zipcode: "44101"},
	{Email: "user5@example.com", State: "California", City: "Los Angeles", Zipcode: "90003"},
}

const (
	// queriedState is the state that the demo queries, queriedCity a city in it.
	queriedState = "New York"
	queriedCity  = "Brooklyn"
	// deletedEmail is the user that the demo deletes, one of queriedState.
	deletedEmail = "user2@example.com"
)

// sourceItem is the item of a user that was posted.
func (u user) sourceItem() item {
	return item{"email": u.Email, "state": u.State, "city": u.City, "zipcode": u.Zipcode, "active": "true"}
}

// targetItem is the item that the replicator derives from it, with another key and
// without the zip code.
func (u user) targetItem(k key) item {
	i := item{"email": u.Email, "state": u.State, "city": u.City, "active": "true"}
	if k == lossless {
		i["cityEmail"] = compositekey.Join("#", u.City, u.Email)
	}
	return i
}

// listed is the user as GET /users answers.
func (u user) listed() user {
	u.Zipcode, u.Active = "", true
	return u
}
