// Package oracle compares answers with programs that others wrote, on fresh
// random inputs. It is run by `make oracle` alone, which installs them.
package oracle

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
	"github.com/evenkeelops/evenkeel/roi"
)

// seed makes the inputs of a run; it is logged, so that a failure can be repeated.
const seed = 20261124

// python runs a script of Debian's python3 on a JSON input and decodes its output.
func python(t *testing.T, script string, in, out any) {
	t.Helper()
	if os.Getenv("EVENKEEL_ORACLE") == "" {
		t.Skip("skipped: run by make oracle")
	}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", script)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(data), os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v; it needs the Debian packages python3-sklearn and python3-numpy", err)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatal(err)
	}
}

// table is an input with the options that scikit-learn has too; a limit of depth other than
// its own, and guided cuts, it does not have.
type table struct {
	Seed          uint32      `json:"seed"`
	Trees         int         `json:"trees"`
	MaxSamples    int         `json:"max_samples"`
	FeatureShare  float64     `json:"max_features"`
	Bootstrap     bool        `json:"bootstrap"`
	Contamination float64     `json:"contamination"`
	Rows          [][]float64 `json:"rows"`
}

const forestScript = `
import json, sys, sklearn
from sklearn.ensemble import IsolationForest
out = []
for t in json.load(sys.stdin):
    rows, seed = t.pop("rows"), t.pop("seed")
    t["max_features"] = float(t["max_features"])  # an integer would be a number of features
    f = IsolationForest(n_estimators=t.pop("trees"), random_state=seed, **t).fit(rows)
    out.append({"version": sklearn.__version__, "offset": f.offset_, "scores": list(f.score_samples(rows))})
json.dump(out, sys.stdout)
`

// Forests of fresh tables score as those of scikit-learn do, to the last bits.
func TestForestAgainstScikitLearn(t *testing.T) {
	r := rand.New(rand.NewPCG(seed, 1))
	var tables []table
	for k := range 12 {
		rows := make([][]float64, 20+r.IntN(1500))
		features := 1 + r.IntN(12)
		for i := range rows {
			rows[i] = make([]float64, features)
			for j := range rows[i] {
				rows[i][j] = float64(float32(r.NormFloat64() * math.Pow(10, float64(j%4))))
			}
		}
		tab := table{Seed: r.Uint32(), Trees: 100, MaxSamples: min(256, len(rows)), FeatureShare: 1, Contamination: 0.1, Rows: rows}
		if k%3 > 0 { // two of three have options of their own
			tab.Trees, tab.MaxSamples = 1+r.IntN(60), 1+r.IntN(len(rows))
			tab.FeatureShare, tab.Bootstrap, tab.Contamination = float64(1+r.IntN(8))/8, r.IntN(2) > 0, float64(1+r.IntN(8))/16
		}
		tables = append(tables, tab)
	}
	var answers []struct {
		Version string
		Offset  float64
		Scores  []float64
	}
	python(t, forestScript, tables, &answers)
	worst := 0.0
	for i, tab := range tables {
		f, err := iforest.Fit(tab.Rows, &iforest.Options{
			Seed: tab.Seed, Trees: tab.Trees, MaxSamples: tab.MaxSamples, FeatureShare: tab.FeatureShare, Bootstrap: tab.Bootstrap,
			Contamination: tab.Contamination,
		})
		if err != nil {
			t.Fatal(err)
		}
		before := worst
		worst = max(worst, math.Abs(f.Offset()-answers[i].Offset))
		for k, row := range tab.Rows {
			s, err := f.Score(row)
			if err != nil {
				t.Fatal(err)
			}
			worst = max(worst, math.Abs(s-answers[i].Scores[k]))
		}
		if !(worst <= 1e-12) && worst != before {
			options := tab
			options.Rows = nil
			t.Errorf("table %d, %d by %d, %+v: differs by %g", i, len(tab.Rows), len(tab.Rows[0]), options, worst)
		}
	}
	if worst > 1e-12 {
		t.Errorf("seed %d: the scores differ from scikit-learn %s by up to %g, want at most 1e-12", seed, answers[0].Version, worst)
	}
	t.Logf("scikit-learn %s, %d tables: largest difference %g", answers[0].Version, len(tables), worst)
}

const rootScript = `
import json, sys, numpy
out = []
for flows in json.load(sys.stdin):
    x = numpy.roots(flows[::-1])
    out.append(sorted(float(1/z.real - 1) for z in x if abs(z.imag) < 1e-9 and z.real > 0))
json.dump(out, sys.stdout)
`

// Every internal rate of return is a root of the polynomial that numpy solves,
// and the other way round.
func TestIRRAgainstNumpy(t *testing.T) {
	r := rand.New(rand.NewPCG(seed, 2))
	var all [][]float64
	for range 400 {
		flows := make([]float64, 3+r.IntN(8))
		for i := range flows {
			flows[i] = float64(r.IntN(2001) - 1000)
		}
		flows[0], flows[len(flows)-1] = -1-float64(r.IntN(3000)), 1+float64(r.IntN(1000)) // an outlay, and a last flow
		all = append(all, flows)
	}
	var answers [][]float64
	python(t, rootScript, all, &answers)
	roots := 0
	for i, flows := range all {
		rates, err := roi.IRR(flows)
		if err != nil && len(rates.Roots) == 0 && len(answers[i]) == 0 {
			continue
		}
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-7*max(1, math.Abs(b)) }
		if !slices.EqualFunc(rates.Roots, answers[i], near) {
			t.Errorf("IRR(%v) = %v, %v, numpy %v", flows, rates.Roots, err, answers[i])
		}
		roots += len(answers[i])
	}
	t.Logf("%d flows, %d rates", len(all), roots)
}
