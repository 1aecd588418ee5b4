package times

import "testing"

// A year has 365 days: 0.0099 of it are 3.6 days, a tenth 36.5, a 8760th is an hour. The
// published example pays back after 50,000 / 27,533,333.33 of a year, 15.9 hours.
func TestYears(t *testing.T) {
	for years, want := range map[float64]string{
		0: "0 days", 1.0 / 8760: "1.0 hours", 50_000 / 27_533_333.33: "15.9 hours", 0.0099: "3.6 days", 0.1: "36.5 days",
		0.25: "3.0 months", 1.5: "18.0 months", 2: "2.0 years", 12.34: "12.3 years",
	} {
		if got := Years(years); got != want {
			t.Errorf("Years(%v) = %q, want %q", years, got, want)
		}
	}
}
