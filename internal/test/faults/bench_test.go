package faults_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/test/faults"
)

func BenchmarkInjector(b *testing.B) {
	const body = `{"TableName":"table","Item":{"pk":{"S":"x"},"email":{"S":"a@b.c"},"state":{"S":"WA"},` +
		`"city":{"S":"Seattle"},"age":{"N":"42"}}}`
	for name, rules := range map[string][]faults.Rule{
		"PerRequest": {{Kind: faults.Throttled}},
		"PerWrite":   {{Kind: faults.Throttled}, {Kind: faults.Poison, Select: with("nothing")}},
	} {
		b.Run(name, func(b *testing.B) {
			injector := faults.New(queue{}, 1, rules...)
			header := http.Header{"X-Amz-Target": {"DynamoDB_20120810.PutItem"}}
			b.ReportAllocs()
			for b.Loop() {
				r := &http.Request{Method: http.MethodPost, Header: header, Body: io.NopCloser(strings.NewReader(body))}
				r = r.WithContext(b.Context())
				//nolint:bodyclose // it is in memory
				if _, err := injector.Do(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
