package anomaly_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// basic are the kinds of plain statistics.
func (s *statistics) basic() testutil.Kinds {
	return testutil.Kinds{
		"quantile":     s.quantile,
		"robust":       s.robust,
		"ols":          s.ols,
		"theil_sen":    s.trend(stats.TheilSen),
		"siegel":       s.trend(stats.Siegel),
		"kendall":      s.kendall,
		"ks":           s.twoSamples,
		"mann_whitney": s.twoSamples,
		"wasserstein1": s.twoSamples,
		"psi":          s.psi,
		"gesd":         s.gesd,
		"normal_tail":  normalTail,
		"combine_p":    combineP,
		"ranking":      ranking,
		"gpd_mle": func(c testutil.Case) error {
			var in struct {
				Set  string
				Tol  struct{ Rel float64 }
				Want struct {
					Cost  float64 `json:"nll_at_most"`
					Shape float64 `json:"xi"`
					Scale float64 `json:"sigma"`
					Q999  float64
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			y := s.sets[in.Set]
			g := stats.FitGPD(y)
			if cost := g.NegLogLikelihood(y); cost > in.Want.Cost+1e-9*(1+math.Abs(in.Want.Cost)) {
				return fmt.Errorf("negative log likelihood = %v, want at most %v", cost, in.Want.Cost)
			}
			for _, x := range [][2]float64{{g.Shape, in.Want.Shape}, {g.Scale, in.Want.Scale}, {g.Quantile(0.999), in.Want.Q999}} {
				if math.Abs(x[0]-x[1]) > in.Tol.Rel*math.Abs(x[1]) {
					return fmt.Errorf("fit %+v has %v, want %v", g, x[0], x[1])
				}
			}
			return nil
		},
	}
}

// sorted returns a set of the file in increasing order.
func (s *statistics) sorted(name string) []float64 {
	return slices.Sorted(slices.Values(s.sets[name]))
}

// agree compares by name within 1e-9, absolute and relative. What is wanted must have been
// computed; null stands for NaN.
func agree(got map[string]float64, want json.RawMessage) error {
	var wants map[string]*float64
	if err := json.Unmarshal(want, &wants); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(wants)) {
		g, ok := got[name]
		w := wants[name]
		switch {
		case !ok:
			return fmt.Errorf("nothing computes %s", name)
		case w == nil && !math.IsNaN(g), w != nil && !within(g, *w):
			return fmt.Errorf("%s = %v, want %s", name, g, want)
		}
	}
	return nil
}

// within is the tolerance of stats_vectors.json.
func within(got, want float64) bool { return math.Abs(got-want) <= 1e-9+1e-9*math.Abs(want) }

// agreeAll is agree for lists.
func agreeAll(what string, got, want []float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%s has %d numbers, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if !within(got[i], w) {
			return fmt.Errorf("%s[%d] = %v, want %v", what, i, got[i], w)
		}
	}
	return nil
}

// pair is a case about two sets of one length, or two samples.
type pair struct {
	X, Y, A, B string
	Capacity   float64
	Want       json.RawMessage
}

// quantile compares all methods.
func (s *statistics) quantile(c testutil.Case) error {
	var in struct {
		Set     string
		Method  anomaly.QuantileMethod
		Q, Want []float64
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	var got []float64
	for _, q := range in.Q {
		got = append(got, stats.QuantileBy(s.sorted(in.Set), q, stats.Method(in.Method)))
	}
	return agreeAll(in.Method.String(), got, in.Want)
}

// robust compares median, deviations, Qn and moments.
func (s *statistics) robust(c testutil.Case) error {
	var in struct {
		Set  string
		Want json.RawMessage
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	x, sorted := s.sets[in.Set], s.sorted(in.Set)
	skew, kurtosis := stats.Shape(x)
	return agree(map[string]float64{
		"median": stats.Median(x), "mad": stats.MAD(sorted), "mad_normal": stats.MAD(sorted) * stats.MADToSigma,
		"iqr": stats.IQR(sorted), "mean": stats.Mean(x), "sd_ddof0": stats.SD(x, 0), "sd_ddof1": stats.SD(x, 1),
		"trim_mean_10": stats.TrimmedMean(sorted, 0.1), "skew": skew, "excess_kurtosis": kurtosis, "qn": stats.Qn(sorted),
	}, in.Want)
}

// ols compares the line of least squares.
func (s *statistics) ols(c testutil.Case) error {
	var in pair
	var want struct {
		Intercept, Slope, R2 float64
		SE                   float64   `json:"slope_se"`
		SD                   float64   `json:"resid_sd"`
		T                    []float64 `json:"pred_t"`
		Mean                 []float64 `json:"pred_mean"`
		Lower                []float64 `json:"pred_lower95"`
		Upper                []float64 `json:"pred_upper95"`
		Reach                float64   `json:"reach_t"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	if err := json.Unmarshal(in.Want, &want); err != nil {
		return err
	}
	l := stats.FitLine(s.sets[in.X], s.sets[in.Y])
	got := []float64{l.Intercept, l.Slope, l.R2, l.SlopeSE, l.ResidualSD, l.Reach(in.Capacity)}
	wants := []float64{want.Intercept, want.Slope, want.R2, want.SE, want.SD, want.Reach}
	for i, t := range want.T {
		low, high := l.Predict(t, 0.95)
		got = append(got, l.At(t), low, high)
		wants = append(wants, want.Mean[i], want.Lower[i], want.Upper[i])
	}
	return agreeAll("line", got, wants)
}

// trend checks a robust line; only TheilSen bounds the slope.
func (s *statistics) trend(fit func(x, y []float64) stats.Trend) func(testutil.Case) error {
	return func(c testutil.Case) error {
		var in pair
		if err := c.Decode(&in); err != nil {
			return err
		}
		t := fit(s.sets[in.X], s.sets[in.Y])
		return agree(map[string]float64{"slope": t.Slope, "intercept": t.Intercept, "lower95": t.Low, "upper95": t.High}, in.Want)
	}
}

// kendall compares the rank correlation.
func (s *statistics) kendall(c testutil.Case) error {
	var in pair
	if err := c.Decode(&in); err != nil {
		return err
	}
	return agree(map[string]float64{"tau_b": stats.KendallTau(s.sets[in.X], s.sets[in.Y])}, in.Want)
}

// twoSamples compares tests and distances of two samples.
func (s *statistics) twoSamples(c testutil.Case) error {
	var in pair
	if err := c.Decode(&in); err != nil {
		return err
	}
	a, b := s.sorted(in.A), s.sorted(in.B)
	d, limit := stats.KS(a, b)
	u, p := stats.MannWhitney(s.sets[in.A], s.sets[in.B])
	return agree(map[string]float64{
		"d": d, "p_kolmogorov_limit": limit, "w1": stats.Wasserstein1(a, b),
		"u": u, "p_two_sided_asymptotic_tie_and_continuity_corrected": p,
	}, in.Want)
}

// psi compares the population stability index.
func (s *statistics) psi(c testutil.Case) error {
	var in struct {
		Reference, Current string
		Bins               int
		Floor              float64
		Want               json.RawMessage
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	edges := stats.PSIEdges(s.sorted(in.Reference), in.Bins)
	return agree(map[string]float64{"psi": stats.PSI(s.sets[in.Reference], s.sets[in.Current], edges, in.Floor)}, in.Want)
}

// gesd compares the outliers found.
func (s *statistics) gesd(c testutil.Case) error {
	var in struct {
		Set   string
		Alpha float64
		K     int
		Want  struct {
			R, Lambda []float64
			Order     []int
			Outliers  int
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	g := stats.TestGESD(s.sets[in.Set], in.K, in.Alpha)
	if !slices.Equal(g.Order, in.Want.Order) || g.Outliers != in.Want.Outliers {
		return fmt.Errorf("%d outliers of %v, want %d of %v", g.Outliers, g.Order, in.Want.Outliers, in.Want.Order)
	}
	return agreeAll("statistics and critical values", slices.Concat(g.R, g.Lambda), slices.Concat(in.Want.R, in.Want.Lambda))
}

func normalTail(c testutil.Case) error {
	var in struct {
		Z    float64
		Want json.RawMessage
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	return agree(map[string]float64{"log10_two_sided": (stats.LogNormalTail(in.Z) + math.Ln2) / math.Ln10}, in.Want)
}

func combineP(c testutil.Case) error {
	var in struct {
		P    []float64
		Want json.RawMessage
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	return agree(map[string]float64{
		"bonferroni": stats.Bonferroni(in.P), "sidak": stats.Sidak(in.P), "fisher": stats.Fisher(in.P),
		"stouffer": stats.Stouffer(in.P), "cauchy": stats.Cauchy(in.P),
	}, in.Want)
}

func ranking(c testutil.Case) error {
	var in struct {
		Labels []int
		Scores []float64
		Want   json.RawMessage
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	positive := make([]bool, len(in.Labels))
	for i, l := range in.Labels {
		positive[i] = l == 1
	}
	return agree(map[string]float64{
		"roc_auc": stats.ROCAUC(positive, in.Scores), "average_precision": stats.AveragePrecision(positive, in.Scores),
	}, in.Want)
}
