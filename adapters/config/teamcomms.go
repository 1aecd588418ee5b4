package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// communicationFile is whom a provider's guide tells of incidents, and how often.
type communicationFile struct {
	Severities  map[incident.Severity]string       `yaml:"severities"`
	Roles       []comms.Role                       `yaml:"stakeholder_roles"`
	Matrix      map[incident.Severity][]comms.Role `yaml:"notification_matrix"`
	Interval    map[incident.Severity]int          `yaml:"update_interval_minutes"`
	Unset       *unsetFile                         `yaml:"unknown_severity"`
	Hours       *officeFile                        `yaml:"business_hours"`
	Channels    []comms.Channel                    `yaml:"channels"`
	Types       []comms.Type                       `yaml:"template_types"`
	Fields      map[string][]string                `yaml:"placeholders"`
	TimeFormat  string                             `yaml:"timestamp_format"`
	Templates   []comms.Template                   `yaml:"templates"`
	Stakeholder []comms.Stakeholder                `yaml:"stakeholders"`
	Example     struct {
		ID          string            `yaml:"incident_id"`
		Service     string            `yaml:"service_name"`
		Severity    incident.Severity `yaml:"severity"`
		Description string            `yaml:"description"`
	} `yaml:"example_incident"`
}

type unsetFile struct {
	Roles    []comms.Role `yaml:"roles"`
	Interval int          `yaml:"update_interval_minutes"`
}

type officeFile struct {
	Days    []string            `yaml:"days,required"`
	From    string              `yaml:"from,required"`
	To      string              `yaml:"to,required"`
	Ignored []incident.Severity `yaml:"ignored_for"`
}

func (f *teamFile) communicationTemplates() []comms.Template {
	if f.Communication == nil {
		return nil
	}
	return f.Communication.Templates
}

// timestampForm is how package comms writes instants.
const timestampForm = "%Y-%m-%d %H:%M:%S UTC"

// communication takes the block where the file has no keys of its own.
func (t *team) communication(o *Organisation, f *communicationFile) {
	const block = "communication."
	c := &o.Comms
	c.Matrix = f.Matrix
	t.places["notification_matrix"], t.places["cadence"] = block+"notification_matrix", block+"update_interval_minutes"
	for s, n := range f.Interval {
		if c.Cadence == nil {
			c.Cadence = map[incident.Severity]time.Duration{}
		}
		c.Cadence[s] = time.Duration(n) * time.Minute
	}
	if !t.beside("stakeholders", block+"stakeholders") {
		c.Stakeholders = slices.Clone(f.Stakeholder)
		t.places["stakeholders"] = block + "stakeholders"
	}
	if !t.beside("templates", block+"templates") {
		c.Templates = f.Templates
	}
	t.d.word(block+"timestamp_format", f.TimeFormat, []string{timestampForm})
	t.unset(block+"unknown_severity", f.Unset, *c)
	if f.Hours != nil {
		t.office(block+"business_hours", f.Hours, c)
	}
}

// unset wants an incident without a severity to be told as a P3, which is what the
// package does.
func (t *team) unset(path string, f *unsetFile, c comms.Config) {
	if f == nil {
		return
	}
	roles, every := comms.DefaultMatrix()[incident.P3], comms.DefaultCadence()[incident.P3]
	if c.Matrix != nil {
		roles = c.Matrix[incident.P3]
	}
	if own, ok := c.Cadence[incident.P3]; ok {
		every = own
	}
	if f.Roles != nil && !slices.Equal(f.Roles, roles) {
		t.d.Fail(path+".roles", "out_of_range", "%v, want those of P3, %v", f.Roles, roles)
	}
	if f.Interval != 0 && f.Interval != minutes(every) {
		t.d.Fail(path+".update_interval_minutes", "out_of_range", "%d, want that of P3, %d", f.Interval, minutes(every))
	}
}

// office gives the stakeholders who have no hours of their own those of the block.
func (t *team) office(path string, f *officeFile, c *comms.Config) {
	days, err := escalation.ParseDaySet(f.Days)
	if err != nil {
		t.d.Fail(path+".days", "bad_enum", "%q, want days from Monday to Sunday", f.Days)
		return
	}
	if f.Ignored != nil && !slices.Equal(f.Ignored, []incident.Severity{incident.P1}) {
		t.d.Fail(path+".ignored_for", "out_of_range", "%v, want P1 alone", f.Ignored)
	}
	week := calendar.Week{}
	for day := time.Sunday; day <= time.Saturday; day++ {
		if days.Has(day) {
			week[day] = []calendar.Span{{From: f.From, To: f.To}}
		}
	}
	for i := range c.Stakeholders {
		s := &c.Stakeholders[i]
		if s.Hours != nil {
			continue
		}
		zone := s.Zone
		if zone == "" {
			zone = c.Zone
		}
		if zone == "" {
			zone = "UTC"
		}
		s.Hours = &calendar.Hours{Zone: zone, Week: week}
		t.places[fmt.Sprintf("stakeholders[%d].hours", i)] = path
	}
}
