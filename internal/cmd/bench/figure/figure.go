// Package figure writes the numbers of the benchmarks.
package figure

import "strconv"

// Milliseconds shows a time in seconds.
func Milliseconds(seconds float64) string { return Significant(seconds*1e3) + " ms" }

// Megabytes shows a number of bytes. A megabyte is 1,000,000 bytes.
func Megabytes(bytes float64) string { return Significant(bytes/1e6) + " MB" }

// Whole shows a number without decimals.
func Whole(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }

// Significant shows a number with three digits, or all of its whole ones.
func Significant(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// Percent shows a share.
func Percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }
