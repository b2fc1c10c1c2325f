package main

import (
	"slices"
	"strings"
	"testing"
)

func TestReportPrintsWhatGoTestPrintsAndListsSkippedTests(t *testing.T) {
	const events = `{"Action":"start","Package":"p"}
{"Action":"build-output","ImportPath":"q","Output":"q.go:1: syntax error\n"}
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    p_test.go:1: got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
not JSON, such as what a test wrote past the test binary's own output
{"Action":"output","Package":"p","Test":"TestAway/row","Output":"    p_test.go:9: no engine\n"}
{"Action":"skip","Package":"p","Test":"TestAway/row"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
{"Action":"output","Package":"empty","Output":"?   \tempty\t[no test files]\n"}
{"Action":"skip","Package":"empty"}
`
	const want = `q.go:1: syntax error
    p_test.go:1: got 1, want 2
not JSON, such as what a test wrote past the test binary's own output
    p_test.go:9: no engine
ok  	p	0.1s
?   	empty	[no test files]
`
	var out strings.Builder
	skipped, err := report(strings.NewReader(events), &out)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
	if !slices.Equal(skipped, []string{"p TestAway/row"}) {
		t.Errorf("skipped %q", skipped)
	}
}
