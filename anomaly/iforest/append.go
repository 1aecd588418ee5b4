package iforest

// Append makes one forest of the trees of several, in that order: nodes that each grew one on
// their own rows score together, every tree counting alike. All must take the same columns,
// scaled alike, and have drawn the same number of rows per tree; another number is an
// [*OptionError]. The offset is the mean of theirs, weighted by trees. The nodes are copied.
func Append(forests ...*Forest) (*Forest, error) {
	if len(forests) == 0 {
		return nil, &OptionError{"forests", 0, "at least one"}
	}
	first := forests[0]
	out := &Forest{features: first.features, psi: first.psi}
	total := 0
	for _, f := range forests {
		switch {
		case f.features != out.features:
			return nil, &OptionError{"columns", f.features, "as many as the first forest has"}
		case f.psi != out.psi:
			return nil, &OptionError{"MaxSamples", f.psi, "as many rows per tree as in the first forest"}
		}
		total += len(f.nodes)
	}
	out.nodes = make([]uint64, 0, total)
	for _, f := range forests {
		shift := uint64(len(out.leaves)) << 32
		out.leaves = append(out.leaves, f.leaves...)
		for _, t := range f.trees {
			start := len(out.nodes)
			for _, n := range t.nodes {
				if int(n>>16&0xffff) == f.features {
					n += shift // a leaf names its value
				}
				out.nodes = append(out.nodes, n)
			}
			out.trees = append(out.trees, packedTree{nodes: out.nodes[start:len(out.nodes):len(out.nodes)], depth: t.depth})
		}
		out.offset += f.offset * float64(len(f.trees))
	}
	out.offset /= float64(len(out.trees))
	out.norm = float64(len(out.trees)) * AveragePathLength(out.psi)
	return out, nil
}
