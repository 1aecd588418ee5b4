package anomaly

import (
	"math"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Combine is a way to join the p-values of the components of a reading, its tails and the
// forest, into one. Whatever the way, the result is calibrated on the history.
type Combine uint8

const (
	// CombineMinP takes the least p-value over its weight, the forest weighing 0.2 and the
	// tails 0.8 together. It sees one metric far out among many quiet ones, and one alone
	// can explain the alarm. The default.
	CombineMinP Combine = iota
	// CombineFisher sums logarithms: several moderate deviations add up (Fisher, Statistical
	// Methods for Research Workers, 1932).
	CombineFisher
	// CombineStouffer sums normal deviates, in which quiet metrics outweigh odd ones
	// (Stouffer et al., The American Soldier I, 1949).
	CombineStouffer
	// CombineCauchy averages Cauchy deviates, which is close to CombineMinP and needs no
	// weights (Liu and Xie, Journal of the American Statistical Association 115(529), 2020).
	CombineCauchy
)

var combineNames = []string{"min_p", "fisher", "stouffer", "cauchy"}

// String returns "min_p", "fisher", "stouffer" or "cauchy".
func (c Combine) String() string { return enum.String(combineNames, "Combine", uint8(c)) }

// MarshalText implements [encoding.TextMarshaler].
func (c Combine) MarshalText() ([]byte, error) {
	return enum.Text(combineNames, "anomaly", "Combine", uint8(c))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *Combine) UnmarshalText(text []byte) error {
	n, err := enum.Parse(combineNames, "anomaly", "combine", text)
	*c = Combine(n)
	return err
}

// evidence gathers the p-values of one row; the zero value holds none. The order of the
// calls does not matter but for rounding.
type evidence struct {
	sum   float64 // by the way of combining
	worst float64 // for CombineMinP
	n     int
}

// add takes a component whose p-value has the logarithm logP. twice says that it is the
// lesser of two sides, each of which has the weight.
func (e *evidence) add(way Combine, logP, logWeight float64, twice bool) {
	e.n++
	if way == CombineMinP {
		if own := logWeight - logP; e.n == 1 || own > e.worst {
			e.worst = own
		}
		return
	}
	if twice {
		logP = min(0, logP+math.Ln2)
	}
	switch way {
	case CombineFisher:
		e.sum -= logP
	case CombineStouffer:
		e.sum += stats.NormalDeviate(min(logP, -1e-12))
	case CombineMinP, CombineCauchy:
		e.sum += stats.CauchyDeviate(logP)
	}
}

// statistic is -ln of the joined p-value, not calibrated; larger is odder.
func (e *evidence) statistic(way Combine) float64 {
	switch n := float64(e.n); way {
	case CombineFisher:
		return -stats.LogFisherTail(e.sum, e.n)
	case CombineStouffer:
		return -stats.LogNormalTail(e.sum / math.Sqrt(n))
	case CombineCauchy:
		return -stats.LogCauchyTail(e.sum / n)
	default:
		return e.worst
	}
}
