package anomaly_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/anomaly/iforest"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func TestVectors(t *testing.T) {
	t.Run("seed_expected.json", testSeed)
	t.Run("sklearn_forest_expected.json", testImportedForest)
	t.Run("sklearn_parity_cases.json", testParity)
	t.Run("stats_vectors.json", testStatistics)
	t.Run("nab_scoring.json", testBenchmarkScores)
	t.Run("log_templates.json", testLogs)
}

// near is the tolerance of the forest files: absolute up to 1, relative above.
func near(got, want, tol float64) bool {
	return math.Abs(got-want) <= tol*max(1, math.Abs(want))
}

// seedModel is one model of seed_expected.json.
type seedModel struct {
	Service       string
	Train         tableSource
	Features      []string
	Contamination float64
	RandomState   uint32 `json:"random_state"`
	Estimators    int    `json:"n_estimators"`
}

// ordered is a JSON list of [name, value] where null is NaN and "inf" +Inf.
type ordered []anomaly.Value

// UnmarshalJSON reads pairs of name and value, which keep their order.
func (o *ordered) UnmarshalJSON(data []byte) error {
	var pairs [][2]any
	if err := json.Unmarshal(data, &pairs); err != nil {
		return err
	}
	for _, p := range pairs {
		v := anomaly.Value{Name: p[0].(string)}
		switch x := p[1].(type) {
		case float64:
			v.Value = x
		case nil:
			v.Value = math.NaN()
		case string:
			var err error
			if v.Value, err = strconv.ParseFloat(x, 64); err != nil {
				return err
			}
		}
		*o = append(*o, v)
	}
	return nil
}

func testSeed(t *testing.T) {
	f := testutil.OpenVectors(t, "anomaly", "seed_expected.json")
	var models []seedModel
	f.Fixture("models", &models)
	var registry anomaly.Registry
	tables := map[string][][]float64{}
	// detector trains the model of a service on first use.
	detector := func(c testutil.Case, service string) (*anomaly.Detector, error) {
		if d, err := registry.Get("", service); err == nil {
			return d, nil
		}
		i := slices.IndexFunc(models, func(m seedModel) bool { return m.Service == service })
		if i < 0 {
			return registry.Get("", service)
		}
		m := models[i]
		rows, err := m.Train.rows(c)
		if err != nil {
			return nil, err
		}
		d, err := anomaly.Fit(service, anomaly.History{Names: m.Features, Rows: rows}, &anomaly.Options{
			Preset: anomaly.Compat, Contamination: m.Contamination, Seed: &m.RandomState, Trees: m.Estimators,
		})
		if err != nil {
			return nil, err
		}
		tables[service] = rows
		registry.Put("", d)
		return d, nil
	}
	f.Run(t, testutil.Kinds{
		"model": func(c testutil.Case) error {
			var in struct {
				Service string
				Expect  json.RawMessage
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			d, err := detector(c, in.Service)
			if err != nil {
				return err
			}
			return checkSeedModel(d, tables[in.Service], in.Expect)
		},
		"predict": func(c testutil.Case) error {
			var in struct {
				Service string
				Input   ordered
				Expect  json.RawMessage
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			d, err := detector(c, in.Service)
			if err != nil {
				return err
			}
			v, err := d.EvaluateOrdered(time.Time{}, in.Input)
			if err != nil {
				return err
			}
			return checkSeedVerdict(&v, in.Expect)
		},
		"error": func(c testutil.Case) error {
			var in struct {
				Service string
				Input   ordered
				Expect  struct{ Error string }
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			d, err := detector(c, in.Service)
			if err == nil {
				_, err = d.EvaluateOrdered(time.Time{}, in.Input)
			}
			ok := false
			switch in.Expect.Error {
			case "unknown_service":
				ok = errors.Is(err, anomaly.ErrUnknownService)
			case "feature_mismatch":
				ok = errors.As(err, new(*anomaly.SchemaError))
			case "not_finite":
				ok = errors.As(err, new(*anomaly.ValueError))
			}
			switch {
			case err == nil:
				return fmt.Errorf("no error, want the class %q", in.Expect.Error)
			case !ok:
				return fmt.Errorf("error is not of the class %q: %w", in.Expect.Error, err)
			}
			return nil
		},
	})
}

func checkSeedModel(d *anomaly.Detector, rows [][]float64, expect json.RawMessage) error {
	var want struct {
		Message     string
		Mean        []float64   `json:"scaler_mean"`
		Variance    []float64   `json:"scaler_var_ddof0"`
		Scale       []float64   `json:"scaler_scale"`
		SD          []float64   `json:"baseline_std_ddof1"`
		Percentiles [][]float64 `json:"percentiles_25_50_75_95"`
		MaxSamples  int         `json:"max_samples"`
		Offset      float64
		Flagged     int       `json:"train_flagged"`
		Min         float64   `json:"train_decision_min"`
		Max         float64   `json:"train_decision_max"`
		First5      []float64 `json:"train_decision_first5"`
	}
	if err := json.Unmarshal(expect, &want); err != nil {
		return err
	}
	if got := d.String(); got != want.Message {
		return fmt.Errorf("message = %q, want %q", got, want.Message)
	}
	for j, s := range d.Scaling() {
		b := d.Baselines()[j]
		if err := sameNumbers(fmt.Sprintf("column %d", j),
			[]float64{s.Mean, s.Variance, s.Scale, b.Mean, b.SD, b.Q25, b.Median, b.Q75, b.Q95},
			append([]float64{want.Mean[j], want.Variance[j], want.Scale[j], want.Mean[j], want.SD[j]}, want.Percentiles[j]...)); err != nil {
			return err
		}
	}
	if got := d.Forest().MaxSamples(); got != want.MaxSamples {
		return fmt.Errorf("max samples = %d, want %d", got, want.MaxSamples)
	}
	decisions, flagged := make([]float64, len(rows)), 0
	for i, row := range rows {
		var values []anomaly.Value
		for j, f := range d.Schema() {
			values = append(values, anomaly.Value{Name: f.Name, Value: row[j]})
		}
		v, err := d.EvaluateOrdered(time.Time{}, values)
		if err != nil {
			return err
		}
		decisions[i] = v.Compat.AnomalyScore
		if v.State == anomaly.Anomaly {
			flagged++
		}
	}
	if flagged != want.Flagged {
		return fmt.Errorf("%d training rows flagged, want %d", flagged, want.Flagged)
	}
	return sameNumbers("offset and training decisions",
		append([]float64{d.Forest().Offset(), slices.Min(decisions), slices.Max(decisions)}, decisions[:len(want.First5)]...),
		append([]float64{want.Offset, want.Min, want.Max}, want.First5...))
}

func checkSeedVerdict(v *anomaly.Verdict, expect json.RawMessage) error {
	var want struct {
		IsAnomaly      bool    `json:"is_anomaly"`
		Decision       float64 `json:"anomaly_score"`
		Score          float64 `json:"score_samples"`
		Confidence     float64
		Deviations     [][3]any
		Recommendation string
	}
	if err := json.Unmarshal(expect, &want); err != nil {
		return err
	}
	got := v.Compat
	if got.IsAnomaly != want.IsAnomaly || (v.State == anomaly.Anomaly) != want.IsAnomaly || (v.Score > 1) != want.IsAnomaly {
		return fmt.Errorf("is anomaly = %v, state = %v, score = %v, want %v", got.IsAnomaly, v.State, v.Score, want.IsAnomaly)
	}
	if v.Recommendation != want.Recommendation || got.Recommendation != want.Recommendation {
		return fmt.Errorf("recommendation = %q, want %q", v.Recommendation, want.Recommendation)
	}
	if len(got.Deviations) != len(want.Deviations) {
		return fmt.Errorf("deviations = %v, want %v", got.Deviations, want.Deviations)
	}
	numbers := []float64{got.AnomalyScore, got.ScoreSamples, got.Confidence, v.Confidence}
	wants := []float64{want.Decision, want.Score, want.Confidence, want.Confidence}
	for i, w := range want.Deviations {
		g := got.Deviations[i]
		if g.Feature != w[0] || g.Bucket != w[2] {
			return fmt.Errorf("deviation %d = %+v, want %v", i, g, w)
		}
		numbers, wants = append(numbers, g.Score), append(wants, w[1].(float64))
	}
	return sameNumbers("numbers", numbers, wants)
}

// sameNumbers compares within 1e-12, relative and absolute.
func sameNumbers(what string, got, want []float64) error {
	for i := range want {
		if i >= len(got) || !(math.Abs(got[i]-want[i]) <= 1e-12*(1+math.Abs(want[i]))) {
			return fmt.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	return nil
}

// statistics are the sets and series that the cases of stats_vectors.json name.
type statistics struct {
	sets, series map[string][]float64
}

// testStatistics runs the kinds of three rooms: those of this package are in
// vectors_stats_test.go, those of streams and forecasts in files of their names.
func testStatistics(t *testing.T) {
	f := testutil.OpenVectors(t, "anomaly", "stats_vectors.json")
	var s statistics
	f.Fixture("sets", &s.sets)
	f.Fixture("series", &s.series)
	kinds := testutil.Kinds{}
	maps.Copy(kinds, s.basic())
	maps.Copy(kinds, s.forecasts())
	maps.Copy(kinds, s.streams())
	f.Run(t, kinds)
}

func testImportedForest(t *testing.T) {
	f := testutil.OpenVectors(t, "anomaly", "sklearn_forest_expected.json")
	var name string
	f.Fixture("forest", &name)
	var model *iforest.Model
	var forest *iforest.Forest
	load := func(c testutil.Case) error {
		if forest != nil {
			return nil
		}
		path, ok := c.Path(name)
		if !ok {
			return testutil.SkipCase(name + " is not here")
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if model, err = iforest.ParseModel(data); err != nil {
			return err
		}
		forest, err = model.Forest()
		return err
	}
	var train [][]float64
	check := func(c testutil.Case, row []float64) error {
		var want struct {
			Score    float64  `json:"score_samples"`
			Decision *float64 `json:"decision"`
		}
		if err := c.Decode(&want); err != nil {
			return err
		}
		got, err := forest.Score(row)
		if err != nil {
			return err
		}
		batch := []float64{0}
		if err := forest.ScoreBatch(batch, [][]float64{row}); err != nil {
			return err
		}
		if !near(got, want.Score, 1e-12) || batch[0] != got {
			return fmt.Errorf("score = %v, in a batch %v, want %v", got, batch[0], want.Score)
		}
		if want.Decision != nil && !near(got-forest.Offset(), *want.Decision, 1e-12) {
			return fmt.Errorf("decision = %v, want %v", got-forest.Offset(), *want.Decision)
		}
		return nil
	}
	f.Run(t, testutil.Kinds{
		"train_row": func(c testutil.Case) error {
			if err := load(c); err != nil {
				return err
			}
			if train == nil {
				path, ok := c.Path("seed_train.csv")
				if !ok {
					return testutil.SkipCase("seed_train.csv is not here")
				}
				var err error
				if _, train, err = readTable(path); err != nil {
					return err
				}
			}
			var in struct{ Row int }
			if err := c.Decode(&in); err != nil {
				return err
			}
			row := slices.Clone(train[in.Row])
			for j := range row {
				row[j] = (row[j] - model.ScalerMean[j]) / model.ScalerScale[j]
			}
			return check(c, row)
		},
		"probe": func(c testutil.Case) error {
			if err := load(c); err != nil {
				return err
			}
			var in struct{ Scaled []float64 }
			if err := c.Decode(&in); err != nil {
				return err
			}
			return check(c, in.Scaled)
		},
		"c": func(c testutil.Case) error {
			var in struct {
				N int
				C float64
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			if got := iforest.AveragePathLength(in.N); !near(got, in.C, 1e-12) {
				return fmt.Errorf("AveragePathLength(%d) = %v, want %v", in.N, got, in.C)
			}
			return nil
		},
	})
}

// parityCase describes a forest of the reference program without its trees.
type parityCase struct {
	Input         tableSource
	N, D          int
	InputHash     string          `json:"input_sha256"`
	RandomState   uint32          `json:"random_state"`
	Estimators    int             `json:"n_estimators"`
	MaxSamples    json.RawMessage `json:"max_samples"`
	Psi           int
	MaxFeatures   json.RawMessage `json:"max_features"`
	Bootstrap     bool            `json:"bootstrap"`
	Contamination any
	Nodes         int
	TreesHash     string    `json:"trees_sha256"`
	PerTree       int       `json:"features_per_tree"`
	First3        [][]int32 `json:"features_first3"`
	Offset        float64
	First5        []float64 `json:"score_first5"`
	Sum           float64   `json:"score_sum"`
	Flagged       *int
}

func testParity(t *testing.T) {
	f := testutil.OpenVectors(t, "anomaly", "sklearn_parity_cases.json")
	check := func(c testutil.Case) error {
		var p parityCase
		if err := c.Decode(&p); err != nil {
			return err
		}
		rows, err := p.Input.rows(c)
		if err != nil {
			return err
		}
		if p.Input.CSV != "" {
			for i := range rows { // the last column is the label
				rows[i] = rows[i][:len(rows[i])-1]
			}
		}
		h := sha256.New()
		for _, row := range rows {
			for _, v := range row {
				write(h, float32(v))
			}
		}
		if got := hexSum(h); got != p.InputHash || len(rows) != p.N || len(rows[0]) != p.D {
			return fmt.Errorf("input of %d x %d has hash %s, want %d x %d, %s", len(rows), len(rows[0]), got, p.N, p.D, p.InputHash)
		}
		return checkParity(&p, rows)
	}
	f.Run(t, testutil.Kinds{"csv": check, "gen": check, "ext": check})
}

func checkParity(p *parityCase, rows [][]float64) error {
	o := iforest.Options{Trees: p.Estimators, Seed: p.RandomState, Bootstrap: p.Bootstrap}
	if err := errors.Join(
		setCount(p.MaxSamples, &o.MaxSamples, &o.SampleShare),
		setCount(p.MaxFeatures, &o.MaxFeatures, &o.FeatureShare),
	); err != nil {
		return err
	}
	o.Contamination, _ = p.Contamination.(float64)
	m, err := iforest.Grow(rows, &o)
	if err != nil {
		return err
	}
	h, nodes := sha256.New(), 0
	for _, tree := range m.Trees {
		write(h, tree.Feature)
		write(h, tree.Threshold)
		write(h, tree.Left)
		write(h, tree.Right)
		write(h, tree.Samples)
		nodes += len(tree.Left)
	}
	if got := hexSum(h); got != p.TreesHash || nodes != p.Nodes || m.MaxSamples != p.Psi {
		return fmt.Errorf("trees of %d nodes over %d rows have hash %s, want %d nodes, %d rows, %s", nodes, m.MaxSamples, got, p.Nodes, p.Psi, p.TreesHash)
	}
	for i, want := range p.First3 {
		if got := m.Trees[i].Columns; got != nil && !slices.Equal(got, want) {
			return fmt.Errorf("tree %d has features %v, want %v", i, got, want)
		}
	}
	if !near(m.Offset, p.Offset, 1e-12) {
		return fmt.Errorf("offset = %v, want %v", m.Offset, p.Offset)
	}
	forest, err := m.Forest()
	if err != nil {
		return err
	}
	scores := make([]float64, len(rows))
	if err := forest.ScoreBatch(scores, rows); err != nil {
		return err
	}
	sum, flagged := 0.0, 0
	for i, s := range scores {
		sum += s
		if s-forest.Offset() < 0 {
			flagged++
		}
		if i < len(p.First5) && !near(s, p.First5[i], 1e-12) {
			return fmt.Errorf("score of row %d = %v, want %v", i, s, p.First5[i])
		}
	}
	if !near(sum, p.Sum, 1e-9) {
		return fmt.Errorf("scores sum to %v, want %v", sum, p.Sum)
	}
	if p.Flagged != nil && flagged != *p.Flagged {
		return fmt.Errorf("%d rows flagged, want %d", flagged, *p.Flagged)
	}
	return nil
}

// setCount reads scikit-learn's "auto", whole number or share. 1 is a number
// and 1.0 a share, so the text of the number counts.
func setCount(raw json.RawMessage, count *int, share *float64) error {
	switch text := string(raw); {
	case text == "" || text == `"auto"`:
		return nil
	case strings.ContainsAny(text, ".e"):
		return json.Unmarshal(raw, share)
	default:
		return json.Unmarshal(raw, count)
	}
}

// tableSource names a table: a CSV file or a seeded generator.
type tableSource struct {
	CSV string
	Gen *struct {
		Seed uint64
		N    int
		Cols []string
	}
}

// rows reads the table, or makes it; without the file the case is skipped.
func (s tableSource) rows(c testutil.Case) ([][]float64, error) {
	if s.Gen != nil {
		return generate(s.Gen.Seed, s.Gen.N, s.Gen.Cols)
	}
	path, ok := c.Path(s.CSV)
	if !ok {
		return nil, testutil.SkipCase(s.CSV + " is not here")
	}
	_, rows, err := readTable(path)
	return rows, err
}

// generate makes the tables that the case files describe by seed.
func generate(seed uint64, n int, cols []string) ([][]float64, error) {
	uniform := func() float64 {
		seed += 0x9E3779B97F4A7C15
		z := seed
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		return float64(z>>11) * 0x1p-53
	}
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, len(cols))
		for j, col := range cols {
			var v float64
			switch col {
			case "uniform":
				v = uniform()
			case "bell":
				for range 12 {
					v += uniform()
				}
				v -= 6
			case "pareto":
				v = 1 / (1 - uniform())
			case "grid5":
				v = math.Floor(5 * uniform())
			case "bit":
				if uniform() < 0.02 {
					v = 1
				}
			case "const":
				v = 7.5
			case "tiny":
				v = 1e-9 * uniform()
			case "offset":
				v = 1e9 + float64(100*uniform())
			case "neg":
				v = -1000 * uniform()
			default:
				return nil, fmt.Errorf("unknown generator %q", col)
			}
			rows[i][j] = v
		}
	}
	return rows, nil
}

// readTable reads a CSV of numbers with a header, gzipped if its name says so.
func readTable(path string) (names []string, rows [][]float64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			return nil, nil, err
		}
	}
	records, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	for _, record := range records[1:] {
		row := make([]float64, len(record))
		for j, cell := range record {
			if row[j], err = strconv.ParseFloat(cell, 64); err != nil {
				return nil, nil, err
			}
		}
		rows = append(rows, row)
	}
	return records[0], rows, nil
}

func write(h hash.Hash, v any) {
	if err := binary.Write(h, binary.LittleEndian, v); err != nil {
		panic(err) // a hash never fails and the values have fixed sizes
	}
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
