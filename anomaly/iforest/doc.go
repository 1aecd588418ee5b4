// Package iforest is an isolation forest: an outlier score from how few random
// cuts it takes to separate a row from the others (Liu, Ting, Zhou, "Isolation
// Forest", ICDM 2008).
//
// [Fit] grows a [Forest] from a table of numbers; the forest scores single rows
// and batches without allocating. With the default draws the trees are, node for
// node and bit for bit, those of scikit-learn 1.2.1 with the same random_state,
// so a model can move between Python and Go in either direction: [Grow] returns
// the trees as a [Model] in scikit-learn's array layout, [ParseModel] reads such
// a model from JSON and [Model.Forest] packs it for scoring. [FastDraws] asks
// for a cheaper generator where that equality is not needed, [Options.Guided] and
// [Unlimited] for trees that rank better than the paper's.
//
//	f, err := iforest.Fit(rows, &iforest.Options{Seed: 42, Contamination: 0.1})
//	if err != nil {
//		return err
//	}
//	s, err := f.Score(row)   // about -0.4 for an ordinary row, towards -1 for an odd one
//	odd := s-f.Offset() < 0  // what scikit-learn's predict calls -1
//
// Numbers are rounded to float32 before they are compared, as scikit-learn does:
// scale columns whose interesting differences are small against their size.
// Rows must be complete; NaN and infinities are errors. Limits: 65535 features,
// 32768 rows per tree. A forest has no reference to the clock, to global random
// state or to the rows it was grown from, and is safe for concurrent use.
package iforest
