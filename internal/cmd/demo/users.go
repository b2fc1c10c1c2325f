package main

// user is one of the users that the demo posts.
type user struct {
	Email   string `json:"email"`
	State   string `json:"state"`
	City    string `json:"city"`
	Zipcode string `json:"zipcode,omitempty"`
}

// users live in five different cities, because the target table is keyed by
// state and city: of two users in one city it would show the newer one. Two
// live in New York state, and two zip codes start with a zero.
var users = []user{
	{"ada@example.com", "New York", "New York", "10001"},
	{"ben@example.com", "New York", "Buffalo", "14201"},
	{"cora@example.com", "Massachusetts", "Boston", "02108"},
	{"dan@example.com", "New Jersey", "Newark", "07102"},
	{"eve@example.com", "California", "Los Angeles", "90012"},
}

const (
	// queriedState is the state that the demo queries.
	queriedState = "New York"
	// deletedEmail is the user that the demo deletes, one of queriedState.
	deletedEmail = "ben@example.com"
)
