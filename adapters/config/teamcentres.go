package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/diagnostic"
)

// operationsCentre is a centre as a provider's guide describes it.
type operationsCentre struct {
	Location        string              `yaml:"location,required"`
	Zone            string              `yaml:"timezone,required"`
	Coverage        string              `yaml:"coverage_hours,required"` // "06:00-18:00 CET"
	Staffing        escalation.Staffing `yaml:"staffing"`
	Specialisations []string            `yaml:"specializations"`
}

// handoffFile is a handoff under a key like amsterdam_to_austin.
type handoffFile struct {
	Time       string        `yaml:"time,required"` // "17:30 CET", on the clock of the sender
	Duration   time.Duration `yaml:"duration"`
	Activities []string      `yaml:"activities"`
}

// ofCentre is a text such as "06:00-18:00 CET": times of day, and the zone of the
// centre once more.
var (
	coverageForm = regexp.MustCompile(`^(\d\d:\d\d)\s*-\s*(\d\d:\d\d)(?:\s+(\S+))?$`)
	handoffForm  = regexp.MustCompile(`^(\d\d:\d\d)(?:\s+(\S+))?$`)
)

// centres takes the centres of the guide, in the order in which they stand, where
// the file has none of its own.
func (t *team) centres(o *Organisation) {
	if t.beside("centres", "operations_centers") {
		return
	}
	const block = "operations_centers"
	for _, key := range t.inOrder(block, slices.Collect(maps.Keys(t.file.Operations))) {
		c, path := t.file.Operations[key], diagnostic.Join(block, key)
		if c == nil {
			continue
		}
		centre := escalation.Centre{ID: cityID(c.Location), Name: c.Location, Zone: t.cityZone(path+".timezone", c.Zone), Staffing: c.Staffing, Specialisations: c.Specialisations}
		if part := coverageForm.FindStringSubmatch(c.Coverage); part != nil {
			centre.Coverage = []escalation.Window{{From: part[1], To: part[2]}}
			t.sameZone(path+".coverage_hours", part[3], centre.Zone)
		} else if t.d.has(path + ".coverage_hours") {
			t.d.Fail(path+".coverage_hours", "bad_time", `%q, want hours like "06:00-18:00 CET"`, c.Coverage)
		}
		at := fmt.Sprintf("centres[%d]", len(o.Centres))
		t.places[at+".id"], t.places[at+".coverage"] = path+".location", path+".coverage_hours"
		t.places[at+".coverage[0].from"], t.places[at+".coverage[0].to"] = path+".coverage_hours", path+".coverage_hours"
		t.places[at] = path
		o.Centres = append(o.Centres, centre)
	}
}

// handoffs adds the handoffs of the guide to the centres that have none.
func (t *team) handoffs(o *Organisation) {
	const block = "handoff_schedule"
	rules := map[string]escalation.HandoffRule{}
	for _, key := range t.inOrder(block, slices.Collect(maps.Keys(t.file.Handoffs))) {
		h, path := t.file.Handoffs[key], diagnostic.Join(block, key)
		if h == nil {
			continue
		}
		from, to, ok := strings.Cut(key, "_to_")
		part := handoffForm.FindStringSubmatch(h.Time)
		switch {
		case !ok || from == "" || to == "":
			t.d.failKey(path, "bad_id", "key %q, want one like amsterdam_to_austin", key)
			continue
		case part == nil:
			if t.d.has(path + ".time") {
				t.d.Fail(path+".time", "bad_time", `%q, want a time of day like "17:30 CET"`, h.Time)
			}
			continue
		}
		rule := escalation.HandoffRule{To: to, At: part[1], Minutes: minutes(h.Duration), Agenda: h.Activities}
		if h.Duration%time.Minute != 0 {
			t.d.Fail(path+".duration", "out_of_range", "%s, want whole minutes", h.Duration)
		}
		rules[from] = rule
		if len(o.Centres) == 0 {
			continue
		}
		known, _ := references(path, "centre", *o)
		i := slices.Index(known, from)
		switch {
		case i < 0:
			t.d.failKey(path, "bad_reference", "no centre %q, want one of %s", from, strings.Join(known, ", "))
		case !slices.Contains(known, to):
			t.d.failKey(path, "bad_reference", "no centre %q, want one of %s", to, strings.Join(known, ", "))
		case o.Centres[i].Handoff.To != "":
			t.d.Warn(path, "overruled", "the centre %q has a handoff in the file as well, which counts", from)
		default:
			t.sameZone(path+".time", part[2], o.Centres[i].Zone)
			t.places[fmt.Sprintf("centres[%d].handoff", i)] = path
			o.Centres = slices.Clone(o.Centres)
			o.Centres[i].Handoff = rule
		}
	}
	if len(o.Centres) == 0 && len(rules) > 0 {
		t.d.Warn(block, "no_centres", "handoffs without centres: nobody hands over")
		o.Handoffs = rules
	}
}

// inOrder sorts the keys of a mapping as they stand in the file.
func (t *team) inOrder(path string, keys []string) []string {
	slices.SortFunc(keys, func(a, b string) int {
		x, y := t.d.keys[diagnostic.Join(path, a)], t.d.keys[diagnostic.Join(path, b)]
		return slices.Compare([]int{x.line, x.col}, []int{y.line, y.col})
	})
	return keys
}

// cityID is the id of a place: "amsterdam" of "Amsterdam, Netherlands".
func cityID(location string) string {
	city, _, _ := strings.Cut(location, ",")
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(city)), " ", "_")
}

// cityZone reads a zone that may be written as "CET/CEST", and says so.
func (t *team) cityZone(path, zone string) string {
	if meant := zoneAliases[strings.ToUpper(zone)]; meant != "" {
		t.d.Warn(path, "zone_alias", "%q is no IANA zone and is read as %s", zone, meant)
		return meant
	}
	return zone
}

// sameZone wants the zone behind a time to be that of its centre.
func (t *team) sameZone(path, zone, want string) {
	if zone == "" || zone == want || zoneAliases[strings.ToUpper(zone)] == want {
		return
	}
	t.d.Fail(path, "bad_zone", "zone %q, want that of the centre, %s", zone, want)
}
