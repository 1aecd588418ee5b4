package roi

// DowntimeExample is what an hour of outage is said to cost in an industry: a figure to
// begin with until the own one is known, and an illustration, not a measurement.
type DowntimeExample struct {
	Industry string
	// CostPerHour in EUR; nil where the source names consequences alone.
	CostPerHour *float64
	// Basis says what the figure is, or what an outage leads to.
	Basis string
}

// DowntimeExamples returns the figures of the business case that the published
// calculator comes with (see [AsPublished]), in its order. It names no study behind
// them. A model takes one as [Impact.RevenuePerHour] with a multiplier of 1. The slice
// is the caller's.
func DowntimeExamples() []DowntimeExample {
	eur := func(v float64) *float64 { return &v }
	return []DowntimeExample{
		{"financial services", eur(5_600_000), "on average"},
		{"e-commerce", eur(300_000), "at least, at peak"},
		{"healthcare", nil, "patient safety and compliance"},
		{"manufacturing", nil, "line stoppages and the supply chain"},
		{"SaaS", nil, "churn and missed service levels"},
	}
}
