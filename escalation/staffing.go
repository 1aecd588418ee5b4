package escalation

import (
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Staffing counts the people of a centre or of an organisation.
type Staffing struct {
	SeniorEngineers       int `json:"senior_engineers,omitempty"`
	OperationsSpecialists int `json:"operations_specialists,omitempty"`
	TeamLeads             int `json:"team_leads,omitempty"`
	EscalationManagers    int `json:"escalation_manager,omitempty"`
}

// MinimumStaffing returns the twelve people that a published guide to
// round-the-clock operations gives as the least: four senior engineers, six
// specialists, a team lead and a manager.
func MinimumStaffing() Staffing {
	return Staffing{SeniorEngineers: 4, OperationsSpecialists: 6, TeamLeads: 1, EscalationManagers: 1}
}

// Total returns the number of people.
func (s Staffing) Total() int {
	return s.SeniorEngineers + s.OperationsSpecialists + s.TeamLeads + s.EscalationManagers
}

// Plus returns the people of both.
func (s Staffing) Plus(o Staffing) Staffing {
	return Staffing{
		SeniorEngineers:       s.SeniorEngineers + o.SeniorEngineers,
		OperationsSpecialists: s.OperationsSpecialists + o.OperationsSpecialists,
		TeamLeads:             s.TeamLeads + o.TeamLeads,
		EscalationManagers:    s.EscalationManagers + o.EscalationManagers,
	}
}

// Missing returns how many people of each role there are too few; the zero value
// where there are enough. Nobody stands in for another role.
func (s Staffing) Missing(least Staffing) Staffing {
	return Staffing{
		SeniorEngineers:       max(0, least.SeniorEngineers-s.SeniorEngineers),
		OperationsSpecialists: max(0, least.OperationsSpecialists-s.OperationsSpecialists),
		TeamLeads:             max(0, least.TeamLeads-s.TeamLeads),
		EscalationManagers:    max(0, least.EscalationManagers-s.EscalationManagers),
	}
}

const maxPeople = 1_000_000

func (s Staffing) check(p problems) {
	for _, role := range []struct {
		name string
		n    int
	}{
		{"senior_engineers", s.SeniorEngineers},
		{"operations_specialists", s.OperationsSpecialists},
		{"team_leads", s.TeamLeads},
		{"escalation_manager", s.EscalationManagers},
	} {
		if role.n < 0 || role.n > maxPeople {
			p.at("%s", role.name).add(strconv.Itoa(role.n), "0 to 1000000")
		}
	}
}

// SeatRule says how many people it takes to keep seats occupied:
//
//	people = seats · covered / per person
//
// with the hours of a seat and those of a person in the same period, counted in
// whole seconds.
type SeatRule struct {
	// Seats are occupied at the same time, 1 to 10,000. Defaults to 1.
	Seats int `json:"seats,omitempty"`

	// Covered is how long one seat is occupied in a period, of ten years at most.
	// Defaults to a week of 168 hours.
	Covered time.Duration `json:"covered_ns,omitempty"`

	// PerPerson is how long one person works in that period. Defaults to 40 hours.
	PerPerson time.Duration `json:"per_person_ns,omitempty"`
}

// WeekOf40 returns the rule of one seat around the clock for people who work 40
// hours in every week and are never absent: 168 h / 40 h = 4.2 people.
func WeekOf40() SeatRule {
	return SeatRule{Seats: 1, Covered: 168 * time.Hour, PerPerson: 40 * time.Hour}
}

// ProductiveYear returns the rule of one seat around the clock for people who are
// present for 1,680 hours of a year, which is 52 weeks of 40 hours less leave,
// holidays, illness and training: 8,760 h / 1,680 h = 5.2 people.
func ProductiveYear() SeatRule {
	return SeatRule{Seats: 1, Covered: 8760 * time.Hour, PerPerson: 1680 * time.Hour}
}

// Sufficiency is whether there are people enough to keep seats occupied.
type Sufficiency struct {
	People int `json:"people"`

	// Need is how many people it takes, exactly, and NeedPeople in whole ones.
	Need       Ratio `json:"need"`
	NeedPeople int   `json:"need_people"`

	// Missing is how many whole people there are too few.
	Missing int `json:"missing"`

	// Each is how long each of the people there are would have to work in the
	// period, rounded up to seconds; 0 for no people.
	Each time.Duration `json:"each_ns"`
}

// Enough reports whether nobody is missing.
func (s Sufficiency) Enough() bool { return s.Missing == 0 }

// String says what is there and what it takes.
func (s Sufficiency) String() string {
	return fmt.Sprintf("%d people, %s needed, %d missing, %s each", s.People, s.Need.Decimal(1), s.Missing, s.Each)
}

// Assess compares a number of people with the rule. The error joins
// [*ConfigError]s.
func (s SeatRule) Assess(people int) (Sufficiency, error) {
	p := newProblems()
	s = s.complete(p)
	if people < 0 || people > maxPeople {
		p.at("people").add(strconv.Itoa(people), "0 to 1000000")
	}
	if err := p.err(); err != nil {
		return Sufficiency{}, err
	}
	return s.assess(people), nil
}

// complete returns the rule with its defaults.
func (s SeatRule) complete(p problems) SeatRule {
	if s.Seats == 0 {
		s.Seats = 1
	}
	if s.Covered == 0 {
		s.Covered = WeekOf40().Covered
	}
	if s.PerPerson == 0 {
		s.PerPerson = WeekOf40().PerPerson
	}
	if s.Seats < 1 || s.Seats > 10_000 {
		p.at("seats").add(strconv.Itoa(s.Seats), "1 to 10000")
	}
	if s.Covered < 0 || s.Covered > horizonYears*366*24*time.Hour {
		p.at("covered_ns").add(s.Covered.String(), "a positive duration of ten years at most")
	}
	if s.PerPerson < time.Minute {
		p.at("per_person_ns").add(s.PerPerson.String(), "at least a minute")
	}
	return s
}

func (s SeatRule) assess(people int) Sufficiency {
	covered := int64(s.Seats) * int64(s.Covered/time.Second) // whole seconds: the product of both maxima is 3e12
	each := int64(s.PerPerson / time.Second)
	out := Sufficiency{People: people, Need: ratio(covered, each), NeedPeople: int(ceilDiv(covered, each))}
	out.Missing = max(0, out.NeedPeople-people)
	if people > 0 {
		out.Each = time.Duration(ceilDiv(covered, int64(people))) * time.Second
	}
	return out
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

// CentreSufficiency is whether a centre can keep seats occupied during its own
// hours.
type CentreSufficiency struct {
	Centre string `json:"centre"`

	// Open is how long the centre is staffed in a week without clock changes and
	// excepted dates.
	Open time.Duration `json:"open_ns"`

	Sufficiency
}

// Sufficiency returns for each centre, in their order, whether its staff can keep
// the seats of the rule occupied while it is open. Covered of the rule is not
// used, and PerPerson counts in a week. The error joins [*ConfigError]s.
func (c *Centres) Sufficiency(rule SeatRule) ([]CentreSufficiency, error) {
	p := newProblems()
	rule = rule.complete(p)
	if err := p.err(); err != nil {
		return nil, err
	}
	out := make([]CentreSufficiency, len(c.list))
	for i := range c.list {
		o := &c.list[i]
		rule.Covered = o.hours.weekly()
		out[i] = CentreSufficiency{Centre: o.ID, Open: rule.Covered, Sufficiency: rule.assess(o.Staffing.Total())}
	}
	return out, nil
}

// Staffing returns the people of all centres together.
func (c *Centres) Staffing() Staffing {
	var all Staffing
	for i := range c.list {
		all = all.Plus(c.list[i].Staffing)
	}
	return all
}

// weekly returns for how long some window is open in a week of a clock that is
// never changed.
func (h *hours) weekly() time.Duration {
	plain := &hours{zone: utcZone, windows: make([]window, len(h.windows))}
	for i, w := range h.windows {
		plain.windows[i] = window{days: w.days, from: w.from, to: w.to}
	}
	return calendar.Total(plain.set(calendar.Interval{Start: utc(0), End: utc(7 * secondsPerDay)}))
}
