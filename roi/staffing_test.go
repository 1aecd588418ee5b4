package roi_test

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/roi"
)

func TestCoverageFTE(t *testing.T) {
	if got := (roi.WorkYear{}).Productive(); got != 1680 {
		t.Errorf("Productive() = %v, want 2080 − 200 − 80 − 64 − 56 = 1680", got)
	}
	for _, tt := range []struct {
		name       string
		hours      roi.Hours
		covered    float64
		fte        float64
		people     float64 // on the role
		seatsTaken float64
	}{
		{"around the clock", roi.AroundTheClock(), 8760, 5.21, 4, 0.77},
		{"leap year", roi.Hours{PerDay: 24, DaysPerYear: 366}, 8784, 5.23, 6, 1.15},
		{"three handoffs of half an hour", roi.Hours{PerDay: 24, DaysPerYear: 365, Handoffs: 3, HandoffHours: 0.5}, 9307.5, 5.54, 10, 1.81},
		{"weekdays of nine hours", roi.Hours{PerDay: 9, DaysPerYear: 261}, 2349, 1.40, 4, 2.86},
	} {
		got, err := roi.CoverageFTE(1, tt.hours, roi.WorkYear{})
		if tt.hours.PerYear() != tt.covered || err != nil || math.Abs(got-tt.fte) > 0.005 {
			t.Errorf("%s: %v h, CoverageFTE = %v, %v, want %v h, %v", tt.name, tt.hours.PerYear(), got, err, tt.covered, tt.fte)
		}
		if seats := tt.people / got; math.Abs(seats-tt.seatsTaken) > 0.006 {
			t.Errorf("%s: %v people fill %v seats, want %v", tt.name, tt.people, seats, tt.seatsTaken)
		}
	}
}

func TestStaff(t *testing.T) {
	clock := roi.AroundTheClock()
	for _, tt := range []struct {
		name   string
		demand roi.Demand
		people int
		rule   roi.Rule
	}{
		{"one seat", roi.Demand{Seats: 1, Hours: clock}, 6, roi.RuleCoverage},
		{"two seats", roi.Demand{Seats: 2, Hours: clock, Technologies: 3}, 11, roi.RuleCoverage}, // 10.43 over 9
		{"one technology", roi.Demand{Technologies: 1}, 3, roi.RuleTechnology},
		{"one technology of many known", roi.Demand{Technologies: 1, TechnologiesPerPerson: 5}, 3, roi.RuleTechnology},
		{"five technologies, two a person", roi.Demand{Technologies: 5, TechnologiesPerPerson: 2}, 8, roi.RuleTechnology}, // 7.5
		{"business hours", roi.Demand{Seats: 1, Hours: roi.Hours{PerDay: 9, DaysPerYear: 261}, Technologies: 1}, 3, roi.RuleTechnology},
		{"on call one week in four", roi.Demand{OnCallSeats: 1, MaxOnCallShare: 0.25, Technologies: 1}, 4, roi.RuleOnCall},
		{"on call one week in ten", roi.Demand{OnCallSeats: 1, MaxOnCallShare: 0.1}, 10, roi.RuleOnCall},
		{"tie", roi.Demand{OnCallSeats: 3, MaxOnCallShare: 1, Technologies: 1}, 3, roi.RuleTechnology},
		{"nothing", roi.Demand{}, 0, roi.RuleCoverage},
	} {
		got, err := roi.Staff(tt.demand)
		if err != nil || got.People != tt.people || got.Rule != tt.rule {
			t.Errorf("%s: Staff = %+v, %v, want %d by %s", tt.name, got, err, tt.people, tt.rule)
		}
	}
}

// exactErlangC is the formula as it stands in textbooks, in rational numbers.
func exactErlangC(agents int, load *big.Rat) float64 {
	term, sum := big.NewRat(1, 1), new(big.Rat)
	for k := range agents {
		sum.Add(sum, term)
		term = new(big.Rat).Mul(term, new(big.Rat).Quo(load, big.NewRat(int64(k+1), 1)))
	}
	n := big.NewRat(int64(agents), 1)
	last := new(big.Rat).Mul(term, new(big.Rat).Quo(n, new(big.Rat).Sub(n, load)))
	p, _ := new(big.Rat).Quo(last, sum.Add(sum, last)).Float64()
	return p
}

func TestErlangC(t *testing.T) {
	for _, tt := range []struct {
		agents int
		load   float64
	}{{1, 0.5}, {2, 1}, {3, 2.5}, {10, 9.75}, {20, 13.5}, {150, 149.5}, {300, 200}, {5, 0}} {
		got, err := roi.ErlangC(tt.agents, tt.load)
		want := exactErlangC(tt.agents, new(big.Rat).SetFloat64(tt.load))
		if err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("ErlangC(%d, %v) = %v, %v, want %v", tt.agents, tt.load, got, err, want)
		}
	}
	// With one agent everybody waits who finds the agent busy.
	if got, err := roi.ErlangC(1, 0.3); err != nil || math.Abs(got-0.3) > 1e-15 {
		t.Errorf("ErlangC(1, 0.3) = %v, %v, want 0.3", got, err)
	}
	if _, err := roi.ErlangC(5, 5); !errors.Is(err, roi.ErrUnstable) {
		t.Errorf("ErlangC(5, 5) error = %v, want %v", err, roi.ErrUnstable)
	}
}

func TestDesk(t *testing.T) {
	// 100 calls an hour of 6 minutes are 10 erlang.
	d := roi.Desk{CallsPerHour: 100, HandleTime: 6 * time.Minute, Within: 20 * time.Second, Target: 0.8}
	got, err := d.Agents()
	if err != nil || d.Load() != 10 {
		t.Fatalf("Agents = %+v, %v with %v erlang", got, err, d.Load())
	}
	level := func(n int) float64 {
		return 1 - exactErlangC(n, big.NewRat(10, 1))*math.Exp(-(float64(n)-10)*20/360)
	}
	if math.Abs(got.ServiceLevel-level(got.Agents)) > 1e-12 || level(got.Agents) < 0.8 || level(got.Agents-1) >= 0.8 {
		t.Errorf("Agents = %+v, want the smallest number with 80 %%: %v with one fewer, %v", got, level(got.Agents-1), level(got.Agents))
	}
	if math.Abs(got.Occupancy-10/float64(got.Agents)) > 1e-15 {
		t.Errorf("Occupancy = %v, want 10/%d", got.Occupancy, got.Agents)
	}
	// No calls need one agent, never none.
	if idle, err := (roi.Desk{HandleTime: time.Minute, Target: 0.99}).Agents(); err != nil || idle.Agents != 1 || idle.ServiceLevel != 1 {
		t.Errorf("idle desk = %+v, %v, want one agent", idle, err)
	}
}

func TestStaffingErrors(t *testing.T) {
	nan := math.NaN()
	desk := roi.Desk{CallsPerHour: 1, HandleTime: time.Minute, Target: 0.8}
	for name, err := range map[string]error{
		"negative seats":         second(roi.CoverageFTE(-1, roi.AroundTheClock(), roi.WorkYear{})),
		"NaN hours":              second(roi.CoverageFTE(1, roi.Hours{PerDay: nan}, roi.WorkYear{})),
		"always on leave":        second(roi.CoverageFTE(1, roi.AroundTheClock(), roi.WorkYear{ContractHours: 100, LeaveHours: 100})),
		"negative technologies":  second(roi.Staff(roi.Demand{Technologies: -1})),
		"on call without limit":  second(roi.Staff(roi.Demand{OnCallSeats: 1})),
		"on-call share above 1":  second(roi.Staff(roi.Demand{OnCallSeats: 1, MaxOnCallShare: 2})),
		"no agents":              second(roi.ErlangC(0, 0.5)),
		"too many agents":        second(roi.ErlangC(math.MaxInt, 0.5)),
		"two negative lengths":   second(roi.CoverageFTE(1, roi.Hours{PerDay: -24, DaysPerYear: -365}, roi.WorkYear{})),
		"negative leave":         second(roi.CoverageFTE(1, roi.AroundTheClock(), roi.WorkYear{ContractHours: 2080, LeaveHours: -1})),
		"negative load":          second(roi.ErlangC(1, -0.5)),
		"NaN calls":              second(roi.Desk{CallsPerHour: nan, HandleTime: time.Minute}.Agents()),
		"no handle time":         second(roi.Desk{CallsPerHour: 1}.Agents()),
		"target of everybody":    second(roi.Desk{HandleTime: time.Minute, Target: 1}.Agents()),
		"negative promised time": second(roi.Desk{HandleTime: time.Minute, Within: -1}.Agents()),
	} {
		if _, ok := errors.AsType[*roi.FieldError](err); !ok {
			t.Errorf("%s: error = %v, want a *FieldError", name, err)
		}
	}
	desk.CallsPerHour = 1e12
	if _, err := desk.Agents(); !errors.Is(err, roi.ErrOverflow) {
		t.Errorf("1e12 calls: error = %v, want %v", err, roi.ErrOverflow)
	}
	if _, err := roi.Staff(roi.Demand{Technologies: 1e300}); !errors.Is(err, roi.ErrOverflow) {
		t.Errorf("1e300 technologies: error = %v, want %v", err, roi.ErrOverflow)
	}
}

// Fourteen agents at the desk of whom each is away for three tenths of the paid time are
// twenty on the roster, 14 / 0.7; without shrinkage they are as many.
func TestDeskShrinkage(t *testing.T) {
	d := roi.Desk{CallsPerHour: 200, HandleTime: 3 * time.Minute, Within: 20 * time.Second, Target: 0.8}
	full, err := d.Agents()
	if err != nil || full.Scheduled != full.Agents {
		t.Fatalf("%+v, %v, want as many scheduled as there are agents", full, err)
	}
	d.Shrinkage = 0.3
	s, err := d.Agents()
	if err != nil || s.Agents != full.Agents || float64(s.Scheduled)*0.7 < float64(s.Agents)-1e-6 || float64(s.Scheduled-1)*0.7 >= float64(s.Agents) {
		t.Errorf("%+v, %v, want the fewest of whom seven tenths are %d", s, err, full.Agents)
	}
	if full.Agents != 14 || s.Scheduled != 20 {
		t.Errorf("%d agents and %d scheduled, want 14 and 20", full.Agents, s.Scheduled)
	}
	for _, bad := range []float64{-0.1, 1, math.NaN()} {
		d.Shrinkage = bad
		var wrong *roi.FieldError
		if _, err := d.Agents(); !errors.As(err, &wrong) || wrong.Path != "shrinkage" {
			t.Errorf("shrinkage %v: %v", bad, err)
		}
	}
}
