package anomaly_test

import (
	"fmt"
	"math"

	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

// basicNotYet are the kinds of plain statistics that nothing computes yet.
var basicNotYet = []string{
	"combine_p", "gesd", "kendall", "ks", "mann_whitney", "normal_tail", "ols", "psi", "quantile", "ranking", "robust", "siegel",
	"theil_sen", "wasserstein1",
}

// basic are the kinds of plain statistics.
func (s *statistics) basic() testutil.Kinds {
	return testutil.Kinds{
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
