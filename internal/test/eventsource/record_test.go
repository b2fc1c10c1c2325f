package eventsource

import (
	"testing"
	"time"
)

func TestARecordIsRead(t *testing.T) {
	for _, test := range []struct {
		name string
		json string
		want Record
	}{
		{
			name: "whole seconds",
			json: `{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1763812345,"Keys":{"id":{"S":"a"}},` +
				`"SequenceNumber":"100000000000000000001","NewImage":{"id":{"S":"a"}}}}`,
			want: Record{SequenceNumber: "100000000000000000001", Item: `{"id":{"S":"a"}}`, Created: time.Unix(1763812345, 0)},
		},
		{
			name: "seconds as a float with milliseconds",
			json: `{"dynamodb":{"ApproximateCreationDateTime":1.763812345678E9,"SequenceNumber":"1"}}`,
			want: Record{SequenceNumber: "1", Created: time.UnixMilli(1763812345678)},
		},
		{
			name: "key attributes in any order and with any space are one item",
			json: `{"dynamodb":{"Keys":{"sort":{"N":"1"}, "id": { "S":"a" }}}}`,
			want: Record{Item: `{"id":{"S":"a"},"sort":{"N":"1"}}`},
		},
		{name: "no keys", json: `{"dynamodb":{"SequenceNumber":"1"}}`, want: Record{SequenceNumber: "1"}},
		{name: "nothing at all", json: `{}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseRecord([]byte(test.json))
			if err != nil {
				t.Fatal(err)
			}
			if string(got.JSON) != test.json || got.SequenceNumber != test.want.SequenceNumber ||
				got.Item != test.want.Item || !got.Created.Equal(test.want.Created) {
				t.Errorf("read %+v\nwant %+v", got, test.want)
			}
		})
	}
	for _, wrong := range []string{``, `[]`, `{"dynamodb":{"SequenceNumber":1}}`, `{"dynamodb":{"Keys":"a"}}`} {
		if r, err := ParseRecord([]byte(wrong)); err == nil {
			t.Errorf("%s was read as %+v", wrong, r)
		}
	}
}

func TestAnEventHoldsItsRecords(t *testing.T) {
	for _, test := range []struct {
		records [][]byte
		want    string
	}{
		{nil, `{"Records":[]}`},
		{[][]byte{[]byte(`{"a":1}`)}, `{"Records":[{"a":1}]}`},
		{[][]byte{[]byte(`{"a":1}`), []byte(`{}`)}, `{"Records":[{"a":1},{}]}`},
	} {
		if got := string(Event(test.records...)); got != test.want {
			t.Errorf("the event is %s, want %s", got, test.want)
		}
	}
}
