package mapping

import "slices"

// AppendInputs appends the names of the source item's attributes that the target key and the filter
// are derived from, each once.
func (m *Mapping) AppendInputs(names []string) []string {
	for i := range m.Key {
		for _, path := range m.Key[i].parts {
			names = addName(names, path[0])
		}
	}
	if m.filter != nil {
		names = m.filter.appendInputs(names)
	}

	return names
}

func (c *condition) appendInputs(names []string) []string {
	for i := range c.all {
		names = c.all[i].appendInputs(names)
	}
	for i := range c.any {
		names = c.any[i].appendInputs(names)
	}
	if len(c.path) > 0 {
		names = addName(names, c.path[0])
	}

	return names
}

func addName(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}
