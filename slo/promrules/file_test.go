package promrules

import (
	"slices"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/slo"
)

// ruleFile is the part of a file that Prometheus reads.
type ruleFile struct {
	Groups []struct {
		Name     string
		Interval string
		Rules    []struct {
			Record, Alert, Expr, For string
			KeepFiringFor            string `yaml:"keep_firing_for"`
			Labels, Annotations      map[string]string
		}
	}
}

// awkward are texts that YAML, PromQL and templates each take for something else.
var awkward = []string{
	"", " ", "null", "~", "yes", "1e3", "2026-01-01", "- a", "a: b", "# c", "a #b", "'", `"`, `\`, `\n`, "a\nb", "\tx", "a\r\nb", " a ", "{{ $value }}",
	"}}", "%d", "ü€😀", "\u2028", "\ufeff", "\x00\x7f", "&a *b !c |- >", "`", "$window", "@", "|", "x\n", "\nx", "  \n x", "a\n   \nb", "a\n\n\n  b", "a \nb\t\nc", "#",
}

func TestYAML(t *testing.T) {
	file := &File{}
	for i, text := range awkward {
		g := Group{Name: text, Interval: time.Duration(i) * time.Second}
		for _, expr := range awkward {
			if unprintable(expr) == len(expr) { // as Expr asks, and Generate makes sure of
				g.Rules = append(g.Rules, Rule{Record: "a:b", Expr: expr, Labels: []Label{{"l", text}}})
			}
		}
		alert := Rule{Alert: text + "!", Expr: "up", For: 90 * time.Second, KeepFiringFor: time.Hour}
		for _, name := range []string{"N", "False", "a_b1", "no", "null", "on", "summary", "true", "y"} {
			alert.Labels = append(alert.Labels, Label{name, text})
			alert.Annotations = append(alert.Annotations, Label{name, text + "2"})
		}
		g.Rules = append(g.Rules, alert)
		file.Groups = append(file.Groups, g)
	}
	var plain ruleFile
	if err := yaml.Unmarshal(file.AppendYAML(nil), &plain); err != nil {
		t.Fatal(err)
	}
	sameFile(t, plain, file)

	for _, text := range awkward {
		var object struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Metadata   struct {
				Name, Namespace string
				Labels          map[string]string
			}
			Spec ruleFile
		}
		labels := map[string]string{"on": text, "app.kubernetes.io/name": text, "release": "prometheus"}
		if err := yaml.Unmarshal(file.AppendPrometheusRule([]byte("# head\n"), text, "n"+text, labels), &object); err != nil {
			t.Fatal(err)
		}
		if object.APIVersion != "monitoring.coreos.com/v1" || object.Kind != "PrometheusRule" || object.Metadata.Name != "n"+text || object.Metadata.Namespace != text {
			t.Errorf("head of the object: %+v, want name n%q and namespace %[2]q", object.Metadata, text)
		}
		if got := object.Metadata.Labels; len(got) != 3 || got["on"] != text || got["app.kubernetes.io/name"] != text {
			t.Errorf("labels of the object: %q, want %q", got, labels)
		}
		sameFile(t, object.Spec, file)
	}
}

func sameFile(t *testing.T, got ruleFile, want *File) {
	t.Helper()
	same := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s read as %q, want %q", what, got, want)
		}
	}
	sameLabels := func(what string, got map[string]string, want []Label) {
		t.Helper()
		if len(got) != len(want) {
			t.Errorf("%s read as %q, want %q", what, got, want)
		}
		for _, l := range want {
			same(what+" "+l.Name, got[l.Name], l.Value)
		}
	}
	if len(got.Groups) != len(want.Groups) {
		t.Fatalf("%d groups, want %d", len(got.Groups), len(want.Groups))
	}
	for i, g := range want.Groups {
		same("group", got.Groups[i].Name, g.Name)
		if g.Interval > 0 {
			same("interval", got.Groups[i].Interval, duration(g.Interval))
		}
		if len(got.Groups[i].Rules) != len(g.Rules) {
			t.Fatalf("group %q: %d rules, want %d", g.Name, len(got.Groups[i].Rules), len(g.Rules))
		}
		for j, r := range g.Rules {
			x := got.Groups[i].Rules[j]
			same("record", x.Record, r.Record)
			same("alert", x.Alert, r.Alert)
			same("expr", x.Expr, r.Expr)
			if r.For > 0 {
				same("for", x.For, duration(r.For))
				same("keep_firing_for", x.KeepFiringFor, duration(r.KeepFiringFor))
			}
			sameLabels("labels", x.Labels, r.Labels)
			sameLabels("annotations", x.Annotations, r.Annotations)
		}
	}
}

// The file of an objective with awkward texts is read as it is.
func TestGeneratedYAML(t *testing.T) {
	s := withDefaults(t, 30, Events{Bad: "b{x=\"a\",\r\n\ty=`two\nlines`}", Total: "sum(\n\tincrease(t{x='ü'}[$window])) # all", By: []string{"null"}})
	s.ID, s.Service, s.Runbook = "a\"b\n{{x}}", "ß:\t- ", "https://x/?{{y}}"
	s.Labels = map[string]string{"y": "{{ .Nope }}", "team": " #1"}
	s.Annotations = map[string]string{"on": "{{ $labels.rule }}"}
	for _, names := range []Names{Sloth, Pyrra} {
		f := mustGenerate(t, Options{Scrape: 30 * time.Second, Names: names}, s)
		var got ruleFile
		if err := yaml.Unmarshal([]byte(f.String()), &got); err != nil {
			t.Fatal(err)
		}
		sameFile(t, got, f)
	}
}

// AppendYAML writes what a reader of rule files expects to see.
func TestYAMLText(t *testing.T) {
	f := &File{Groups: []Group{{Name: "g", Interval: 30 * time.Second, Rules: []Rule{
		{Record: "a:b", Expr: "up\n/\n2", Labels: []Label{{"x", "1"}}},
		{Alert: "A", Expr: "a:b > 1", For: time.Minute, KeepFiringFor: 2 * time.Minute, Annotations: []Label{{"summary", "s"}}},
	}}}}
	want := `groups:
- name: "g"
  interval: 30s
  rules:
  - record: a:b
    expr: |-
      up
      /
      2
    labels:
      x: "1"
  - alert: "A"
    expr: |-
      a:b > 1
    for: 1m
    keep_firing_for: 2m
    annotations:
      summary: "s"
`
	if got := f.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	buffer := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(10, func() { buffer = f.AppendYAML(buffer[:0]) }); n != 0 {
		t.Errorf("%v allocations into a buffer with room", n)
	}
}

func TestSortedLabels(t *testing.T) {
	s := withDefaults(t, 30, Events{Bad: "b", Total: "t"})
	s.Labels = map[string]string{"a": "1", "sloth_t": "2", "zone": "3"}
	s.Annotations = map[string]string{"a": "1", "t": "2"}
	s.Runbook = "r"
	s.Policy.Rules[0].Severity = slo.Ticket
	for _, g := range mustGenerate(t, Options{Scrape: time.Second}, s).Groups {
		for _, r := range g.Rules {
			for _, labels := range [][]Label{r.Labels, r.Annotations} {
				names := make([]string, len(labels))
				for i, l := range labels {
					names[i] = l.Name
				}
				if !slices.IsSorted(names) || len(slices.Compact(names)) != len(labels) {
					t.Errorf("%s%s: labels %q not in order", r.Record, r.Alert, names)
				}
			}
		}
	}
}
