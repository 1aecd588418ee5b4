package config

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/fixed"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// block is a mapping whose keys depend on its kind, with words between them.
type block struct {
	path   string
	stated map[string]string // the keys that the file states, and where
	texts  map[string]string
}

// at returns where a key of the block stands, be it in a variant.
func (b *block) at(key string) string { return cmp.Or(b.stated[key], diagnostic.Join(b.path, key)) }

// read takes over the keys that the struct has, and keeps what is words. An open
// block keeps unknown keys too, unless one is probably meant for a known one.
func (b *block) read(r *decoder, n *yaml.Node, path string, into reflect.Value, words []string, open bool) {
	b.path, b.stated, b.texts = path, map[string]string{}, map[string]string{}
	r.mapping(n, path, func(content []*yaml.Node) {
		known := slices.Sorted(maps.Keys(fieldsOf(into.Type())))
		var rest []*yaml.Node
		for i := 0; i < len(content); i += 2 {
			key, at := content[i].Value, diagnostic.Join(path, content[i].Value)
			word := slices.Contains(words, key)
			switch {
			case word && isNull(content[i+1]):
			case slices.Contains(known, key) || !word && (!open || spelling.Nearest(key, known) != ""):
				rest = append(rest, content[i], content[i+1])
				if !isNull(content[i+1]) {
					b.stated[key] = at
				}
			default:
				if !word {
					r.d.Warn(at, "unknown_field", "unknown key %q is kept as text, no figure comes from it; known are %s", key, strings.Join(known, ", "))
				}
				b.texts[key] = r.words(content[i+1], at)
			}
		}
		r.fields(rest, into, path)
	})
}

// words reads a text, or a list of texts as one.
func (r *decoder) words(n *yaml.Node, path string) string {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	r.d.values[path] = position{n.Line, n.Column}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	r.visited += len(items)
	var texts []string
	for _, item := range items {
		if item.Kind != yaml.ScalarNode {
			r.wrongType(item, path, "text or a list of texts")
			return ""
		}
		texts = append(texts, item.Value)
	}
	return strings.Join(texts, ", ")
}

// check reports a kind that there is none of, and stated keys that have no effect
// on it. It returns false where nothing more can be said about the block.
func (b *block) check(d *Document, kind string, kinds map[string][]string) bool {
	if b.stated == nil { // not in the file
		return false
	}
	if _, ok := b.stated["kind"]; !ok {
		d.missing(diagnostic.Join(b.path, "kind"))
		return false
	}
	keys := lookup(d, b.at("kind"), kind, kinds)
	if _, ok := kinds[kind]; !ok {
		return false
	}
	for _, key := range slices.Sorted(maps.Keys(b.stated)) {
		if key != "kind" && !slices.Contains(keys, key) && !d.failed(b.at(key)) {
			d.Fail(b.at(key), "out_of_range", "%s has no effect on %s", key, kind)
		}
	}
	return true
}

// together wants two keys, or neither.
func (b *block) together(d *Document, one, other string) {
	_, hasOne := b.stated[one]
	_, hasOther := b.stated[other]
	switch {
	case hasOne && !hasOther:
		d.missing(diagnostic.Join(b.path, other))
	case hasOther && !hasOne:
		d.missing(diagnostic.Join(b.path, one))
	}
}

// needs wants a key.
func (b *block) needs(d *Document, keys ...string) {
	for _, key := range keys {
		if _, ok := b.stated[key]; !ok {
			d.missing(diagnostic.Join(b.path, key))
		}
	}
}

type measureFile struct {
	block
	Kind           string        `yaml:"kind"`
	Unit           time.Duration `yaml:"unit"`
	Rounding       sla.Partial   `yaml:"rounding"`
	MinOutage      time.Duration `yaml:"min_outage"`
	MinOutageRule  string        `yaml:"min_outage_rule"`
	MinConsecutive time.Duration `yaml:"min_consecutive"`
	Interval       time.Duration `yaml:"interval"`
	EmptyInterval  sla.EmptySlot `yaml:"empty_interval"`
	ErrorRate      Decimal       `yaml:"error_rate"`
	Op             string        `yaml:"op"`
	MinRequests    int64         `yaml:"min_requests_per_minute"`
	Starts         string        `yaml:"starts"`
	Prorate        bool          `yaml:"prorate_lifetime"`
	Denominator    string        `yaml:"denominator"`
	Aggregation    string        `yaml:"aggregation"`
	Formula        string        `yaml:"formula"`
}

func (f *measureFile) readNode(r *decoder, n *yaml.Node, path string) {
	f.read(r, n, path, reflect.ValueOf(f).Elem(), measureWords, true)
}

// The words about a measure that no figure hangs on, such as which requests
// somebody else counts as errors.
var measureWords = []string{"back_off", "down_when", "errors", "exclude", "good", "or", "side", "statuses"}

var (
	byTime   = []string{"unit", "rounding", "prorate_lifetime", "denominator", "aggregation", "formula"}
	byOutage = append([]string{"min_outage", "min_outage_rule", "starts"}, byTime...)
	byMinute = append([]string{"min_consecutive", "error_rate", "op", "min_requests_per_minute"}, byTime...)
	bySlot   = []string{"interval", "empty_interval", "prorate_lifetime"}

	// measureKinds are the kinds with the keys that they take.
	measureKinds = map[string][]string{
		"uptime": byOutage, "outage_duration": byOutage, "bad_minutes": byMinute, "downtime_runs": byMinute,
		"interval_error_rate_mean": bySlot, "interval_availability_mean": bySlot, "good_over_total": {"prorate_lifetime"},
		"affected_ratio": {"prorate_lifetime", "denominator", "aggregation", "formula"},
	}
)

// The phrases that say how a value is computed.
const (
	minutesAvailable = "maximum available minutes"
	minutesPlanned   = "minutes of the month minus downtime planned by the customer"
	minutesSummed    = "minutes summed over all databases of the subscription"
	excludedAdded    = "(total - unavailable + excluded) / total"
	affectedShare    = "outage minutes x affected customer ratio / scheduled availability minutes"
)

// starts are the instants at which an outage may begin.
var starts = []string{"failure", "ticket_created", "effect_on_customer"}

// apply sets the measure and what it says about the promised time; prorate
// reports whether that is the life of the resource.
func (f *measureFile) apply(d *Document, a *sla.Availability) (prorate bool) {
	if !f.check(d, f.Kind, measureKinds) {
		return false
	}
	f.phrases(d, a)
	switch f.Kind {
	case "uptime", "outage_duration":
		f.together(d, "min_outage", "min_outage_rule")
		d.word(f.at("min_outage_rule"), f.MinOutageRule, []string{"longer_than", "at_least"})
		d.word(f.at("starts"), f.Starts, starts)
		a.Measure = sla.Uptime{
			MinOutage: f.MinOutage, AtLeast: f.MinOutageRule == "at_least", Unit: f.Unit, Partial: f.Rounding,
			FromReport: f.Starts == "ticket_created", FromEffect: f.Starts == "effect_on_customer", WholeOutages: f.Kind == "outage_duration",
		}
	case "bad_minutes", "downtime_runs":
		a.Measure = f.badSlots(d)
	case "interval_error_rate_mean", "interval_availability_mean":
		f.needs(d, "interval")
		a.Measure = sla.MeanErrorRate{Slot: f.Interval, Empty: f.EmptyInterval, DownFails: true}
	case "good_over_total":
		a.Measure = sla.Events{}
	case "affected_ratio":
		a.Measure = sla.AffectedRatio{}
	}
	return f.Prorate || f.Denominator == minutesAvailable
}

// badSlots counts minutes, or units of another length. Without a rate a minute is
// bad when all its requests fail. A run is at least one minute long.
func (f *measureFile) badSlots(d *Document) sla.BadSlots {
	b := sla.BadSlots{Slot: cmp.Or(f.Unit, time.Minute), Partial: f.Rounding, ErrorRate: money.WholePercent(100), AtLeast: true}
	f.together(d, "error_rate", "op")
	d.word(f.at("op"), f.Op, []string{">", ">="})
	if _, ok := f.stated["error_rate"]; ok && !d.failed(f.at("error_rate")) {
		rate, err := fixed.ParseDecimal(string(f.ErrorRate), 9) // parts per billion, as money.Percent counts
		if err != nil || rate < 0 || money.Percent(rate) > money.WholePercent(100) {
			d.Fail(f.at("error_rate"), "out_of_range", "found %q, want a share from 0 to 1 with at most nine decimals", f.ErrorRate)
		}
		b.ErrorRate, b.AtLeast = money.Percent(rate), f.Op == ">="
	}
	const most = 1_000_000_000
	if f.MinRequests < 0 || f.MinRequests > most {
		d.Fail(f.at("min_requests_per_minute"), "out_of_range", "found %d, want 0 to %d", f.MinRequests, most)
	} else if n, rest, ok := fixed.MulDiv(uint64(f.MinRequests), uint64(max(b.Slot, 0)), uint64(time.Minute)); ok {
		b.MinRequests = n + min(rest, 1)
	}
	if f.Kind == "downtime_runs" {
		b.MinRun = 1
	}
	if f.MinConsecutive != 0 && b.Slot > 0 {
		if f.MinConsecutive < 0 || f.MinConsecutive%b.Slot != 0 {
			d.Fail(f.at("min_consecutive"), "out_of_range", "found %v, want a multiple of %v", f.MinConsecutive, b.Slot)
		}
		b.MinRun = int(f.MinConsecutive / b.Slot)
	}
	return b
}

// phrases takes over what the file says about the value in set phrases.
func (f *measureFile) phrases(d *Document, a *sla.Availability) {
	d.word(f.at("denominator"), f.Denominator, []string{minutesAvailable, minutesPlanned})
	d.word(f.at("aggregation"), f.Aggregation, []string{minutesSummed})
	d.word(f.at("formula"), f.Formula, []string{excludedAdded, affectedShare})
	if (f.Formula == affectedShare) != (f.Kind == "affected_ratio") && f.Formula != "" && !d.failed(f.at("formula")) {
		d.Fail(f.at("formula"), "out_of_range", "found %q, which is not what %s computes", f.Formula, f.Kind)
	}
	if f.Formula == excludedAdded {
		for _, cause := range []sla.Cause{sla.CauseMaintenance, sla.CauseCustomer, sla.CauseForceMajeure} {
			if !slices.Contains(a.Exclude, cause) {
				a.Exclude = append(a.Exclude, cause)
			}
		}
	}
	if f.Denominator == minutesPlanned {
		if len(a.Exclude) > 0 {
			d.Fail(f.at("denominator"), "out_of_range", "other exclusions beside it would shorten the month too, want none")
		}
		a.Exclude, a.ExcludeMode = []sla.Cause{sla.CauseCustomer}, sla.FromBoth
	}
	if f.Aggregation == minutesSummed {
		a.Aggregate = sla.Mean // of services that are promised the same time
	}
}

type remedyFile struct {
	block
	Kind       string        `yaml:"kind"`
	Bands      []bandRowFile `yaml:"bands"`
	Multiplier int64         `yaml:"multiplier"`
	Percent    Percent       `yaml:"percent"`
	Interval   time.Duration `yaml:"interval"`
	Partial    string        `yaml:"partial"`
	Deductible time.Duration `yaml:"deductible"`
	CapPercent Percent       `yaml:"cap_percent"`
	CapPer     string        `yaml:"cap_per"`
	CapDays    int           `yaml:"cap_days_per_month"`
}

func (f *remedyFile) readNode(r *decoder, n *yaml.Node, path string) {
	f.read(r, n, path, reflect.ValueOf(f).Elem(), remedyWords, false)
}

// The words about a remedy that no figure hangs on, such as what the fee is.
var remedyWords = []string{"base", "form", "of", "rate"}

// remedyKinds are the kinds with the keys that they take.
var remedyKinds = map[string][]string{
	"percent_bands": {"bands", "cap_percent"}, "days_bands": {"bands", "cap_days_per_month"},
	"lost_time": {"multiplier", "cap_percent", "cap_per"}, "lost_time_beyond_target": {"multiplier", "cap_percent"},
	"per_interval": {"percent", "interval", "partial", "deductible", "cap_percent", "cap_per"},
	"usage_share":  {"cap_percent"}, "unknown": {},
}

// apply sets the remedy and returns the cap of the term, nil for none, and that
// of the contract in days, 0 for none.
func (f *remedyFile) apply(d *Document, a *sla.Availability) (limit *money.Percent, days int) {
	if !f.check(d, f.Kind, remedyKinds) {
		return nil, 0
	}
	if _, ok := f.stated["cap_percent"]; ok {
		p := percent(f.CapPercent)
		limit = &p
	}
	var perOutage *money.Percent
	if f.CapPer != "" {
		d.word(f.at("cap_per"), f.CapPer, []string{byIncident})
		f.needs(d, "cap_percent")
		perOutage, limit = limit, nil
	}
	if f.CapDays < 0 {
		d.Fail(f.at("cap_days_per_month"), "out_of_range", "found %d, want 1 or more", f.CapDays)
	}
	switch f.Kind {
	case "percent_bands", "days_bands":
		f.needs(d, "bands")
		var b sla.Bands
		for i, row := range f.Bands {
			b.Bands = append(b.Bands, row.band(d, fmt.Sprintf("%s[%d][2]", f.at("bands"), i), f.Kind == "days_bands"))
		}
		a.Remedy = b
	case "lost_time", "lost_time_beyond_target":
		f.needs(d, "multiplier")
		a.Remedy = sla.LostTime{Times: f.Multiplier, BeyondTarget: f.Kind == "lost_time_beyond_target", OutageCapPercent: perOutage}
	case "per_interval":
		f.needs(d, "percent", "interval", "partial")
		d.word(f.at("partial"), f.Partial, []string{"full", "started"})
		a.Remedy = sla.PerInterval{
			Percent: percent(f.Percent), Interval: f.Interval, Started: f.Partial == "started", Deductible: f.Deductible, OutageCapPercent: perOutage,
		}
	case "usage_share":
		a.Remedy = sla.UsageShare{}
	case "unknown":
		a.Remedy = sla.UnknownRemedy{}
	}
	return limit, f.CapDays
}

// bandRowFile is a row [below, at least or null, percent or days].
type bandRowFile struct {
	below, from Percent
	value       Decimal
}

func (f *bandRowFile) readNode(r *decoder, n *yaml.Node, path string) {
	r.row(n, path, "a row [below, at least or null, percent or days]", reflect.ValueOf(&f.below), reflect.ValueOf(&f.from), reflect.ValueOf(&f.value))
}

// row reads a list of three, of which the second may be null.
func (r *decoder) row(n *yaml.Node, path, want string, items ...reflect.Value) {
	if n.Kind != yaml.SequenceNode || len(n.Content) != len(items) {
		r.wrongType(n, path, want)
		return
	}
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !isNull(item):
			r.value(item, items[i].Elem(), at)
		case i != 1:
			r.d.values[at] = position{item.Line, item.Column}
			r.wrongType(item, at, "a value")
		}
	}
}

// band reads the last value of a row as a percentage or as days.
func (f *bandRowFile) band(d *Document, path string, days bool) sla.Band {
	b := sla.Band{Below: percent(f.below), From: percent(f.from)}
	var err error
	if days {
		b.Days, err = strconv.Atoi(string(f.value))
	} else {
		b.Credit, err = money.ParsePercent(string(f.value))
	}
	if err != nil && f.value != "" {
		want := "a percentage"
		if days {
			want = "whole days"
		}
		d.Fail(path, "out_of_range", "found %q, want %s", f.value, want)
	}
	return b
}

// publishedBandFile is a row with the operators of the provider's wording:
// ["<= 99.9", "> 99.0", 10].
type publishedBandFile struct{ sla.Band }

func (f *publishedBandFile) readNode(r *decoder, n *yaml.Node, path string) {
	var below, from string
	var credit Percent
	r.row(n, path, `a row ["<= below", "> from" or null, percent]`, reflect.ValueOf(&below), reflect.ValueOf(&from), reflect.ValueOf(&credit))
	bound := func(text, at string, ops ...string) (op string, p money.Percent) {
		op, number, ok := strings.Cut(text, " ")
		p, err := money.ParsePercent(number)
		if text != "" && (!ok || !slices.Contains(ops, op) || err != nil) {
			r.d.Fail(at, "bad_percent", "found %q, want %s and a percentage, like %q", text, strings.Join(ops, " or "), ops[0]+" 99.9")
		}
		return op, p
	}
	var op string
	op, f.Below = bound(below, path+"[0]", "<", "<=")
	f.AtBelow = op == "<="
	if from != "" {
		op, f.From = bound(from, path+"[1]", ">", ">=")
		f.NotAtFrom = op == ">"
	}
	f.Credit = percent(credit)
}

// variantFile holds the overrides of a variant until it is clear what of.
type variantFile struct {
	reader  *decoder
	content []*yaml.Node
}

func (f *variantFile) readNode(r *decoder, n *yaml.Node, path string) {
	f.reader = r
	r.mapping(n, path, func(content []*yaml.Node) { f.content = content })
}

// keys are those that the variant overrides.
func (f *variantFile) keys() map[string]bool {
	keys := map[string]bool{}
	for i := 0; i < len(f.content); i += 2 {
		keys[f.content[i].Value] = true
	}
	return keys
}

// override returns the terms with the fields of the variant in their places.
func (f *variantFile) override(d *Document, path string, o offered, texts map[string]string) offered {
	m, y := *o.measure, *o.remedy
	m.stated, y.stated = maps.Clone(m.stated), maps.Clone(y.stated)
	m.texts, y.texts = maps.Clone(m.texts), maps.Clone(y.texts)
	o.measure, o.remedy = &m, &y
	for i := 0; i < len(f.content); i += 2 {
		key, node := f.content[i], f.content[i+1]
		at := diagnostic.Join(path, key.Value)
		ofMeasure, ofRemedy := slices.Contains(measureKinds[m.Kind], key.Value), slices.Contains(remedyKinds[y.Kind], key.Value)
		switch {
		case isNull(node):
			d.values[at] = position{node.Line, node.Column}
			f.reader.wrongType(node, at, "a value")
		case key.Value == "target":
			f.reader.value(node, reflect.ValueOf(&o.target).Elem(), at)
		case ofMeasure && ofRemedy:
			d.values[at] = position{key.Line, key.Column}
			d.Fail(at, "out_of_range", "both the measure and the remedy have a %s", key.Value)
		case ofMeasure:
			f.reader.fields([]*yaml.Node{key, node}, reflect.ValueOf(&m).Elem(), path)
			m.stated[key.Value] = at
		case ofRemedy:
			f.reader.fields([]*yaml.Node{key, node}, reflect.ValueOf(&y).Elem(), path)
			y.stated[key.Value] = at
		case slices.Contains(remedyWords, key.Value):
			y.texts[key.Value] = f.reader.words(node, at)
			texts["remedy."+key.Value] = y.texts[key.Value]
		case slices.Contains(measureWords, key.Value):
			m.texts[key.Value] = f.reader.words(node, at)
			texts["measure."+key.Value] = m.texts[key.Value]
		default:
			known := append(append([]string{"target"}, measureKinds[m.Kind]...), remedyKinds[y.Kind]...)
			slices.Sort(known)
			known = slices.Compact(known)
			d.add(Diagnostic{
				Line: key.Line, Column: key.Column, Severity: Error, Path: at, Code: "unknown_field", Suggestion: spelling.Nearest(key.Value, known),
				Message: fmt.Sprintf("unknown key %q, want one of %s", key.Value, strings.Join(known, ", ")),
			})
		}
	}
	f.reader.bound()
	return o
}
