package mapping

import (
	"bytes"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/internal/spec"
)

func TestIdentitiesAreEqualExactlyWhenTheKeysAreEqualForDynamoDB(t *testing.T) {
	for _, test := range []struct {
		typ   spec.AttributeType
		a, b  string
		equal bool
		why   string
	}{
		{"N", `{"N":"1"}`, `{"N":"1.0"}`, true, "trailing zeros say nothing"},
		{"N", `{"N":"1"}`, `{"N":"1e0"}`, true, "an exponent is notation"},
		{"N", `{"N":"100"}`, `{"N":"1E+2"}`, true, "an exponent is notation"},
		{"N", `{"N":"0.001"}`, `{"N":"1e-3"}`, true, "an exponent is notation"},
		{"N", `{"N":"0.00120"}`, `{"N":"12e-4"}`, true, "zeros at either end say nothing"},
		{"N", `{"N":"+7"}`, `{"N":"007"}`, true, "a plus sign and leading zeros say nothing"},
		{"N", `{"N":"0"}`, `{"N":"-0.00e5"}`, true, "there is one zero"},
		{"N", `{"N":"1"}`, `{"N":"-1"}`, false, "the sign counts"},
		{"N", `{"N":"1"}`, `{"N":"10"}`, false, "the magnitude counts"},
		{"N", `{"N":"12"}`, `{"N":"1.2"}`, false, "the magnitude counts"},
		{"N", `{"N":"12345678901234567890123456789012345678"}`,
			`{"N":"12345678901234567890123456789012345679"}`, false, "38 digits count"},
		{"S", `{"S":"a"}`, `{"S":"\u0061"}`, true, "an escape is notation"},
		{"S", `{"S":"é"}`, `{"S":"\u00e9"}`, true, "an escape is notation"},
		{"S", `{"S":"1"}`, `{"S":"1.0"}`, false, "a string is not a number"},
		{"S", `{ "S" : "a" }`, `{"S":"a"}`, true, "white space is notation"},
		{"B", `{"B":"AAE="}`, `{"B":"AA\u0045="}`, true, "an escape is notation"},
		{"B", `{"B":"AAE="}`, `{"B":"AAI="}`, false, "the bytes count"},
	} {
		k := KeyAttribute{Name: "k", Type: test.typ, maxBytes: MaxSortKeyBytes}
		a, err := k.AppendIdentity(nil, []byte(test.a))
		if err != nil {
			t.Errorf("%s: %v", test.a, err)
		}
		b, err := k.AppendIdentity(nil, []byte(test.b))
		if err != nil {
			t.Errorf("%s: %v", test.b, err)
		}
		if bytes.Equal(a, b) != test.equal {
			t.Errorf("%s and %s: equal is %t, want %t: %s", test.a, test.b, !test.equal, test.equal, test.why)
		}
	}
}

func TestIdentitiesOfTwoAttributesAreNotAmbiguous(t *testing.T) {
	k := KeyAttribute{Name: "k", Type: spec.String, maxBytes: MaxSortKeyBytes}
	join := func(a, b string) string {
		identity, err := k.AppendIdentity(nil, []byte(`{"S":"`+a+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		if identity, err = k.AppendIdentity(identity, []byte(`{"S":"`+b+`"}`)); err != nil {
			t.Fatal(err)
		}
		return string(identity)
	}
	if join("ab", "c") == join("a", "bc") {
		t.Error(`"ab","c" and "a","bc" are one identity`)
	}
}

func TestAValueThatAKeyCannotHoldIsAnError(t *testing.T) {
	for _, test := range []struct {
		typ   spec.AttributeType
		value string
		want  string
	}{
		{"S", `{"N":"1"}`, `has type N, the key schema says S`},
		{"N", `{"S":"1"}`, `has type S, the key schema says N`},
		{"S", `{"SS":["a"]}`, `has type SS, the key schema says S`},
		{"S", `{"NULL":true}`, `has type NULL, the key schema says S`},
		{"S", `{}`, `has type unknown, the key schema says S`},
		{"S", `{"S":""}`, `is empty`},
		{"B", `{"B":""}`, `is empty`},
		{"S", `{"S":"` + strings.Repeat("x", 1025) + `"}`, `has 1025 bytes: this key holds at most 1024`},
		{"S", `{"S":"` + strings.Repeat("é", 513) + `"}`, `has 1026 bytes: this key holds at most 1024`},
		{"B", `{"B":"?"}`, `it is not base64`},
		{"N", `{"N":""}`, `it is not a decimal number`},
		{"N", `{"N":"x"}`, `it is not a decimal number`},
		{"N", `{"N":"1e"}`, `it is not a decimal number`},
		{"N", `{"N":"1.2.3"}`, `it is not a decimal number`},
		{"N", `{"N":"NaN"}`, `it is not a decimal number`},
	} {
		k := KeyAttribute{Name: "city", Type: test.typ, maxBytes: MaxSortKeyBytes}
		identity, err := k.AppendIdentity([]byte("before"), []byte(test.value))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `"city"`) {
			t.Errorf("%s as %s: got error %v, want one about \"city\" with %q", test.value, test.typ, err, test.want)
		}
		if string(identity) != "before" {
			t.Errorf("%s as %s: the failed identity added %q", test.value, test.typ, identity)
		}
	}
}

func TestAKeyValueOfTheLongestLengthIsAccepted(t *testing.T) {
	for _, k := range keyAttributes(spec.KeySchema{
		PartitionKey: spec.Attribute{Name: "p", Type: spec.String},
		SortKey:      &spec.Attribute{Name: "s", Type: spec.String},
	}, spec.Target{}.KeySource) {
		if _, err := k.AppendIdentity(nil, []byte(`{"S":"`+strings.Repeat("x", k.maxBytes)+`"}`)); err != nil {
			t.Error(err)
		}
	}
}
