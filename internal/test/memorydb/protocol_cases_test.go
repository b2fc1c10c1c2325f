package memorydb_test

import "fmt"

func protocolCases() []conformanceCase {
	return []conformanceCase{
		{
			name: "a table that does not exist", table: "strings",
			steps: []step{
				put("missing", `{"pk":{"S":"x"}}`, noTable),
				remove("missing", `{"pk":{"S":"x"}}`, noTable),
				{"GetItem", `{"TableName":"missing","Key":{"pk":{"S":"x"}}}`, noTable},
				{"Scan", `{"TableName":"missing"}`, noTable},
			},
		},
		{
			name: "a required member is missing", table: "strings",
			steps: []step{
				{"PutItem", `{"TableName":"strings"}`, invalid},
				{"PutItem", `{"Item":{"pk":{"S":"x"}}}`, invalid},
				{"DeleteItem", `{"TableName":"strings"}`, invalid},
				{"GetItem", `{"TableName":"strings"}`, invalid},
				{"Scan", `{}`, invalid},
			},
		},
		{
			name: "a body that is not the operation's JSON", table: "strings",
			localDeviates: "it answers InternalFailure, and a table name that is not a string is invalid",
			steps: []step{
				{"PutItem", ``, malformed},
				{"PutItem", `{`, malformed},
				{"PutItem", `[]`, malformed},
				{"PutItem", `{"TableName":"strings","Item":[]}`, malformed},
				{"PutItem", `{"TableName":1,"Item":{"pk":{"S":"x"}}}`, malformed},
				{"BatchWriteItem", `{"RequestItems":[]}`, malformed},
				{"BatchWriteItem", `{"RequestItems":{"strings":{}}}`, malformed},
			},
		},
		{name: "an operation that does not exist", table: "strings", steps: []step{{"PutItems", `{}`, noOperation}}},
		{
			name: "a table that exists already", table: "strings",
			steps: []step{createTable("strings", "pk", tableInUse)},
		},
		{
			name: "a table whose key has no type", table: "strings",
			steps: []step{createTable("another", "a", invalid)},
		},
	}
}

// createTable creates a table with the key pk and a definition of one attribute.
func createTable(name, defined, want string) step {
	return step{"CreateTable", fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST",`+
		`"AttributeDefinitions":[{"AttributeName":%q,"AttributeType":"S"}],`+
		`"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`, name, defined), want}
}
