package compositekey_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/replicatedtable/cdk-go/runtime/compositekey"
)

func TestEqualNumbersHaveOnePlainText(t *testing.T) {
	for _, test := range []struct{ decimal, want string }{
		{"0", "0"}, {"-0", "0"}, {"0.0", "0"}, {"0e999", "0"}, {"+0", "0"},
		{"1", "1"}, {"+1", "1"}, {"1.", "1"}, {"01.0", "1"}, {"10e-1", "1"},
		{"100", "100"}, {"1e2", "100"}, {"1E+2", "100"}, {"100.0", "100"},
		{"-0.50", "-0.5"}, {"-.5", "-0.5"}, {"-5e-1", "-0.5"},
		{"12.5", "12.5"}, {"0.0125e3", "12.5"}, {"0.001", "0.001"},
		{"1e125", "1" + strings.Repeat("0", 125)},
		{"-1e-130", "-0." + strings.Repeat("0", 129) + "1"},
		{strings.Repeat("9", 38) + "0", strings.Repeat("9", 38) + "0"},
	} {
		if got, err := compositekey.Number(test.decimal); err != nil || got != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.decimal, got, err, test.want)
		}
	}
}

func TestTextThatIsNotANumberOfDynamoDBIsAnError(t *testing.T) {
	for _, decimal := range []string{
		"", "-", ".", "e1", "1e", "x", "1x", "1 ", "1.2.3", "--1", "+-1", "-+1",
		"1e1.5", "0x10", "1_000", "1/2", "Inf", "NaN", strings.Repeat("9", 39),
		"1e126", "1e-131", "1e9223372036854775807", "1e-9223372036854775808", "10e99999999999999999999",
	} {
		if got, err := compositekey.Number(decimal); err == nil {
			t.Errorf("%q has the text %q, want an error", decimal, got)
		}
	}
}

func TestTheTextOfBinaryIsItsBase64(t *testing.T) {
	if got := compositekey.Binary([]byte("\xff\xff")); got != "//8=" {
		t.Errorf("got %q", got)
	}
	if got := compositekey.Binary(nil); got != "" {
		t.Errorf("got %q for no bytes", got)
	}
}

// FuzzNumber: the text is the number in plain notation, and its own text.
func FuzzNumber(f *testing.F) {
	for _, decimal := range []string{"0", "-0.0", "1", "-12.50", "1e125", "1E-130", "0.001e3", "+7", "1.", ".5"} {
		f.Add(decimal)
	}
	f.Fuzz(func(t *testing.T, decimal string) {
		text, err := compositekey.Number(decimal)
		if err != nil {
			return
		}
		want, wanted := new(big.Rat).SetString(decimal)
		got, ok := new(big.Rat).SetString(text)
		if !wanted || !ok || got.Cmp(want) != 0 {
			t.Errorf("%q has the text %q", decimal, text)
		}
		if again, err := compositekey.Number(text); err != nil || again != text {
			t.Errorf("%q has the text %q, %v", text, again, err)
		}
		whole, fraction, hasPoint := strings.Cut(strings.TrimPrefix(text, "-"), ".")
		if strings.Trim(whole+fraction, "0123456789") != "" || len(whole) > 1 && whole[0] == '0' ||
			text == "-0" || hasPoint && (fraction == "" || strings.HasSuffix(fraction, "0")) {
			t.Errorf("%q is not plain: %q", decimal, text)
		}
	})
}
