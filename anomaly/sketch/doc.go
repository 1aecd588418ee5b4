// Package sketch keeps the distribution of very many numbers in little memory.
//
// A [Sketch] answers quantiles and ranks of all values that it was given, to within
// a thousandth of the rank by default and better towards both ends. Sketches of parts
// merge into that of the whole, so nodes may each keep one. [Decaying] is a sketch
// that forgets: the weight of a value halves in a stated time.
//
//	var s sketch.Sketch
//	for _, v := range latencies {
//		s.Add(v)
//	}
//	p99 := s.Quantile(0.99)
//
// It is a merging t-digest (Dunning and Ertl, Computing Extremely Accurate Quantiles
// Using t-Digests, 2019, section 2.1, scale function k1): values are buffered,
// sorted and merged into clusters that are the smaller the nearer they are to an end.
// Nothing is random: the same calls make the same bytes. Memory does not grow with
// the number of values.
//
// Sketches are not safe for concurrent use; questions count as changes, for they
// merge the buffer.
package sketch
