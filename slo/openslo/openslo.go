package openslo

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

// File is what one or more OpenSLO files say.
type File struct {
	Objects []Object `json:"objects"` // in the order of the files
	// Objectives are those of all objects of kind SLO, references resolved. It
	// is empty when there are errors.
	Objectives []Objective `json:"objectives"`
	// Findings are the places that can be read in more than one way, in the
	// order of the files.
	Findings []Diagnostic `json:"findings,omitempty"`

	documents []*yaml.Node
}

// Object is one object of a file.
type Object struct {
	APIVersion string `json:"api_version"` // as written
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	File       string `json:"file"`
	Line       int    `json:"line"`
}

// Diagnostic is something about a file that is wrong or, as a warning, can be read in more
// than one way. Its path is within the document, with the keys as the file spells them,
// and its codes are those of [Parse].
type Diagnostic = diagnostic.Diagnostic

// Errors are all errors of one or more files, sorted by file, line and column.
type Errors = diagnostic.Errors //nolint:errname // a list, whose name it does not see through an alias

// Source is a file to parse.
type Source struct {
	Name string // in findings
	Data []byte
}

// Parse reads a file of one or more documents of OpenSLO v1, v1alpha or v2alpha.
// name is the file's name in findings. The error is of type [Errors] and holds
// every error of the file; the File is there even then, with its objects and
// findings.
//
// The codes of errors are syntax, alias_limit, bad_version, unknown_kind,
// missing_field, wrong_type, duplicate_key, duplicate_name, bad_enum,
// bad_duration, calendar_unit, minute_window, bad_time, bad_zone, out_of_range,
// one_window, two_kinds, two_targets, type_conflict, unresolved_reference,
// bad_annotation, bad_rule and bad_objective.
//
// The codes of findings are those of [slo.Policy.Lint] and, where OpenSLO can be
// read in several ways, and what is done:
//
//	rolling_assumed      neither isRolling nor calendar: rolling
//	minute_window        a rolling window of minutes: taken at its word, a month is "1M"
//	zone_abbreviation    a zone that is no place: taken at its word
//	no_short_window      one window per condition: a rule without short window
//	op_downwards         error: op lt or lte is taken at its word and becomes no rule
//	op_gte               gte is read as gt
//	breaching_assumed    alertWhenBreaching is missing: true
//	not_breaching        alertWhenBreaching is false: no rule
//	several_conditions   more than one condition: a rule each
//	duplicate_policy     a policy is named twice: once
//	counter_assumed      counter is missing: true, for Prometheus
//	unused_field         a field that has no effect beside the others
//	small_percent        a targetPercent below 1: taken at its word
//	several_thresholds   thresholdMetric with more than one objective: each stands alone
//	composite_burn       parts of a composite: slo.Composite gives the largest burn and the sum
//	ratio_slices         RatioTimeslices: nothing follows a stream, slo.MeanOfSlices computes it
//	several_indicators   v1alpha objectives with metrics of their own: each stands alone
//	unknown_service      services are listed, but not this one
//	unresolved_reference a notification target or data source that is not in the files
//	unknown_field        kept, without effect
//	not_read             an object of another kind of v2alpha: kept, without effect
//	label_list           a label with several values: they are joined by ", "
//	empty_file           a file without any object
//	fixed_range, rate_read, irate_read, raw_mean, not_counted    see [Objective.Events]
func Parse(name string, data []byte) (*File, error) { return ParseAll(Source{name, data}) }

// ParseAll is [Parse] for several files whose objects refer to each other.
func ParseAll(sources ...Source) (*File, error) {
	file := &File{}
	var found []object
	all := &reader{}
	order := map[string]int{}
	for i, s := range sources {
		if _, ok := order[s.Name]; !ok {
			order[s.Name] = i
		}
		all.file = s.Name
		all.limit += 1000 + 10*len(s.Data)
		failed := len(all.errs)
		roots := all.load(s.Data)
		if len(roots) == 0 && len(all.errs) == failed {
			all.warn(value{line: 1, col: 1}, "empty_file", "no object, want one or more of %s", strings.Join(kinds, ", "))
		}
		for _, root := range roots {
			objects := all.objects(root)
			found = append(found, objects...)
			file.documents = append(file.documents, root)
		}
	}
	for _, o := range found {
		file.Objects = append(file.Objects, o.Object)
	}
	file.Objectives = all.resolve(found)
	for _, list := range []Errors{all.errs, all.findings} {
		list.Sort()
		slices.SortStableFunc(list, func(a, b Diagnostic) int { return cmp.Compare(order[a.File], order[b.File]) })
	}
	file.Findings = all.findings
	if len(all.errs) > 0 {
		file.Objectives = nil
		return file, all.errs
	}
	return file, nil
}

// load returns the roots of all documents that are not empty.
func (r *reader) load(data []byte) (roots []*yaml.Node) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	for err == nil {
		var document yaml.Node
		if err = loader.Load(&document); err == nil && len(document.Content) > 0 && !isNull(document.Content[0]) {
			spellNulls(document.Content[0], false)
			roots = append(roots, document.Content[0])
		}
	}
	if !errors.Is(err, io.EOF) {
		v, text := value{line: 1, col: 1}, err.Error()
		if at := new(yaml.LoadError); errors.As(err, &at) {
			v.line, v.col, text = at.Mark.Line, at.Mark.Column, at.Message
		}
		r.fail(v, "syntax", "", "not valid YAML: %s", text)
	}
	return roots
}

// spellNulls writes out the nulls of {a, b: }, which the YAML module would write
// as empty text.
func spellNulls(n *yaml.Node, flow bool) {
	if flow && isNull(n) && n.Value == "" {
		n.Value = "null"
	}
	for _, child := range n.Content {
		spellNulls(child, flow || n.Style&yaml.FlowStyle != 0)
	}
}

// object is an object that was found, before it is read.
type object struct {
	Object
	fields
	reader // with the version and the paths of its document; its lists are not used
}

// kinds are the kinds of OpenSLO v1, in the order in which they refer to each
// other.
var kinds = []string{"DataSource", "Service", "AlertNotificationTarget", "SLI", "AlertCondition", "AlertPolicy", "SLO"}

// objects returns the objects of a document: one, or those of a list.
func (r *reader) objects(root *yaml.Node) []object {
	items := []value{r.value(root, "")}
	if items[0].n.Kind == yaml.SequenceNode {
		items = r.items(items[0])
	}
	var found []object
	for i, v := range items {
		if o, ok := r.object(v); ok {
			found = append(found, o)
			if o.n() != v.n { // an upgraded copy is what gets written
				if root.Kind == yaml.SequenceNode {
					root.Content[i] = o.n()
				} else {
					*root = *o.n()
				}
			}
		}
	}
	return found
}

func (o object) n() *yaml.Node { return o.at.n }

func (r *reader) object(v value) (o object, ok bool) {
	r.version, r.was = v1, nil
	f := r.fields(v, objectFields...)
	versionAt, ok := r.need(f, "apiVersion", "one of "+strings.Join(versions, ", "))
	if !ok {
		return o, false
	}
	version, ok := r.scalar(versionAt, "text")
	if !ok {
		return o, false
	}
	if !slices.Contains(versions, version) {
		r.fail(versionAt, "bad_version", spelling.Nearest(version, versions), "found %q, want one of %s", version, strings.Join(versions, ", "))
		return o, false
	}
	kind := r.name(f, "kind", "one of "+strings.Join(kinds, ", "))
	if kind == "" {
		return o, false
	}
	o.Object = Object{APIVersion: version, Kind: kind, File: r.file, Line: v.line}
	switch {
	case slices.Contains(kinds, kind):
	case version == v2alpha && kind == "BudgetAdjustment":
		kindAt, _ := r.get(f, "kind")
		r.warn(kindAt, "not_read", "objects of kind %s are kept and have no effect", kind)
	default:
		kindAt, _ := r.get(f, "kind")
		r.fail(kindAt, "unknown_kind", spelling.Nearest(kind, kinds), "found %q, want one of %s", kind, strings.Join(kinds, ", "))
		return o, false
	}
	if version != v1 {
		budget := maxNodes
		copied := expand(v.n, &budget)
		if copied == nil {
			r.fail(v, "alias_limit", "", "the aliases of the document expand to too much")
			return o, false
		}
		r.version, r.was = version, map[*yaml.Node]string{}
		r.remember(copied, v.path)
		r.upgrade(copied)
		v = value{copied, v.line, v.col, v.path}
		f.at, f.content = v, copied.Content
	}
	o.fields = f
	o.reader = reader{file: r.file, version: version, was: r.was}
	if name := at(at(o.n(), "metadata"), "name"); name != nil {
		o.Name = name.Value
	}
	return o, true
}

// named is a set of objects of one kind.
type named[T any] struct {
	names  map[string]bool
	values map[string]T
}

func newNamed[T any]() named[T] { return named[T]{map[string]bool{}, map[string]T{}} }

// objects are what objects refer to.
type objects struct {
	sources    map[string]string // DataSource -> type
	services   map[string]bool
	targets    map[string]bool
	indicators named[Indicator]
	conditions named[AlertCondition]
	policies   named[AlertPolicy]
	ids        map[string]bool
}

// resolve reads the objects, those that others refer to first.
func (r *reader) resolve(found []object) []Objective {
	known := &objects{
		sources: map[string]string{}, services: map[string]bool{}, targets: map[string]bool{}, ids: map[string]bool{},
		indicators: newNamed[Indicator](), conditions: newNamed[AlertCondition](), policies: newNamed[AlertPolicy](),
	}
	seen := map[[2]string]bool{}
	var objectives []Objective
	for _, kind := range kinds {
		for _, o := range found {
			if o.Kind != kind {
				continue
			}
			r.file, r.version, r.was = o.File, o.version, o.was
			key := [2]string{kind, o.Name}
			if o.Name != "" && seen[key] {
				v, _ := r.get(o.fields, "metadata")
				r.fail(v, "duplicate_name", "", "a second %s %q", kind, o.Name)
			}
			seen[key] = true
			objectives = append(objectives, r.read(o, known)...)
		}
	}
	return objectives
}

func (r *reader) read(o object, known *objects) []Objective {
	f := o.fields
	switch o.Kind {
	case "DataSource":
		m := r.meta(f)
		if v, ok := r.need(f, "spec", "a type"); ok {
			known.sources[m.name] = r.name(r.fields(v, "description", "type", "connectionDetails"), "type", `a type such as "Prometheus"`)
		}
	case "Service":
		known.services[r.meta(f).name] = true
	case "AlertNotificationTarget":
		known.targets[r.meta(f).name] = true
		if v, ok := r.need(f, "spec", "a target"); ok {
			r.name(r.fields(v, "description", "target"), "target", `a target such as "email"`)
		}
	case "SLI":
		m := r.meta(f)
		known.indicators.names[m.name] = true
		if in, ok := r.indicator(f, known.sources); ok {
			known.indicators.values[m.name] = in
		}
	case "AlertCondition":
		known.conditions.names[o.Name] = true
		if c, ok := r.condition(f); ok {
			known.conditions.values[c.Name] = c
		}
	case "AlertPolicy":
		known.policies.names[o.Name] = true
		if p, ok := r.policy(f, known); ok {
			known.policies.values[p.Name] = p
		}
	case "SLO":
		return r.slo(f, known)
	}
	return nil
}
