package iforest_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
)

// slowScore walks the exchange layout with float64 thresholds: an independent
// statement of what the packed forest must answer.
func slowScore(m *iforest.Model, row []float64) float64 {
	sum := 0.0
	for _, t := range m.Trees {
		at, visited := int32(0), 1.0
		for t.Left[at] >= 0 {
			column := t.Feature[at]
			if t.Columns != nil {
				column = t.Columns[column]
			}
			if float64(float32(row[column])) <= t.Threshold[at] {
				at = t.Left[at]
			} else {
				at = t.Right[at]
			}
			visited++
		}
		sum += visited + iforest.AveragePathLength(int(t.Samples[at])) - 1
	}
	x := 1.0
	if norm := float64(len(m.Trees)) * iforest.AveragePathLength(m.MaxSamples); norm != 0 {
		x = sum / norm
	}
	return -math.Pow(2, -x)
}

func TestScoreEqualsPlainWalk(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, o := range []iforest.Options{
		{},
		{Trees: 7, MaxSamples: 33},
		{Trees: 1, MaxSamples: 2, Draws: iforest.FastDraws},
		{Trees: 10, FeatureShare: 0.4, Bootstrap: true},
		{Trees: 9, MaxSamples: 1},
		{Trees: 6, MaxSamples: 700, MaxFeatures: 1, Draws: iforest.FastDraws, Bootstrap: true},
		{Trees: 5, MaxSamples: 700, MaxDepth: iforest.Unlimited, Guided: 0.5},
		{Trees: 5, MaxDepth: 2, Guided: 1, Draws: iforest.FastDraws},
	} {
		for _, d := range []int{1, 5, 62, 63, 64, 90} {
			rows := table(700, d)
			for _, row := range rows[:200] { // ties, zeros of both signs, sizes
				row[r.IntN(d)] = math.Copysign(0, r.Float64()-0.5)
				row[r.IntN(d)] = float64(r.IntN(3)) * 1e30
			}
			m, err := iforest.Grow(rows, &o)
			if err != nil {
				t.Fatalf("Grow(%d columns, %+v) = %v", d, o, err)
			}
			f, err := m.Forest()
			if err != nil {
				t.Fatal(err)
			}
			batch := make([]float64, len(rows))
			if err := f.ScoreBatch(batch, rows); err != nil {
				t.Fatal(err)
			}
			for i, row := range rows {
				one, err := f.Score(row)
				if err != nil {
					t.Fatal(err)
				}
				want := slowScore(m, row)
				if one != batch[i] || math.Abs(one-want) > 1e-15 {
					t.Fatalf("%d columns, %+v: row %d scores %v alone and %v in a batch, want %v", d, o, i, one, batch[i], want)
				}
			}
		}
	}
}

// A cell exactly at, just below and just above a threshold, for thresholds
// between float32 neighbours and beyond the float32 range.
func TestThresholdEdges(t *testing.T) {
	for _, threshold := range []float64{0, math.Copysign(0, -1), 1, -1, 1 + 1e-9, 1 - 1e-9, -1 - 1e-9, 5e-324, -5e-324, 1e300, -1e300, math.MaxFloat32} {
		m := stump(threshold)
		f, err := m.Forest()
		if err != nil {
			t.Fatal(err)
		}
		x := float32(threshold)
		for _, cell := range []float32{x, math.Nextafter32(x, -math.MaxFloat32), math.Nextafter32(x, math.MaxFloat32), 0, float32(math.Copysign(0, -1)), math.MaxFloat32, -math.MaxFloat32} {
			if math.IsInf(float64(cell), 0) {
				continue
			}
			row := []float64{float64(cell)}
			got, err := f.Score(row)
			if want := slowScore(m, row); err != nil || math.Abs(got-want) > 1e-15 {
				t.Errorf("threshold %v: Score(%v) = %v, %v, want %v", threshold, cell, got, err, want)
			}
		}
	}
}

// stump is one tree with one cut; its sides have different path lengths.
func stump(threshold float64) *iforest.Model {
	return &iforest.Model{Features: 1, MaxSamples: 256, Trees: []iforest.Tree{{
		Feature:   []int32{0, -2, -2},
		Threshold: []float64{threshold, -2, -2},
		Left:      []int32{1, -1, -1},
		Right:     []int32{2, -1, -1},
		Samples:   []int32{256, 250, 6},
	}}}
}

func TestFitIsDeterministic(t *testing.T) {
	rows := table(500, 4)
	for _, draws := range []iforest.Draws{iforest.LegacyDraws, iforest.FastDraws} {
		score := func(seed uint32) float64 {
			f, err := iforest.Fit(rows, &iforest.Options{Seed: seed, Draws: draws, Contamination: 0.1})
			if err != nil {
				t.Fatal(err)
			}
			s, err := f.Score([]float64{3, 0, 0, 0})
			if err != nil {
				t.Fatal(err)
			}
			return s + f.Offset()
		}
		if a, b := score(7), score(7); a != b {
			t.Errorf("%v draws: same seed gives %v and %v", draws, a, b)
		}
		if a, b := score(7), score(8); a == b {
			t.Errorf("%v draws: seeds 7 and 8 both give %v", draws, a)
		}
	}
}

// The trees are the same whoever grows them.
func TestWorkersDoNotMatter(t *testing.T) {
	rows := table(900, 4)
	for _, o := range []iforest.Options{{}, {Draws: iforest.FastDraws, FeatureShare: 0.5}, {MaxDepth: iforest.Unlimited, Guided: 0.3, Bootstrap: true}} {
		o.Trees, o.Workers = 41, 1
		want, err := iforest.Grow(rows, &o)
		if err != nil {
			t.Fatal(err)
		}
		_, outOfBag, err := iforest.FitOutOfBag(rows, &o)
		if err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{0, 2, 7, 100} {
			o.Workers = workers
			got, err := iforest.Grow(rows, &o)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v: %v, other trees than one worker grows", o, err)
			}
			if _, scores, err := iforest.FitOutOfBag(rows, &o); err != nil || !slices.Equal(scores, outOfBag) {
				t.Errorf("%+v: %v, other scores out of bag than with one worker", o, err)
			}
		}
	}
}

// depths returns the depth of every leaf, and how many rows it holds.
func depths(tree iforest.Tree) (depth, samples []int) {
	at := make([]int, len(tree.Left))
	for i := range tree.Left {
		if tree.Left[i] < 0 {
			depth, samples = append(depth, at[i]), append(samples, int(tree.Samples[i]))
			continue
		}
		at[tree.Left[i]], at[tree.Right[i]] = at[i]+1, at[i]+1
	}
	return depth, samples
}

// A tree ends at its depth; without one, when every row is alone.
func TestDepth(t *testing.T) {
	for _, c := range []struct{ option, deepest int }{{0, 8}, {3, 3}, {1, 1}, {iforest.Unlimited, 0}} {
		m, err := iforest.Grow(table(256, 3), &iforest.Options{Trees: 20, MaxDepth: c.option})
		if err != nil {
			t.Fatal(err)
		}
		deepest := 0
		for _, tree := range m.Trees {
			depth, samples := depths(tree)
			deepest = max(deepest, slices.Max(depth))
			if c.option == iforest.Unlimited && slices.Max(samples) > 1 {
				t.Errorf("unlimited: a leaf of %d different rows", slices.Max(samples))
			}
		}
		if c.deepest > 0 && deepest != c.deepest || c.deepest == 0 && deepest <= 8 {
			t.Errorf("MaxDepth %d: leaves at %d, want %d (0: more than 8)", c.option, deepest, c.deepest)
		}
	}
}

// The sums of squares of {0, 1, 2} and {10, 11, 14} about their means, 2 and 26/3, are less
// than those on both sides of any other cut; so the cut is at 6, halfway over the gap.
func TestGuidedCut(t *testing.T) {
	rows := [][]float64{{10}, {1}, {14}, {0}, {11}, {2}}
	m, err := iforest.Grow(rows, &iforest.Options{Trees: 5, Guided: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, tree := range m.Trees {
		if tree.Threshold[0] != 6 || tree.Samples[tree.Left[0]] != 3 {
			t.Errorf("first cut at %v with %d rows below it, want 6 and 3", tree.Threshold[0], tree.Samples[tree.Left[0]])
		}
	}
}

func TestContaminationIsShareOfTraining(t *testing.T) {
	rows := table(1000, 3)
	f, err := iforest.Fit(rows, &iforest.Options{Contamination: 0.05, Draws: iforest.FastDraws})
	if err != nil {
		t.Fatal(err)
	}
	flagged := 0
	for _, row := range rows {
		d, err := f.Decision(row)
		if err != nil {
			t.Fatal(err)
		}
		if d < 0 {
			flagged++
		}
	}
	if flagged != 50 {
		t.Errorf("contamination 0.05 flags %d of 1000 training rows, want 50", flagged)
	}
}

// Both generators must rank planted outliers first.
func TestFindsOutliers(t *testing.T) {
	rows := table(2000, 5)
	for _, draws := range []iforest.Draws{iforest.LegacyDraws, iforest.FastDraws} {
		f, err := iforest.Fit(rows, &iforest.Options{Draws: draws})
		if err != nil {
			t.Fatal(err)
		}
		usual, _ := f.Score(make([]float64, 5))
		odd, _ := f.Score([]float64{5, -5, 5, 5, -5})
		if usual < -0.45 || odd > -0.7 {
			t.Errorf("%v draws: centre scores %v and far corner %v, want about -0.4 and below -0.7", draws, usual, odd)
		}
	}
}

// With one tree a row is out of bag or has no score, and the mean over a row's
// out-of-bag trees follows from forests of one tree each.
func TestOutOfBag(t *testing.T) {
	rows := table(200, 3)
	f, scores, err := iforest.FitOutOfBag(rows, &iforest.Options{Trees: 1, MaxSamples: 50, Draws: iforest.FastDraws})
	if err != nil {
		t.Fatal(err)
	}
	inBag := 0
	for i, row := range rows {
		want, err := f.Score(row)
		if err != nil {
			t.Fatal(err)
		}
		if math.IsNaN(scores[i]) {
			inBag++
		} else if scores[i] != want {
			t.Errorf("row %d scores %v out of bag, want %v", i, scores[i], want)
		}
	}
	if inBag != 50 {
		t.Errorf("%d rows are in the bag, want 50", inBag)
	}

	// A tree that drew the planted outlier cuts it off at once; to one that did not
	// it shares the fate of its nearest neighbours.
	rows[0] = []float64{6, 6, 6}
	f, scores, err = iforest.FitOutOfBag(rows, &iforest.Options{MaxSamples: 100, Contamination: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := f.Score(rows[0])
	if err != nil || scores[0] <= seen {
		t.Errorf("the outlier scores %v out of bag and %v in all, want the former nearer to usual", scores[0], seen)
	}
	if again, err := iforest.Fit(rows, &iforest.Options{MaxSamples: 100, Contamination: 0.1}); err != nil || again.Offset() != f.Offset() {
		t.Errorf("FitOutOfBag has another offset than Fit")
	}
	if _, scores, err = iforest.FitOutOfBag([][]float64{{1}, {1}}, &iforest.Options{MaxSamples: 1}); err != nil || scores[0] != -0.5 {
		t.Errorf("one row per tree: %v, %v, want -0.5", scores, err)
	}
}

func TestAttributeSumsToDeficit(t *testing.T) {
	for _, d := range []int{3, 70} {
		rows := table(600, d)
		m, err := iforest.Grow(rows, &iforest.Options{Trees: 30})
		if err != nil {
			t.Fatal(err)
		}
		f, err := m.Forest()
		if err != nil {
			t.Fatal(err)
		}
		// Mean path over the forest from the score, and over the training rows of
		// each tree from its leaves.
		c := iforest.AveragePathLength(m.MaxSamples)
		usual := 0.0
		for _, tree := range m.Trees {
			depth := make([]float64, len(tree.Left))
			for i := range tree.Left {
				if tree.Left[i] >= 0 {
					depth[tree.Left[i]], depth[tree.Right[i]] = depth[i]+1, depth[i]+1
					continue
				}
				n := int(tree.Samples[i])
				usual += float64(n) * (depth[i] + iforest.AveragePathLength(n)) / float64(m.MaxSamples)
			}
		}
		usual /= float64(len(m.Trees))
		credit := make([]float64, d)
		odd := make([]float64, d)
		odd[1] = 9
		for i, row := range append(rows, odd) {
			if err := f.Attribute(credit, row); err != nil {
				t.Fatal(err)
			}
			s, err := f.Score(row)
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, x := range credit {
				sum += x
			}
			if want := usual - -math.Log2(-s)*c; math.Abs(sum-want) > 1e-5 {
				t.Fatalf("%d columns: credits of row %d sum to %v, want %v", d, i, sum, want)
			}
			if i == len(rows) && slices.Max(credit) != credit[1] {
				t.Errorf("a row odd in column 1 has credits %v", credit)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	good := [][]float64{{1, 2}, {3, 4}, {5, 7}}
	for _, c := range []struct {
		name string
		rows [][]float64
		o    *iforest.Options
		want string
	}{
		{"no rows", nil, nil, "iforest: table is empty, want at least one row and one column"},
		{"no columns", [][]float64{{}}, nil, "iforest: table is empty, want at least one row and one column"},
		{"ragged", [][]float64{{1, 2}, {3}}, nil, "iforest: row 1 has 1 cells, want 2"},
		{"NaN", [][]float64{{1, 2}, {3, math.NaN()}}, nil, "iforest: row 1 column 1 is NaN, want a finite number within float32"},
		{"beyond float32", [][]float64{{1, 1e39}}, nil, "iforest: row 0 column 1 is 1e+39, want a finite number within float32"},
		{"trees", good, &iforest.Options{Trees: -1}, "iforest: option Trees is -1, want a positive number, or 0 for 100"},
		{"samples", good, &iforest.Options{MaxSamples: -1}, "iforest: option MaxSamples is -1, want a positive number, or 0 for 256"},
		{"share", good, &iforest.Options{SampleShare: math.NaN()}, "iforest: option SampleShare is NaN, want a number in (0, 1], or 0 for none"},
		{"share and samples", good, &iforest.Options{SampleShare: 1, MaxSamples: 1}, "iforest: option SampleShare is 1, want 0 when MaxSamples is given"},
		{"share of nothing", good, &iforest.Options{SampleShare: 0.1}, "iforest: option SampleShare is 0.1, want large enough to draw one row"},
		{"features", good, &iforest.Options{MaxFeatures: 3}, "iforest: option MaxFeatures is 3, want at most the number of features, or 0 for all"},
		{"contamination", good, &iforest.Options{Contamination: 0.6}, "iforest: option Contamination is 0.6, want a number in (0, 0.5], or 0 for an offset of -0.5"},
		{"draws", good, &iforest.Options{Draws: 9}, "iforest: option Draws is Draws(9), want LegacyDraws or FastDraws"},
		{"depth", good, &iforest.Options{MaxDepth: -2}, "iforest: option MaxDepth is -2, want a positive number, Unlimited, or 0 for that of the paper"},
		{"guided", good, &iforest.Options{Guided: math.NaN()}, "iforest: option Guided is NaN, want a number in [0, 1]"},
		{"workers", good, &iforest.Options{Workers: -1}, "iforest: option Workers is -1, want a positive number, or 0 for 1"},
		{"too many trees", good, &iforest.Options{Trees: math.MaxInt32}, "iforest: option Trees is 2147483647, want fewer than 2^31 nodes together"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := iforest.Fit(c.rows, c.o); err == nil || err.Error() != c.want {
				t.Errorf("Fit = %v, want %s", err, c.want)
			}
		})
	}

	f, err := iforest.Fit(good, nil)
	if err != nil {
		t.Fatal(err)
	}
	var rowErr *iforest.RowError
	if _, err := f.Score([]float64{1}); !errors.As(err, &rowErr) {
		t.Errorf("Score(1 cell) = %v, want a RowError", err)
	}
	if err := f.ScoreBatch(make([]float64, 2), [][]float64{{1, 2}, {1, 2, 3}}); !errors.As(err, &rowErr) || rowErr.Row != 1 {
		t.Errorf("ScoreBatch(ragged) = %v, want a RowError for row 1", err)
	}
	var valueErr *iforest.ValueError
	if _, err := f.Score([]float64{1, math.Inf(-1)}); !errors.As(err, &valueErr) || valueErr.Column != 1 {
		t.Errorf("Score(-Inf) = %v, want a ValueError for column 1", err)
	}
	if err := f.ScoreBatch(make([]float64, 70), append(slices.Repeat([][]float64{{1, 2}}, 69), []float64{math.NaN(), 1})); !errors.As(err, &valueErr) || valueErr.Row != 69 {
		t.Errorf("ScoreBatch(NaN) = %v, want a ValueError for row 69", err)
	}
	var optionErr *iforest.OptionError
	if err := f.ScoreBatch(nil, good); !errors.As(err, &optionErr) {
		t.Errorf("ScoreBatch(short dst) = %v, want an OptionError", err)
	}
	if err := f.ScoreBatch(nil, nil); err != nil {
		t.Errorf("ScoreBatch(nothing) = %v, want nil", err)
	}
}

func TestScoreDoesNotAllocate(t *testing.T) {
	for _, d := range []int{5, 80} {
		rows := table(300, d)
		f, err := iforest.Fit(rows, &iforest.Options{Trees: 20})
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float64, len(rows))
		// The race detector makes sync.Pool drop entries at random.
		if n := testing.AllocsPerRun(100, func() {
			if _, err := f.Score(rows[0]); err != nil {
				t.Error(err)
			}
			if err := f.ScoreBatch(dst, rows); err != nil {
				t.Error(err)
			}
		}); n != 0 && !raceEnabled {
			t.Errorf("%d columns: scoring allocates %v times, want 0", d, n)
		}
	}
}

func TestConcurrentReaders(t *testing.T) {
	rows := table(400, 6)
	f, err := iforest.Fit(rows, &iforest.Options{Trees: 20})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float64, len(rows))
	if err := f.ScoreBatch(want, rows); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, credit := make([]float64, len(rows)), make([]float64, 6)
			if err := f.ScoreBatch(got, rows); err != nil || !slices.Equal(got, want) {
				t.Errorf("concurrent ScoreBatch differs, error %v", err)
			}
			if err := f.Attribute(credit, rows[0]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
