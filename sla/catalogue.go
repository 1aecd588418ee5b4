package sla

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Component is a layer of a customer's technology that a provider looks after.
// The zero value is not set.
type Component uint8

// The components.
const (
	Compute Component = iota + 1
	Storage
	Network
	Database
	Application
	Security
)

// Components lists the components.
var Components = [...]Component{Compute, Storage, Network, Database, Application, Security}

var componentNames = []string{"", "compute", "storage", "network", "database", "application", "security"}

// String returns "compute", "storage", "network", "database", "application" or
// "security", and "" for the zero value.
func (c Component) String() string { return nameOf(componentNames, c) }

// MarshalText writes what String returns; an unknown value is an error.
func (c Component) MarshalText() ([]byte, error) { return textOf("component", componentNames, c) }

// UnmarshalText reads what String returns; empty text is the zero value.
func (c *Component) UnmarshalText(text []byte) error {
	return parseName("component", componentNames, text, c)
}

// MonitoringLevel says how closely a service is watched. Levels compare with <
// and >; the zero value is not set.
type MonitoringLevel uint8

// The levels, lowest first.
const (
	BasicMonitoring MonitoringLevel = iota + 1
	AdvancedMonitoring
	ComprehensiveMonitoring
)

var levelNames = []string{"", "basic", "advanced", "comprehensive"}

// String returns "basic", "advanced" or "comprehensive", and "" for the zero
// value.
func (l MonitoringLevel) String() string { return nameOf(levelNames, l) }

// MarshalText writes what String returns; an unknown value is an error.
func (l MonitoringLevel) MarshalText() ([]byte, error) {
	return textOf("monitoring level", levelNames, l)
}

// UnmarshalText reads what String returns; empty text is the zero value.
func (l *MonitoringLevel) UnmarshalText(text []byte) error {
	return parseName("monitoring level", levelNames, text, l)
}

// ManagedService is what a provider does for one component.
type ManagedService struct {
	Component  Component       `json:"component"`
	Monitoring MonitoringLevel `json:"monitoring"`

	Remediation bool `json:"automated_remediation,omitempty"` // faults are mended by programs
	Backup      bool `json:"backup_management,omitempty"`
	Patching    bool `json:"patch_management,omitempty"`
	Tuning      bool `json:"performance_tuning,omitempty"`
}

// management returns the names of what is done beside monitoring and
// remediation.
func (s ManagedService) management() []string {
	var names []string
	for _, task := range [...]struct {
		done bool
		name string
	}{{s.Backup, "backup"}, {s.Patching, "patching"}, {s.Tuning, "optimization"}} {
		if task.done {
			names = append(names, s.Component.String()+"_"+task.name)
		}
	}
	return names
}

// Offering is what a provider does for the customers of a tier. [Tier.Offer] is
// what it promises them.
type Offering struct {
	Tier     Tier             `json:"tier"`
	Services []ManagedService `json:"services"`
}

// Catalogue is what a provider has to sell, one offering for each tier.
type Catalogue []Offering

// Offering returns the offering of a tier, and false if the catalogue has none.
func (c Catalogue) Offering(t Tier) (Offering, bool) {
	i := slices.IndexFunc(c, func(o Offering) bool { return o.Tier == t })
	if i < 0 {
		return Offering{}, false
	}
	return c[i], true
}

// Validate returns all that is wrong with the catalogue, joined, each of type
// [*CatalogueError]: a tier, a component or a level that is not set or unknown, a
// second offering of a tier, a component that stands twice in an offering.
func (c Catalogue) Validate() error {
	var problems []error
	seen := map[Tier]bool{}
	for i, o := range c {
		path := fmt.Sprintf("[%d]", i)
		if seen[o.Tier] {
			problems = append(problems, &CatalogueError{path + ".tier", o.Tier.String(), "each tier once"})
		}
		seen[o.Tier] = true
		problems = append(problems, o.problems(path+".")...)
	}
	return errors.Join(problems...)
}

// Validate returns all that is wrong with the offering, as [Catalogue.Validate]
// does.
func (o Offering) Validate() error { return errors.Join(o.problems("")...) }

func (o Offering) problems(prefix string) (out []error) {
	if o.Tier == 0 || o.Tier > Enterprise {
		out = append(out, &CatalogueError{prefix + "tier", o.Tier.String(), "essential, professional or enterprise"})
	}
	seen := map[Component]bool{}
	for i, s := range o.Services {
		path := fmt.Sprintf("%sservices[%d]", prefix, i)
		switch {
		case s.Component == 0 || s.Component > Security:
			out = append(out, &CatalogueError{path + ".component", s.Component.String(), strings.Join(componentNames[1:], ", ")})
		case seen[s.Component]:
			out = append(out, &CatalogueError{path + ".component", s.Component.String(), "each component once"})
		}
		seen[s.Component] = true
		if s.Monitoring == 0 || s.Monitoring > ComprehensiveMonitoring {
			out = append(out, &CatalogueError{path + ".monitoring", s.Monitoring.String(), strings.Join(levelNames[1:], ", ")})
		}
	}
	return out
}

// CatalogueError is one thing that is wrong with a catalogue.
type CatalogueError struct {
	Path  string // such as "[0].services[1].component"
	Value string
	Want  string
}

// Error names the path, the value and what was expected.
func (e *CatalogueError) Error() string {
	return fmt.Sprintf("sla: catalogue %s %q: want %s", e.Path, e.Value, e.Want)
}

// Capabilities is what an offering can do, as names for a price list.
type Capabilities struct {
	// Monitoring holds the levels in use, each once, lowest first.
	Monitoring []MonitoringLevel `json:"monitoring"`

	// Automation holds "<component>_remediation", in the order of the services.
	Automation []string `json:"automation"`

	// Management holds "<component>_backup", "<component>_patching" and
	// "<component>_optimization" in this order, service by service.
	Management []string `json:"management"`
}

// Capabilities lists what the offering can do.
func (o Offering) Capabilities() Capabilities {
	c := Capabilities{Monitoring: []MonitoringLevel{}, Automation: []string{}, Management: []string{}}
	for _, s := range o.Services {
		c.Monitoring = append(c.Monitoring, s.Monitoring)
		if s.Remediation {
			c.Automation = append(c.Automation, s.Component.String()+"_remediation")
		}
		c.Management = append(c.Management, s.management()...)
	}
	slices.Sort(c.Monitoring)
	c.Monitoring = slices.Compact(c.Monitoring)
	return c
}

// AutomationLevel returns the share of the services whose faults are mended by
// programs. Of no services it is 0, not "no data": nothing is automated.
func (o Offering) AutomationLevel() Fraction {
	automated := uint64(0)
	for _, s := range o.Services {
		if s.Remediation {
			automated++
		}
	}
	return fractionOfCounts(automated, uint64(max(1, len(o.Services))))
}

// String returns a heading and a line for each kind of capability, the last one
// with the automation level rounded to one decimal.
func (o Offering) String() string {
	c := o.Capabilities()
	levels := make([]string, len(c.Monitoring))
	for i, l := range c.Monitoring {
		levels[i] = l.String()
	}
	name := o.Tier.String()
	var b strings.Builder
	fmt.Fprintf(&b, "%s tier capabilities:\n", strings.ToUpper(name[:1])+name[1:])
	for _, line := range [...]struct {
		head  string
		names []string
	}{{"Monitoring", levels}, {"Automation", c.Automation}, {"Management", c.Management}} {
		if len(line.names) == 0 {
			line.names = []string{"none"}
		}
		fmt.Fprintf(&b, "%s: %s\n", line.head, strings.Join(line.names, ", "))
	}
	fmt.Fprintf(&b, "Automation level: %s%%\n", o.AutomationLevel().RoundedPercent(1))
	return b.String()
}

// Over lists what the offering does that the other one does not, in the order of
// its services: components, closer monitoring, remediation and management; then
// the automation level, if it is higher.
func (o Offering) Over(other Offering) []Gain {
	var gains []Gain
	for _, s := range o.Services {
		var theirs ManagedService
		if i := slices.IndexFunc(other.Services, func(t ManagedService) bool { return t.Component == s.Component }); i >= 0 {
			theirs = other.Services[i]
		} else {
			gains = append(gains, Gain{Aspect: AspectComponent, Have: s.Component.String()})
			theirs.Component = s.Component
		}
		if s.Monitoring > theirs.Monitoring {
			gains = append(gains, Gain{Aspect: AspectMonitoring, Component: s.Component, Have: s.Monitoring.String(), Than: theirs.Monitoring.String()})
		}
		if s.Remediation && !theirs.Remediation {
			gains = append(gains, Gain{Aspect: AspectAutomation, Component: s.Component, Have: s.Component.String() + "_remediation"})
		}
		for _, name := range s.management() {
			if !slices.Contains(theirs.management(), name) {
				gains = append(gains, Gain{Aspect: AspectManagement, Component: s.Component, Have: name})
			}
		}
	}
	if mine, theirs := o.AutomationLevel(), other.AutomationLevel(); mine.Compare(theirs) > 0 {
		gains = append(gains, Gain{Aspect: AspectAutomationLevel, Have: mine.RoundedPercent(1) + "%", Than: theirs.RoundedPercent(1) + "%"})
	}
	return gains
}
