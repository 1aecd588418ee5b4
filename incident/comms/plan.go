package comms

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
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
	// Language is that of the texts that name none, as a tag such as "en". Defaults to
	// "en", the language of DefaultTemplates.
	Language string `json:"language,omitempty"`
	// Phrases go with the templates in other languages, by tag; those of Language
	// replace the English ones.
	Phrases map[string]Phrases `json:"phrases,omitempty"`
	// OwnTemplates asks for a template of each type for every severity that somebody
	// is told about: without it, the default stands in for one that is missing.
	OwnTemplates bool `json:"own_templates,omitempty"`
	// Zone is that of stakeholders without one. Defaults to "UTC".
	Zone string `json:"zone,omitempty"`
	// DropMissed says nothing to somebody whose first message was still deferred
	// when the incident ended. Defaults to false: one message tells that it was.
	DropMissed bool `json:"drop_missed,omitempty"`
}

// Plan is a checked and compiled Config. It never changes and is safe for
// concurrent use.
type Plan struct {
	byID      map[string][]*recipient // each sorted by service
	byService map[string][]*recipient // each sorted by id; "" holds those of every service
	digests   []*recipient            // who gets one, by order
	hours     int                     // number of different hours of recipients

	matrix     map[incident.Severity][]Role
	cadence    map[incident.Severity]time.Duration
	legalFlags []incident.Flag
	templates  map[templateKey]*compiled
	standard   map[templateKey]*compiled // of DefaultTemplates
	wordings   map[string]wording        // by tag
	language   string                    // the default one, which is "" as a tag
	dropMissed bool
}

type templateKey struct {
	severity incident.Severity
	kind     Type
	language string
}

// fallback stands for an incident without a severity: its technical contacts
// are told, once an hour.
const fallback = incident.P3

// New checks a configuration. All problems are joined in the error, each a
// [*ConfigError] or a [*TemplateError].
func New(c Config) (*Plan, error) {
	p := &Plan{
		byID: map[string][]*recipient{}, byService: map[string][]*recipient{},
		matrix: DefaultMatrix(), cadence: DefaultCadence(), templates: map[templateKey]*compiled{}, standard: map[templateKey]*compiled{},
		legalFlags: []incident.Flag{incident.DataFlag, incident.SecurityFlag, incident.RegulatoryFlag},
		dropMissed: c.DropMissed, wordings: map[string]wording{}, language: strings.ToLower(cmp.Or(c.Language, "en")),
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
	if !isTag(c.Language) {
		bad("language", c.Language, wantTag)
	}
	errs = append(errs, p.compileTemplates(c.Templates)...)
	p.compilePhrases(c.Phrases, bad)
	if c.OwnTemplates {
		errs = append(errs, p.missing(c.Templates)...)
	}
	p.compileRecipients(c, bad)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return p, nil
}

func (p *Plan) compileTemplates(own []Template) (errs []error) {
	standard, seen := DefaultTemplates(), map[templateKey]bool{}
	for i, t := range append(standard, own...) {
		if !t.Severity.IsSet() || Placeholders(t.Type) == nil {
			errs = append(errs, &ConfigError{
				Path: "templates", Value: fmt.Sprintf("%s %s", t.Severity, t.Type),
				Want: "a severity and one of the types initial, update, resolution",
			})
			continue
		}
		tag := p.tag(t.Language)
		c, err := compileTemplate(t, p.cadence[t.Severity], tag != "")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		key := templateKey{t.Severity, t.Type, tag}
		if seen[key] {
			errs = append(errs, &TemplateError{Severity: t.Severity, Type: t.Type, Language: t.Language, Part: "template", Want: "one, not two"})
		}
		seen[key] = i >= len(standard) // who names one replaces the default
		p.templates[key] = c
		if i < len(standard) {
			p.standard[key] = c
		}
	}
	return errs
}

// missing reports the templates that would be the default ones.
func (p *Plan) missing(own []Template) (errs []error) {
	for _, s := range incident.Severities {
		if len(p.matrix[s]) == 0 {
			continue
		}
		for _, kind := range []Type{Initial, News, Resolution} {
			if !slices.ContainsFunc(own, func(t Template) bool { return t.Severity == s && t.Type == kind && p.tag(t.Language) == "" }) {
				errs = append(errs, &TemplateError{Severity: s, Type: kind, Part: "template", Want: "one: the severity is in use"})
			}
		}
	}
	return errs
}

// render fills in a template for a channel, or the default one if it fails: the
// reader is to be told whatever happens.
func (p *Plan) render(key templateKey, values map[string]string, channel Channel) filled {
	t := p.templates[key]
	subject, body, err := t.render(values, channel)
	if err != nil {
		key.language = ""
		t = p.standard[key]
		subject, body, _ = t.render(values, channel)
	}
	return filled{subject, body, key.language, t.HTML && channel == Email}
}

func (p *Plan) compileRecipients(c Config, bad func(path, value, want string)) {
	zone := c.Zone
	if zone == "" {
		zone = "UTC"
	}
	seen := map[[2]string]bool{}
	var all []*recipient
	add := func(r *recipient, path string) {
		key := [2]string{r.id, r.service}
		if seen[key] {
			bad(path, r.id, "an id that the service has once")
		}
		seen[key] = true
		all = append(all, r)
	}
	known := calendars{}
	for i, s := range c.Stakeholders {
		path := fmt.Sprintf("stakeholders[%d]", i)
		add(known.compilePerson(s, path, zone, bad), path)
	}
	for i, room := range c.Rooms {
		path := fmt.Sprintf("rooms[%d]", i)
		add(compileRoom(room, path, bad), path)
	}
	for _, r := range all {
		r.language = p.tag(r.language)
	}
	slices.SortFunc(all, func(a, b *recipient) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.service, b.service))
	})
	type when struct {
		office, quiet *calendar.Calendar
		bar           bool
	}
	hours := map[when]int{}
	for i, r := range all {
		w := when{r.office, r.quiet, r.officeBar}
		if _, ok := hours[w]; !ok {
			hours[w] = len(hours)
		}
		r.order, r.hours = i, hours[w]
		p.byID[r.id] = append(p.byID[r.id], r)
		p.byService[r.service] = append(p.byService[r.service], r)
		if r.prefs.Digest != "" {
			p.digests = append(p.digests, r)
		}
	}
	p.hours = len(hours)
}

// channels returns those of a type of message, which are the same in all languages.
func (p *Plan) channels(s incident.Severity, kind Type) []Channel {
	return p.templates[templateKey{s, kind, ""}].Channels
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
	all := p.byID[id]
	i := slices.IndexFunc(all, func(r *recipient) bool { return r.serves(services) })
	if i < 0 {
		return nil
	}
	return all[i]
}
