package coverage

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// webhookPrefix begins the target of a page that goes to no person.
const webhookPrefix = "webhook:"

// FairnessQuery asks who carries how much.
type FairnessQuery struct {
	DutyQuery

	// Pages are actions of an [escalation.Engine]; those of kind Page in [From, Until) count for
	// their targets, webhooks apart. Optional.
	Pages []escalation.Action `json:"-"`

	// Weights are parts that people are expected to take, each at least 0 and at
	// most 1,000,000. Defaults to the percentage of a full-time position of
	// everybody who has a turn in a rotation of the schedules. People without a
	// weight are expected to take nothing.
	Weights map[string]int `json:"weights,omitempty"`

	// TolerancePoints is by how many percentage points a share may exceed what is
	// expected before it becomes a finding, 1 to 100. Defaults to 10.
	TolerancePoints int `json:"tolerance_points,omitempty"`
}

// Fairness is who carried how much of the on-call duty of people and of the
// ownership of centres in [From, Until). All durations are elapsed time, exact.
type Fairness struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"to"`

	// Total is the sum over the people.
	Total   Duty          `json:"total"`
	People  []PersonShare `json:"people"`  // by id
	Centres []CentreShare `json:"centres"` // in the order of the roster

	// Findings say in words who carries more than expected by more than the
	// tolerance.
	Findings []string `json:"findings"`
}

// Duty is an amount of duty. An hour of a weekend night counts in both Night and
// Weekend.
type Duty struct {
	OnCall  time.Duration `json:"on_call_ns"`
	Night   time.Duration `json:"night_ns"`
	Weekend time.Duration `json:"weekend_ns"`

	Pages        int `json:"pages"`
	NightPages   int `json:"night_pages"`
	WeekendPages int `json:"weekend_pages"`
}

func (d *Duty) add(o Duty) {
	d.OnCall += o.OnCall
	d.Night += o.Night
	d.Weekend += o.Weekend
	d.Pages += o.Pages
	d.NightPages += o.NightPages
	d.WeekendPages += o.WeekendPages
}

// PersonShare is what one person carried. Time in which a person is on call in
// several schedules counts once.
type PersonShare struct {
	Engineer string `json:"engineer"`
	Zone     string `json:"timezone"` // in which nights and weekends were counted

	Duty

	// Shares are parts of what all people together carried.
	Share        Ratio `json:"share"`
	NightShare   Ratio `json:"night_share"`
	WeekendShare Ratio `json:"weekend_share"`
	PageShare    Ratio `json:"page_share"`

	Expected Ratio `json:"expected_share"`
}

// FairnessOf returns who carries how much: people by the schedules, centres by
// their ownership. The error joins [*escalation.ConfigError]s; it is one as well where all
// together are on call for more than 292 years, which is what a duration holds.
//
// The cost grows with the number of shifts in the stretch and with that of the
// days times the zones of the people.
func FairnessOf(r *escalation.Router, q FairnessQuery) (Fairness, error) {
	p := problem.New()
	d := q.compile(r, p)
	for _, id := range sortedKeys(q.Weights) {
		if w := q.Weights[id]; d.team.find(id) == nil && id != r.LastResort().ID {
			p.At("weights[%q]", id).Add(id, "an engineer of the roster, or the last resort")
		} else if w < 0 || w > 1_000_000 {
			p.At("weights[%q]", id).Add(strconv.Itoa(w), "0 to 1000000")
		}
	}
	if q.TolerancePoints < 0 || q.TolerancePoints > 100 {
		p.At("tolerance_points").Add(strconv.Itoa(q.TolerancePoints), "1 to 100")
	}
	if err := p.Err(); err != nil {
		return Fairness{}, err
	}
	if q.Weights == nil {
		q.Weights = d.turnTakers()
	}
	if q.TolerancePoints == 0 {
		q.TolerancePoints = 10
	}
	out := Fairness{From: d.span.Start, Until: d.span.End, People: []PersonShare{}, Findings: []string{}}
	if !out.people(d.carried(q), q.Weights) {
		p.At("to").Add(q.Until.Format(time.RFC3339), "a stretch in which all together are on call for 292 years at most")
		return Fairness{}, p.Err()
	}
	out.Centres = d.centreShares(out.People)
	out.find(q.TolerancePoints)
	return out, nil
}

// turnTakers returns the people of the rotations with their percentages.
func (d *duty) turnTakers() map[string]int {
	out := map[string]int{}
	weigh := func(users []string) {
		for _, id := range users {
			out[id] = d.team.find(id).percent()
		}
	}
	plans := d.router.Roster().Schedules
	for _, name := range d.schedules {
		layers := plans[name].Layers
		for _, r := range plans[name].Replacements {
			layers = slices.Concat(layers, r.Layers)
		}
		for _, l := range layers {
			weigh(l.Rotation.Users)
			for _, c := range l.Rotation.Changes {
				weigh(c.Users)
			}
		}
	}
	return out
}

// carried returns the duty of everybody who has any, or a weight.
func (d *duty) carried(q FairnessQuery) map[string]PersonShare {
	out := map[string]PersonShare{}
	get := func(id string) PersonShare {
		share, ok := out[id]
		if !ok {
			share = PersonShare{Engineer: id, Zone: d.zoneOf(id)}
		}
		return share
	}
	for id, list := range d.stints() {
		share, set, zone := get(id), merged(list), d.in(d.zoneOf(id))
		share.OnCall, share.Night, share.Weekend = calendar.Total(set), inBoth(set, zone.night), inBoth(set, zone.weekends)
		out[id] = share
	}
	for id := range q.Weights {
		out[id] = get(id)
	}
	for _, a := range q.Pages {
		if a.Kind != escalation.Page || strings.HasPrefix(a.Target, webhookPrefix) || !d.span.Contains(a.At) {
			continue
		}
		share, zone := get(a.Target), d.in(d.zoneOf(a.Target))
		share.Pages++
		share.NightPages += oneIf(holds(zone.night, a.At))
		share.WeekendPages += oneIf(holds(zone.weekends, a.At))
		out[a.Target] = share
	}
	return out
}

func oneIf(is bool) int {
	if is {
		return 1
	}
	return 0
}

// people fills in the people with their shares, and the total. It reports whether
// that could be counted.
func (f *Fairness) people(duties map[string]PersonShare, weights map[string]int) bool {
	weight := int64(0)
	for _, id := range sortedKeys(duties) {
		if f.Total.OnCall > math.MaxInt64-duties[id].OnCall {
			return false
		}
		f.People = append(f.People, duties[id])
		f.Total.add(duties[id].Duty)
		weight += int64(weights[id])
	}
	for i := range f.People {
		p := &f.People[i]
		p.Share = ratio(int64(p.OnCall), int64(f.Total.OnCall))
		p.NightShare = ratio(int64(p.Night), int64(f.Total.Night))
		p.WeekendShare = ratio(int64(p.Weekend), int64(f.Total.Weekend))
		p.PageShare = ratio(int64(p.Pages), int64(f.Total.Pages))
		p.Expected = ratio(int64(weights[p.Engineer]), weight)
	}
	return true
}

// find notes the shares that exceed what is expected.
func (f *Fairness) find(points int) {
	for _, c := range f.Centres {
		if exceeds(c.Share, c.TeamShare, points) {
			f.Findings = append(f.Findings, c.String())
		}
	}
	for _, p := range f.People {
		for _, s := range []struct {
			share Ratio
			of    string
		}{{p.Share, "the time on call"}, {p.NightShare, "the nights"}, {p.WeekendShare, "the weekends"}, {p.PageShare, "the pages"}} {
			if exceeds(s.share, p.Expected, points) {
				f.Findings = append(f.Findings, fmt.Sprintf("%s carries %s of %s, expected %s", p.Engineer, s.share.Percent(), s.of, p.Expected.Percent()))
			}
		}
	}
}

// exceeds reports whether a share is greater than another by more than a number
// of percentage points.
func exceeds(share, expected Ratio, points int) bool {
	if !share.IsSet() || !expected.IsSet() {
		return false
	}
	limit := new(big.Rat).Add(big.NewRat(expected.Num, expected.Den), big.NewRat(int64(points), 100))
	return big.NewRat(share.Num, share.Den).Cmp(limit) > 0
}

// Engineer returns the share of a person; ok is false for one who has none.
func (f Fairness) Engineer(id string) (share PersonShare, ok bool) {
	i := slices.IndexFunc(f.People, func(p PersonShare) bool { return p.Engineer == id })
	if i < 0 {
		return PersonShare{}, false
	}
	return f.People[i], true
}
