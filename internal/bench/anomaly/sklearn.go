package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

// sklearnScript scores our table with scikit-learn on one thread and prints the seconds of
// processor time for a row of a batch, and for a row by itself: the median of several runs.
const sklearnScript = `
import json, sys, time, warnings, numpy, sklearn
from sklearn.ensemble import IsolationForest
warnings.simplefilter("ignore")
t = json.load(sys.stdin)
rows = numpy.array(t["rows"])
f = IsolationForest(n_estimators=t["trees"], max_samples=t["samples"], random_state=0, n_jobs=1).fit(rows)
def median(run, times):
    took = []
    for _ in range(times):
        start = time.process_time()
        run()
        took.append(time.process_time() - start)
    return sorted(took)[len(took) // 2]
json.dump({"version": sklearn.__version__, "odd": list(-f.score_samples(rows)),
    "batch": median(lambda: f.score_samples(rows), 5) / len(rows), "row": median(lambda: f.score_samples(rows[:1]), 21)}, sys.stdout)
`

// sklearn returns the pairs beside scikit-learn, whose figures are taken once, in a process
// of its own; none where Debian's python3-sklearn is not installed.
func sklearn() []measure.Pair {
	const python = "/usr/bin/python3"
	if exec.CommandContext(context.Background(), python, "-c", "import sklearn").Run() != nil {
		fmt.Fprintln(os.Stderr, "bench: no scikit-learn beside us: Debian's python3-sklearn is not installed")
		return nil
	}
	o, err := newOurs(5)
	check(err)
	var in bytes.Buffer
	check(json.NewEncoder(&in).Encode(map[string]any{"rows": o.table, "trees": trees, "samples": perTree}))
	cmd := exec.CommandContext(context.Background(), python, "-c", sklearnScript)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	answer, err := cmd.Output()
	check(err)
	var took struct {
		Version    string
		Odd        []float64
		Batch, Row float64
	}
	check(json.Unmarshal(answer, &took))
	check(checkRanking("scikit-learn", took.Odd))
	beside := func(name string, seconds float64, bar float64, ops int, what func(*forests) func()) measure.Pair {
		p := goal(name, time.Duration(seconds*float64(time.Second)), ops, what)
		p.Peer, p.Bar = "scikit-learn "+took.Version, bar
		return p
	}
	return []measure.Pair{
		beside("anomaly/score_batch_d5_sklearn", took.Batch, 10, rows, func(f *forests) func() { return f.ours.scoreAll }),
		beside("anomaly/score_row_d5_sklearn", took.Row, 10_000, 1, func(f *forests) func() { return f.ours.scoreNext }),
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
