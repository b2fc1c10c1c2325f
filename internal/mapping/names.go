package mapping

// names is a set of attribute names. Most of the names that it is asked about are not in
// it, and most of these have another length than all that are.
type names struct {
	set     map[string]struct{}
	lengths uint64 // the bit of a name's length, modulo the number of bits
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
