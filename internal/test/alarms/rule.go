package alarms

import (
	"fmt"
	"regexp"
	"strings"
)

// isOn is the condition that an alarm is on.
var isOn = regexp.MustCompile(`^ALARM\("([^"]+)"\)$`)

// anyOf returns the names or ARNs of the alarms of which a rule says that one is on. That is
// what rules of the construct say; any other is an error.
func anyOf(rule string) ([]string, error) {
	list, isOpen := strings.CutPrefix(rule, "(")
	list, isClosed := strings.CutSuffix(list, ")")
	if !isOpen || !isClosed {
		return nil, fmt.Errorf("the rule %q is not known here: it has no parentheses around it", rule)
	}
	var alarms []string
	for condition := range strings.SplitSeq(list, " OR ") {
		found := isOn.FindStringSubmatch(condition)
		if found == nil {
			return nil, fmt.Errorf("the rule %q is not known here: %q is not that an alarm is on", rule, condition)
		}
		alarms = append(alarms, found[1])
	}
	return alarms, nil
}
