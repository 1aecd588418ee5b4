package coverage

import (
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// StrainQuery asks how hard on-call duty is on people.
type StrainQuery struct {
	DutyQuery

	// MinRest is how long a person should be free between two shifts. Defaults to
	// 11 hours, the daily rest of Article 3 of Directive 2003/88/EC.
	MinRest time.Duration `json:"min_rest_ns,omitempty"`

	// NightFrom is how long a person has to be on call in a night for that night
	// to count. Defaults to 3 hours, what makes a night worker in Article 2 of the
	// same directive.
	NightFrom time.Duration `json:"night_from_ns,omitempty"`

	// MaxNights is how many nights in a row are too many, when exceeded. Defaults
	// to 7: one week.
	MaxNights int `json:"max_nights,omitempty"`
}

// Strain is how hard on-call duty is on one person. Shifts that follow each
// other without a break, also in different schedules, are one stretch. What
// began before the stretch of time asked for, or ends after it, is cut.
type Strain struct {
	Engineer string `json:"engineer"`
	Zone     string `json:"timezone"` // in which nights were counted

	// Longest is the longest stretch on call without a break.
	Longest calendar.Interval `json:"longest"`

	// ShortestRest is the shortest break between two stretches; the zero interval
	// where there is none. ShortRests are the breaks below the minimum, in order.
	ShortestRest calendar.Interval   `json:"shortest_rest,omitzero"`
	ShortRests   []calendar.Interval `json:"short_rests"`

	// Nights is the number of nights on call, NightRun the longest run of
	// consecutive ones, and LongRuns those beyond the maximum, in order.
	Nights   int        `json:"nights"`
	NightRun NightRun   `json:"night_run"`
	LongRuns []NightRun `json:"long_runs"`
}

// NightRun is a run of consecutive nights. First and Last are the local dates on
// which the first and the last of them began.
type NightRun struct {
	Nights int    `json:"nights"`
	First  string `json:"first,omitempty"`
	Last   string `json:"last,omitempty"`
}

// StrainOf returns how hard on-call duty is on everybody who has any, by id. The
// error joins [*escalation.ConfigError]s.
func StrainOf(r *escalation.Router, q StrainQuery) ([]Strain, error) {
	p := problem.New()
	d := q.compile(r, p)
	if q.MinRest < 0 {
		p.At("min_rest_ns").Add(q.MinRest.String(), "a positive duration")
	}
	if q.NightFrom < 0 {
		p.At("night_from_ns").Add(q.NightFrom.String(), "a positive duration")
	}
	if q.MaxNights < 0 {
		p.At("max_nights").Add(strconv.Itoa(q.MaxNights), "at least 1")
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	q.defaults()
	stints := d.stints()
	out := []Strain{}
	for _, id := range sortedKeys(stints) {
		zone := d.zoneOf(id)
		set := merged(stints[id])
		s := Strain{Engineer: id, Zone: zone, ShortRests: []calendar.Interval{}, LongRuns: []NightRun{}}
		s.rest(set, q.MinRest)
		s.nights(set, d.in(zone).nights, q)
		out = append(out, s)
	}
	return out, nil
}

func (q *StrainQuery) defaults() {
	if q.MinRest == 0 {
		q.MinRest = 11 * time.Hour
	}
	if q.NightFrom == 0 {
		q.NightFrom = 3 * time.Hour
	}
	if q.MaxNights == 0 {
		q.MaxNights = 7
	}
}

func (s *Strain) rest(set []calendar.Interval, least time.Duration) {
	for i, span := range set {
		if span.Duration() > s.Longest.Duration() {
			s.Longest = span
		}
		if i == 0 {
			continue
		}
		gap := calendar.Interval{Start: set[i-1].End, End: span.Start}
		if s.ShortestRest.IsEmpty() || gap.Duration() < s.ShortestRest.Duration() {
			s.ShortestRest = gap
		}
		if gap.Duration() < least {
			s.ShortRests = append(s.ShortRests, gap)
		}
	}
}

func (s *Strain) nights(set []calendar.Interval, nights []escalation.Occurrence, q StrainQuery) {
	var run NightRun
	end := func() {
		if run.Nights > s.NightRun.Nights {
			s.NightRun = run
		}
		if run.Nights > q.MaxNights {
			s.LongRuns = append(s.LongRuns, run)
		}
		run = NightRun{}
	}
	for _, night := range nights {
		if calendar.Total(calendar.Clip(set, night.Interval)) < q.NightFrom {
			continue
		}
		if run.Nights > 0 && night.Date != dayAfter(run.Last) {
			end()
		}
		if run.Nights == 0 {
			run.First = night.Date
		}
		run.Nights++
		s.Nights++
		run.Last = night.Date
	}
	end()
}

// dayAfter returns the date after one that was written by [escalation.Hours].
func dayAfter(date string) string {
	at, _ := time.Parse(time.DateOnly, date)
	return at.AddDate(0, 0, 1).Format(time.DateOnly)
}
