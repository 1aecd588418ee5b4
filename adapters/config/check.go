package config

import (
	"bytes"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// kind is a kind of file: what its keys are, and how it is checked.
type kind struct {
	name  string
	file  reflect.Type // of its top-level keys; nil for those that are known otherwise
	check func(name string, data []byte, at time.Time) *Document
}

// kinds are those that Check knows. Of two that know as many keys of a file, the first
// is guessed.
var kinds = []kind{
	{"contract", reflect.TypeFor[contractFile](), checkContract},
	{"slo", reflect.TypeFor[objectivesFile](), checkObjectives},
	{"team", reflect.TypeFor[teamFile](), checkTeam},
	{"rules", reflect.TypeFor[rulesFile](), func(name string, data []byte, _ time.Time) *Document { _, d, _ := ParseRules(name, data); return d }},
	{"scenarios", reflect.TypeFor[scenariosFile](), func(name string, data []byte, _ time.Time) *Document { _, d, _ := ParseScenarios(name, data); return d }},
	{"roi", reflect.TypeFor[costsFile](), func(name string, data []byte, _ time.Time) *Document { _, d, _ := ParseCosts(name, data); return d }},
	{"playbooks", reflect.TypeFor[playbooksFile](), func(name string, data []byte, _ time.Time) *Document { _, d, _ := ParsePlaybooks(name, data); return d }},
	{"portal", reflect.TypeFor[portalFile](), func(name string, data []byte, _ time.Time) *Document {
		_, d, _ := ParsePortal(name, data, unseen)
		return d
	}},
	{"bridge", reflect.TypeFor[bridgeFile](), func(name string, data []byte, _ time.Time) *Document {
		_, d, _ := ParseBridge(name, data, unseen)
		return d
	}},
	{"anomaly", reflect.TypeFor[anomalyFile](), func(name string, data []byte, _ time.Time) *Document { _, d, _ := ParseAnomaly(name, data); return d }},
	{"topology", reflect.TypeFor[topologyFile](), func(name string, data []byte, _ time.Time) *Document { _, d, _ := ParseTopology(name, data); return d }},
	{"openslo", nil, func(name string, data []byte, _ time.Time) *Document { _, d, _ := openSLO(name, data); return d }},
	{"catalogue", reflect.TypeFor[continuityFile](), func(name string, data []byte, at time.Time) *Document {
		_, d, _ := ParseContinuity(name, data, at)
		return d
	}},
	{"accounts", reflect.TypeFor[accountsFile](), func(name string, data []byte, _ time.Time) *Document {
		_, _, d, _ := ParseAccounts(name, data)
		return d
	}},
	{"journeys", reflect.TypeFor[journeysFile](), func(name string, data []byte, _ time.Time) *Document {
		_, d, _ := ParseJourneys(name, data, unseen)
		return d
	}},
	{"articles", reflect.TypeFor[articlesFile](), func(name string, data []byte, _ time.Time) *Document { _, d, _ := ParseArticles(name, data); return d }},
	{"outlook", reflect.TypeFor[outlookFile](), func(name string, data []byte, _ time.Time) *Document { _, d, _ := ParseOutlook(name, data); return d }},
	{"public", reflect.TypeFor[publicFile](), func(name string, data []byte, _ time.Time) *Document {
		_, d, _ := ParsePublicSLAs(name, data)
		return d
	}},
}

// unseen are secrets that are not looked up.
var unseen = Secrets{
	Env:  func(string) (string, bool) { return "not looked up", true },
	File: func(string) ([]byte, error) { return []byte("not looked up"), nil },
}

// Kinds lists the kinds of files that [Check] knows.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// Check reads a file of one of [Kinds], or of the kind that its top-level keys belong
// to where kind is "", and returns that kind and everything that is wrong or doubtful:
// all that the reader of the kind says, and warnings that only somebody who looks for
// them wants to see. These are rules that can never fire, time in which nobody is on
// call and policies that tell nobody, both in the 90 days from at on, and numbers that
// look like a ratio where a percentage is meant, or the other way round. Secrets are not
// looked up.
//
// The kind is "" where it cannot be guessed, and then there is an error that says so.
// Check panics for a kind that is none.
func Check(kind, name string, data []byte, at time.Time) (is string, found Errors) {
	if kind == "" {
		kind = guess(data)
	}
	i := slices.IndexFunc(kinds, kindNamed(kind))
	switch {
	case i >= 0:
	case kind != "":
		panic("config: no kind " + kind)
	default:
		d := newDocument(name)
		if d.parse(data) != nil {
			d.Fail("", "unknown_kind", "no kind of file has these keys, want one of %s", strings.Join(Kinds(), ", "))
		}
		return "", d.Problems()
	}
	d := kinds[i].check(name, data, at)
	d.suspect(data)
	return kind, d.Problems()
}

func kindNamed(name string) func(kind) bool { return func(k kind) bool { return k.name == name } }

// keyOfLine finds the keys of a file that is no valid YAML.
var keyOfLine = regexp.MustCompile(`(?m)^"?([A-Za-z_]+)"?:`)

// guess finds the kind that knows most of the top-level keys, slips included; "" where
// none knows half of them. version is no sign of a kind.
func guess(data []byte) string {
	if isOpenSLO(data) {
		return "openslo"
	}
	keys := map[string]bool{}
	best, most := "", 0
	if root := newDocument("").parse(data); root != nil {
		for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
			key := root.Content[i].Value
			keys[key] = true
			if key == "services" { // which several kinds have
				if best, most = "topology", 2; firstHas(root.Content[i+1], "service") {
					best = "catalogue"
				}
			}
		}
	} else {
		for _, m := range keyOfLine.FindAllSubmatch(data, -1) {
			keys[string(m[1])] = true
		}
	}
	delete(keys, "version")
	for _, k := range kinds {
		if known := k.knows(keys); known > most {
			best, most = k.name, known
		}
	}
	if most < len(keys) {
		return ""
	}
	return best
}

// knows counts the keys of a file that are those of a kind, each as two, and those that
// nearly are, as one.
func (k kind) knows(keys map[string]bool) (known int) {
	if k.file == nil {
		return 0
	}
	own := slices.Sorted(maps.Keys(fieldsOf(k.file)))
	for key := range keys {
		switch {
		case slices.Contains(own, key):
			known += 2
		case spelling.Nearest(key, own) != "":
			known++
		}
	}
	return known
}

// firstHas reports whether the first item of a list is a mapping with a key.
func firstHas(list *yaml.Node, key string) bool {
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 || list.Content[0].Kind != yaml.MappingNode {
		return false
	}
	first := list.Content[0].Content
	for i := 0; i+1 < len(first); i += 2 {
		if first[i].Value == key {
			return true
		}
	}
	return false
}

// checkContract takes a file of nothing but blocks for what it is, a framework.
func checkContract(name string, data []byte, _ time.Time) *Document {
	_, d, _ := ParseContract(name, data)
	blocks := fieldsOf(reflect.TypeFor[blocksFile]())
	for key := range d.keys {
		if _, block := blocks[key]; !block && !strings.ContainsAny(key, ".[") {
			return d
		}
	}
	if len(d.keys) > 0 {
		_, d, _ = ParseFramework(name, data)
	}
	return d
}

// checkObjectives warns of rules that are no good at their objective.
func checkObjectives(name string, data []byte, _ time.Time) *Document {
	objectives, d, err := ParseObjectives(name, data)
	if err != nil || isOpenSLO(data) { // whose reader says it
		return d
	}
	for i, o := range objectives {
		path := fmt.Sprintf("slos[%d]", i)
		found, err := o.Policy.Lint(o.Target, slo.Surroundings{Period: o.Windows[0].Nominal(), Scrape: o.Scrape})
		if err != nil {
			continue // reported by the reader
		}
		burn := slices.ContainsFunc(o.Policy.Rules, func(r slo.Rule) bool { return r.Kind == slo.BurnRate })
		for _, f := range found {
			if f.Rule == "" && !burn {
				continue // the budget is watched by another objective, or by nobody, as the file wants it
			}
			at, code := path+".alerts", f.Code
			if j := slices.IndexFunc(o.Policy.Rules, func(r slo.Rule) bool { return r.Name == f.Rule }); j >= 0 && d.has(fmt.Sprintf("%s[%d]", at, j)) {
				at = fmt.Sprintf("%s[%d]", at, j)
			}
			if !d.has(at) {
				at = path + ".objective_percent"
			}
			text := f.Text
			if f.Rule != "" {
				text = fmt.Sprintf("rule %q: %s", f.Rule, f.Text)
			}
			if code == "unreachable" {
				code = "alert_unreachable"
			}
			d.Warn(at, code, "%s", text)
		}
	}
	return d
}

// checkTeam warns of time without anybody. Where a program that is about to page
// refuses a policy that tells nobody, somebody who writes the file is told.
func checkTeam(name string, data []byte, at time.Time) *Document {
	t, o := readTeam(name, data)
	d := t.d
	if d.Err() != nil {
		return d
	}
	at = at.UTC()
	t.reach(o, at)
	for i := range d.problems {
		d.problems[i].Severity = Warning
	}
	router, err := o.Router()
	if err != nil {
		return d // reported by the reader
	}
	to := at.Add(reachDays * 24 * time.Hour)
	on, path := slices.Sorted(maps.Keys(o.Schedules)), "schedules"
	if o.OnCall != "" {
		on, path = []string{o.OnCall}, "on_call"
	}
	var gaps []calendar.Interval // of all of them
	for i, schedule := range on {
		of := router.Schedule(schedule).Gaps(at, to)
		if i > 0 {
			of = calendar.Intersect(gaps, of)
		}
		gaps = of
	}
	d.gap(path, "nobody is on call", gaps)
	if len(o.Centres) > 0 {
		block := "centres"
		if !d.has(block) {
			block = "operations_centers"
		}
		d.gap(block, "no centre is staffed", router.Centres().Gaps(at, to))
	}
	return d
}

// gap warns of the first of some gaps and says how many there are.
func (d *Document) gap(path, what string, gaps []calendar.Interval) {
	if len(gaps) == 0 {
		return
	}
	var sum time.Duration
	for _, g := range gaps {
		sum += g.End.Sub(g.Start)
	}
	d.Warn(path, "coverage_gap", "%s from %s to %s; in %d days that is the first of %d, %s in all", what,
		gaps[0].Start.UTC().Format(time.RFC3339), gaps[0].End.UTC().Format(time.RFC3339), reachDays, len(gaps), sum)
}

// percentKeys are the keys of percentages that are near 100 where they are sane.
var percentKeys = []string{"target_percent", "objective_percent", "good_percent", "monthly_uptime"}

// rateKeys are the keys of ratios that are far below 1.
var rateKeys = []string{"discount_rate", "inflation", "tax_rate"}

// suspect warns of ratios where a percentage is wanted, and of percentages where a ratio
// is. A file with errors is left alone.
func (d *Document) suspect(data []byte) {
	if d.unread || d.Err() != nil {
		return
	}
	var document yaml.Node
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil || loader.Load(&document) != nil {
		return // reported by the reader
	}
	d.suspectNode(&document, "")
}

func (d *Document) suspectNode(n *yaml.Node, path string) {
	switch n.Kind {
	case yaml.DocumentNode:
		d.suspectNode(n.Content[0], path)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			d.suspectNode(item, fmt.Sprintf("%s[%d]", path, i))
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			at := diagnostic.Join(path, n.Content[i].Value)
			if value := n.Content[i+1]; value.Kind == yaml.ScalarNode {
				d.suspectValue(n.Content[i].Value, value, at)
			} else {
				d.suspectNode(value, at)
			}
		}
	default: // aliases were looked at where they are from
	}
}

func (d *Document) suspectValue(key string, value *yaml.Node, path string) {
	percent, rate := slices.Contains(percentKeys, key), slices.Contains(rateKeys, key)
	// An exponent of six digits takes a tenth of a second to read.
	if !percent && !rate || len(value.Value) > 20 || strings.ContainsAny(value.Value, "eE") {
		return
	}
	number, ok := new(big.Rat).SetString(strings.TrimSpace(strings.TrimSuffix(value.Value, "%")))
	if !ok || number.Sign() <= 0 {
		return
	}
	one, hundred := big.NewRat(1, 1), big.NewRat(100, 1)
	meant, what := new(big.Rat), ""
	switch {
	case percent && number.Cmp(one) <= 0:
		meant.Mul(number, hundred)
		what = "a percentage of %s, which looks like a ratio"
	case rate && number.Cmp(one) >= 0:
		meant.Quo(number, hundred)
		what = "a ratio of %s, which looks like a percentage"
	default:
		return
	}
	text := meant.FloatString(12)
	d.add(Diagnostic{
		Line: value.Line, Column: value.Column, Severity: Warning, Path: path, Code: "suspicious_value",
		Message: fmt.Sprintf(what, value.Value), Suggestion: strings.TrimRight(strings.TrimRight(text, "0"), "."),
	})
}
