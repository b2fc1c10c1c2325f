package mapping

// names is a set of attribute names. Most look-ups are for names that are not in it, and
// whose length no name in it has: one bit per length answers them without hashing.
type names struct {
	set     map[string]struct{}
	lengths uint64 // bit number len(name) % 64 is set for each name
}

func (n *names) add(name string) {
	if n.set == nil {
		n.set = map[string]struct{}{}
	}
	n.set[name] = struct{}{}
	n.lengths |= 1 << (len(name) % 64)
}

func (n *names) contain(name []byte) bool {
	if n.lengths&(1<<(len(name)%64)) == 0 {
		return false
	}
	_, found := n.set[string(name)]
	return found
}
