package coverage

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// MinimumStaffing returns the twelve people that a published guide to
// round-the-clock operations gives as the least: four senior engineers, six
// specialists, a team lead and a manager.
func MinimumStaffing() escalation.Staffing {
	return escalation.Staffing{SeniorEngineers: 4, OperationsSpecialists: 6, TeamLeads: 1, EscalationManagers: 1}
}

const maxPeople = 1_000_000

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
// [*escalation.ConfigError]s.
func (s SeatRule) Assess(people int) (Sufficiency, error) {
	p := problem.New()
	s = s.complete(p)
	if people < 0 || people > maxPeople {
		p.At("people").Add(strconv.Itoa(people), "0 to 1000000")
	}
	if err := p.Err(); err != nil {
		return Sufficiency{}, err
	}
	return s.assess(people), nil
}

// complete returns the rule with its defaults.
func (s SeatRule) complete(p problem.List) SeatRule {
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
		p.At("seats").Add(strconv.Itoa(s.Seats), "1 to 10000")
	}
	if s.Covered < 0 || s.Covered > horizonYears*366*24*time.Hour {
		p.At("covered_ns").Add(s.Covered.String(), "a positive duration of ten years at most")
	}
	if s.PerPerson < time.Minute {
		p.At("per_person_ns").Add(s.PerPerson.String(), "at least a minute")
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

// AssessCentres returns for each centre, in their order, whether its staff can keep
// the seats of the rule occupied while it is open. Covered of the rule is not
// used, and PerPerson counts in a week. The error joins [*escalation.ConfigError]s.
func (s SeatRule) AssessCentres(centres *escalation.Centres) ([]CentreSufficiency, error) {
	p := problem.New()
	s = s.complete(p)
	if err := p.Err(); err != nil {
		return nil, err
	}
	list := centres.All()
	out := make([]CentreSufficiency, len(list))
	for i, c := range list {
		s.Covered = weekly(c.Coverage)
		out[i] = CentreSufficiency{Centre: c.ID, Open: s.Covered, Sufficiency: s.assess(c.Staffing.Total())}
	}
	return out, nil
}

// weekly returns for how long some window, of a checked centre, is open in a week of
// a clock that is never changed.
func weekly(windows []escalation.Window) time.Duration {
	plain := slices.Clone(windows)
	for i := range plain {
		plain[i].Except = nil
	}
	hours, _ := escalation.NewHours("UTC", plain)
	return calendar.Total(hours.Expand(midnight(0), midnight(7)))
}
