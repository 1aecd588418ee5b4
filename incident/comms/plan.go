package comms

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Config is the communication plan as data. Everything but the stakeholders
// has a default.
type Config struct {
	// Stakeholders are the people. An id may occur once per service.
	Stakeholders []Stakeholder `json:"stakeholders"`
	// Rooms are the shared channels. Defaults to none.
	Rooms []Room `json:"rooms,omitempty"`
	// Matrix names the roles that are told about a severity; nobody is told about
	// one that it leaves out. Defaults to DefaultMatrix.
	Matrix map[incident.Severity][]Role `json:"notification_matrix,omitempty"`
	// Cadence is the longest time between updates. Defaults to DefaultCadence.
	Cadence map[incident.Severity]time.Duration `json:"cadence_ns,omitempty"`
	// LegalFlags bring LegalCompliance in when set on a P1. Defaults to data,
	// security and regulatory.
	LegalFlags []incident.Flag `json:"legal_flags,omitempty"`
	// Templates replace the default of their severity and type. Defaults to
	// DefaultTemplates.
	Templates []Template `json:"templates,omitempty"`
	// Zone is that of stakeholders without one. Defaults to "UTC".
	Zone string `json:"zone,omitempty"`
	// DropMissed says nothing to somebody whose first message was still deferred
	// when the incident ended. Defaults to false: one message tells that it was.
	DropMissed bool `json:"drop_missed,omitempty"`
}

// Plan is a checked and compiled Config. It never changes and is safe for
// concurrent use.
type Plan struct {
	recipients []*recipient // sorted by id, then service
	matrix     map[incident.Severity][]Role
	cadence    map[incident.Severity]time.Duration
	legalFlags []incident.Flag
	templates  map[templateKey]*compiled
	dropMissed bool
}

type templateKey struct {
	severity incident.Severity
	kind     Type
}

// fallback stands for an incident without a severity: its technical contacts
// are told, once an hour.
const fallback = incident.P3

// New checks a configuration. All problems are joined in the error, each a
// [*ConfigError] or a [*TemplateError].
func New(c Config) (*Plan, error) {
	p := &Plan{
		matrix: DefaultMatrix(), cadence: DefaultCadence(), templates: map[templateKey]*compiled{},
		legalFlags: []incident.Flag{incident.DataFlag, incident.SecurityFlag, incident.RegulatoryFlag},
		dropMissed: c.DropMissed,
	}
	var errs []error
	bad := func(path, value, want string) {
		errs = append(errs, &ConfigError{Path: path, Value: value, Want: want})
	}
	severity := func(path string, s incident.Severity) {
		if !s.IsSet() {
			bad(path, s.String(), "a severity P1 to P4")
		}
	}
	if c.Matrix != nil {
		p.matrix = make(map[incident.Severity][]Role, len(c.Matrix))
	}
	for _, s := range slices.Sorted(maps.Keys(c.Matrix)) {
		severity("notification_matrix", s)
		p.matrix[s] = slices.Clone(c.Matrix[s])
		for _, role := range p.matrix[s] {
			if !slices.Contains(roles[:], role) {
				bad("notification_matrix."+s.String(), string(role), joinRoles())
			}
		}
	}
	for _, s := range slices.Sorted(maps.Keys(c.Cadence)) {
		severity("cadence", s)
		p.cadence[s] = c.Cadence[s]
		if c.Cadence[s] <= 0 {
			bad("cadence."+s.String(), c.Cadence[s].String(), "more than 0")
		}
	}
	if c.LegalFlags != nil {
		p.legalFlags = slices.Clone(c.LegalFlags)
	}
	errs = append(errs, p.compileTemplates(c.Templates)...)
	p.compileRecipients(c, bad)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return p, nil
}

func (p *Plan) compileTemplates(own []Template) (errs []error) {
	for _, t := range append(DefaultTemplates(), own...) {
		if !t.Severity.IsSet() || Placeholders(t.Type) == nil {
			errs = append(errs, &ConfigError{
				Path: "templates", Value: fmt.Sprintf("%s %s", t.Severity, t.Type),
				Want: "a severity and one of the types initial, update, resolution",
			})
			continue
		}
		c, err := compileTemplate(t, p.cadence[t.Severity])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p.templates[templateKey{t.Severity, t.Type}] = c
	}
	return errs
}

func (p *Plan) compileRecipients(c Config, bad func(path, value, want string)) {
	zone := c.Zone
	if zone == "" {
		zone = "UTC"
	}
	seen := map[[2]string]bool{}
	add := func(r *recipient, path string) {
		key := [2]string{r.id, r.service}
		if seen[key] {
			bad(path, r.id, "an id that the service has once")
		}
		seen[key] = true
		p.recipients = append(p.recipients, r)
	}
	for i, s := range c.Stakeholders {
		path := fmt.Sprintf("stakeholders[%d]", i)
		add(compilePerson(s, path, zone, bad), path)
	}
	for i, room := range c.Rooms {
		path := fmt.Sprintf("rooms[%d]", i)
		add(compileRoom(room, path, bad), path)
	}
	slices.SortFunc(p.recipients, func(a, b *recipient) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.service, b.service))
	})
}

// Roles returns the roles that are told about an incident of a severity with
// flags, in the order of the matrix. An unset severity counts as P3.
func (p *Plan) Roles(s incident.Severity, flags ...incident.Flag) []Role {
	out := slices.Clone(p.matrix[effective(s)])
	if _, because := p.legal(s, flags); because && !slices.Contains(out, LegalCompliance) {
		out = append(out, LegalCompliance)
	}
	return out
}

// legal reports whether a flag brings the legal role in, and which.
func (p *Plan) legal(s incident.Severity, flags []incident.Flag) (incident.Flag, bool) {
	i := slices.IndexFunc(p.legalFlags, func(f incident.Flag) bool { return slices.Contains(flags, f) })
	if s != incident.P1 || i < 0 {
		return "", false
	}
	return p.legalFlags[i], true
}

// NextUpdate returns when the next update is due after one at the given
// instant: elapsed time, whatever the clocks on the walls do. An unset severity
// counts as P3.
func (p *Plan) NextUpdate(s incident.Severity, last time.Time) time.Time {
	return last.Add(p.cadence[effective(s)])
}

func effective(s incident.Severity) incident.Severity {
	if !s.IsSet() {
		return fallback
	}
	return s
}

// find returns the recipient with an id that serves one of the services.
func (p *Plan) find(id string, services []string) *recipient {
	i := slices.IndexFunc(p.recipients, func(r *recipient) bool { return r.id == id && r.serves(services) })
	if i < 0 {
		return nil
	}
	return p.recipients[i]
}
