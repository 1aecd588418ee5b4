package escalation

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// CentreShare is what one centre carries: for how long it is responsible by plan,
// beside the people it has.
type CentreShare struct {
	Centre string `json:"centre"`

	// People is the size of the team, Team that of all centres together. The size
	// is the total of the staffing, and where that is not given the number of
	// engineers of the roster in the centre.
	People int `json:"people"`
	Team   int `json:"team"`

	// Owned is how long the centre is responsible, of Whole in which any is; night
	// and weekend by the clock of the centre, or of the zone asked for.
	Owned   time.Duration `json:"owned_ns"`
	Whole   time.Duration `json:"whole_ns"`
	Night   time.Duration `json:"night_ns"`
	Weekend time.Duration `json:"weekend_ns"`

	// Unstaffed is how long the centre is responsible outside its coverage.
	Unstaffed time.Duration `json:"unstaffed_ns"`

	// Engineers is the sum of the duty of its engineers.
	Engineers Duty `json:"engineers"`

	Share     Ratio `json:"share"`      // Owned of Whole
	TeamShare Ratio `json:"team_share"` // People of Team
}

// PerHead is how long the centre is responsible for each of its people, exact to
// the nanosecond below; 0 for a centre without people.
func (c CentreShare) PerHead() time.Duration {
	if c.People == 0 {
		return 0
	}
	return c.Owned / time.Duration(c.People)
}

// String sets the share against the size of the team.
func (c CentreShare) String() string {
	return fmt.Sprintf("%s with %d of %d people (%s) owns %s of %s (%s)",
		c.Centre, c.People, c.Team, c.TeamShare.Percent(), c.Owned, c.Whole, c.Share.Percent())
}

// centreShares returns the shares of the centres.
func (r *Router) centreShares(d *compiledDuty, people []PersonShare) []CentreShare {
	out := make([]CentreShare, len(r.centres.list))
	owned := make([][]calendar.Interval, len(out))
	for _, span := range r.centres.Ownership(d.span.Start, d.span.End) {
		if i := r.centres.index(span.Owner); i >= 0 {
			owned[i] = append(owned[i], span.Interval)
		}
	}
	duties := map[string]Duty{}
	for _, p := range people {
		if who := r.byID[p.Engineer]; who != nil {
			duty := duties[who.Centre]
			duty.add(p.Duty)
			duties[who.Centre] = duty
		}
	}
	team := 0
	for i := range out {
		team += r.teamSize(i)
	}
	for i := range out {
		c := &r.centres.list[i]
		z := c.hours.zone
		if d.zone != nil {
			z = d.zone
		}
		times := d.in(z)
		out[i] = CentreShare{
			Centre: c.ID, People: r.teamSize(i), Team: team,
			Owned: calendar.Total(owned[i]), Whole: d.span.Duration(),
			Night: inBoth(owned[i], times.night), Weekend: inBoth(owned[i], times.weekends),
			Unstaffed: calendar.Total(owned[i]) - inBoth(owned[i], c.hours.set(d.span)),
			Engineers: duties[c.ID],
		}
		out[i].Share = ratio(int64(out[i].Owned), int64(out[i].Whole))
		out[i].TeamShare = ratio(int64(out[i].People), int64(team))
	}
	return out
}

func (r *Router) teamSize(centre int) int {
	c := &r.centres.list[centre]
	if n := c.Staffing.Total(); n > 0 {
		return n
	}
	n := 0
	for _, who := range r.people {
		n += oneIf(who.where == centre)
	}
	return n
}
