package escalation

import (
	"fmt"
	"slices"

	"github.com/evenkeelops/evenkeel/incident"
)

// climb is a step up the ladder.
type climb struct {
	target string
	level  Level // of the ladder now; unset where the last resort was taken
	why    []string
}

// up finds whom to page at least that senior, nobody who was paged in this round
// while another fits. It goes up at once where nobody fits, and says so.
func (r *Router) up(q Request, least Level, paged []string) climb {
	var why []string
	if least < Management {
		if a := r.senior(q, least, paged); a != nil {
			return climb{target: a.ID, level: a.Level, why: a.strengths(q)}
		}
		why = append(why, fmt.Sprintf("no %s or above with %s to be had, so up to the management", least, q.Domain))
	}
	for _, manager := range r.managers(q) {
		if slices.Contains(paged, manager.ID) {
			why = append(why, manager.ID+" was paged before")
			continue
		}
		if absence, ok := manager.absent(q.At); ok {
			why = append(why, fmt.Sprintf("%s is absent until %s", manager.ID, absence.End.UTC().Format("2006-01-02T15:04Z07:00")))
			continue
		}
		step := "management"
		if manager.where >= 0 {
			step = "manager of " + r.centres.list[manager.where].ID
		}
		return climb{target: manager.ID, level: Management, why: append(why, step)}
	}
	why = append(why, "last resort: no manager to be had")
	if slices.Contains(paged, r.lastResort.ID) {
		why = append(why, "paged again: everybody who fits was paged in this round")
	}
	return climb{target: r.lastResort.ID, why: why}
}

// senior returns the first engineer at least that senior who was not paged: of
// those available, else for a P1 of the pool, else of those at their maximum.
func (r *Router) senior(q Request, least Level, paged []string) *assessment {
	all, _ := r.assess(q)
	try := func(fits func(*assessment) bool) *assessment {
		found := filter(all, func(a *assessment) bool {
			return fits(a) && a.Level >= least && !slices.Contains(paged, a.ID)
		})
		if len(found) == 0 {
			return nil
		}
		return slices.MinFunc(found, (*assessment).compare)
	}
	if a := try(withRoom((*assessment).qualified)); a != nil {
		return a
	}
	if q.Severity != incident.P1 {
		return try((*assessment).qualified)
	}
	if a := try(withRoom((*assessment).wakeable)); a != nil {
		return a
	}
	return try((*assessment).reachable)
}

// managers returns the manager of the owning centre, those of the centres to
// which it hands over in turn, those of the other centres, and the rest of the
// management by id.
func (r *Router) managers(q Request) []*person {
	var out []*person
	join := func(who *person) {
		if who != nil && !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	for i, n := r.centres.owner(seconds(q.At)), 0; i >= 0 && n < len(r.centres.list); i, n = r.centres.list[i].receiver, n+1 {
		join(r.byID[r.centres.list[i].Manager])
	}
	for i := range r.centres.list {
		join(r.byID[r.centres.list[i].Manager])
	}
	for _, who := range r.people {
		if who.Level == Management {
			join(who)
		}
	}
	return out
}
