package iforest

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// labelled is a table whose outliers are known.
type labelled struct {
	rows [][]float64
	odd  []bool
}

func readLabelled(t *testing.T, path string) labelled {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var l labelled
	for _, line := range lines[1:] {
		row := make([]float64, len(line)-1)
		for j := range row {
			if row[j], err = strconv.ParseFloat(line[j], 64); err != nil {
				t.Fatal(err)
			}
		}
		l.rows = append(l.rows, row)
		l.odd = append(l.odd, line[len(line)-1] == "1")
	}
	return l
}

// auc is how often an outlier has the lower score of the two when it meets an ordinary row.
func (l labelled) auc(scores []float64) float64 {
	oddness := make([]float64, len(scores))
	for i, s := range scores {
		oddness[i] = -s
	}
	return stats.ROCAUC(l.odd, oddness)
}

// Over twelve public tables the trees of scikit-learn rank outliers as it does, trees
// without a limit better in the mean, guided ones better still, and no table is much worse.
// Twenty seeds with EVENKEEL_SOAK=1, otherwise four.
func TestRanking(t *testing.T) {
	dir := testutil.Shared("data", "anomaly", "tabular")
	data, err := os.ReadFile(filepath.Join(dir, "reference.json"))
	if err != nil {
		t.Skip("the labelled tables are not here")
	}
	var reference struct {
		Sets []struct {
			Name   string
			Python struct {
				AUC []float64 `json:"auc_by_seed"`
			} `json:"sklearn_5_seeds"`
		}
	}
	if err := json.Unmarshal(data, &reference); err != nil {
		t.Fatal(err)
	}
	seeds := 4
	if os.Getenv("EVENKEEL_SOAK") != "" {
		seeds = 20
	}
	variants := []struct {
		name  string
		o     Options
		gain  float64 // in the mean over twenty seeds, at least
		worst float64 // of a table, at least
	}{
		{"same trees", Options{}, 0, 0},
		{"unlimited", Options{MaxDepth: Unlimited}, 0.003, -0.035},
		{"guided 25 %", Options{MaxDepth: Unlimited, Guided: 0.25}, 0.007, -0.035},
	}
	gains := make([]float64, len(variants))
	for _, set := range reference.Sets {
		l := readLabelled(t, filepath.Join(dir, set.Name+".csv.gz"))
		means := make([]float64, len(variants))
		for i, v := range variants {
			for seed := range seeds {
				o := v.o
				o.Seed = uint32(seed)
				f, err := Fit(l.rows, &o)
				if err != nil {
					t.Fatal(err)
				}
				scores := make([]float64, len(l.rows))
				if err := f.ScoreBatch(scores, l.rows); err != nil {
					t.Fatal(err)
				}
				auc := l.auc(scores)
				means[i] += auc / float64(seeds)
				if i == 0 && seed < len(set.Python.AUC) && (auc < set.Python.AUC[seed]-1e-6 || auc > set.Python.AUC[seed]+1e-6) {
					t.Errorf("%s, seed %d: AUC %.6f, scikit-learn has %.6f", set.Name, seed, auc, set.Python.AUC[seed])
				}
			}
			gains[i] += (means[i] - means[0]) / float64(len(reference.Sets))
			if means[i]-means[0] < v.worst {
				t.Errorf("%s, %s: AUC %.4f, %.4f below the same trees", set.Name, v.name, means[i], means[0]-means[i])
			}
		}
		t.Logf("%-16s %.4f", set.Name, means)
	}
	for i, v := range variants {
		t.Logf("%s: %+.4f in the mean over %d seeds", v.name, gains[i], seeds)
		least := v.gain
		if seeds < 20 {
			least = min(least, 0) // the mean over four seeds moves by some thousandths
		}
		if gains[i] < least {
			t.Errorf("%s: %+.4f in the mean, want at least %+.4f", v.name, gains[i], least)
		}
	}
}
