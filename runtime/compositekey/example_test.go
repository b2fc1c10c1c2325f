package compositekey_test

import (
	"fmt"

	"github.com/replicatedtable/cdk-go/runtime/compositekey"
)

// One user: the sort key of a GetItem.
func ExampleJoin() {
	fmt.Println(compositekey.Join("#", "Albany", "ann@example.com"))
	fmt.Println(compositekey.Join("#", "Pier #9", "bob@example.com"))
	// Output:
	// Albany#ann@example.com
	// Pier \#9#bob@example.com
}

// All users of one city: the operand of begins_with in a Query.
func ExamplePrefix() {
	fmt.Println(compositekey.Prefix("#", "Albany"))
	// Output: Albany#
}

// The parts of a key that a Query returned.
func ExampleSplit() {
	parts, err := compositekey.Split("#", `Pier \#9#bob@example.com`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(parts[0])
	fmt.Println(parts[1])
	// Output:
	// Pier #9
	// bob@example.com
}

// A part that is a number, however it is written.
func ExampleNumber() {
	year, err := compositekey.Number("2.024e3")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(compositekey.Prefix("#", "invoice", year))
	// Output: invoice#2024#
}

// A part that is binary.
func ExampleBinary() {
	fmt.Println(compositekey.Join("#", compositekey.Binary([]byte{0xca, 0xfe}), "1"))
	// Output: yv4=#1
}
