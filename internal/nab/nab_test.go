package nab_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/nab"
)

// The sweep finds what trying every threshold finds.
func TestBestIsTheBest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		files := []nab.File{
			{Scores: make([]float64, 300), Windows: [][2]int{{60, 90}, {200, 220}}},
			{Scores: make([]float64, 100), Windows: [][2]int{{40, 40}}},
			{Scores: make([]float64, 50)},
		}
		thresholds := []float64{nab.Nothing}
		for _, f := range files {
			for i := range f.Scores {
				f.Scores[i] = math.Floor(20*math.Pow(r.Float64(), 8)) / 20
				thresholds = append(thresholds, f.Scores[i])
			}
		}
		for _, p := range nab.Profiles {
			got := nab.Best(files, p)
			want := math.Inf(-1)
			for _, threshold := range thresholds {
				want = max(want, nab.ScoreAt(files, p, threshold).Score)
			}
			if math.Abs(got.Score-want) > 1e-9 || math.Abs(nab.ScoreAt(files, p, got.Threshold).Score-want) > 1e-9 {
				t.Fatalf("%s: Best = %+v, want a score of %v", p.Name, got, want)
			}
		}
	}
}

func TestProbation(t *testing.T) {
	for n, want := range map[int]int{0: 0, 10: 1, 4032: 604, 5000: 750, 22695: 750} {
		if got := nab.Probation(n); got != want {
			t.Errorf("Probation(%d) = %d, want %d", n, got, want)
		}
	}
}

// A detector that does not judge has no score there: such a point fires at no threshold, and
// the sweep ends.
func TestScoresWithoutANumber(t *testing.T) {
	nan := math.NaN()
	odd := []nab.File{{Scores: []float64{0, 0, nan, 0, 0, 0.9, nan, nan, 0.2, 0}, Windows: [][2]int{{4, 6}}}}
	plain := []nab.File{{Scores: []float64{0, 0, 0, 0, 0, 0.9, 0, 0, 0.2, 0}, Windows: [][2]int{{4, 6}}}}
	got, want := nab.Best(odd, nab.Profiles[0]), nab.Best(plain, nab.Profiles[0])
	if got != want || got.Detected != 1 || got.FalsePositives != 0 || got.Threshold != 0.9 {
		t.Errorf("Best with NaN = %+v, want %+v", got, want)
	}
}
