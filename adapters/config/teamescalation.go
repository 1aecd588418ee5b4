package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// escalationFile is how a provider's guide routes and escalates incidents. What
// escalation does anyway must be there as it does it, if it is there.
type escalationFile struct {
	Severities   map[incident.Severity]string        `yaml:"severities"`
	Domains      []string                            `yaml:"technology_domains"`
	Levels       []escalation.Level                  `yaml:"engineer_levels"`
	Order        candidateOrder                      `yaml:"candidate_order"`
	Availability map[string]string                   `yaml:"availability"`
	Timelines    map[incident.Severity]*timelineFile `yaml:"timelines"`
	Unset        incident.Severity                   `yaml:"unknown_severity"`
	Nobody       nobodyFile                          `yaml:"no_engineer_available"`
	Engineers    []escalationEngineer                `yaml:"engineers"`
	Example      struct {
		ID          string            `yaml:"id"`
		Severity    incident.Severity `yaml:"severity"`
		Domain      string            `yaml:"technology_domain"`
		Description string            `yaml:"description"`
	} `yaml:"example_incident"`
}

// candidateOrder ranks words, 1 first.
type candidateOrder struct {
	Skill map[string]int `yaml:"skill"`
	Level map[string]int `yaml:"level"`
}

type timelineFile struct {
	First  *levelFile `yaml:"level_1,required"`
	Second *levelFile `yaml:"level_2,required"`
	Third  *levelFile `yaml:"level_3,required"`
}

type levelFile struct {
	Minutes int                  `yaml:"minutes,required"`
	To      escalation.Level     `yaml:"escalate_to,required"`
	StopOn  escalation.EventKind `yaml:"stop_on,required"`
}

type nobodyFile struct {
	Status string `yaml:"status"`
	Action string `yaml:"action"`
	Reason string `yaml:"reason"`
}

// escalationEngineer is an engineer without an id.
type escalationEngineer struct {
	Name         string                  `yaml:"name,required"`
	Level        escalation.Level        `yaml:"level,required"`
	Location     string                  `yaml:"location"`
	Primary      []string                `yaml:"primary_skills"`
	Secondary    []string                `yaml:"secondary_skills"`
	Availability escalation.Availability `yaml:"availability_hours"`
	InPool       bool                    `yaml:"on_call_rotation"`
}

// escalation takes the block where the file has no keys of its own.
func (t *team) escalation(o *Organisation, f *escalationFile) {
	const block = "escalation."
	t.wantOrder(block+"candidate_order.skill", f.Order.Skill, []string{"primary", "secondary"})
	t.wantOrder(block+"candidate_order.level", f.Order.Level, []string{"principal", "senior", "junior"})
	t.d.word(block+"no_engineer_available.status", f.Nobody.Status, []string{string(escalation.EscalationRequired)})
	t.d.word(block+"no_engineer_available.action", f.Nobody.Action, []string{escalation.WakeOnCallManager})
	t.d.word(block+"no_engineer_available.reason", f.Nobody.Reason, []string{string(escalation.NoAvailableEngineer)})
	o.DefaultSeverity = f.Unset
	if !t.beside("technology_domains", block+"technology_domains") {
		o.Domains = f.Domains
	}
	if !t.beside("matrix", block+"timelines") && f.Timelines != nil {
		o.Matrix = escalation.Matrix{}
		for s, timeline := range f.Timelines {
			if timeline != nil {
				o.Matrix[s] = timeline.policy()
			}
		}
		t.places["matrix"] = block + "timelines"
		for _, s := range incident.Severities {
			for i := range 3 {
				at := fmt.Sprintf("matrix[%s].steps[%d]", s, i)
				t.places[at] = fmt.Sprintf("%stimelines.%s.level_%d", block, t.spelled(block+"timelines", s), i+1)
				t.places[at+".targets[0].level"] = t.places[at] + ".escalate_to"
			}
		}
	}
	if !t.beside("engineers", block+"engineers") {
		t.places["engineers"] = block + "engineers"
		o.Engineers = t.engineers(f.Engineers, *o)
	}
}

func (f *timelineFile) policy() escalation.Policy {
	var p escalation.Policy
	for _, l := range []*levelFile{f.First, f.Second, f.Third} {
		if l != nil {
			p.Steps = append(p.Steps, escalation.Step{Minutes: l.Minutes, Targets: []escalation.Target{{Level: l.To}}, StopOn: l.StopOn})
		}
	}
	return p
}

// engineers gives the people of the guide ids, and zones where no centre has one.
func (t *team) engineers(list []escalationEngineer, o Organisation) []escalation.Engineer {
	var out []escalation.Engineer
	for i, e := range list {
		who := escalation.Engineer{
			ID: strings.ReplaceAll(strings.ToLower(strings.TrimSpace(e.Name)), " ", "_"), Name: e.Name, Level: e.Level, Centre: e.Location,
			Primary: e.Primary, Secondary: e.Secondary, Availability: e.Availability, InPool: e.InPool,
		}
		if len(o.Centres) == 0 && o.Zone == "" {
			who.Zone = t.zoneOfCity(fmt.Sprintf("escalation.engineers[%d].location", i), e.Location)
		}
		t.places[fmt.Sprintf("engineers[%d].id", i)] = fmt.Sprintf("escalation.engineers[%d].name", i)
		t.places[fmt.Sprintf("engineers[%d].timezone", i)] = fmt.Sprintf("escalation.engineers[%d].location", i)
		out = append(out, who)
	}
	return out
}

// zoneOfCity is the zone of one of the guide's centres, and says so.
func (t *team) zoneOfCity(path, location string) string {
	centres := escalation.SampleCentres()
	i := slices.IndexFunc(centres, func(c escalation.Centre) bool { return c.ID == cityID(location) })
	if i < 0 {
		return ""
	}
	t.d.Warn(path, "zone_alias", "%q is taken to be in the zone %s", location, centres[i].Zone)
	return centres[i].Zone
}

// wantOrder refuses another order of candidates than that of the package.
func (t *team) wantOrder(path string, ranks map[string]int, words []string) {
	for i := 1; i < len(words); i++ {
		a, okA := ranks[words[i-1]]
		b, okB := ranks[words[i]]
		if okA && okB && a >= b {
			t.d.Fail(path+"."+words[i], "out_of_range", "rank %d, want one after %s, which has %d", b, words[i-1], a)
		}
	}
}
