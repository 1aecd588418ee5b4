package coverage

import (
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// KnowledgePeople is how many people should know a technology well enough to run
// it off hours, in holidays and when others are ill: the "three full-time people
// per technology" of a published study of who owns infrastructure services.
const KnowledgePeople = 3

// KnowledgeQuery asks who knows the technologies on each local date in [From, Until).
type KnowledgeQuery struct {
	// From and Until are dates like "2026-10-01", at most ten years apart. A date is
	// that of each person's own clock.
	From  string `json:"from"`
	Until string `json:"to"`

	// Least is how many people there should be, 1 to 1,000. Defaults to
	// KnowledgePeople.
	Least int `json:"least,omitempty"`

	// Domains are the technologies. Defaults to those of the roster, and where it
	// names none to all skills of its engineers, sorted.
	Domains []string `json:"technology_domains,omitempty"`

	// Centre restricts the people to those of one centre. Defaults to everybody.
	Centre string `json:"location,omitempty"`

	// PrimaryOnly leaves out people for whom the domain is a secondary skill, and
	// Level those below it. Management never counts.
	PrimaryOnly bool             `json:"primary_only,omitempty"`
	Level       escalation.Level `json:"level,omitzero"`

	// CountFTE compares the sum of the parts of full-time positions with Least
	// instead of the number of people.
	CountFTE bool `json:"count_fte,omitempty"`
}

// Knowledge is who knows the technologies over a stretch of dates.
type Knowledge struct {
	From  string `json:"from"`
	Until string `json:"to"`
	Least int    `json:"least"`

	Domains []DomainKnowledge `json:"domains"` // in the order of the query
}

// Covered reports whether there are people enough for every domain on every date.
func (k Knowledge) Covered() bool {
	return !slices.ContainsFunc(k.Domains, func(d DomainKnowledge) bool { return len(d.Below) > 0 })
}

// SinglePoints returns the people who alone know some domain, with those domains,
// absences aside.
func (k Knowledge) SinglePoints() map[string][]string {
	out := map[string][]string{}
	for _, d := range k.Domains {
		if len(d.People) == 1 {
			out[d.People[0]] = append(out[d.People[0]], d.Domain)
		}
	}
	return out
}

// DomainKnowledge is who knows one technology.
type DomainKnowledge struct {
	Domain string `json:"domain"`

	// People are those who know it, by id, whether or not they are absent.
	People []string `json:"people"`

	// Present is the least number of them who are not absent on some date, and
	// FTEPercent the least sum of their parts of full-time positions. On is the
	// first date on which the compared one of the two is at its least.
	Present    int    `json:"present"`
	FTEPercent int    `json:"fte_percent"`
	On         string `json:"on"`

	// Below are the dates on which there are too few, in order.
	Below []Shortfall `json:"below"`
}

// Shortfall is a run of dates, [Start, End), on which the same too few people know
// a technology.
type Shortfall struct {
	Start string `json:"from"`
	End   string `json:"to"`

	// Present are those who are there, one where all hangs on a single person, and
	// Absent those who are not.
	Present []string `json:"present"`
	Absent  []string `json:"absent"`

	// Missing is how many people there are too few, and where the query counts
	// parts of positions how many percent of one.
	Missing int `json:"missing"`
}

// KnowledgeOf returns who knows each technology on each date, absences taken off.
//
// A person is absent on a date when an absence overlaps working hours that begin
// on it; on a date without working hours, when it overlaps the date. Somebody who
// is merely off that day counts: what matters is who could be asked. The error
// joins [*escalation.ConfigError]s.
func KnowledgeOf(r *escalation.Router, q KnowledgeQuery) (Knowledge, error) {
	p := problem.New()
	first, last := q.check(r, p)
	if err := p.Err(); err != nil {
		return Knowledge{}, err
	}
	q = q.complete(r.Roster())
	team, absent := teamOf(r), map[string][]bool{}
	out := Knowledge{From: q.From, Until: q.Until, Least: q.Least, Domains: []DomainKnowledge{}}
	for _, domain := range q.Domains {
		people := team.knowers(domain, q)
		for _, who := range people {
			if _, known := absent[who.ID]; !known {
				absent[who.ID] = who.absentDates(first, last)
			}
		}
		out.Domains = append(out.Domains, q.assess(domain, people, absent, first, last))
	}
	return out, nil
}

// check returns the dates as numbers, the last one exclusive.
func (q KnowledgeQuery) check(r *escalation.Router, p problem.List) (first, last int64) {
	first, last = dateOf(p.At("from").Date(q.From)), dateOf(p.At("to").Date(q.Until))
	if last <= first || last > first+366*horizonYears {
		p.At("to").Add(q.Until, "a date after from, by ten years at most")
	}
	if q.Least < 0 || q.Least > 1000 {
		p.At("least").Add(strconv.Itoa(q.Least), "1 to 1000")
	}
	known := r.Roster().Domains
	for i, domain := range q.Domains {
		if domain == "" || slices.Contains(q.Domains[:i], domain) || len(known) > 0 && !slices.Contains(known, domain) {
			p.At("technology_domains[%d]", i).Add(domain, "a technology domain of the roster, once")
		}
	}
	if q.Centre != "" && r.Centres().Hours(q.Centre) == nil {
		p.At("location").Add(q.Centre, "the id of a centre")
	}
	if q.Level >= escalation.Management {
		p.At("level").Add(q.Level.String(), "junior, senior or principal")
	}
	return first, last
}

func (q KnowledgeQuery) complete(r escalation.Roster) KnowledgeQuery {
	if q.Least == 0 {
		q.Least = KnowledgePeople
	}
	if len(q.Domains) == 0 {
		q.Domains = r.Domains
	}
	if len(q.Domains) == 0 {
		seen := map[string]bool{}
		for _, who := range r.Engineers {
			for _, skill := range slices.Concat(who.Primary, who.Secondary) {
				seen[skill] = true
			}
		}
		q.Domains = sortedKeys(seen)
	}
	return q
}

// knowers returns who knows a domain well enough, by id.
func (t team) knowers(domain string, q KnowledgeQuery) []*person {
	var out []*person
	for _, who := range t {
		knows := slices.Contains(who.Primary, domain) || !q.PrimaryOnly && slices.Contains(who.Secondary, domain)
		if knows && who.Level >= q.Level && who.Level < escalation.Management && (q.Centre == "" || who.Centre == q.Centre) {
			out = append(out, who)
		}
	}
	return out
}

// assess counts the people of a domain on every date.
func (q KnowledgeQuery) assess(domain string, people []*person, absent map[string][]bool, first, last int64) DomainKnowledge {
	all := presence(people, nil, 0)
	out := DomainKnowledge{Domain: domain, People: all.present, Present: len(all.present), FTEPercent: all.percent, On: dateText(first), Below: []Shortfall{}}
	for day := first; day < last; day++ {
		now := all
		if slices.ContainsFunc(people, func(who *person) bool { return isAbsent(absent[who.ID], day-first) }) {
			now = presence(people, absent, day-first)
		}
		missing, fewer := q.Least-len(now.present), len(now.present) < out.Present
		if q.CountFTE {
			missing, fewer = 100*q.Least-now.percent, now.percent < out.FTEPercent
		}
		if fewer {
			out.On = dateText(day)
		}
		out.Present, out.FTEPercent = min(out.Present, len(now.present)), min(out.FTEPercent, now.percent)
		if missing > 0 {
			out.below(day, Shortfall{Present: now.present, Absent: now.absent, Missing: missing})
		}
	}
	return out
}

// roll is who of some people is there on a date.
type roll struct {
	present, absent []string
	percent         int // of full-time positions present
}

// presence calls the roll n dates after the first; without absences, of everybody.
func presence(people []*person, absent map[string][]bool, n int64) roll {
	out := roll{present: []string{}, absent: []string{}}
	for _, who := range people {
		if isAbsent(absent[who.ID], n) {
			out.absent = append(out.absent, who.ID)
			continue
		}
		out.present = append(out.present, who.ID)
		out.percent += who.percent()
	}
	return out
}

// below adds a date to the last run or begins a new one.
func (d *DomainKnowledge) below(day int64, s Shortfall) {
	s.Start, s.End = dateText(day), dateText(day+1)
	if n := len(d.Below) - 1; n >= 0 && d.Below[n].End == s.Start && slices.Equal(d.Below[n].Absent, s.Absent) {
		d.Below[n].End = s.End
		return
	}
	d.Below = append(d.Below, s)
}

// absentDates returns of each date of [first, last) whether the person is absent;
// nil where that is none. An absence takes a date when it overlaps some of the
// working hours that begin on it, or where there are none some of the date.
func (p *person) absentDates(first, last int64) []bool {
	var out []bool
	for _, a := range p.away(calendar.Interval{Start: midnight(first - 2), End: midnight(last + 2)}) {
		from, to := dateOf(wallclock.At(a.Start, p.hours.Location()))-2, dateOf(wallclock.At(a.End, p.hours.Location()))+1
		missed := map[int64]bool{} // of the dates with working hours
		for _, work := range p.hours.Occurrences(midnight(from-2), midnight(to+4)) {
			date := number(work.Date)
			missed[date] = missed[date] || a.Overlaps(work.Interval)
		}
		for date := max(first, from); date <= min(last-1, to); date++ {
			takes, works := missed[date]
			if !works {
				takes = a.Overlaps(p.whole(date))
			}
			if !takes {
				continue
			}
			if out == nil {
				out = make([]bool, last-first)
			}
			out[date-first] = true
		}
	}
	return out
}

func isAbsent(dates []bool, n int64) bool { return dates != nil && dates[n] }

// whole returns a date on the clock of the person.
func (p *person) whole(date int64) calendar.Interval {
	return calendar.Interval{
		Start: wallclock.Resolve(midnight(date), p.hours.Location(), wallclock.First),
		End:   wallclock.Resolve(midnight(date+1), p.hours.Location(), wallclock.Last),
	}
}
