package roi

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// MinPerTechnology is the number of people who should know a technology well
// enough to run it, so that one may be away and one may leave.
const MinPerTechnology = 3

// ErrUnstable means that a service desk gets more work than its agents can do:
// the queue grows without limit.
var ErrUnstable = errors.New("more work than the agents can do")

// Hours are the hours of a year during which people have to be present.
type Hours struct {
	PerDay      float64 `json:"per_day"`       // 24 around the clock
	DaysPerYear float64 `json:"days_per_year"` // 365, 366, or about 261 from Monday to Friday
	// Handoffs a day during which both shifts are present for HandoffHours.
	Handoffs     float64 `json:"handoffs,omitempty"`
	HandoffHours float64 `json:"handoff_hours,omitempty"`
}

// AroundTheClock returns every hour of a year of 365 days, without overlap.
func AroundTheClock() Hours { return Hours{PerDay: hoursInDay, DaysPerYear: daysInYear} }

// PerYear returns the hours of one seat in a year, overlaps counted twice.
func (h Hours) PerYear() float64 {
	return (h.PerDay + h.Handoffs*h.HandoffHours) * h.DaysPerYear
}

// WorkYear is what remains of a person's contract hours. The zero value stands
// for [DefaultWorkYear].
type WorkYear struct {
	ContractHours float64 `json:"contract_hours"`
	LeaveHours    float64 `json:"leave_hours"`
	HolidayHours  float64 `json:"holiday_hours"`
	SickHours     float64 `json:"sick_hours"`
	TrainingHours float64 `json:"training_hours"`
}

// DefaultWorkYear returns an illustration: 52 weeks of 40 hours less 25 days of
// leave, ten public holidays, eight days of illness and seven of training.
func DefaultWorkYear() WorkYear {
	return WorkYear{ContractHours: 2080, LeaveHours: 200, HolidayHours: 80, SickHours: 64, TrainingHours: 56}
}

// Productive returns the hours that a person is present: 1680 by default.
func (w WorkYear) Productive() float64 {
	if w == (WorkYear{}) {
		w = DefaultWorkYear()
	}
	return w.ContractHours - w.LeaveHours - w.HolidayHours - w.SickHours - w.TrainingHours
}

// CoverageFTE is the number of full-time people who keep seats occupied,
//
//	FTE = seats × covered hours per year / productive hours per person
//
// One seat around the clock takes 5.21. The error is a [*FieldError].
func CoverageFTE(seats float64, hours Hours, person WorkYear) (float64, error) {
	covered, productive := hours.PerYear(), person.Productive()
	if err := cmp.Or(
		nonNegative.check("seats", seats),
		nonNegative.check("hours per day", hours.PerDay),
		nonNegative.check("days per year", hours.DaysPerYear),
		nonNegative.check("handoffs", hours.Handoffs),
		nonNegative.check("handoff hours", hours.HandoffHours),
		nonNegative.check("leave hours", person.LeaveHours),
		nonNegative.check("holiday hours", person.HolidayHours),
		nonNegative.check("sick hours", person.SickHours),
		nonNegative.check("training hours", person.TrainingHours),
		nonNegative.check("covered hours", covered),
		positive.check("productive hours", productive),
	); err != nil {
		return 0, err
	}
	return representable(seats * covered / productive)
}

// Demand is what a role has to do. The zero value of a field asks for nothing.
type Demand struct {
	Role string `json:"role"`
	// Seats are the people of the role who are present during Hours.
	Seats  float64  `json:"seats,omitempty"`
	Hours  Hours    `json:"hours,omitzero"`
	Person WorkYear `json:"person,omitzero"`
	// Technologies that the role runs, and how many of them one person can
	// know well. TechnologiesPerPerson defaults to 1.
	Technologies          float64 `json:"technologies,omitempty"`
	TechnologiesPerPerson float64 `json:"technologies_per_person,omitempty"`
	// OnCallSeats are on call at any time; nobody is on call for more than
	// MaxOnCallShare of the time (0.25 is one week in four).
	OnCallSeats    float64 `json:"on_call_seats,omitempty"`
	MaxOnCallShare float64 `json:"max_on_call_share,omitempty"`
}

// Rule is what decides about the size of a role.
type Rule string

// The rules. A tie is decided in this order.
const (
	RuleCoverage   Rule = "coverage"
	RuleTechnology Rule = "minimum per technology"
	RuleOnCall     Rule = "on-call load"
)

// Headcount is how many people a role needs and why.
type Headcount struct {
	Role   string `json:"role"`
	People int    `json:"people"` // rounded up
	Rule   Rule   `json:"rule"`   // the rule that decides
	// The three demands before rounding.
	CoverageFTE   float64 `json:"coverage_fte"`
	TechnologyFTE float64 `json:"technology_fte"`
	OnCallFTE     float64 `json:"on_call_fte"`
}

// Staff sizes a role: the largest of the coverage, of [MinPerTechnology] people
// for each technology, and of the people among whom on-call duty is shared, rounded
// up. The error is a [*FieldError].
func Staff(d Demand) (Headcount, error) {
	h := Headcount{Role: d.Role}
	var err error
	if h.CoverageFTE, err = CoverageFTE(d.Seats, d.Hours, d.Person); err != nil {
		return h, err
	}
	perPerson := d.TechnologiesPerPerson
	if perPerson == 0 {
		perPerson = 1
	}
	if err := cmp.Or(
		nonNegative.check("technologies", d.Technologies),
		positive.check("technologies per person", perPerson),
		nonNegative.check("on-call seats", d.OnCallSeats),
		share.check("maximum on-call share", d.MaxOnCallShare),
	); err != nil {
		return h, err
	}
	if d.Technologies > 0 {
		// However much one person knows, the minimum is of different people.
		h.TechnologyFTE = max(MinPerTechnology, MinPerTechnology*d.Technologies/perPerson)
	}
	if d.OnCallSeats > 0 {
		if d.MaxOnCallShare == 0 {
			return h, &FieldError{Path: "maximum on-call share", Value: "0", Want: "a ratio above 0, as there are on-call seats"}
		}
		h.OnCallFTE = d.OnCallSeats / d.MaxOnCallShare
	}
	fte := h.CoverageFTE
	h.Rule = RuleCoverage
	if h.TechnologyFTE > fte {
		fte, h.Rule = h.TechnologyFTE, RuleTechnology
	}
	if h.OnCallFTE > fte {
		fte, h.Rule = h.OnCallFTE, RuleOnCall
	}
	if fte > math.MaxInt32 {
		return h, ErrOverflow
	}
	h.People = int(math.Ceil(fte - 1e-9)) // 1/0.1 seats are ten people, not eleven
	return h, nil
}

// ErlangC is the probability that a caller has to wait, for calls that arrive
// independently and wait as long as it takes, with N agents and an offered load
// of A erlang (arrivals per hour × handling time in hours):
//
//	            A^N/N! · N/(N−A)
//	P = ─────────────────────────────────
//	    Σ_{k<N} A^k/k! + A^N/N! · N/(N−A)
//
// (A. K. Erlang 1917.) It is computed from the blocking probability by recurrence
// over the agents, B(n) = A·B(n−1) / (n + A·B(n−1)), which neither overflows nor
// cancels; N is at most a million. The error is a [*FieldError], or [ErrUnstable]
// when A ≥ N.
func ErlangC(agents int, load float64) (float64, error) {
	if agents < 1 || agents > maxAgents {
		return 0, &FieldError{Path: "agents", Value: strconv.Itoa(agents), Want: "1 to " + strconv.Itoa(maxAgents)}
	}
	if err := nonNegative.check("load", load); err != nil {
		return 0, err
	}
	if load >= float64(agents) {
		return 0, fmt.Errorf("%w: load of %v erlang, %d agents", ErrUnstable, load, agents)
	}
	blocked := 1.0
	for n := 1; n <= agents; n++ {
		blocked = nextBlocked(blocked, load, n)
	}
	return waiting(blocked, load, agents), nil
}

// nextBlocked is one step of Erlang's recurrence for the blocking probability.
func nextBlocked(before, load float64, n int) float64 {
	return load * before / (float64(n) + load*before)
}

// waiting turns the blocking probability of n agents into that of waiting.
func waiting(blocked, load float64, n int) float64 {
	return float64(n) * blocked / (float64(n) - load*(1-blocked))
}

// Desk is the work of a service desk and the service that it promises.
type Desk struct {
	CallsPerHour float64       `json:"calls_per_hour"`
	HandleTime   time.Duration `json:"handle_time_ns"` // on average, with the work after the call
	// Within is the time in which the share Target (0 to 1) of the callers is
	// to be answered.
	Within time.Duration `json:"within_ns"`
	Target float64       `json:"target"`
	// Shrinkage is the share, 0 to below 1, of the paid time in which an agent is
	// not at the desk: breaks, training, illness. Defaults to 0.
	Shrinkage float64 `json:"shrinkage,omitempty"`
}

// Load returns the offered load in erlang.
func (d Desk) Load() float64 { return d.CallsPerHour * d.HandleTime.Hours() }

// DeskStaff is the outcome for a number of agents.
type DeskStaff struct {
	Agents       int     `json:"agents"`        // at the desk
	Scheduled    int     `json:"scheduled"`     // agents / (1 − shrinkage), rounded up
	Waiting      float64 `json:"waiting"`       // probability of having to wait, 0 to 1
	ServiceLevel float64 `json:"service_level"` // share answered within the promised time, 0 to 1
	Occupancy    float64 `json:"occupancy"`     // share of their time that agents are busy
}

// maxAgents bounds [ErlangC] and the search of [Desk.Agents].
const maxAgents = 1_000_000

// Agents returns the smallest number of agents that meets the target,
//
//	service level = 1 − P(wait) · e^(−(N−A)·Within/HandleTime)
//
// with P(wait) of [ErlangC]. The errors are [*FieldError] and [ErrOverflow].
func (d Desk) Agents() (DeskStaff, error) {
	if err := nonNegative.check("calls per hour", d.CallsPerHour); err != nil {
		return DeskStaff{}, err
	}
	switch {
	case d.HandleTime <= 0:
		return DeskStaff{}, &FieldError{Path: "handle time", Value: d.HandleTime.String(), Want: "a duration > 0"}
	case d.Within < 0:
		return DeskStaff{}, &FieldError{Path: "within", Value: d.Within.String(), Want: "a duration >= 0"}
	case !(d.Target >= 0 && d.Target < 1):
		return DeskStaff{}, &FieldError{Path: "target", Value: exact(d.Target), Want: "a ratio from 0 to below 1"}
	case !(d.Shrinkage >= 0 && d.Shrinkage < 1):
		return DeskStaff{}, &FieldError{Path: "shrinkage", Value: exact(d.Shrinkage), Want: "a ratio from 0 to below 1"}
	}
	load := d.Load()
	blocked := 1.0
	for n := 1; n <= maxAgents; n++ {
		blocked = nextBlocked(blocked, load, n)
		if load >= float64(n) {
			continue
		}
		s := DeskStaff{Agents: n, Waiting: waiting(blocked, load, n), Occupancy: load / float64(n)}
		s.ServiceLevel = 1 - s.Waiting*math.Exp(-(float64(n)-load)*float64(d.Within)/float64(d.HandleTime))
		if s.ServiceLevel >= d.Target {
			scheduled := math.Ceil(float64(n)/(1-d.Shrinkage) - 1e-9)
			if scheduled > math.MaxInt32 {
				return DeskStaff{}, ErrOverflow
			}
			s.Scheduled = int(scheduled)
			return s, nil
		}
	}
	return DeskStaff{}, fmt.Errorf("more than %d agents: %w", maxAgents, ErrOverflow)
}

// staffBelowCoverage warns of shift roles with less staff than one seat around
// the clock takes.
func (in *inputs) staffBelowCoverage(add addWarning) {
	perSeat := AroundTheClock().PerYear() / DefaultWorkYear().Productive()
	together := 0.0
	for _, r := range in.roles {
		if slices.Contains(in.shiftRoles, r.name) {
			together += r.count / perSeat
		}
	}
	for _, name := range in.shiftRoles {
		for _, r := range in.roles {
			if r.name != name || r.count >= perSeat {
				continue
			}
			add(StaffBelowCoverage, []Figure{{name, r.count, "people"}, {"fte_per_seat", perSeat, "FTE"}, {"seats", r.count / perSeat, "seats"}, {"seats_of_all_shift_roles", together, "seats"}},
				"%s people as %s fill %s of a seat around the clock, which takes %s (8760 h / 1680 h); all shift roles together fill %s",
				number(r.count), name, hundredths(r.count/perSeat), hundredths(perSeat), hundredths(together))
		}
	}
}

// hundredths writes a number with at most two decimals.
func hundredths(v float64) string { return number(math.Round(v*100) / 100) }
