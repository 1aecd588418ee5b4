package coverage

import (
	"cmp"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
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
func (d *duty) centreShares(people []PersonShare) []CentreShare {
	centres := d.router.Centres()
	list := centres.All()
	out := make([]CentreShare, len(list))
	owned := map[string][]calendar.Interval{}
	for _, span := range centres.Ownership(d.span.Start, d.span.End) {
		owned[span.Owner] = append(owned[span.Owner], span.Interval)
	}
	duties := map[string]Duty{}
	for _, p := range people {
		if who := d.team.find(p.Engineer); who != nil {
			duty := duties[who.Centre]
			duty.add(p.Duty)
			duties[who.Centre] = duty
		}
	}
	team := 0
	for _, c := range list {
		team += d.teamSize(c)
	}
	for i, c := range list {
		times, own := d.in(cmp.Or(d.zone, c.Zone)), owned[c.ID]
		out[i] = CentreShare{
			Centre: c.ID, People: d.teamSize(c), Team: team,
			Owned: calendar.Total(own), Whole: d.span.Duration(),
			Night: inBoth(own, times.night), Weekend: inBoth(own, times.weekends),
			Unstaffed: calendar.Total(own) - inBoth(own, centres.Hours(c.ID).Expand(d.span.Start, d.span.End)),
			Engineers: duties[c.ID],
		}
		out[i].Share = ratio(int64(out[i].Owned), int64(out[i].Whole))
		out[i].TeamShare = ratio(int64(out[i].People), int64(team))
	}
	return out
}

func (d *duty) teamSize(c escalation.Centre) int {
	if n := c.Staffing.Total(); n > 0 {
		return n
	}
	n := 0
	for _, who := range d.team {
		n += oneIf(who.Centre == c.ID)
	}
	return n
}
