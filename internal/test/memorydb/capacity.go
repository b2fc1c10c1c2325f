package memorydb

import (
	"fmt"
	"slices"
	"strings"
)

// How much of an item one unit covers, in bytes. Source: DynamoDB Developer Guide,
// "DynamoDB read and write operations".
const (
	writeUnit = 1 << 10
	readUnit  = 4 << 10
)

// transactional is how many times the units of a single operation a transaction uses. Source:
// DynamoDB Developer Guide, "Capacity management for transactions".
const transactional = 2

// units returns how many units of a size cover so many bytes. An item that does not exist
// uses one too.
func units(bytes, unit int) int { return max(1, (bytes+unit-1)/unit) }

// readUnits returns the read units of so many bytes.
func readUnits(bytes int, consistent bool) float64 {
	if consistent {
		return float64(units(bytes, readUnit))
	}

	return float64(units(bytes, readUnit)) / 2
}

// consumption is whether a request asks for the capacity that it consumes.
type consumption struct{ wanted bool }

// with adds the member of the request to those of an operation.
func (c *consumption) with(operation members) members {
	operation["ReturnConsumedCapacity"] = func(v any) error {
		var level string
		if err := assign(&level, v); err != nil {
			return err
		}
		if !slices.Contains([]string{"NONE", "TOTAL"}, level) {
			return invalid("memorydb does not implement ReturnConsumedCapacity %s", level)
		}
		c.wanted = level == "TOTAL"

		return nil
	}

	return operation
}

// consumed is the capacity that a part of a request used of a table.
type consumed struct {
	table string
	units float64
	// kind is "Read" or "Write" where the answer says it too: only for transactions.
	kind string
}

func (c consumed) String() string {
	kind := ""
	if c.kind != "" {
		kind = fmt.Sprintf(`,"%sCapacityUnits":%g`, c.kind, c.units)
	}

	return fmt.Sprintf(`{"TableName":%s,"CapacityUnits":%g%s}`, appendQuoted(nil, c.table), c.units, kind)
}

// member returns the member of an answer with the capacity of one table, or nothing when it is
// not wanted.
func (c consumption) member(used consumed) string {
	if !c.wanted {
		return ""
	}

	return `,"ConsumedCapacity":` + used.String()
}

// list returns the member of an answer with the capacities of several parts.
func (c consumption) list(used []consumed) string {
	if !c.wanted {
		return ""
	}
	texts := make([]string, len(used))
	for i := range used {
		texts[i] = used[i].String()
	}

	return `,"ConsumedCapacity":[` + strings.Join(texts, ",") + `]`
}

// byTable adds the capacities of one table up, in the order of their first use.
func byTable(used []consumed) []consumed {
	var sums []consumed
	for _, u := range used {
		at := slices.IndexFunc(sums, func(s consumed) bool { return s.table == u.table })
		if at < 0 {
			sums = append(sums, u)
			continue
		}
		sums[at].units += u.units
	}

	return sums
}
