package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/sla"
)

// The published schema of a file has the keys that the decoder takes, and
// requires what it requires.
func TestSchemaDrift(t *testing.T) {
	for name, c := range map[string]struct {
		file     reflect.Type
		mappings int // the least that must be compared
	}{
		"contract.schema.json":   {reflect.TypeFor[contractFile](), 30},
		"team.schema.json":       {reflect.TypeFor[teamFile](), 40},
		"rules.schema.json":      {reflect.TypeFor[rulesFile](), 8},       // file, rule, hours, span, layer, options, inhibit, silence
		"playbooks.schema.json":  {reflect.TypeFor[playbooksFile](), 9},   // file, playbook, trigger, stages, call, response, retry, safety, delays
		"catalogue.schema.json":  {reflect.TypeFor[continuityFile](), 17}, // file and the sixteen kinds of records below
		"costs.schema.json":      {reflect.TypeFor[costsFile](), 7},       // file, internal, managed, impact, timing, roi_example, calculator
		"bridge.schema.json":     {reflect.TypeFor[bridgeFile](), 13},     // file, two sources and their list, six sinks and theirs, query, map
		"journeys.schema.json":   {reflect.TypeFor[journeysFile](), 5},    // file, journey, step, check, extract
		"portal.schema.json":     {reflect.TypeFor[portalFile](), 7},      // file, brand, ops, mail, tenant, reports, recipients
		"accounts.schema.json":   {reflect.TypeFor[accountsFile](), 9},    // file, rate, item, discount, key, target, band, usage, entity, agreed
		"articles.schema.json":   {reflect.TypeFor[articlesFile](), 2},    // file, article
		"outlook.schema.json":    {reflect.TypeFor[outlookFile](), 5},     // file, component, capacity, point, forecast
		"topology.schema.json":   {reflect.TypeFor[topologyFile](), 2},    // file, service
		"scenarios.schema.json":  {reflect.TypeFor[scenariosFile](), 4},   // file, scenario, event, expectation
		"anomaly.schema.json":    {reflect.TypeFor[anomalyFile](), 6},     // file, example, history, distribution, model, baseline
		"public.schema.json":     {reflect.TypeFor[publicFile](), 8},      // file, entry, measure, remedy, least amount, cap, maintenance, claim, promise
		"objectives.schema.json": {reflect.TypeFor[objectivesFile](), 6},  // file, slo, sli, rule, prometheus, latency
	} {
		data, err := os.ReadFile("../../examples/schema/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var root map[string]any
		if err := json.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		if root["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
			t.Errorf("%s: $schema is %v", name, root["$schema"])
		}
		defs, _ := root["$defs"].(map[string]any)
		s := schemaDrift{t: t, name: name, defs: defs}
		s.compare("", c.file, root)
		if s.compared < c.mappings {
			t.Errorf("%s: %d mappings compared, want all of them", name, s.compared)
		}
	}
}

// The test must notice what it is for.
func TestSchemaDriftFails(t *testing.T) {
	type file struct {
		A string `yaml:"a,required"`
		B int    `yaml:"b"`
	}
	for _, c := range []struct{ schema, want string }{
		{`{"properties": {"a": {}, "b": {}}, "required": ["a"], "additionalProperties": false}`, ""},
		{`{"properties": {"a": {}}, "required": ["a"], "additionalProperties": false}`, `properties [a], want [a b]`},
		{`{"properties": {"a": {}, "b": {}}, "additionalProperties": false}`, `required [], want [a]`},
		{`{"properties": {"a": {}, "b": {}}, "required": ["a"]}`, `additionalProperties`},
		{`{"$ref": "#/$defs/good"}`, ""},
		{`{"$ref": "#/$defs/short"}`, `properties [a], want [a b]`},
		{`{"$ref": "#/$defs/none"}`, `#/$defs/none is not there`},
	} {
		var node map[string]any
		if err := json.Unmarshal([]byte(c.schema), &node); err != nil {
			t.Fatal(err)
		}
		var defs map[string]any
		if err := json.Unmarshal([]byte(`{
			"good": {"properties": {"a": {}, "b": {}}, "required": ["a"], "additionalProperties": false},
			"short": {"properties": {"a": {}}, "required": ["a"], "additionalProperties": false}}`), &defs); err != nil {
			t.Fatal(err)
		}
		s := schemaDrift{name: "x", defs: defs}
		s.compare("", reflect.TypeFor[file](), node)
		if got := strings.Join(s.problems, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: problems %q, want %q", c.schema, got, c.want)
		}
	}
}

type schemaDrift struct {
	t        *testing.T
	name     string
	defs     map[string]any
	compared int
	problems []string
	within   map[string]bool // references on the way down, by the type that they stand for; some hold themselves
}

func (s *schemaDrift) problem(path, format string, args ...any) {
	text := fmt.Sprintf("%s: %q: %s", s.name, path, fmt.Sprintf(format, args...))
	if s.problems = append(s.problems, text); s.t != nil {
		s.t.Error(text)
	}
}

// listsBesideWords are the types that read a word or a list, with that list.
var listsBesideWords = map[reflect.Type]reflect.Type{
	reflect.TypeFor[hoursFile]():  reflect.TypeFor[[]hoursSpanFile](),
	reflect.TypeFor[alertsFile](): reflect.TypeFor[[]alertFile](),

	reflect.TypeFor[escalation.Availability](): reflect.TypeFor[[]escalation.Window](), // or a pair of hours
}

// compare walks a type of the decoder and a node of the schema side by side. What
// the decoder reads from one text has no keys to compare.
func (s *schemaDrift) compare(path string, of reflect.Type, node map[string]any) {
	if _, ok := scalars[of]; ok || of == reflect.TypeFor[json.RawMessage]() || of == reflect.TypeFor[publishedBandFile]() { // any JSON, and a row
		return
	}
	if ref, ok := node["$ref"].(string); ok {
		of := of.String() + ref
		if s.within[of] {
			return
		}
		if s.within == nil {
			s.within = map[string]bool{}
		}
		s.within[of] = true
		defer delete(s.within, of)
		if node, ok = s.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any); !ok {
			s.problem(path, "%s is not there", ref)
			return
		}
	}
	if list, ok := listsBesideWords[of]; ok {
		for _, alternative := range node["oneOf"].([]any) {
			if node := alternative.(map[string]any); node["type"] == "array" {
				s.compare(path, list, node)
				return
			}
		}
		s.problem(path, "no list among the alternatives")
		return
	}
	switch of.Kind() {
	case reflect.Pointer:
		s.compare(path, of.Elem(), node)
	case reflect.Slice:
		if items, ok := node["items"].(map[string]any); ok {
			s.compare(path+"[]", of.Elem(), items)
		} else {
			s.problem(path, "no items")
		}
	case reflect.Map:
		if inner, ok := node["additionalProperties"].(map[string]any); ok {
			s.compare(path+".*", of.Elem(), inner)
		} else if of.Elem().Kind() == reflect.Struct {
			s.problem(path, "no additionalProperties")
		}
	case reflect.Struct:
		if fields := fieldsOf(of); len(fields) > 0 && !reflect.PointerTo(of).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()) {
			s.compareFields(path, of, fields, node)
		}
	default:
	}
}

func (s *schemaDrift) compareFields(path string, of reflect.Type, fields map[string]field, node map[string]any) {
	s.compared++
	properties, _ := node["properties"].(map[string]any)
	if got, want := slices.Sorted(maps.Keys(properties)), slices.Sorted(maps.Keys(fields)); !slices.Equal(got, want) {
		s.problem(path, "properties %v, want %v", got, want)
		return
	}
	_, open := of.FieldByName("block") // keeps other keys as text, and wants its kind itself
	if open != (node["additionalProperties"] == nil) || !open && node["additionalProperties"] != false {
		s.problem(path, "additionalProperties is %v, want false: the decoder refuses unknown keys", node["additionalProperties"])
	}
	var required, want []string
	list, _ := node["required"].([]any)
	for _, name := range list {
		required = append(required, name.(string))
	}
	slices.Sort(required)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fields[name].required || open && name == "kind" {
			want = append(want, name)
		}
		if inner, ok := properties[name].(map[string]any); ok {
			s.compare(diagnostic.Join(path, name), of.FieldByIndex(fields[name].index).Type, inner)
		}
	}
	if !slices.Equal(required, want) {
		s.problem(path, "required %v, want %v", required, want)
	}
}

// Every key of the metrics has a metric of the reference, or it would be read and
// then forgotten.
func TestMetricsHaveReferences(t *testing.T) {
	known := map[string]bool{}
	for _, m := range sla.ReferenceMetrics() {
		known[m.Name] = true
	}
	var f metricsFile
	for _, group := range []any{f.Monitoring, f.Incidents.Rates, f.Delivery} {
		for _, key := range slices.Sorted(maps.Keys(fieldsOf(reflect.TypeOf(group)))) {
			if !known[key] {
				t.Errorf("no metric %q in the reference", key)
			}
		}
	}
}
