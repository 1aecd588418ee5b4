package anomaly

import "github.com/evenkeelops/evenkeel/anomaly/internal/enum"

// QuantileMethod is a rule for the q-quantile of n sorted values. Programs differ in
// it: R and numpy answer QuantileLinear unless told otherwise, SAS QuantileAveragedInvertedCDF, Minitab
// and Excel's PERCENTILE.EXC QuantileWeibull. Types are those of Hyndman and Fan (The American
// Statistician 50(4), 1996); texts are numpy's names.
//
// Positions count from 1; between two values the interpolating methods draw a line, and
// positions outside are the smallest and the largest value.
type QuantileMethod uint8

const (
	// QuantileLinear interpolates at 1 + q(n-1), type 7. The default.
	QuantileLinear QuantileMethod = iota
	// QuantileInvertedCDF is the smallest value whose rank is at least qn, type 1.
	QuantileInvertedCDF
	// QuantileAveragedInvertedCDF is QuantileInvertedCDF, but the mean with the next value where qn is
	// whole, type 2.
	QuantileAveragedInvertedCDF
	// QuantileClosestObservation is the value with the rank nearest to qn, of two the even one,
	// type 3.
	QuantileClosestObservation
	// QuantileInterpolatedInvertedCDF interpolates at qn, type 4.
	QuantileInterpolatedInvertedCDF
	// QuantileHazen interpolates at qn + 1/2, type 5.
	QuantileHazen
	// QuantileWeibull interpolates at q(n+1), type 6.
	QuantileWeibull
	// QuantileMedianUnbiased interpolates at q(n+1/3) + 1/3, type 8, which is about right in the
	// median whatever the distribution.
	QuantileMedianUnbiased
	// QuantileNormalUnbiased interpolates at q(n+1/4) + 3/8, type 9, about right in the mean for a
	// normal distribution.
	QuantileNormalUnbiased
	// QuantileLower is the value below the position of QuantileLinear.
	QuantileLower
	// QuantileHigher is the value above that position.
	QuantileHigher
	// QuantileMidpoint is the mean of these two.
	QuantileMidpoint
	// QuantileNearest is the nearer of the two, in the middle the one at an even place from 0.
	QuantileNearest
)

var quantileMethodNames = []string{
	"linear", "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
	"median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
}

// String returns the name of the method in numpy.
func (m QuantileMethod) String() string {
	return enum.String(quantileMethodNames, "QuantileMethod", uint8(m))
}

// MarshalText implements [encoding.TextMarshaler].
func (m QuantileMethod) MarshalText() ([]byte, error) {
	return enum.Text(quantileMethodNames, "anomaly", "QuantileMethod", uint8(m))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (m *QuantileMethod) UnmarshalText(text []byte) error {
	n, err := enum.Parse(quantileMethodNames, "anomaly", "quantile method", text)
	*m = QuantileMethod(n)
	return err
}
