package dynamodbjson

import "testing"

func TestEqualValuesAreThoseOfDynamoDB(t *testing.T) {
	for _, test := range []struct {
		a, b  string
		equal bool
	}{
		{`{"S":"a"}`, `{"S":"a"}`, true},
		{`{"S":"é"}`, `{"S":"\u00e9"}`, true},
		{`{"S":"1"}`, `{"N":"1"}`, false},
		{`{"N":"100"}`, `{"N":"1.0e2"}`, true},
		{`{"N":"12345678901234567890123456789012345678"}`, `{"N":"12345678901234567890123456789012345679"}`, false},
		{`{"B":"AA=="}`, `{"B":"AA\u003d="}`, true},
		{`{"B":"AA=="}`, `{"S":"AA=="}`, false},
		{`{"BOOL":true}`, `{"BOOL": true}`, true},
		{`{"BOOL":true}`, `{"BOOL":false}`, false},
		{`{"NULL":true}`, `{"BOOL":true}`, false},
		{`{"SS":["a","b"]}`, `{"SS":["b","a"]}`, true},
		{`{"SS":["a","b"]}`, `{"SS":["a"]}`, false},
		{`{"NS":["1","2.0"]}`, `{"NS":["2","1"]}`, true},
		{`{"BS":["AA==","AQ=="]}`, `{"BS":["AQ==","AA=="]}`, true},
		{`{"L":[{"N":"1"},{"S":"a"}]}`, `{"L": [ {"N":"1.0"}, {"S":"a"} ]}`, true},
		{`{"L":[{"N":"1"},{"N":"2"}]}`, `{"L":[{"N":"2"},{"N":"1"}]}`, false},
		{`{"L":[]}`, `{"L":[ ]}`, true},
		{`{"L":[]}`, `{"M":{}}`, false},
		{`{"M":{"a":{"N":"1"},"b":{"L":[]}}}`, `{"M":{"b":{"L":[]},"\u0061":{"N":"1.0"}}}`, true},
		{`{"M":{"a":{"N":"1"}}}`, `{"M":{"a":{"N":"1"},"b":{"N":"1"}}}`, false},
		{`{"M":{"a":{"S":"\",\"b"}}}`, `{"M":{"a":{"S":"\""},"b":{"S":""}}}`, false},
		{`{"NEW":[1]}`, `{"NEW":[1]}`, true}, // a type of tomorrow
		{`{"NEW":[1]}`, `{"NEW":[1 ]}`, false},
		{`{"N":1}`, `{"N":"1"}`, false},
		{`{"L":"1"}`, `{"L":["1"]}`, false},
		{`{"M":1}`, `{"M":{}}`, false},
		{`{}`, `{ }`, false},
		{`{"N":"x"}`, `{"N": "x"}`, false},
	} {
		if got := Equal([]byte(test.a), []byte(test.b)); got != test.equal {
			t.Errorf("Equal(%s, %s) is %t", test.a, test.b, got)
		}
		if got := Equal([]byte(test.b), []byte(test.a)); got != test.equal {
			t.Errorf("Equal(%s, %s) is %t", test.b, test.a, got)
		}
	}
}

func TestEqualItemsHaveTheSameAttributes(t *testing.T) {
	read := func(text string) (*Payload, Item) {
		p, r := new(Payload), Reader{}
		p.Reset([]byte(text))
		r.Reset(p)
		item, err := r.Item()
		if err != nil || r.Err() != nil {
			t.Fatal(text, err, r.Err())
		}
		return p, item
	}
	for _, test := range []struct {
		a, b  string
		equal bool
	}{
		{`{"a":{"N":"1"},"b":{"S":"x"}}`, `{"b":{"S":"x"},"a":{"N":"1.0"}}`, true},
		{`{"a":{"N":"1"}}`, `{"a":{"N":"1"},"b":{"S":"x"}}`, false},
		{`{"a":{"N":"1"},"b":{"S":"x"}}`, `{"a":{"N":"1"},"c":{"S":"x"}}`, false},
		{`{"a":{"N":"1"}}`, `{"a":{"N":"2"}}`, false},
	} {
		p, a := read(test.a)
		q, b := read(test.b)
		if got := EqualItems(p, a, q, b); got != test.equal {
			t.Errorf("EqualItems(%s, %s) is %t", test.a, test.b, got)
		}
	}
}
