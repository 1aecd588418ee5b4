package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/support"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/sla"
)

type teamFile struct {
	Version int `yaml:"version"`
	escalation.Roster
	SupportLines []support.Line               `yaml:"support_lines"`
	Matrix       escalation.Matrix            `yaml:"matrix"`
	Policies     map[string]escalation.Matrix `yaml:"policies"`
	Tier         string                       `yaml:"tier"`
	Stakeholders []comms.Stakeholder          `yaml:"stakeholders"`
	Templates    []comms.Template             `yaml:"templates"`
	Language     string                       `yaml:"language"`
	Phrases      map[string]comms.Phrases     `yaml:"phrases"`
	teamBlocks
}

// teamBlocks are blocks of a provider's guide to operations, in a file of their own
// or in that of a team.
type teamBlocks struct {
	Operations    map[string]*operationsCentre `yaml:"operations_centers"`
	Handoffs      map[string]*handoffFile      `yaml:"handoff_schedule"`
	Escalation    *escalationFile              `yaml:"escalation"`
	Communication *communicationFile           `yaml:"communication"`
}

// blockKeys are the keys of teamBlocks.
var blockKeys = []string{"operations_centers", "handoff_schedule", "escalation", "communication"}

// Organisation is what the file of a team says: the people and their schedules,
// and whom they tell of what, when.
type Organisation struct {
	escalation.Roster

	// SupportLines are the desks and teams through which a request goes up, in
	// order, as [support.NewLines] takes them; none where the file has none.
	SupportLines []support.Line

	// Matrix and Policies are for an [escalation.Config]; nil for the default.
	Matrix   escalation.Matrix
	Policies map[string]escalation.Matrix

	// DefaultSeverity is the severity of an incident without one; 0 where the file has none.
	DefaultSeverity incident.Severity

	// Tier is the one whose times to respond are owed; 0 for none.
	Tier sla.Tier

	// Comms is who is told beside the engineers, and how often.
	Comms comms.Config

	// Handoffs are those of a guide whose centres are not in the file.
	Handoffs map[string]escalation.HandoffRule // by sending centre
}

// ParseTeam reads a file of people, schedules, centres and policies, and checks it as
// [escalation.NewEngine], [support.NewLines] and [comms.New] do.
//
// The file may hold blocks of a provider's guide as they stand there: zones such as
// "CET/CEST" are then read as the cities that are meant, with a warning. A key of
// ours counts more than a block. A file of nothing but blocks needs neither version nor
// last resort: the latter is then the on-call manager, whom the guide has woken when
// nobody is available.
func ParseTeam(name string, data []byte) (Organisation, *Document, error) {
	t, o := readTeam(name, data)
	return o, t.d, t.d.Err()
}

func readTeam(name string, data []byte) (*team, Organisation) {
	var file teamFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	t := &team{d: d, file: &file, places: map[string]string{}}
	if t.onlyBlocks() {
		file.LastResort = escalation.SampleRoster().LastResort
	} else if !d.has("version") {
		d.missing("version")
	}
	o := t.organisation()
	t.zones(o)
	t.check(o)
	return t, o
}

// team is a file while it becomes an organisation.
type team struct {
	d    *Document
	file *teamFile

	// places are where values of a block stand in the file, by their path in the
	// organisation.
	places map[string]string
}

// onlyBlocks reports whether the file holds blocks of the guide and nothing else.
func (t *team) onlyBlocks() bool {
	block := false
	for key := range t.d.keys {
		if strings.ContainsAny(key, ".[") {
			continue
		}
		if !slices.Contains(blockKeys, key) {
			return false
		}
		block = true
	}
	return block
}

func (t *team) organisation() Organisation {
	f := t.file
	t.d.word("tier", f.Tier, []string{"essential", "professional", "enterprise", "none"})
	o := Organisation{
		Roster: f.Roster, SupportLines: f.SupportLines, Matrix: f.Matrix, Policies: f.Policies, Tier: tiers[f.Tier],
		Comms: comms.Config{Stakeholders: f.Stakeholders, Templates: f.Templates, Language: f.Language, Phrases: f.Phrases, Zone: f.Zone},
	}
	t.centres(&o)
	t.handoffs(&o)
	if f.Escalation != nil {
		t.escalation(&o, f.Escalation)
	}
	if f.Communication != nil {
		t.communication(&o, f.Communication)
	}
	return o
}

// beside warns of a key of ours that counts instead of one of a block; it reports
// whether there is one.
func (t *team) beside(key, block string) bool {
	if !t.d.has(key) {
		return false
	}
	if t.d.has(block) {
		t.d.Warn(block, "overruled", "%s is in the file as well and counts", key)
	}
	return true
}

// Router returns the router of the roster, whose policies may name its support lines.
func (o Organisation) Router() (*escalation.Router, error) {
	router, err := escalation.NewRouter(o.Roster)
	if len(o.SupportLines) == 0 {
		return router, err
	}
	lines, unfit := support.NewLines(o.SupportLines)
	if err := errors.Join(err, unfit); err != nil {
		return nil, err
	}
	return router.WithLines(lines.Paging())
}

// check reports what the core packages refuse.
func (t *team) check(o Organisation) {
	router, err := o.Router()
	if err != nil {
		t.report(err, o)
		for path, m := range o.matrices() {
			t.reportBelow(path, m.Validate(), o)
		}
	} else if _, err := escalation.NewEngine(escalation.Config{Router: router, Matrix: o.Matrix, Policies: o.Policies}); err != nil {
		t.report(err, o)
	}
	if _, err := comms.New(o.Comms); err != nil {
		t.reportComms(err)
	}
}

// matrices are those of the file by their path.
func (o Organisation) matrices() map[string]escalation.Matrix {
	out := map[string]escalation.Matrix{}
	if o.Matrix != nil {
		out["matrix"] = o.Matrix
	}
	for name, m := range o.Policies {
		out[fmt.Sprintf("policies[%q]", name)] = m
	}
	return out
}

// reportBelow reports the problems of a matrix that was checked by itself.
func (t *team) reportBelow(path string, err error, o Organisation) {
	for _, e := range split(err) {
		if bad := (*escalation.ConfigError)(nil); errors.As(e, &bad) {
			moved := *bad
			moved.Path = path + strings.TrimPrefix(bad.Path, "matrix")
			t.report(&moved, o)
		}
	}
}

// report places the problems of the core in the file.
func (t *team) report(err error, o Organisation) {
	for _, e := range split(err) {
		bad := (*escalation.ConfigError)(nil)
		if !errors.As(e, &bad) {
			t.d.Fail("", "out_of_range", "%v", e)
			continue
		}
		t.place(bad, o)
	}
}

func (t *team) place(bad *escalation.ConfigError, o Organisation) {
	d, path := t.d, t.filePath(bad.Path)
	message := fmt.Sprintf("%q, want %s", bad.Value, bad.Want)
	key := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case d.failed(path): // the file said something that could not be read
	case !d.has(path):
		d.missing(d.outermostMissing(path))
	case key == "timezone" || key == "tz":
		if t.reportZone(path, bad.Value); !d.failed(path) {
			d.report(path, "bad_zone", spelling.Nearest(bad.Value, zoneNames()), message)
		}
	case key == "id" || key == "name":
		d.report(path, "duplicate_id", "", message)
	case strings.HasPrefix(bad.Want, "a time of day"), strings.HasPrefix(bad.Want, "a local time"), strings.HasPrefix(bad.Want, "a date"):
		d.report(path, "bad_time", "", message)
	default:
		if known, is := references(path, key, o); is {
			d.report(path, "bad_reference", spelling.Nearest(bad.Value, known), message)
			return
		}
		d.report(path, "out_of_range", "", message)
	}
}

// references returns what the value at a path, under a key, may name; is is false
// where values name nothing.
func references(path, key string, o Organisation) (known []string, is bool) {
	key, _, _ = strings.Cut(key, "[")
	switch {
	case strings.HasPrefix(path, "teams."):
		key = "teams"
	case strings.HasSuffix(path, ".handoff.to"), strings.HasPrefix(path, "latency_ms.") && slices.IndexFunc(o.Centres, func(c escalation.Centre) bool { return c.ID == key }) < 0:
		key = "centre"
	}
	switch key {
	case "teams", "users", "engineer", "user", "replaces", "manager", "fallback":
		for _, e := range o.Engineers {
			known = append(known, e.ID)
		}
		return append(known, o.LastResort.ID), true
	case "on_call", "schedule":
		return slices.Sorted(maps.Keys(o.Schedules)), true
	case "team":
		return slices.Sorted(maps.Keys(o.Teams)), true
	case "line":
		for _, l := range o.SupportLines {
			known = append(known, l.Name)
		}
		return known, strings.Contains(path, "targets[")
	case "location", "centre":
		for _, c := range o.Centres {
			known = append(known, c.ID)
		}
		return known, true
	case "primary_skills", "secondary_skills":
		return o.Domains, true
	}
	return nil, false
}

// zones refuses abbreviations, some of which load as another zone than is meant.
func (t *team) zones(o Organisation) {
	t.reportZone("timezone", o.Zone)
	for i, e := range o.Engineers {
		t.reportZone(fmt.Sprintf("engineers[%d].timezone", i), e.Zone)
	}
	for i, c := range o.Centres {
		t.reportZone(t.filePath(fmt.Sprintf("centres[%d].timezone", i)), c.Zone)
	}
	for i, l := range o.SupportLines {
		t.reportZone(fmt.Sprintf("support_lines[%d].timezone", i), l.Zone)
	}
	layers := func(path string, list []escalation.Layer) {
		for i, l := range list {
			t.reportZone(fmt.Sprintf("%s.layers[%d].rotation.tz", path, i), l.Rotation.Zone)
		}
	}
	for name, plan := range o.Schedules {
		layers("schedules."+name, plan.Layers)
		for i, r := range plan.Replacements {
			layers(fmt.Sprintf("schedules.%s.replacements[%d]", name, i), r.Layers)
		}
	}
	for path, m := range o.matrices() {
		for s, policy := range m {
			for i, step := range policy.Steps {
				if step.Only != nil {
					t.reportZone(t.filePath(fmt.Sprintf("%s[%s].steps[%d].only_in.timezone", path, s, i)), step.Only.Zone)
				}
			}
		}
	}
}

func (t *team) reportZone(path, zone string) {
	if meant := zoneAliases[strings.ToUpper(zone)]; meant != "" && t.d.has(path) && !t.d.failed(path) {
		t.d.report(path, "bad_zone", meant, fmt.Sprintf("%q is an abbreviation, want an IANA name", zone))
	}
}

// reportComms places the problems of the communication in the file.
func (t *team) reportComms(err error) {
	for _, e := range split(err) {
		var value *comms.ConfigError
		var template *comms.TemplateError
		switch {
		case errors.As(e, &value):
			path := t.filePath(value.Path)
			code := "out_of_range"
			if strings.HasSuffix(path, ".zone") {
				code = "bad_zone"
			}
			if !t.d.failed(path) {
				t.d.report(path, code, zoneAliases[strings.ToUpper(value.Value)], fmt.Sprintf("%q, want %s", value.Value, value.Want))
			}
		case errors.As(e, &template):
			t.d.Fail(t.templatePath(template), "out_of_range", "%v", template)
		default:
			t.d.Fail("", "out_of_range", "%v", e)
		}
	}
}

// templatePath finds the template that a problem is about.
func (t *team) templatePath(bad *comms.TemplateError) string {
	part := map[string]string{"subject": ".subject_template", "body": ".body_template", "channels": ".channels", "language": ".language"}[bad.Part]
	for _, list := range []struct {
		path      string
		templates []comms.Template
	}{{"templates", t.file.Templates}, {"communication.templates", t.file.communicationTemplates()}} {
		for i, template := range list.templates {
			if template.Severity == bad.Severity && template.Type == bad.Type && template.Language == bad.Language {
				return fmt.Sprintf("%s[%d]%s", list.path, i, part)
			}
		}
	}
	return "templates"
}

// filePath writes a path of the core as this package does, in the words of the
// file: schedules["night"].layers is schedules.night.layers, matrix[P1] is
// matrix.p1_critical where that is the key, and a value of a block is where it
// stands.
func (t *team) filePath(path string) string {
	path = strings.NewReplacer(`["`, ".", `"]`, "").Replace(path)
	longest, place := "", path
	for at, in := range t.places {
		if rest, below := strings.CutPrefix(path, at); below && len(at) > len(longest) && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			longest, place = at, in+rest
		}
	}
	path = place
	for _, s := range incident.Severities {
		before, after, found := strings.Cut(path, "["+s.String()+"]")
		if found {
			return before + "." + t.spelled(before, s) + after
		}
	}
	return path
}

// spelled returns the key below a path that stands for a severity.
func (t *team) spelled(path string, s incident.Severity) string {
	for key := range t.d.keys {
		word, below := strings.CutPrefix(key, path+".")
		if !below || strings.ContainsAny(word, ".[") {
			continue
		}
		if is, err := incident.ParseSeverity(word); err == nil && is == s {
			return word
		}
	}
	return s.String()
}

// outermostMissing shortens a path to its first part that is not in the file.
func (d *Document) outermostMissing(path string) string {
	for {
		cut := strings.LastIndexAny(path, ".[")
		if cut <= 0 || d.has(path[:cut]) {
			return path
		}
		path = path[:cut]
	}
}

// failed reports whether there is an error at the path or below it already.
func (d *Document) failed(path string) bool {
	for _, p := range d.problems {
		if p.Severity == Error && (p.Path == path || strings.HasPrefix(p.Path, path+".") || strings.HasPrefix(p.Path, path+"[")) {
			return true
		}
	}
	return false
}

// split takes a joined error apart; nil has no parts.
func split(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, split(e)...)
		}
		return all
	}
	return []error{err}
}

// minutes is a whole number of them.
func minutes(d time.Duration) int { return int(d / time.Minute) }
