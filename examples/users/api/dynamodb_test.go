package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
)

// dynamoDB returns the endpoint of DYNAMODB_ENDPOINT, such as that of DynamoDB Local, or
// of a fake that does what these tests need.
func dynamoDB(t testing.TB) (endpoint string) {
	t.Helper()
	if endpoint := os.Getenv("DYNAMODB_ENDPOINT"); endpoint != "" {
		return endpoint
	}
	server := httptest.NewServer(fake{})
	t.Cleanup(server.Close)
	return server.URL
}

// fake is a DynamoDB of tables whose keys are strings. It serves one request at a time.
type fake map[string]*fakeTable

type fakeTable struct {
	keys  []string
	items map[string]fakeItem // by their key values
}

type fakeItem map[string]map[string]any

// fakeRequest has the members of every operation's request that the API uses.
type fakeRequest struct {
	TableName                 string
	KeySchema                 []struct{ AttributeName string }
	Item, Key                 fakeItem
	ConditionExpression       string
	KeyConditionExpression    string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues fakeItem
	ExclusiveStartKey         fakeItem
	Limit                     int
}

func (f fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in fakeRequest
	err := json.NewDecoder(r.Body).Decode(&in)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var answer any
	code := "InvalidRequest"
	if err == nil {
		answer, code = f.do(operation, in)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if code != "" {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": "refused"}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(err)
	}
}

func (f fake) do(operation string, in fakeRequest) (answer any, code string) {
	if operation == "CreateTable" {
		t := &fakeTable{items: map[string]fakeItem{}}
		for _, key := range in.KeySchema {
			t.keys = append(t.keys, key.AttributeName)
		}
		f[in.TableName] = t
		return struct{}{}, ""
	}
	t, ok := f[in.TableName]
	if !ok {
		return nil, "ResourceNotFoundException"
	}

	switch id, valid := t.id(in.Item, in.Key); {
	case operation == "DeleteTable":
		delete(f, in.TableName)
	case operation == "Query":
		return t.query(in)
	case !valid:
		return nil, "ValidationException"
	case operation == "PutItem":
		t.items[id] = in.Item
	case operation == "GetItem":
		if item, found := t.items[id]; found {
			return map[string]any{"Item": item}, ""
		}
	case operation == "DeleteItem":
		if t.items[id] == nil && in.ConditionExpression == "attribute_exists(email)" {
			return nil, "ConditionalCheckFailedException"
		}
		delete(t.items, id)
	default:
		return nil, "UnknownOperationException"
	}
	return struct{}{}, ""
}

// id joins the key values of an item or a key, which are strings of a key's length.
func (t *fakeTable) id(items ...fakeItem) (id string, valid bool) {
	item := fakeItem{}
	for _, i := range items {
		maps.Copy(item, i)
	}
	for i, key := range t.keys {
		value, _ := item[key]["S"].(string)
		if value == "" || len(value) > []int{maxPartitionKeyBytes, maxSortKeyBytes}[i] {
			return "", false
		}
		id += value + "\x00"
	}
	return id, true
}

func (t *fakeTable) query(in fakeRequest) (answer any, code string) {
	partition, sort := t.keys[0], t.keys[1]
	meets := func(item fakeItem) bool {
		value, prefix := fmt.Sprint(item[sort]["S"]), fmt.Sprint(in.ExpressionAttributeValues[":city"]["S"])
		if item[partition]["S"] != in.ExpressionAttributeValues[":state"]["S"] {
			return false
		}
		switch in.KeyConditionExpression {
		case "#state = :state AND begins_with(cityEmail, :city)":
			return strings.HasPrefix(value, prefix)
		default:
			return in.KeyConditionExpression == "#state = :state"
		}
	}

	start := ""
	if in.ExclusiveStartKey != nil {
		id, valid := t.id(in.ExclusiveStartKey)
		if !valid || !meets(in.ExclusiveStartKey) {
			return nil, "ValidationException"
		}
		start = id
	}
	page := map[string]any{}
	items := []fakeItem{}
	for _, id := range slices.Sorted(maps.Keys(t.items)) {
		if item := t.items[id]; id > start && meets(item) {
			items = append(items, item)
		}
		if len(items) == in.Limit {
			last := items[len(items)-1]
			page["LastEvaluatedKey"] = fakeItem{partition: last[partition], sort: last[sort]}
			break
		}
	}
	page["Items"] = items
	return page, ""
}
