package incident

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// Basis is what key figures are taken from. What is left empty gives figures
// without data.
type Basis struct {
	Records  []Record
	Changes  []Change
	Problems []Problem
	Alerts   []Alert

	// Series are the metrics, and Reach how long a sample speaks for its metric.
	// Defaults to a minute, twice the interval of the operations guide.
	Series []Series
	Reach  time.Duration

	// Services are those whose availability counts. Defaults to those of Records.
	Services    []string
	Maintenance []calendar.Interval // agreed
	Mode        MaintenanceMode

	Promises    Share           // of the service levels that were agreed, those that were kept
	Utilisation *big.Rat        // of the resources, 0 or more; see [Utilisation]
	Backups     Share           // restores that were proven
	RTO         []time.Duration // measured, from loss to proof
	RPO         []time.Duration // measured, of lost data
	Tickets     []money.Amount  // cost of each
}

// services returns those whose availability counts.
func (b Basis) services() []string {
	if b.Services != nil {
		return b.Services
	}
	set := map[string]bool{}
	for i := range b.Records {
		for _, service := range b.Records[i].Services {
			set[service] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// ScorecardOptions choose what a scorecard says.
type ScorecardOptions struct {
	// Figures choose the incidents. Period is that of all figures; At is the
	// instant for which the scorecard speaks.
	Figures FiguresOptions
	// Targets are judged. Defaults to none; see [DefaultKPITargets].
	Targets KPITargets
	// Percentile is what stands for times to detect, acknowledge and resolve, 0 to
	// 1, read off by Method. Defaults to none: the mean does.
	Percentile *big.Rat
	Method     Method
}

// Scorecard returns all key figures in their order, those without data among them.
// Times, rates and scores are means; of approvals, restores and alerts it is
// the longest, and of notices the shortest, because one late one is late. While an
// emergency change has no approval, the longest is only known to be at least as long as
// it has waited; if it ended without, the target is missed. So it is while an alert is
// not told. Uptime and MTBF are over all
// services together and need a period; with fewer than two failures the time up is a
// lower bound of MTBF and no value. It makes one pass over the
// incidents; 100,000 of them take some 150 ms. The error says which costs or stretches
// cannot be added up.
func Scorecard(b Basis, o ScorecardOptions) ([]KeyFigure, error) {
	c, err := newScorecard(b, o)
	if err != nil {
		return nil, fmt.Errorf("scorecard: %w", err)
	}
	if err := c.fill(); err != nil {
		return nil, fmt.Errorf("scorecard: %w", err)
	}
	return c.out, nil
}

type scorecard struct {
	basis   Basis
	options ScorecardOptions
	rules   rules
	period  calendar.Interval

	figures Figures
	groups  [][]Group // by severity, then by the other dimensions asked for
	uptimes []ServiceUptime
	changes ChangeFigures
	out     []KeyFigure
}

// newScorecard takes what it needs from the records, in one pass, beside groups by
// more dimensions.
func newScorecard(b Basis, o ScorecardOptions, more ...Dimension) (*scorecard, error) {
	if o.Percentile != nil {
		if _, err := Percentile(nil, o.Percentile, o.Method); err != nil {
			return nil, err
		}
	}
	c := &scorecard{
		basis: b, options: o, rules: o.Figures.rules(), period: o.Figures.Period,
		changes: ChangeFiguresOf(b.Changes, o.Figures.Period, o.Targets, o.Figures.At),
	}
	figures, by, err := compute(b.Records, &c.rules, append([]Dimension{PerSeverity}, more...)...)
	if err != nil {
		return nil, err
	}
	c.figures = figures
	for _, g := range by {
		groups, err := g.groups(&c.rules)
		if err != nil {
			return nil, err
		}
		c.groups = append(c.groups, groups)
	}
	if !c.period.IsEmpty() {
		c.uptimes, err = Uptimes(b.Records, b.services(), c.period, o.Figures.At, b.Maintenance, b.Mode)
	}
	return c, err
}

func (c *scorecard) fill() error {
	c.restoring()
	c.operating()
	if err := c.serving(); err != nil {
		return err
	}
	c.changing()
	if err := c.monitoring(); err != nil {
		return err
	}
	c.share(KPIReopened, "reopened at least once of all incidents", c.figures.Reopened)
	c.share(KPISeenByUser, "noticed by a user first of those where that is known", c.figures.SeenByUser)
	c.share(KPICustomerWait, "incidents in which the customer had to answer", c.figures.Waited)
	c.share(KPIApproved, "approved of the emergency changes that were approved or ended without", c.changes.Approved)
	c.share(KPIAnnounced, "announced before they began, of the windows that were announced or began without", c.changes.Announced)
	return nil
}

func (c *scorecard) add(k KPI, definition string, value *big.Rat, unit Unit, n int) *KeyFigure {
	f := KeyFigure{KPI: k, Definition: definition, Value: value, Unit: unit, N: n, Target: c.options.Targets[k]}
	f.judge()
	c.out = append(c.out, f)
	return &c.out[len(c.out)-1]
}

func (c *scorecard) share(k KPI, definition string, s Share) {
	c.add(k, definition, percent(s.Ratio()), UnitPercent, s.Of)
}

func percent(ratio *big.Rat) *big.Rat {
	if ratio == nil {
		return nil
	}
	return new(big.Rat).Mul(ratio, big.NewRat(100, 1))
}

func (c *scorecard) mean(k KPI, d Durations) {
	c.add(k, d.Definition()+", mean", d.Mean(), UnitSeconds, d.N)
}

// typical is the mean, or the percentile that was asked for.
func (c *scorecard) typical(k KPI, d Durations) {
	p := c.options.Percentile
	if p == nil {
		c.mean(k, d)
		return
	}
	rank := strings.TrimRight(strings.TrimRight(percent(p).FloatString(3), "0"), ".")
	definition := fmt.Sprintf("%s, percentile %s (%s)", d.Definition(), rank, c.options.Method)
	c.add(k, definition, d.Percentile(p, c.options.Method), UnitSeconds, d.N)
}

func (c *scorecard) longest(k KPI, d Durations) *KeyFigure {
	longest, ok := d.Max()
	return c.extreme(k, d, "longest", longest, ok)
}

func (c *scorecard) extreme(k KPI, d Durations, which string, v time.Duration, ok bool) *KeyFigure {
	var value *big.Rat
	if ok {
		value = seconds(v)
	}
	return c.add(k, d.Definition()+", "+which, value, UnitSeconds, d.N)
}

// bound adds a figure of which only a lower bound is known.
func (c *scorecard) bound(k KPI, definition string, atLeast *big.Rat, unit Unit, n int) *KeyFigure {
	f := c.add(k, definition, nil, unit, n)
	f.AtLeast = atLeast
	f.judge()
	return f
}

func (c *scorecard) cost(k KPI, definition string, cost Cost) {
	c.add(k, definition, cost.Mean(), UnitMoney, cost.N).Currency = cost.Total.Currency()
}

func (c *scorecard) restoring() {
	c.typical(KPIMTTR, c.figures.MTTR)
	for i, severity := range Severities {
		d := Durations{Span: c.figures.MTTR.Span, Clock: c.figures.MTTR.Clock}
		if at := slices.IndexFunc(c.groups[0], func(g Group) bool { return g.Key == severity.String() }); at >= 0 {
			d = c.groups[0][at].MTTR
		}
		c.typical([...]KPI{KPIMTTRP1, KPIMTTRP2, KPIMTTRP3, KPIMTTRP4}[i], d)
	}
}

func (c *scorecard) operating() {
	var up, counted big.Int // of a quarter and many services, more than a time.Duration holds
	failures := 0
	for _, u := range c.uptimes {
		counted.Add(&counted, big.NewInt(int64(u.Counted)))
		up.Add(&up, big.NewInt(int64(u.Counted-u.Down)))
		failures += u.Failures
	}
	var between, ratio *big.Rat
	if counted.Sign() > 0 {
		between = new(big.Rat).SetFrac(&up, new(big.Int).Mul(big.NewInt(int64(max(failures, 1))), big.NewInt(int64(time.Second))))
		ratio = new(big.Rat).SetFrac(&up, &counted)
	}
	const definition = "time up of all services by failure"
	if failures < 2 {
		c.bound(KPIMTBF, definition, between, UnitSeconds, failures)
	} else {
		c.add(KPIMTBF, definition, between, UnitSeconds, failures)
	}
	c.add(KPIUptime, "time up of all services together", percent(ratio), UnitPercent, len(c.uptimes))
	f := c.add(KPIVolume, "incidents declared", nil, UnitCount, c.figures.Volume)
	if c.figures.Volume > 0 {
		f.Value = big.NewRat(int64(c.figures.Volume), 1)
		f.judge()
	}
	c.share(KPIChangeSuccess, "planned changes that succeeded and led to no incident of those carried out", c.changes.Success)
	c.share(KPICompliance, "service levels kept of those agreed", c.basis.Promises)
	n := 0
	if c.basis.Utilisation != nil {
		n = 1
	}
	c.add(KPIUtilisation, "used of the capacity", percent(c.basis.Utilisation), UnitPercent, n)
}

func (c *scorecard) serving() error {
	c.typical(KPIMTTD, c.figures.MTTD)
	c.share(KPIProblems, "problems solved or closed of those identified", ProblemFiguresOf(c.basis.Problems, c.period).Resolution)
	c.add(KPISatisfaction, "scores of customers, mean", c.figures.Satisfaction.Mean(), UnitScore, c.figures.Satisfaction.N)
	c.share(KPIFirstContact, "resolved by the first person of those resolved", c.figures.FirstContact)
	tickets, err := CostOf(c.basis.Tickets)
	if err != nil {
		return fmt.Errorf("tickets: %w", err)
	}
	c.cost(KPITicketCost, "cost of tickets, mean", tickets)
	c.typical(KPIMTTA, c.figures.MTTA)
	c.share(KPIEscalation, "escalated at least once of all incidents", c.figures.Escalated)
	c.cost(KPIIncidentCost, "cost of incidents, mean of those where it is known", c.figures.Cost)
	return nil
}

func (c *scorecard) changing() {
	c.approval()
	shortest, ok := c.changes.Notice.Min()
	c.extreme(KPINotice, c.changes.Notice, "shortest", shortest, ok)
	c.share(KPIBackup, "restores proven of those tried", c.basis.Backups)
	c.longest(KPIRTO, DurationsOf("data lost to restore proven", c.basis.RTO))
	c.longest(KPIRPO, DurationsOf("data lost before the failure", c.basis.RPO))
}

// longestSoFar is the longest of what has ended, a bound while something has not.
func (c *scorecard) longestSoFar(k KPI, ended, going Durations) *KeyFigure {
	waited, ok := going.Max()
	if !ok {
		return c.longest(k, ended)
	}
	longest, _ := ended.Max()
	return c.bound(k, ended.Definition()+", longest", seconds(max(longest, waited)), UnitSeconds, ended.N+going.N)
}

// approval is the longest wait for an approval.
func (c *scorecard) approval() {
	f := c.longestSoFar(KPIApproval, c.changes.Approval, c.changes.Unapproved)
	if f.AtLeast != nil && f.Target.fits(f.Unit) && c.changes.Approved.Hits < c.changes.Approved.Of {
		f.Verdict = Missed // an approval that never comes takes longer than any limit
	}
}

func (c *scorecard) monitoring() error {
	var collected Collection
	if !c.period.IsEmpty() && len(c.basis.Series) > 0 {
		reach := c.basis.Reach
		if reach == 0 {
			reach = time.Minute
		}
		var err error
		if collected, err = CollectionOf(c.basis.Series, c.period, reach); err != nil {
			return err
		}
	}
	collected.Interval.Of = "sample to next sample"
	c.mean(KPICollectionInterval, collected.Interval)
	alerts := AlertFiguresOf(c.basis.Alerts, c.period, c.options.Targets, c.options.Figures.At)
	c.longestSoFar(KPIAlertProcessing, alerts.Processing, alerts.Untold)
	c.share(KPIFalsePositives, "alerts for which nothing had to be done of those whose outcome is known", alerts.FalsePositives)
	c.add(KPICoverage, "time with a recent sample, of all series", percent(collected.Ratio()), UnitPercent, len(c.basis.Series))
	return nil
}
