package spec

const (
	// MaxSegments is the largest number of segments of one scan on AWS: the results of all together
	// are the output of one state, which has at most 256 KiB. Source: AWS Step Functions Developer
	// Guide, "Quotas", maximum input or output size.
	MaxSegments = 1000

	// MinSegmentUnits is the smallest rate of one segment, in capacity units per second. The pages
	// are as small as a rate needs, but an item may have 400 KB: with 5 units, the 1 MB of a page
	// take less than four of the 14 minutes that an invocation has.
	MinSegmentUnits = 5
)
