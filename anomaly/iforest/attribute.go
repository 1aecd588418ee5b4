package iforest

// Attribute stores in dst, one entry per column, how much each column shortened
// the row's mean path. At every node of a path the mean remaining length of the
// training rows is compared with that of the child taken, and the difference is
// credited to the column of the cut:
//
//	credit += remain(node) - (1 + remain(child))
//
// So the entries sum to the mean path of the training rows less that of this
// row: the deficit that makes it odd. A positive entry speaks for an outlier, a
// negative one against. This is an exact account of the path, but not a Shapley
// value. dst must have as many entries as the row; the row is checked as
// in [Forest.Score].
//
// The first call on a forest computes a table of four bytes per node.
func (f *Forest) Attribute(dst, row []float64) error {
	if len(row) != f.features {
		return &RowError{Value: len(row), Want: f.features}
	}
	if len(dst) != f.features {
		return &OptionError{"dst", len(dst), "as many entries as there are columns"}
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	cells := s.cells(len(row) + 1)
	if bad := convert(cells, row); bad >= 0 {
		return &ValueError{Column: bad, Value: row[bad]}
	}
	f.explain.once.Do(f.fillRemain)
	clear(dst)
	remain := f.explain.remain
	for i := range f.trees {
		t := &f.trees[i]
		at, n := uint64(0), t.nodes[0]
		for range t.depth {
			column := n >> 16 & 0xffff
			if int(column) == f.features {
				break
			}
			child := n&0xffff + uint64(int64(n)>>32-int64(cells[column]))>>63
			dst[column] += float64(remain[at]) - 1 - float64(remain[child])
			at, n = child, t.nodes[child]
		}
		remain = remain[len(t.nodes):]
	}
	for j := range dst {
		dst[j] /= float64(len(f.trees))
	}
	return nil
}

// fillRemain computes, bottom up, the mean path length that the training rows of
// each node have still before them.
func (f *Forest) fillRemain() {
	f.explain.remain = make([]float32, len(f.nodes))
	remain := f.explain.remain
	var rows, lengths []float64
	for _, t := range f.trees {
		n := len(t.nodes)
		rows, lengths = append(rows[:0], make([]float64, n)...), append(lengths[:0], make([]float64, n)...)
		for i := n - 1; i >= 0; i-- { // children stand behind their parent
			node := t.nodes[i]
			if int(node>>16&0xffff) == f.features {
				size := f.leaves[node>>32].samples
				rows[i], lengths[i] = float64(size), AveragePathLength(int(size))
				continue
			}
			left := node & 0xffff
			l, r := rows[left], rows[left+1]
			rows[i] = l + r
			lengths[i] = 1 + (float64(l*lengths[left])+float64(r*lengths[left+1]))/(l+r)
		}
		for i, length := range lengths {
			remain[i] = float32(length)
		}
		remain = remain[n:]
	}
}
