package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

const examples = "../../examples"

// compiled returns a schema of the files of the programs.
func compiled(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join(examples, "schema", file))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parsed reads YAML as JSON: texts that YAML takes for times stay texts.
func parsed(text []byte) (any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	return plain(document.Content[0])
}

func plain(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.AliasNode:
		return plain(n.Alias)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			value, err := plain(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			value, err := plain(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[n.Content[i].Value] = value
		}
		return m, nil
	default: // a scalar
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!null":
		return nil, nil
	}
	return n.Value, nil
}

// Every schema is one, and the samples of the programs are what the schema says that
// their first line names.
func TestSamplesFitTheirSchemas(t *testing.T) {
	schemas, err := filepath.Glob(filepath.Join(examples, "schema", "*.schema.json"))
	if err != nil || len(schemas) < 14 {
		t.Fatalf("%d schemas, %v", len(schemas), err)
	}
	for _, file := range schemas {
		compiled(t, filepath.Base(file))
	}
	samples, err := filepath.Glob(filepath.Join(examples, "*", "testdata", "sample", "*.yaml"))
	if err != nil || len(samples) < 10 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	const mark = "# yaml-language-server: $schema=../../../schema/"
	for _, file := range samples {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := bytes.Cut(text, []byte("\n"))
		name, ok := strings.CutPrefix(string(first), mark)
		if !ok {
			t.Errorf("%s: the first line is %q, want %s", file, first, mark)
			continue
		}
		fits(t, file, name, text)
	}
	fits(t, "accounts.yaml", "accounts.schema.json", read(t, "../../adapters/config/testdata/accounts.yaml"))
	fits(t, "journeys.yaml", "journeys.schema.json", read(t, "../../adapters/config/testdata/journeys.yaml"))
	fits(t, "catalogue.yaml", "catalogue.schema.json", read(t, "../../adapters/config/testdata/catalogue.yaml"))
	fits(t, "incident.json", "incident.schema.json", read(t, filepath.Join(examples, "postmortem", "testdata", "sample", "incident.json")))
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func fits(t *testing.T, name, schema string, text []byte) {
	t.Helper()
	value, err := parsed(text)
	if err == nil {
		err = compiled(t, schema).Validate(value)
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// The published terms fit their schema.
func TestPublicTermsFitTheirSchema(t *testing.T) {
	fits(t, "public_slas.yaml", "public.schema.json", read(t, testutil.SharedFile(t, "data", "sla", "public_slas.yaml")))
}

// What the readers of published terms and of OpenSLO refuse for their form the schemas
// refuse, and what they take the schemas take.
func TestSchemasAndReaders(t *testing.T) {
	for _, kind := range []string{"public", "openslo"} {
		good := string(read(t, filepath.Join(examples, "lint", "testdata", kind+".yaml")))
		for _, c := range corpus[kind] {
			text := good
			if c.old != "" {
				if strings.Count(good, c.old) == 0 {
					t.Fatalf("%s: %q is not in the sample", kind, c.old)
				}
				text = strings.Replace(good, c.old, c.text, 1)
			}
			value, err := parsed([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			_, found := config.Check(kind, kind+".yaml", []byte(text), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
			refused := slices.ContainsFunc(found, func(d config.Diagnostic) bool { return d.Severity == config.Error })
			seen := compiled(t, kind+".schema.json").Validate(value) != nil
			if refused != c.wrong || seen != c.wrong {
				t.Errorf("%s: %q instead of %q: the reader refuses it: %v, the schema: %v, want both %v\n%v", kind, c.text, c.old, refused, seen, c.wrong, found)
			}
		}
	}
}

// corpus has changes of a sample by kind of file: what stands instead of something.
var corpus = map[string][]struct {
	old, text string
	wrong     bool
}{
	"public": {
		{"", "", false},
		{"  provider: Northwind\n", "", true},
		{"provider: Northwind", "provider: [Northwind]", true},
		{"provider: Northwind", "provder: Northwind", true},
		{"schema: 2", "schema: 3", true},
		{"schema: 2\n", "", true},
		{"period: billing_month", "period: fortnight", true},
		{"kind: uptime", "kind: upness", true},
		{"{kind: uptime, unit: 1m}", "{unit: 1m}", true},
		{"{kind: uptime, unit: 1m}", "{kind: uptime, unit: 1m, down_when: it hurts}", false},
		{"kind: percent_bands", "kind: gifts", true},
		{"[\"99.9\", \"99.0\", 10]", "[\"99.9\", 10]", true},
		{"rule: greater_than", "rule: about", true},
		{", rule: greater_than", "", true},
		{"kind: days_after_period_end", "kind: sometime", true},
		{"days: 30", "days: thirty", true},
		{"stacking: max", "stacking: min", true},
		{"target: \"99.9\"", "target: 99.9", false},
	},
	"openslo": {
		{"", "", false},
		{"apiVersion: openslo/v1\nkind: SLO", "apiVersion: openslo/v9\nkind: SLO", true},
		{"apiVersion: openslo/v1\nkind: SLO", "kind: SLO", true},
		{"kind: SLO", "kind: SLI2", true},
		{"metadata: {name: checkout}\n", "", true},
		{"metadata: {name: checkout}", "metadata: {displayName: Checkout}", true},
		{"  service: shop\n", "", true},
		{"  budgetingMethod: Occurrences\n", "", true},
		{"  timeWindow: [{duration: 30d, isRolling: true}]\n", "", true},
		{"[{duration: 30d, isRolling: true}]", "[{duration: 30d, isRolling: true}, {duration: 7d, isRolling: true}]", true},
		{"[{duration: 30d, isRolling: true}]", "[{isRolling: true}]", true},
		{"[{duration: 30d, isRolling: true}]", "{duration: 30d, isRolling: true}", true},
		{"objectives: [{target: 0.999}]", "objectives: []", true},
		{"objectives: [{target: 0.999}]", "objectives: [{targetPercent: 99.9}]", false},
		{"objectives: [{target: 0.999}]", "objectives: [{target: 0.999, comment: kept}]", false},
		{"        total: {metricSource: {type: Prometheus, spec: {query: requests_total}}}\n", "", true},
		{"      ratioMetric:", "      ratoMetric:", true},
		{"type: Prometheus, spec: {query: requests_total}", "spec: {query: requests_total}", true},
		{"conditions: [{", "condition: [{", true},
		{", lookbackWindow: 1h", "", true},
		{"threshold: 14.4, ", "", true},
		{"severity: page, ", "", true},
	},
}

// The blocks of the articles fit as they stand.
func TestArticlesFitTheirSchemas(t *testing.T) {
	folder := testutil.SharedFile(t, "data", "articles")
	for block, schema := range map[string]string{
		"operations_centers": "team", "handoff_schedule": "team", "escalation": "team", "communication": "team",
		"monitoring_layers": "rules", "correlation_rules": "rules", "incident_automation": "playbooks", "response_engine": "playbooks",
		"roi_example": "costs", "anomaly_example": "anomaly",
	} {
		fits(t, block, schema+".schema.json", read(t, filepath.Join(folder, block+".yaml")))
	}
}

// What a reader of the files accepts fits the schema, and of what it refuses the schema
// refuses what a schema can see.
func TestConfigErrorsAndSchemas(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Kind, YAML string
			Expect         []struct{ Severity, Code string }
		}
	}
	if err := json.Unmarshal(read(t, testutil.SharedFile(t, "vectors", "examples", "config_errors.json")), &file); err != nil || len(file.Cases) == 0 {
		t.Fatalf("%d cases, %v", len(file.Cases), err)
	}
	names := map[string]string{"slo": "objectives", "roi": "costs"}
	visible := []string{"unknown_field", "wrong_type", "missing_field", "bad_id"}
	for _, c := range file.Cases {
		value, err := parsed([]byte(c.YAML))
		if err != nil {
			continue // no YAML, or a key that stands twice
		}
		name := c.Kind
		if other, ok := names[name]; ok {
			name = other
		}
		err = compiled(t, name+".schema.json").Validate(value)
		wrong := slices.ContainsFunc(c.Expect, func(e struct{ Severity, Code string }) bool { return e.Severity == "error" })
		seen := slices.ContainsFunc(c.Expect, func(e struct{ Severity, Code string }) bool { return slices.Contains(visible, e.Code) })
		if !wrong && err != nil || seen && err == nil {
			t.Errorf("%s: %v, want %v", c.ID, err, fmt.Sprint(c.Expect))
		}
	}
}
