package replicator

import (
	"runtime"
	"runtime/debug"
	"strconv"
)

// memoryVariable holds the function's memory in MiB. Lambda sets it.
const memoryVariable = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"

// mebibytesPerProcessor is the memory with which a function has one processor; its
// share grows with its memory. Source: AWS Lambda Developer Guide, "Configure
// Lambda function memory".
const mebibytesPerProcessor = 1769

const (
	// gcPercent lets the heap grow to three times of what is in use before it is
	// collected, instead of Go's two: of a payload's and the requests' garbage,
	// nothing is left when a batch is done. More costs more memory than it saves
	// time; "make bench" measures both.
	gcPercent = 200
	// heapPart is the part of the function's memory beyond which the heap is
	// collected more often all the same. The rest is for all that is not heap.
	heapPart = 0.75
)

// Tune fits the process's Go runtime to a function's memory, which getenv knows as
// AWS_LAMBDA_FUNCTION_MEMORY_SIZE. [Start] calls it first; a main of your own that
// calls [New] can do the same. Each variable of the Go runtime that is set in the
// environment keeps its value.
//
//   - GOMAXPROCS: the processors that the function has a share of, rounded up. Lambda
//     shows every function at least two; waking a second thread for a seventh of a
//     processor costs more than it does. Unchanged if the memory is not known.
//   - GOGC: 200.
//   - GOMEMLIMIT: three quarters of the memory. Unchanged if it is not known.
func Tune(getenv func(string) string) {
	mebibytes, _ := strconv.Atoi(getenv(memoryVariable)) // 0: not known
	if processors := (mebibytes + mebibytesPerProcessor - 1) / mebibytesPerProcessor; getenv("GOMAXPROCS") == "" && processors > 0 {
		runtime.GOMAXPROCS(min(processors, runtime.GOMAXPROCS(0)))
	}
	if getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if getenv("GOMEMLIMIT") == "" && mebibytes > 0 {
		debug.SetMemoryLimit(int64(heapPart * float64(mebibytes<<20)))
	}
}
