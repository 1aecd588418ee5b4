package logs

import (
	"math"
	"slices"
)

// Count is how many lines of a template there were.
type Count struct {
	ID    ID    `json:"template"`
	Lines int64 `json:"lines"`
}

// Difference is how much a template sets an incident apart from its baseline.
type Difference struct {
	ID ID `json:"template"`
	// Incident and Baseline are the lines of the template in each, and IncidentShare and
	// BaselineShare their shares of all lines.
	Incident      int64   `json:"incident"`
	Baseline      int64   `json:"baseline"`
	IncidentShare float64 `json:"incident_share"`
	BaselineShare float64 `json:"baseline_share"`
	// Lift is how many times as frequent the template is in the incident as in the
	// baseline, with half a line added to each so that it is finite.
	Lift float64 `json:"lift"`
	// G is the statistic of the likelihood-ratio test that the shares are equal,
	// negative if the template is rarer in the incident.
	G float64 `json:"g"`
	// P is the chance of such a G by accident, times the number of templates
	// compared, at most 1.
	P float64 `json:"p"`
}

// Separate ranks the templates by how much they set the lines of an incident apart
// from those of a baseline: first those that are more frequent in the incident,
// the clearest first, then those that are less, the least clear first; of equals
// by id. For the four counts o, with e expected if the shares were equal,
//
//	G = 2 * sum of o * ln(o/e)
//
// (Dunning, "Accurate methods for the statistics of surprise and coincidence",
// Computational Linguistics 1993), which is distributed as chi-squared with one
// degree of freedom unless counts are small. Ids that come twice are added up,
// negative counts are taken for 0. If one side has no lines there is nothing to
// compare, and the answer is nil.
//
// The test is about shares: a template that drowns all others in the incident
// makes them look rarer.
func Separate(incident, baseline []Count) []Difference {
	at := map[ID]int{}
	var all []Difference
	var inside, outside int64
	get := func(id ID) *Difference {
		i, ok := at[id]
		if !ok {
			i = len(all)
			at[id] = i
			all = append(all, Difference{ID: id})
		}
		return &all[i]
	}
	for _, c := range incident {
		get(c.ID).Incident += max(c.Lines, 0)
		inside += max(c.Lines, 0)
	}
	for _, c := range baseline {
		get(c.ID).Baseline += max(c.Lines, 0)
		outside += max(c.Lines, 0)
	}
	if inside <= 0 || outside <= 0 {
		return nil
	}
	n, m := float64(inside), float64(outside)
	for i := range all {
		d := &all[i]
		a, b := float64(d.Incident), float64(d.Baseline)
		d.IncidentShare, d.BaselineShare = a/n, b/m
		d.Lift = ((a + 0.5) / (n + 0.5)) / ((b + 0.5) / (m + 0.5))
		share := (a + b) / (n + m)
		d.G = max(0, 2*(surprise(a, n*share)+surprise(b, m*share)+surprise(n-a, n*(1-share))+surprise(m-b, m*(1-share))))
		d.P = min(1, math.Erfc(math.Sqrt(d.G/2))*float64(len(all)))
		if d.IncidentShare < d.BaselineShare && d.G > 0 {
			d.G = -d.G
		}
	}
	slices.SortFunc(all, func(a, b Difference) int {
		switch {
		case a.G > b.G:
			return -1
		case a.G < b.G:
			return 1
		}
		return cmp(int64(a.ID), int64(b.ID))
	})
	return all
}

func surprise(observed, expected float64) float64 {
	if observed <= 0 || expected <= 0 {
		return 0
	}
	return observed * math.Log(observed/expected)
}
