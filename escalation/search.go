package escalation

import (
	"maps"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/incident"
)

// step is one step of the search for somebody who can take an incident.
type searchStep struct {
	text   string
	reason Reason
	fits   func(*assessment) bool
	silent bool // not mentioned where it finds nobody
	skill  bool // finds only people with the skill
}

// search returns the steps for a request, each wider than the one before.
func (r *Router) search(o *order) []searchStep {
	q := o.q
	if o.published {
		return []searchStep{{text: "has " + q.Domain + " and is available", fits: (*assessment).published, skill: true}}
	}
	available, wakeable, reachable := (*assessment).qualified, (*assessment).wakeable, (*assessment).qualified
	steps := []searchStep{{text: "has " + q.Domain + " and is available", fits: withRoom(available), skill: true}}
	if q.Severity == incident.P1 {
		steps = append(steps, searchStep{text: "on-call pool with " + q.Domain + ", off hours", reason: OnCallPool, fits: withRoom(wakeable), skill: true})
		reachable = (*assessment).reachable
	}
	steps = append(steps, searchStep{text: "has " + q.Domain + " and is at the maximum", reason: AtMaximum, fits: reachable, skill: true, silent: true})
	if o.owner < 0 {
		return steps
	}
	owner := &r.centres.list[o.owner]
	if q.Severity.AtLeast(incident.P2) {
		onShift := func(a *assessment) bool { return a.owning && a.available() && a.Level < Management }
		text := "anyone on shift in " + owner.ID
		steps = append(steps,
			searchStep{text: text, reason: OwningCentre, fits: withRoom(onShift), silent: true},
			searchStep{text: text, reason: OwningCentre, fits: onShift})
	}
	return append(steps, searchStep{text: "escalation manager of " + owner.ID, reason: CentreManager, fits: func(a *assessment) bool {
		return a.ID == owner.Manager && a.absence == nil && (a.available() || a.InPool)
	}})
}

// note adds what a step found to the search in words.
func (s searchStep) note(out *Routing, found int) {
	if s.silent && found == 0 {
		return
	}
	out.Reason = s.reason
	text := "nobody"
	if found > 0 {
		text = strconv.Itoa(found)
	}
	out.Search = append(out.Search, s.text+": "+text)
}

// find runs the steps until one finds somebody, and notes them.
func (r *Router) find(out *Routing, o *order, all []assessment) []*assessment {
	for _, step := range r.search(o) {
		found := filter(all, step.fits)
		step.note(out, len(found))
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func filter(all []assessment, fits func(*assessment) bool) []*assessment {
	var found []*assessment
	for i := range all {
		if fits(&all[i]) {
			found = append(found, &all[i])
		}
	}
	return found
}

// Assign is [Router.Candidates] without the runners-up: the routing names the first
// candidate alone and nobody who was refused. Its cost grows with the number of
// people who have the skill, not with the roster; those without are looked at only
// where nobody with it can be had.
func (r *Router) Assign(q Request) (Routing, error) {
	if !q.Severity.IsSet() {
		return Routing{}, severityError(q.Severity)
	}
	o := r.order(q)
	steps := r.search(o)
	skilled := 0
	for skilled < len(steps) && steps[skilled].skill {
		skilled++
	}
	out := Routing{Status: Assigned, Candidates: []Candidate{}, Refused: []Refusal{}}
	if r.first(&out, o, r.bySkill[q.Domain], steps[:skilled]) || r.first(&out, o, r.people, steps[skilled:]) {
		return out, nil
	}
	out.unassigned()
	return out, nil
}

// first finds the best person for the first of the steps that has any.
func (r *Router) first(out *Routing, o *order, people []*person, steps []searchStep) bool {
	best := make([]assessment, len(steps))
	count := make([]int, len(steps))
	var a assessment // of its own, as the steps take its address
	for _, who := range people {
		a = o.assess(who)
		// Whoever fits an earlier step is not needed for a later one, but is
		// among those that it finds.
		for i := range steps {
			if !steps[i].fits(&a) {
				continue
			}
			if count[i]++; count[i] == 1 || a.compare(&best[i]) < 0 {
				best[i] = a
			}
			break
		}
	}
	for i := range steps {
		steps[i].note(out, count[i])
		if count[i] > 0 {
			a := &best[i]
			out.Assigned, out.Candidates = a.ID, []Candidate{a.candidate(1)}
			return true
		}
	}
	return false
}

func (a *assessment) candidate(rank int) Candidate {
	return Candidate{Engineer: a.ID, Rank: rank, Skill: skillNames[a.skill], Level: a.Level, Why: a.strengths(a.order.q)}
}

// sortSkills lists the people by skill.
func (r *Router) sortSkills() {
	r.bySkill = map[string][]*person{}
	for _, who := range r.people {
		for _, skill := range slices.Concat(who.Primary, who.Secondary) {
			if list := r.bySkill[skill]; len(list) == 0 || list[len(list)-1] != who {
				r.bySkill[skill] = append(list, who)
			}
		}
	}
}

// Ranking changes the order of candidates.
type Ranking struct {
	// Published ranks as the published guide does, word for word: for a P1
	// everybody in the pool is available at any hour, else everybody in hours;
	// primary before secondary skills, then seniority, then the order of the
	// roster; nothing is widened. It takes no notice of who is on call, of centres
	// and of load. Absences count all the same, and hours are half-open.
	Published bool `json:"published,omitzero"`

	// JuniorFirst are severities for which the least senior is asked first, P3 and
	// P4 say.
	JuniorFirst []incident.Severity `json:"junior_first,omitempty"`
}

func (k Ranking) check(p problems) {
	for i, s := range k.JuniorFirst {
		if !s.IsSet() {
			p.at("junior_first[%d]", i).add(s.String(), "P1 to P4")
		}
	}
}

func (r *Router) checkLatency(table map[string]map[string]int, p problems) {
	for _, region := range slices.Sorted(maps.Keys(table)) {
		for _, centre := range slices.Sorted(maps.Keys(table[region])) {
			ms := table[region][centre]
			q := p.at("[%q][%q]", region, centre)
			if r.centres.index(centre) < 0 {
				q.add(centre, "the id of a centre")
			}
			if ms < 0 {
				q.add(strconv.Itoa(ms), "milliseconds, 0 or more")
			}
		}
	}
}
