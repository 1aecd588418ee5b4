package anomaly_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
	"github.com/evenkeelops/evenkeel/internal/nab"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// streams are the kinds of streams.
func (s *statistics) streams() testutil.Kinds {
	return testutil.Kinds{"ewm": checkEWMA, "ewm_time": checkEWMA}
}

// checkEWMA compares weighted means and variances after every sample.
func checkEWMA(c testutil.Case) error {
	var in struct {
		Data     []*float64
		Alpha    float64
		Adjust   *bool
		IgnoreNA bool      `json:"ignore_na"`
		Times    []float64 `json:"times_s"`
		HalfLife float64   `json:"halflife_s"`
		Want     struct {
			Mean     []*float64
			Unbiased []*float64 `json:"var_unbiased"`
			Biased   []*float64 `json:"var_biased"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	e, err := stream.NewEWMA(&stream.EWMAOptions{
		HalfLife: time.Duration(in.HalfLife * float64(time.Second)), Alpha: in.Alpha,
		Recursive: in.Adjust != nil && !*in.Adjust, SkipMissing: in.IgnoreNA,
	})
	if err != nil {
		return err
	}
	for i, x := range in.Data {
		at := time.Unix(int64(i), 0)
		if in.Times != nil {
			at = time.Unix(0, int64(in.Times[i]*1e9))
		}
		value := math.NaN()
		if x != nil {
			value = *x
		}
		e.Update(at, value)
		for _, f := range []struct {
			name string
			got  float64
			want []*float64
		}{{"mean", e.Mean(), in.Want.Mean}, {"unbiased variance", e.UnbiasedVariance(), in.Want.Unbiased}, {"biased variance", e.Variance(), in.Want.Biased}} {
			switch {
			case f.want == nil:
			case f.want[i] == nil:
				if !math.IsNaN(f.got) {
					return fmt.Errorf("%s after %d = %v, want none", f.name, i, f.got)
				}
			case !(math.Abs(f.got-*f.want[i]) <= 1e-9+1e-9*math.Abs(*f.want[i])):
				return fmt.Errorf("%s after %d = %v, want %v", f.name, i, f.got, *f.want[i])
			}
		}
	}
	return nil
}

// testBenchmarkScores scores small files by the Numenta Anomaly Benchmark.
func testBenchmarkScores(t *testing.T) {
	testutil.OpenVectors(t, "anomaly", "nab_scoring.json").Run(t, testutil.Kinds{"nab": func(c testutil.Case) error {
		var in struct {
			Profile   string
			Threshold *float64
			Files     []struct {
				N       int
				Windows [][2]int
				Default float64
				Scores  [][2]float64
			}
			Want struct {
				Score, Threshold float64
				Detected         int `json:"windows_detected"`
				Missed           int `json:"windows_missed"`
				FalsePositives   int `json:"false_positives"`
			}
		}
		if err := c.Decode(&in); err != nil {
			return err
		}
		i := slices.IndexFunc(nab.Profiles, func(p nab.Profile) bool { return p.Name == in.Profile })
		if i < 0 {
			return fmt.Errorf("unknown profile %q", in.Profile)
		}
		var files []nab.File
		for _, f := range in.Files {
			scores := slices.Repeat([]float64{f.Default}, f.N)
			for _, s := range f.Scores {
				scores[int(s[0])] = s[1]
			}
			files = append(files, nab.File{Scores: scores, Windows: f.Windows})
		}
		var got nab.Result
		if in.Threshold == nil {
			got = nab.Best(files, nab.Profiles[i])
		} else {
			got = nab.ScoreAt(files, nab.Profiles[i], *in.Threshold)
		}
		w := in.Want
		if math.Abs(got.Score-w.Score) > 1e-9 || math.Abs(got.Threshold-w.Threshold) > 1e-9 ||
			got.Detected != w.Detected || got.Missed != w.Missed || got.FalsePositives != w.FalsePositives {
			return fmt.Errorf("scored %+v, want %+v", got, w)
		}
		return nil
	}})
}
