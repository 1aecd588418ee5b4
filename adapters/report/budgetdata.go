package report

import (
	"encoding/json"
	"math/big"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// BudgetsData is the payload of the JSON form of a [BudgetReport]. Its keys stay
// and keep their meaning; null is "no data", "never" or "does not apply", and
// stands for the infinite figures of an objective of 100 %.
type BudgetsData struct {
	At   time.Time    `json:"at"`
	SLOs []BudgetData `json:"slos"`
}

// BudgetData is one objective. SLI and coverage are cut at six decimals; other
// figures are the nearest float64.
type BudgetData struct {
	ID        string             `json:"id"`
	Service   string             `json:"service"`
	Objective Number             `json:"objective_percent"`
	Kind      string             `json:"sli_kind"`
	Window    BudgetWindowData   `json:"window"`
	Good      uint64             `json:"good"`
	Bad       uint64             `json:"bad"`
	Total     uint64             `json:"total"`
	SLI       Number             `json:"sli_percent"`
	Met       *bool              `json:"met"`
	State     slo.State          `json:"state"`
	Budget    AllowanceData      `json:"budget"`
	Burn      []BurnData         `json:"burn"`   // windows ascending
	Alerts    []AlertData        `json:"alerts"` // in the order of the policy
	Exhausts  *time.Time         `json:"exhausts_at"`
	Policy    *ReviewData        `json:"budget_policy"` // null: nothing was agreed
	Excluded  []ExcludedData     `json:"exclusions"`    // by start
	Series    *[]BudgetPointData `json:"series,omitempty"`
}

// BudgetWindowData is the window over which an objective is judged. Elapsed runs
// up to now, coverage is the part of it that was measured or excluded.
type BudgetWindowData struct {
	Kind     string    `json:"kind"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Length   Number    `json:"length_s"`
	Elapsed  Number    `json:"elapsed_s"`
	Excluded Number    `json:"excluded_s"`
	Coverage Number    `json:"coverage_percent"`
}

// AllowanceData is the budget itself.
type AllowanceData struct {
	Unit     string `json:"unit"` // "events" or "slices"
	Allowed  Number `json:"allowed"`
	Left     Number `json:"left"`
	Burn     Number `json:"burn_to_date"`
	Consumed Number `json:"consumed_percent"`
	Rest     Number `json:"left_percent"`
}

// BurnData is the burn rate of one window.
type BurnData struct {
	Window Number `json:"window_s"`
	Rate   Number `json:"rate"`
}

// AlertData is what one rule says. Holds is its condition now, firing the same
// after its `for`.
type AlertData struct {
	Rule     string       `json:"rule"`
	Severity slo.Severity `json:"severity"`
	Kind     slo.RuleKind `json:"kind"`
	Long     Number       `json:"long_s"`
	Short    Number       `json:"short_s"`   // null: none
	Factor   Number       `json:"factor"`    // null: not of kind burn_rate
	Limit    Number       `json:"threshold"` // error ratio: factor · (1 − objective), or that of an absolute count
	MinBad   *uint64      `json:"min_bad"`   // null: any number
	Holds    bool         `json:"holds"`
	Firing   bool         `json:"firing"`
	Since    *time.Time   `json:"since"`
	Cold     bool         `json:"cold"`

	// SuppressedBy is the faster rule that holds too and says the same.
	SuppressedBy *string `json:"suppressed_by"`
}

// ReviewData is what the budget policy of an objective says now. Until is the share
// of the budget that may still go before the next action, Unused the share that is
// left at the end of the window although the policy wants less.
type ReviewData struct {
	Due    []ActionData `json:"due"` // smallest share first
	Next   *ActionData  `json:"next"`
	Until  Number       `json:"until_percent"`
	Unused Number       `json:"unused_percent"`
}

// ActionData is an action of a budget policy.
type ActionData struct {
	Name     string `json:"name"`
	Consumed Number `json:"consumed_percent"` // from which on it is due
	Text     string `json:"text"`
}

// ExcludedData is a stretch that was left out. Removed is what no earlier one of
// the list had taken out already.
type ExcludedData struct {
	Reason  string    `json:"reason"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Removed Number    `json:"removed_s"`
}

// BudgetPointData is a budget at an earlier instant; the rates are in the order of
// the burn rates.
type BudgetPointData struct {
	At       time.Time `json:"at"`
	Consumed Number    `json:"consumed_percent"`
	Rates    []Number  `json:"rates"`
}

// Data returns the payload.
func (r BudgetReport) Data() BudgetsData {
	return BudgetsData{At: r.At, SLOs: mapped(r.Budgets, func(b Budget) BudgetData {
		d := budgetData(b)
		if r.Series {
			points := mapped(b.History, func(p BudgetPoint) BudgetPointData {
				return BudgetPointData{p.At, nearestPercent(p.Consumed), mapped(p.Rates, nearestRatio)}
			})
			d.Series = &points
		}
		return d
	})}
}

func budgetData(b Budget) BudgetData {
	s := b.Status
	d := BudgetData{
		ID: b.Objective.ID, Service: b.Objective.Service, Objective: Number(b.Objective.Target.Percent()), Kind: "events",
		Window: BudgetWindowData{
			Start: s.Window.Start, End: s.Window.End,
			Length: seconds(s.Length), Elapsed: seconds(s.Elapsed), Excluded: seconds(s.Excluded), Coverage: cutPercent(s.Coverage),
		},
		Good: s.Good, Bad: s.Bad, Total: s.Total, SLI: cutPercent(s.SLI), State: s.State,
		Budget: AllowanceData{
			Unit: s.Measure.String(), Allowed: nearestRatio(s.Allowed), Left: nearestRatio(s.Left), Burn: nearestRatio(s.Burn),
			Consumed: nearestPercent(s.Consumed), Rest: nearestPercent(s.Remaining),
		},
		Burn: mapped(b.Burns, func(b slo.Burn) BurnData { return BurnData{seconds(b.Window), nearestRatio(b.Rate)} }),
		Alerts: mapped(b.Decisions, func(d slo.Decision) AlertData {
			a := AlertData{
				Rule: d.Rule, Severity: d.Severity, Kind: d.Kind, Long: seconds(d.Long), Factor: nearestRatio(d.Factor), Limit: nearestRatio(d.Threshold), Holds: d.Holds, Firing: d.Firing,
				Since: instant(d.Since), Cold: d.Cold, SuppressedBy: orNull(d.SuppressedBy),
			}
			if d.Short > 0 {
				a.Short = seconds(d.Short)
			}
			if d.MinBad > 0 {
				a.MinBad = &d.MinBad
			}
			return a
		}),
		Exhausts: instant(b.Forecast.ExhaustsAt.Truncate(time.Second)),
		Policy:   reviewData(b),
		Excluded: mapped(s.Exclusions, func(x slo.Effect) ExcludedData {
			return ExcludedData{x.Reason, x.Start.UTC(), x.End.UTC(), seconds(x.Removed)}
		}),
	}
	if w, ok := b.Window(); ok {
		d.Window.Kind = w.Kind()
	}
	if b.Objective.Slices != nil {
		d.Kind = "time_slices"
	}
	if s.Met != slo.Undecided {
		met := s.Met == slo.Met
		d.Met = &met
	}
	return d
}

func reviewData(b Budget) *ReviewData {
	if !b.hasPolicy() {
		return nil
	}
	review := b.Review()
	action := func(a slo.BudgetAction) ActionData { return ActionData{a.Name, nearestPercent(a.Consumed), a.Text} }
	d := ReviewData{Due: mapped(review.Due, action), Until: nearestPercent(review.Until), Unused: nearestPercent(review.Unused)}
	if review.Next != nil {
		next := action(*review.Next)
		d.Next = &next
	}
	return &d
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// nearestRatio writes the float64 nearest to a ratio; absent and infinite ones are
// null.
func nearestRatio(r slo.Ratio) Number { return nearestRat(r.Rat()) }

// nearestPercent writes the float64 nearest to a ratio as a percentage.
func nearestPercent(r slo.Ratio) Number {
	x := r.Rat()
	if x != nil {
		x.Mul(x, hundred)
	}
	return nearestRat(x)
}

var hundred = big.NewRat(100, 1)

func nearestRat(x *big.Rat) Number {
	if x == nil {
		return ""
	}
	value, _ := x.Float64()
	text, err := json.Marshal(value)
	if err != nil {
		return "" // larger than any float64
	}
	return Number(text)
}

// cutPercent writes a ratio as a percentage, cut at six decimals.
func cutPercent(r slo.Ratio) Number {
	x := r.Rat()
	if x == nil {
		return ""
	}
	x.Mul(x, big.NewRat(100_000_000, 1))
	n := new(big.Int).Quo(x.Num(), x.Denom())
	return short(new(big.Rat).SetFrac(n, big.NewInt(1_000_000)).FloatString(6))
}
