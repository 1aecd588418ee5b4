package sla

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Remedy says what a missed availability earns. [Bands], [LostTime],
// [PerInterval], [PerOutage], [UsageShare] and [UnknownRemedy] are the remedies
// of this package; a contract may bring its own, see [Kinds].
type Remedy interface {
	// Credits returns the lines that the miss earns; [Miss.Line] makes them. A
	// line of 0 says that the miss was looked at and earns nothing.
	Credits(m Miss) ([]Line, error)
}

// Miss is what a remedy works on: a value below its target.
type Miss struct {
	Measured

	// Fee is the price that percentages refer to, for a whole period of that
	// many local Days.
	Fee  money.Amount
	Days int

	// Length is that of the period, of which Total has passed.
	Length time.Duration

	Requests []Requests // of the service, in the covered time
	Rounding money.Rounding

	outages []Outage // of the service, and maybe others
	now     time.Time
}

// Line returns a line of share·fee, rounded as the contract says.
func (m Miss) Line(basis Basis, share *big.Rat) (Line, error) {
	l := Line{Basis: basis, Value: m.Value, Evidence: m.Evidence}
	if m.Promised > 0 {
		l.Numerator, l.Denominator = m.Promised-m.Down, m.Promised
	}
	err := l.earn(m.Fee, share, m.Rounding)
	return l, err
}

// lost returns a share of the passed time as one of the whole period.
func (m Miss) lost(share *big.Rat) *big.Rat {
	if m.Length > m.Total {
		share.Mul(share, big.NewRat(int64(m.Total), int64(m.Length)))
	}
	return share
}

// ratio is a percentage as a number.
func ratio(p money.Percent) *big.Rat { return big.NewRat(int64(p), whole) }

// Bands give a percentage of the fee, or days of service, by the measured value.
type Bands struct {
	// Bands lists them from the best value down. A missed target that no band
	// holds earns nothing and is reported as a credit gap.
	Bands []Band `json:"bands"`

	// ExtendTop gives the credit of the first band to values in the gap between
	// it and the target.
	ExtendTop bool `json:"extend_top,omitempty"`
}

// Find returns the band that holds the value of a missed target.
func (b Bands) Find(value Fraction) (Band, bool) {
	for _, band := range b.Bands {
		if band.Holds(value) {
			return band, true
		}
	}
	if len(b.Bands) > 0 && b.ExtendTop && value.ComparePercent(b.Bands[0].Below) >= 0 {
		return b.Bands[0], true
	}
	return Band{}, false
}

// Credits returns the line of the band.
func (b Bands) Credits(m Miss) ([]Line, error) {
	if len(b.Bands) == 0 {
		return nil, nil
	}
	basis, share := PercentOfFee, new(big.Rat)
	band, ok := b.Find(m.Value)
	switch {
	case ok && band.Days > 0 && m.Days <= 0:
		return nil, fmt.Errorf("sla: %d days of service of a period of %d: want 1 or more", band.Days, m.Days)
	case ok && band.Days > 0:
		basis, share = DaysOfFee, big.NewRat(int64(band.Days), int64(m.Days))
	case ok:
		share = ratio(band.Credit)
	}
	l, err := m.Line(basis, share)
	if ok {
		l.Band, l.Rate, l.Days = &band, band.Credit, band.Days
	}
	if band.Days > 0 {
		l.DaysOf = m.Days
	}
	return []Line{l}, err
}

// Band gives a credit for values from From (inclusive) to Below (exclusive).
type Band struct {
	Below  money.Percent `json:"below"`
	From   money.Percent `json:"from"`
	Credit money.Percent `json:"credit,omitzero"`

	// Days gives days of service instead of a percentage: Days/n of the fee for
	// a period of n local days.
	Days int `json:"days,omitzero"`

	// AtBelow includes the upper bound and NotAtFrom excludes the lower one, for
	// contracts that word their bands so.
	AtBelow   bool `json:"at_below,omitempty"`
	NotAtFrom bool `json:"not_at_from,omitempty"`
}

// Holds reports whether the value lies in the band; it must be set.
func (b Band) Holds(value Fraction) bool {
	below, from := value.ComparePercent(b.Below), value.ComparePercent(b.From)
	return (below < 0 || below == 0 && b.AtBelow) && (from > 0 || from == 0 && !b.NotAtFrom)
}

// amount returns what the band gives of the fee of a period of so many days.
func (b Band) amount(fee money.Amount, days int64, rounding money.Rounding) (money.Amount, error) {
	if b.Days > 0 {
		return fee.Share(int64(b.Days), days, rounding)
	}
	return fee.Percent(b.Credit, rounding)
}

// LostTime gives back the fee of the time that was lost, as often as Times says:
//
//	fee · (1 − value) · Times
//	fee · (target − value) · Times      with BeyondTarget
type LostTime struct {
	Times        int64 `json:"times"`
	BeyondTarget bool  `json:"beyond_target,omitempty"`

	// OutageCapPercent bounds what one stretch of downtime earns, as a percentage
	// of the fee. With it every stretch has its own line. Nil is no bound.
	OutageCapPercent *money.Percent `json:"outage_cap_percent,omitempty"`
}

// Credits returns the line of the lost time, or one for every stretch.
func (r LostTime) Credits(m Miss) ([]Line, error) {
	times := new(big.Rat).SetInt64(r.Times)
	if r.OutageCapPercent == nil {
		full := big.NewRat(1, 1)
		if r.BeyondTarget {
			full = ratio(m.Target)
		}
		lost := full.Sub(full, m.Value.Rat())
		if lost.Sign() < 0 {
			lost.SetInt64(0)
		}
		l, err := m.Line(LostTimeOfFee, m.lost(lost.Mul(lost, times)))
		l.Times = r.Times
		if r.BeyondTarget {
			l.Beyond = m.Target
		}
		return []Line{l}, err
	}
	if m.Promised <= 0 {
		return nil, errors.New("sla: lost time by the outage: the measure counts no time")
	}
	var lines []Line
	evidence := m.evidence()
	for i, stretch := range m.Downtime {
		share := big.NewRat(int64(stretch.Duration()), int64(m.Promised))
		l, err := m.outage(LostTimeOfFee, stretch, evidence[i], m.lost(share.Mul(share, times)), r.OutageCapPercent)
		if err != nil {
			return nil, err
		}
		l.Times = r.Times
		lines = append(lines, l)
	}
	return lines, nil
}

// PerInterval gives a percentage of the fee for every interval of a stretch of
// downtime.
type PerInterval struct {
	Percent  money.Percent `json:"percent"`
	Interval time.Duration `json:"interval_ns"`

	// Started counts an interval that was only begun; otherwise it has to be
	// full.
	Started bool `json:"started,omitempty"`

	// Deductible is the time of each stretch that earns nothing.
	Deductible time.Duration `json:"deductible_ns,omitzero"`

	// OutageCapPercent bounds what one stretch earns. Nil is no bound.
	OutageCapPercent *money.Percent `json:"outage_cap_percent,omitempty"`
}

// Credits returns a line for every stretch of downtime that has an interval.
func (r PerInterval) Credits(m Miss) ([]Line, error) {
	if r.Interval <= 0 {
		return nil, fmt.Errorf("sla: interval %s: want a time above 0", r.Interval)
	}
	var lines []Line
	evidence := m.evidence()
	for i, stretch := range m.Downtime {
		n := r.intervals(stretch.Duration())
		if n == 0 {
			continue
		}
		share := ratio(r.Percent)
		share.Mul(share, new(big.Rat).SetInt64(n))
		l, err := m.outage(PercentOfFeePerInterval, stretch, evidence[i], share, r.OutageCapPercent)
		if err != nil {
			return nil, err
		}
		l.Rate, l.Intervals, l.Denominator, l.Started, l.Deductible = r.Percent, n, r.Interval, r.Started, r.Deductible
		lines = append(lines, l)
	}
	return lines, nil
}

// intervals counts those of a stretch of downtime.
func (r PerInterval) intervals(down time.Duration) int64 {
	down = max(down-r.Deductible, 0)
	n := int64(down / r.Interval)
	if r.Started && down%r.Interval > 0 {
		n++
	}
	return n
}

// PerOutage gives a fixed amount, or a percentage of the fee, for every stretch
// of downtime.
type PerOutage struct {
	Amount  money.Amount  `json:"amount,omitzero"`
	Percent money.Percent `json:"percent,omitzero"`
}

// Credits returns a line for every stretch of downtime.
func (r PerOutage) Credits(m Miss) ([]Line, error) {
	var lines []Line
	evidence := m.evidence()
	for i, stretch := range m.Downtime {
		basis := PercentOfFee
		if r.Amount.IsSet() {
			basis = PerIncident
		}
		l, err := m.outage(basis, stretch, evidence[i], ratio(r.Percent), nil)
		if err != nil {
			return nil, err
		}
		l.Rate = r.Percent
		if r.Amount.IsSet() {
			l.Fee, l.Amount, l.exact = money.Amount{}, r.Amount, new(big.Rat).SetInt64(r.Amount.Minor())
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// UsageShare gives back the part of a fee by usage that was used while the
// service was down: the share of the requests that were counted in downtime, and
// without counts the share of the time.
type UsageShare struct{}

// Credits returns the line of the affected usage.
func (UsageShare) Credits(m Miss) ([]Line, error) {
	total, affected := new(big.Int), new(big.Int)
	for _, r := range m.Requests {
		n := new(big.Int).SetUint64(r.Total)
		total.Add(total, n)
		if contains(m.Downtime, r.Start) {
			affected.Add(affected, n)
		}
	}
	if total.Sign() == 0 {
		return LostTime{Times: 1}.Credits(m)
	}
	l, err := m.Line(UsageOfFee, new(big.Rat).SetFrac(affected, total))
	return []Line{l}, err
}

// UnknownRemedy stands for a remedy that is promised but not known in figures. A
// miss is reported and earns a finding instead of a line.
type UnknownRemedy struct{}

// Credits returns no line.
func (UnknownRemedy) Credits(Miss) ([]Line, error) { return nil, nil }

// evidence returns the refs of the outages in each stretch of downtime, sorted.
func (m Miss) evidence() [][]string {
	of := make([][]string, len(m.Downtime))
	for i := range m.outages {
		o := &m.outages[i]
		if o.Ref == "" || o.Degraded || !concerns(o.Service, m.Service) {
			continue
		}
		at := o.interval(m.now)
		for n := firstAfter(m.Downtime, at.Start); n < len(m.Downtime) && at.Overlaps(m.Downtime[n]); n++ {
			of[n] = append(of[n], o.Ref)
		}
	}
	for n := range of {
		slices.Sort(of[n])
		of[n] = slices.Compact(of[n])
	}
	return of
}

// outage returns a line for one stretch of downtime, of the limit where the share
// exceeds it.
func (m Miss) outage(basis Basis, stretch calendar.Interval, evidence []string, share *big.Rat, limit *money.Percent) (Line, error) {
	exceeds := limit != nil && share.Cmp(ratio(*limit)) > 0
	if exceeds {
		share = ratio(*limit)
	}
	l, err := m.Line(basis, share)
	if exceeds {
		l.OutageCap = limit
	}
	l.Numerator, l.Stretch, l.Evidence = stretch.Duration(), stretch, evidence
	if m.Promised > 0 {
		l.Denominator = m.Promised
	}
	return l, err
}

func (b Bands) issues(v *validation, path string, a Availability) {
	if len(b.Bands) == 0 {
		v.add(warning(CodeNoRemedy, path+".bands", "", "bands, or the report is all that a miss earns"))
		return
	}
	for i, band := range b.Bands {
		at := fmt.Sprintf("%s.bands[%d]", path, i)
		band.issues(v, at)
		if i > 0 {
			band.follows(v, at, b.Bands[i-1])
		}
	}
	b.edges(v, path, a)
}

func (b Band) issues(v *validation, path string) {
	if b.From < 0 || b.From >= b.Below || b.Below > whole {
		v.add(problem(path, b.From.String()+" to "+b.Below.String(), "from below below, within 0% and 100%"))
	}
	if b.Credit < 0 {
		v.add(problem(path+".credit", b.Credit.String(), "0 or more"))
	}
	if b.Days < 0 || b.Days > 0 && b.Credit != 0 {
		v.add(problem(path+".days", strconv.Itoa(b.Days), "0 or more, and not beside a percentage"))
	}
}

// follows wants a band to begin where the better one ends, with a credit that is
// no smaller.
func (b Band) follows(v *validation, path string, above Band) {
	switch {
	case b.Below > above.From:
		v.add(coded(CodeBandOverlap, path+".below", b.Below.String(), "at most "+above.From.String()+", or the bands overlap"))
	case b.Below < above.From:
		v.add(coded(CodeBandGap, path+".below", b.Below.String(), above.From.String()+", or there is a gap between the bands"))
	case above.NotAtFrom && !b.AtBelow:
		v.add(warning(CodeBandHole, path+".below", b.Below.String(), "one of the two bands to hold the bound"))
	case !above.NotAtFrom && b.AtBelow:
		v.add(coded(CodeBandOverlap, path+".at_below", b.Below.String(), "only one of the two bands to hold the bound"))
	}
	if b.Credit < above.Credit || b.Days < above.Days {
		v.add(coded(CodeBandOrder, path+".credit", b.credit(), "at least "+above.credit()+", the credit of the better band"))
	}
}

func (b Band) credit() string {
	if b.Days > 0 {
		return fmt.Sprintf("%d days", b.Days)
	}
	return b.Credit.String()
}

// edges compares the ends of the bands with the target, the highest of those of
// the services.
func (b Bands) edges(v *validation, path string, a Availability) {
	top, last := b.Bands[0], len(b.Bands)-1
	bottom := b.Bands[last]
	if bottom.From > 0 || bottom.NotAtFrom {
		v.add(coded(CodeBandGap, fmt.Sprintf("%s.bands[%d].from", path, last), bottom.From.String(), "0%, or the worst values earn nothing"))
	}
	target := a.highest()
	switch {
	case b.ExtendTop:
	case target > top.Below:
		v.add(warning(CodeCreditGap, path+".bands[0].below", top.Below.String(), "the target "+target.String()+", or a miss down to there earns nothing"))
	case target == top.Below && a.Strict && !top.AtBelow:
		v.add(warning(CodeCreditGap, path+".bands[0].at_below", "false", "true: a value equal to the target "+target.String()+" is a miss and earns nothing"))
	}
	for i, band := range b.Bands {
		at := fmt.Sprintf("%s.bands[%d]", path, i)
		switch {
		case band.From > target, band.From == target && (!a.Strict || band.NotAtFrom):
			v.add(warning(CodeUnreachable, at, band.From.String(), "below the target "+target.String()+", or no miss ever lies in it"))
		case band.Below > target:
			v.add(warning(CodeUnreachable, at+".below", band.Below.String(), "at most the target "+target.String()+": no miss lies above it"))
		case band.Below == target && band.AtBelow && !a.Strict:
			v.add(warning(CodeUnreachable, at+".at_below", "true", "a strict target: a value equal to "+target.String()+" is no miss"))
		}
	}
}

// highest returns the highest target of the term and its services.
func (a Availability) highest() money.Percent {
	var highest money.Percent
	for _, s := range a.measured() {
		highest = max(highest, a.target(s))
	}
	return highest
}

func (r LostTime) issues(v *validation, path string, a Availability) {
	if r.Times <= 0 {
		v.add(problem(path+".times", strconv.FormatInt(r.Times, 10), "1 or more"))
	}
	if r.OutageCapPercent != nil {
		v.percent(path+".outage_cap_percent", *r.OutageCapPercent)
		v.perStretch(path, a)
		switch a.Measure.(type) {
		case MeanErrorRate, Events:
			v.add(problem(path+".outage_cap_percent", r.OutageCapPercent.String(), "a measure that counts time: an outage is a share of it"))
		}
		if r.BeyondTarget {
			v.add(problem(path+".beyond_target", "true", "no bound per outage beside it: the target is that of the whole period"))
		}
	}
}

func (r PerInterval) issues(v *validation, path string, a Availability) {
	v.percent(path+".percent", r.Percent)
	if r.Interval <= 0 {
		v.add(problem(path+".interval_ns", r.Interval.String(), "a time above 0"))
	}
	if r.Deductible < 0 {
		v.add(problem(path+".deductible_ns", r.Deductible.String(), "0 or more"))
	}
	if r.OutageCapPercent != nil {
		v.percent(path+".outage_cap_percent", *r.OutageCapPercent)
	}
	v.perStretch(path, a)
}

func (r PerOutage) issues(v *validation, path string, a Availability) {
	v.percent(path+".percent", r.Percent)
	v.amount(path+".amount", r.Amount)
	if r.Amount.IsSet() == (r.Percent != 0) {
		v.add(problem(path+".amount", r.Amount.String(), "an amount or a percentage, one of both"))
	}
	v.perStretch(path, a)
}

func (UsageShare) issues(v *validation, path string, a Availability) { v.perStretch(path, a) }

// perStretch refuses remedies by the outage where the value is that of several
// services together.
func (v *validation) perStretch(path string, a Availability) {
	if a.Aggregate == Mean || a.Aggregate == Weighted {
		v.add(problem(path, a.Aggregate.String(), "worst or per_service: the outages of several services are not those of one"))
	}
}
