package stats

import (
	"math"
	"slices"
)

// ROCAUC is the probability that a positive has a higher score than a negative, ties as
// a half: the area under the receiver operating characteristic. NaN without both
// kinds. The slices have one length.
func ROCAUC(positive []bool, scores []float64) float64 {
	var with, without []float64
	for i, s := range scores {
		if positive[i] {
			with = append(with, s)
		} else {
			without = append(without, s)
		}
	}
	slices.Sort(with)
	slices.Sort(without)
	return pairsAbove(with, without) / (float64(len(with)) * float64(len(without)))
}

// AveragePrecision is the sum over the distinct scores, from the highest, of the
// precision at that threshold times the recall that it adds. NaN without positives.
func AveragePrecision(positive []bool, scores []float64) float64 {
	order := make([]int, len(scores))
	total := 0
	for i := range order {
		order[i] = i
		if positive[i] {
			total++
		}
	}
	if total == 0 {
		return math.NaN()
	}
	slices.SortFunc(order, func(a, b int) int { return compare(scores[b], scores[a]) })
	sum, found, before := 0.0, 0, 0
	for i, at := range order {
		if positive[at] {
			found++
		}
		if i+1 < len(order) && scores[order[i+1]] == scores[at] {
			continue
		}
		sum += float64(found-before) / float64(total) * float64(found) / float64(i+1)
		before = found
	}
	return sum
}
