package anomaly

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
	"github.com/evenkeelops/evenkeel/anomaly/internal/stats"
)

// Cycle is the length of a season on the wall clock.
type Cycle uint8

const (
	// NoCycle means that no season was found.
	NoCycle Cycle = iota
	// HourCycle repeats every hour, in 12 bins of 5 minutes: jobs that start on the hour.
	HourCycle
	// DayCycle repeats every day, in 48 bins of half an hour.
	DayCycle
	// WeekCycle repeats every week, in 168 bins of an hour from Monday 00:00.
	WeekCycle
)

var cycleNames = []string{"none", "hour", "day", "week"}

// String returns "none", "hour", "day" or "week".
func (c Cycle) String() string { return enum.String(cycleNames, "Cycle", uint8(c)) }

// MarshalText implements [encoding.TextMarshaler].
func (c Cycle) MarshalText() ([]byte, error) {
	return enum.Text(cycleNames, "anomaly", "Cycle", uint8(c))
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *Cycle) UnmarshalText(text []byte) error {
	n, err := enum.Parse(cycleNames, "anomaly", "cycle", text)
	*c = Cycle(n)
	return err
}

// bins and length of the cycles.
var (
	cycleBins   = []int{0, 12, 48, 168}
	cycleLength = []time.Duration{0, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
)

const (
	// minStrength is the share of the variance that a season has to explain to be
	// accepted.
	minStrength = 0.3
	// minCycles is how many cycles have to be seen, as a whole and in a bin.
	minCycles = 3
	// pooledWeight is how many values the spread of all bins counts for in that of one:
	// the spread of a handful of values is mostly chance.
	pooledWeight = 8
)

// LikeNoDay is the answer of [Season.Exception] for dates that resemble no other: they
// are not learnt from and judged without a season.
const LikeNoDay time.Weekday = -1

// Season says how to look for seasons. The zero value looks for all cycles in UTC.
type Season struct {
	// Zone is the IANA name of the time zone in whose wall-clock time people and jobs
	// live. A clock that is put back gives an hour twice and both count for its bin; one
	// that is put forward leaves a bin out that day. Defaults to UTC.
	Zone string `json:"zone,omitempty"`
	// Cycles are the candidates. Defaults to all.
	Cycles []Cycle `json:"cycles,omitempty"`
	// Exception says which weekday a date resembles, such as Sunday for a holiday, and
	// false for an ordinary date. It gets an instant of that date in the zone and depends
	// on the date alone; it is called by many goroutines at once. It is not stored with a
	// detector: see [Detector.WithException]. Defaults to none.
	Exception func(date time.Time) (like time.Weekday, ok bool) `json:"-"`
}

// location checks the fields and loads the zone.
func (s *Season) location() (*time.Location, error) {
	for i, c := range s.Cycles {
		if c == NoCycle || c > WeekCycle {
			return nil, &OptionError{fmt.Sprintf("Season.Cycles[%d]", i), c, "HourCycle, DayCycle or WeekCycle"}
		}
	}
	return zone(s.Zone)
}

// zone loads a time zone by name. Local is refused: it is another one on another machine.
func zone(name string) (*time.Location, error) {
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, &OptionError{"Season.Zone", fmt.Sprintf("%q", name), `a name of the IANA time zone database, such as "Europe/Amsterdam"`}
	}
	return loc, nil
}

// Profile is the season of one feature: what is usual in each bin of a cycle. It is
// immutable and safe for concurrent use.
type Profile struct {
	Cycle Cycle
	Zone  string // IANA name, "" for UTC
	// Strength in [0.3, 1] is the share of the variance that the season explains, trend
	// taken out: max(0, 1 - Var(R)/Var(S+R)) (Wang, Smith and Hyndman, Data Mining and
	// Knowledge Discovery 13(3), 2006). Here R is what remains of a value after the mean
	// of its bin over the other cycles, so that a profile that merely repeats its data
	// explains nothing.
	Strength float64
	// Bins in the order of the cycle; see [Cycle].
	Bins []Bin

	loc       *time.Location
	exception func(time.Time) (time.Weekday, bool)
	middle    Bin // for dates that have none
}

// Bin is what is usual in one part of a cycle.
type Bin struct {
	// N values were seen. Bins seen in fewer than 3 cycles have the Center and Spread
	// of all values.
	N int `json:"n"`
	// Center is the median, Spread the scaled median deviation of the bin, mixed
	// with that of all bins as if the latter were 8 values more.
	Center float64 `json:"center"`
	Spread float64 `json:"spread"`
}

// At returns the bin that holds an instant. ok is false on dates that resemble no other.
func (p *Profile) At(at time.Time) (bin Bin, ok bool) {
	i, _ := p.place(at)
	if i < 0 {
		return Bin{}, false
	}
	return p.Bins[i], true
}

// alone reports whether an instant is of a date that resembles no other.
func (s *Season) alone(at time.Time, loc *time.Location) bool {
	if s.Exception == nil {
		return false
	}
	like, ok := s.Exception(at.In(loc))
	return ok && (like < time.Sunday || like > time.Saturday)
}

// place returns the bin of an instant, or -1, and a number that names the cycle that
// it falls into.
func (p *Profile) place(at time.Time) (bin int, occurrence int64) {
	wall := at.In(p.loc)
	day := wall.Weekday()
	if p.exception != nil {
		if like, ok := p.exception(wall); ok {
			day = like
		}
	}
	if day < time.Sunday || day > time.Saturday {
		return -1, 0
	}
	date := time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400
	switch p.Cycle {
	case HourCycle:
		return wall.Minute() / 5, 24*date + int64(wall.Hour())
	case DayCycle:
		return 2*wall.Hour() + wall.Minute()/30, date
	default:
		return (int(day)+6)%7*24 + wall.Hour(), date // a date like a Sunday is one more Sunday
	}
}

// FindSeason looks for the cycle that explains a series best. It is accepted if it
// explains at least 0.3 of the variance and has been seen at least three times, a week in
// at least three weeks; otherwise the error is [ErrNoSeason]. Instants need not be
// regular or in order; NaN is a missing value. Other errors are [*OptionError].
func FindSeason(times []time.Time, values []float64, o *Season) (*Profile, error) {
	if o == nil {
		o = &Season{}
	}
	loc, err := o.location()
	if err != nil {
		return nil, err
	}
	if err := checkTimes(times, len(values)); err != nil {
		return nil, err
	}
	for i, v := range values {
		if math.IsInf(v, 0) || math.Abs(v) > maxMagnitude {
			return nil, &OptionError{fmt.Sprintf("values[%d]", i), v, "a number of at most 1e150, or NaN"}
		}
	}
	p, _ := findSeason(times, values, o, loc)
	if p == nil {
		return nil, ErrNoSeason
	}
	return p, nil
}

func checkTimes(times []time.Time, n int) error {
	if len(times) != n {
		return &OptionError{"times", len(times), fmt.Sprintf("as many instants as there are rows: %d", n)}
	}
	for i, t := range times {
		if t.IsZero() {
			return &OptionError{fmt.Sprintf("times[%d]", i), t, "an instant"}
		}
	}
	return nil
}

// findSeason returns nil if no cycle is accepted. left are the values as their season sees
// them: distance from the center in spreads of the bin, both from other cycles
// than that of the value, so that they are distributed as those of fresh values are.
func findSeason(times []time.Time, values []float64, o *Season, loc *time.Location) (p *Profile, left []float64) {
	cycles := o.Cycles
	if cycles == nil {
		cycles = []Cycle{HourCycle, DayCycle, WeekCycle}
	}
	values = slices.Clone(values)
	for i := range values {
		if o.alone(times[i], loc) {
			values[i] = math.NaN()
		}
	}
	level := detrended(times, values)
	for _, c := range cycles {
		candidate := &Profile{Cycle: c, Zone: o.Zone, loc: loc, exception: o.Exception}
		if candidate.Strength = candidate.explain(times, level); !(candidate.Strength >= minStrength) {
			continue
		}
		if p == nil || candidate.Strength > p.Strength {
			p = candidate
		}
	}
	if p == nil {
		return nil, nil
	}
	return p, p.learn(times, values)
}

// detrended takes the least-squares line out; a season on a slope would otherwise be lost
// in the variance of the slope.
func detrended(times []time.Time, values []float64) []float64 {
	var x, y []float64
	for i, v := range values {
		if !math.IsNaN(v) {
			x, y = append(x, times[i].Sub(times[0]).Hours()), append(y, v)
		}
	}
	line := stats.FitLine(x, y)
	left := make([]float64, len(values))
	for i, v := range values {
		left[i] = v - line.At(times[i].Sub(times[0]).Hours())
	}
	return left
}

// group is the values of one bin by the cycle in which they fell.
type group struct {
	rows       []int
	occurrence []int64 // of each row
	cycles     int     // different ones
}

// groups sorts the rows with a value into bins.
func (p *Profile) groups(times []time.Time, values []float64) []group {
	groups := make([]group, cycleBins[p.Cycle])
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		bin, occurrence := p.place(times[i])
		if bin < 0 {
			continue
		}
		g := &groups[bin]
		g.rows, g.occurrence = append(g.rows, i), append(g.occurrence, occurrence)
	}
	for b := range groups {
		seen := slices.Clone(groups[b].occurrence)
		slices.Sort(seen)
		groups[b].cycles = len(slices.Compact(seen))
	}
	return groups
}

// explain returns the strength of a season, 0 if there is too little to tell.
func (p *Profile) explain(times []time.Time, values []float64) float64 {
	var first, last time.Time
	n := 0
	for i, t := range times {
		if math.IsNaN(values[i]) {
			continue
		}
		if n++; n == 1 || t.Before(first) {
			first = t
		}
		if n == 1 || t.After(last) {
			last = t
		}
	}
	if n < 2 {
		return 0
	}
	span := last.Sub(first)
	if span+span/time.Duration(n-1) < minCycles*cycleLength[p.Cycle] {
		return 0
	}
	var all, errors []float64
	used := 0
	for _, g := range p.groups(times, values) {
		if g.cycles < minCycles {
			continue
		}
		used += len(g.rows)
		sum := 0.0
		byCycle, counts := map[int64]float64{}, map[int64]int{}
		for k, i := range g.rows {
			sum += values[i]
			byCycle[g.occurrence[k]] += values[i]
			counts[g.occurrence[k]]++
		}
		for k, i := range g.rows {
			o := g.occurrence[k]
			others := (sum - byCycle[o]) / float64(len(g.rows)-counts[o])
			all, errors = append(all, values[i]), append(errors, (values[i]-others)*(values[i]-others))
		}
	}
	// A cycle that holds for a part of the time only is none.
	if 10*used < 9*n {
		return 0
	}
	total := stats.Variance(all, 0) * float64(len(all))
	if !(total > 0) {
		return 0
	}
	return max(0, 1-stats.Sum(errors)/total)
}

// learn fills the bins and returns what they leave of the values.
func (p *Profile) learn(times []time.Time, values []float64) []float64 {
	groups := p.groups(times, values)
	known := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(known)
	whole := Bin{Center: stats.Quantile(known, 0.5), Spread: spreadOf(known)}
	// What all bins have in common: distances from the centers.
	var away []float64
	p.Bins = make([]Bin, len(groups))
	for b := range groups {
		g := &groups[b]
		g.sort(values)
		p.Bins[b] = Bin{N: len(g.rows), Center: whole.Center, Spread: whole.Spread}
		if g.cycles < minCycles {
			continue
		}
		p.Bins[b].Center = stats.Quantile(g.pick(values), 0.5)
		for _, i := range g.rows {
			away = append(away, values[i]-p.Bins[b].Center)
		}
	}
	slices.Sort(away)
	pooled := max(stats.MADToSigma*stats.MAD(away), leastSpread(known))

	left := make([]float64, len(values))
	for i, v := range values {
		left[i] = (v - whole.Center) / whole.Spread
		if bin, _ := p.place(times[i]); bin < 0 {
			left[i] = math.NaN() // not learnt from
		}
	}
	for b := range groups {
		g := &groups[b]
		if g.cycles < minCycles {
			continue
		}
		p.Bins[b] = summarizeBin(g.pick(values), pooled)
		others := make(map[int64]Bin, g.cycles)
		for k, i := range g.rows {
			o := g.occurrence[k]
			bin, ok := others[o]
			if !ok {
				bin = summarizeBin(g.pickOther(values, o), pooled)
				others[o] = bin
			}
			left[i] = (values[i] - bin.Center) / bin.Spread
		}
	}
	p.middle = p.findMiddle()
	return left
}

// sort puts the rows of a group in the order of their values, so that parts of it need
// no sorting.
func (g *group) sort(values []float64) {
	order := make([]int, len(g.rows))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[g.rows[a]], values[g.rows[b]]) })
	rows, occurrence := make([]int, len(order)), make([]int64, len(order))
	for to, from := range order {
		rows[to], occurrence[to] = g.rows[from], g.occurrence[from]
	}
	g.rows, g.occurrence = rows, occurrence
}

// pick returns the values of a group.
func (g *group) pick(values []float64) []float64 {
	out := make([]float64, len(g.rows))
	for k, i := range g.rows {
		out[k] = values[i]
	}
	return out
}

// pickOther returns the values of a group that fell into other cycles.
func (g *group) pickOther(values []float64, occurrence int64) []float64 {
	var out []float64
	for k, i := range g.rows {
		if g.occurrence[k] != occurrence {
			out = append(out, values[i])
		}
	}
	return out
}

// summarizeBin mixes variances.
func summarizeBin(sorted []float64, pooled float64) Bin {
	own, n := stats.MADToSigma*stats.MAD(sorted), float64(len(sorted))
	return Bin{
		N:      len(sorted),
		Center: stats.Quantile(sorted, 0.5),
		Spread: math.Sqrt((n*own*own + pooledWeight*pooled*pooled) / (n + pooledWeight)),
	}
}

// season is the value as the profile sees it at an instant: its distance from the usual in
// spreads. Without a profile it is the value itself.
func (p *Profile) season(at time.Time, v float64) float64 {
	if p == nil {
		return v
	}
	b := p.binAt(at)
	return (v - b.Center) / b.Spread
}

// value undoes season.
func (p *Profile) value(at time.Time, left float64) float64 {
	if p == nil {
		return left
	}
	b := p.binAt(at)
	return b.Center + float64(left*b.Spread)
}

// binAt is At with the middle bin in place of none.
func (p *Profile) binAt(at time.Time) Bin {
	if b, ok := p.At(at); ok {
		return b
	}
	return p.middle
}

// findMiddle is the median of the bins that hold anything.
func (p *Profile) findMiddle() Bin {
	var centers, spreads []float64
	for _, b := range p.Bins {
		if b.N > 0 {
			centers, spreads = append(centers, b.Center), append(spreads, b.Spread)
		}
	}
	// Centers differ by the season, which has no meaning here and so is spread.
	slices.Sort(centers)
	return Bin{Center: stats.Quantile(centers, 0.5), Spread: stats.Median(spreads) + stats.MADToSigma*stats.MAD(centers)}
}

// profileJSON is the form of a Profile in JSON.
type profileJSON struct {
	Cycle    Cycle   `json:"cycle"`
	Zone     string  `json:"zone,omitempty"`
	Strength float64 `json:"strength"`
	Bins     []Bin   `json:"bins"`
}

// MarshalJSON writes what the fields hold; exceptions are a function and not written.
func (p *Profile) MarshalJSON() ([]byte, error) {
	return json.Marshal(profileJSON{p.Cycle, p.Zone, p.Strength, p.Bins})
}

// UnmarshalJSON reads a profile and checks it.
func (p *Profile) UnmarshalJSON(data []byte) error {
	var in profileJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	loc, err := zone(in.Zone)
	if err != nil {
		return err
	}
	switch {
	case in.Cycle == NoCycle:
		return &OptionError{"cycle", in.Cycle, "hour, day or week"}
	case len(in.Bins) != cycleBins[in.Cycle]:
		return &OptionError{"bins", len(in.Bins), fmt.Sprintf("%d bins of a cycle of a %v", cycleBins[in.Cycle], in.Cycle)}
	}
	for i, b := range in.Bins {
		if !(b.Spread > 0) || b.N < 0 {
			return &OptionError{fmt.Sprintf("bins[%d]", i), b, "a positive spread and a count"}
		}
	}
	*p = Profile{Cycle: in.Cycle, Zone: in.Zone, Strength: in.Strength, Bins: in.Bins, loc: loc}
	p.middle = p.findMiddle()
	return nil
}
