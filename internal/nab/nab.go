// Package nab scores detectors as the Numenta Anomaly Benchmark does (Lavin and Ahmad,
// Evaluating Real-Time Anomaly Detection Algorithms, 2015, section III), for tests and
// measurements.
//
// A file is a series with a score for each point and windows around what is known to have
// happened. A point fires at or above the threshold, which is one for all files. In
// a window the earliest firing point counts, the more the earlier it is; a missed window
// costs; a firing point outside costs, little soon after a window and in full later.
package nab

import (
	"cmp"
	"math"
	"slices"
)

// Profile weighs detections (always 1), missed windows and false positives.
type Profile struct {
	// Name is that of the benchmark.
	Name string
	// Missed is what a missed window costs, False what a false positive costs at most.
	Missed, False float64
}

// Profiles are those of the benchmark.
var Profiles = []Profile{
	{Name: "standard", Missed: 1, False: 0.11},
	{Name: "reward_low_FP_rate", Missed: 1, False: 0.22},
	{Name: "reward_low_FN_rate", Missed: 2, False: 0.11},
}

// File is a series that was scored.
type File struct {
	// Scores has one score for each point, from 0 to 1; NaN never fires.
	Scores []float64
	// Windows are index pairs in order, both ends within the window.
	Windows [][2]int
}

// Result is what a threshold makes of some files.
type Result struct {
	// Score is 100 for all windows found at once and nothing else, 0 for nothing found;
	// NaN without windows.
	Score float64
	// Threshold is the one that was used.
	Threshold float64
	// Detected and Missed count windows, FalsePositives firing points outside of them.
	Detected, Missed, FalsePositives int
	// Raw is the sum that Score is made of, without what missed windows cost; it exists
	// without windows, too.
	Raw float64
}

// Probation is how many points at the start of a file are ignored.
func Probation(n int) int { return min(n*15/100, 750) }

// Nothing is the threshold of a sweep that nothing reaches.
const Nothing = 1.1

// ScoreAt scores with a given threshold.
func ScoreAt(files []File, p Profile, threshold float64) Result {
	t := newTally(files, p)
	for _, pt := range t.points {
		if pt.score >= threshold {
			t.fire(pt)
		}
	}
	return t.result(threshold)
}

// Best scores with the best single threshold among all scores and [Nothing]. Of
// thresholds with the same total the highest stays.
func Best(files []File, p Profile) Result {
	t := newTally(files, p)
	best := t.result(Nothing)
	bestTotal := t.total()
	for i := 0; i < len(t.points); {
		threshold := t.points[i].score
		for ; i < len(t.points) && t.points[i].score == threshold; i++ {
			t.fire(t.points[i])
		}
		if total := t.total(); total > bestTotal {
			best, bestTotal = t.result(threshold), total
		}
	}
	return best
}

// point is one that may fire.
type point struct {
	score float64
	// window is the index of the window that holds it, or -1.
	window int
	// gain is what it adds in its window, or costs outside.
	gain float64
}

// tally is the state of a sweep.
type tally struct {
	profile Profile
	points  []point   // highest score first
	gains   []float64 // the best so far of each window, NaN if it is missed
	found   int
	falses  int
	loss    float64 // of false positives, at most 0
}

func newTally(files []File, p Profile) *tally {
	t := &tally{profile: p}
	for _, f := range files {
		first := len(t.gains)
		w := 0 // the first window that has not ended
		for i, score := range f.Scores {
			for w < len(f.Windows) && f.Windows[w][1] < i {
				w++
			}
			if i < Probation(len(f.Scores)) || math.IsNaN(score) {
				continue
			}
			pt := point{score: score, window: -1}
			switch {
			case w < len(f.Windows) && f.Windows[w][0] <= i:
				left, right := f.Windows[w][0], f.Windows[w][1]
				pt.window = first + w
				pt.gain = sigmoid(-float64(right-i+1)/float64(right-left+1)) / sigmoid(-1)
			case w == 0:
				pt.gain = -p.False
			default:
				left, right := f.Windows[w-1][0], f.Windows[w-1][1]
				pt.gain = -p.False
				if y := float64(i-right) / float64(right-left); y <= 3 {
					pt.gain = p.False * sigmoid(y)
				}
			}
			t.points = append(t.points, pt)
		}
		for range f.Windows {
			t.gains = append(t.gains, math.NaN())
		}
	}
	slices.SortStableFunc(t.points, func(a, b point) int { return cmp.Compare(b.score, a.score) })
	return t
}

// sigmoid falls from 1 far before 0 to -1 far after it.
func sigmoid(y float64) float64 { return 2/(1+math.Exp(5*y)) - 1 }

// fire counts a point that reaches the threshold.
func (t *tally) fire(pt point) {
	switch {
	case pt.window < 0:
		t.falses++
		t.loss += pt.gain
	case math.IsNaN(t.gains[pt.window]):
		t.found++
		t.gains[pt.window] = pt.gain
	default:
		t.gains[pt.window] = max(t.gains[pt.window], pt.gain)
	}
}

// raw is the sum of gains and losses.
func (t *tally) raw() float64 {
	sum := t.loss
	for _, g := range t.gains {
		if !math.IsNaN(g) {
			sum += g
		}
	}
	return sum
}

// total is raw less what the missed windows cost.
func (t *tally) total() float64 {
	return t.raw() - t.profile.Missed*float64(len(t.gains)-t.found)
}

// result is the tally so far, as that of a threshold.
func (t *tally) result(threshold float64) Result {
	w := float64(len(t.gains))
	return Result{
		Score:     100 * (t.total() + t.profile.Missed*w) / (w * (1 + t.profile.Missed)),
		Threshold: threshold,
		Detected:  t.found, Missed: len(t.gains) - t.found, FalsePositives: t.falses,
		Raw: t.raw(),
	}
}
