package openslo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

// Indicator is a service level indicator: what is measured and where. Exactly one
// of Threshold, Raw, and Total with Good or Bad is set.
type Indicator struct {
	Name        string `json:"name,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
	Description string `json:"description,omitempty"`

	Good  *Metric `json:"good,omitempty"`
	Bad   *Metric `json:"bad,omitempty"`
	Total *Metric `json:"total,omitempty"`
	// Counter says that the queries of Good, Bad and Total give counters that
	// only grow. A file that does not say is read as true for Prometheus.
	Counter bool `json:"counter,omitempty"`

	// Raw is a ratio that was computed before; RawType says of what, "success"
	// or "failure".
	Raw     *Metric `json:"raw,omitempty"`
	RawType string  `json:"raw_type,omitempty"`

	// Threshold is compared with the value of the objective.
	Threshold *Metric `json:"threshold,omitempty"`
}

// Metric is a query to a source of data.
type Metric struct {
	DataSource string `json:"data_source,omitempty"` // name of a DataSource object
	Type       string `json:"type,omitempty"`        // as written there or here: "Prometheus", "Datadog", …
	// Spec is what the source is asked, by its own keys. Values that are lists
	// or mappings are not here; they survive in the File.
	Spec map[string]string `json:"spec,omitempty"`
}

// Query returns the query, empty when the source has another way to be asked.
func (m Metric) Query() string { return m.Spec["query"] }

// isPrometheus reports whether the query is PromQL.
func (m Metric) isPrometheus() bool { return strings.EqualFold(m.Type, "prometheus") }

var (
	metadataFields = []string{"name", "displayName", "labels", "annotations"}
	objectFields   = []string{"apiVersion", "kind", "metadata", "spec"}
	sliFields      = []string{"description", "thresholdMetric", "ratioMetric"}
	ratioFields    = []string{"counter", "good", "bad", "total", "raw", "rawType"}
	ratioMetrics   = []string{"good", "bad", "total", "raw"}
)

// indicator reads an SLI: a document of its own or one within an SLO.
func (r *reader) indicator(f fields, sources map[string]string) (in Indicator, ok bool) {
	before := len(r.errs)
	if meta, ok := r.child(f, "metadata", metadataFields...); ok {
		in.Name, in.DisplayName = r.text(meta, "name"), r.text(meta, "displayName")
	}
	v, ok := r.need(f, "spec", "a thresholdMetric or a ratioMetric")
	if !ok {
		return in, false
	}
	spec := r.fields(v, sliFields...)
	in.Description = r.text(spec, "description")
	ratio, isRatio := r.get(spec, "ratioMetric")
	threshold, isThreshold := r.get(spec, "thresholdMetric")
	switch {
	case isRatio && isThreshold:
		r.fail(threshold, "two_kinds", "", "thresholdMetric and ratioMetric are both given, want one of them")
	case isThreshold:
		in.Threshold = r.metric(threshold, sources)
	case isRatio:
		r.ratio(r.fields(ratio, ratioFields...), &in, sources)
	case spec.ok:
		suggestion := ""
		for _, name := range []string{"ratioMetric", "thresholdMetric"} {
			if slices.Contains(spec.near, name) {
				suggestion = name
			}
		}
		r.fail(spec.at, "missing_field", suggestion, "want a thresholdMetric or a ratioMetric")
	}
	return in, len(r.errs) == before && spec.ok
}

func (r *reader) ratio(f fields, in *Indicator, sources map[string]string) {
	given := map[string]value{}
	metrics := map[string]*Metric{}
	for _, name := range ratioMetrics {
		if v, ok := r.get(f, name); ok {
			given[name] = v
			metrics[name] = r.metric(v, sources)
		}
	}
	in.Good, in.Bad, in.Total, in.Raw = metrics["good"], metrics["bad"], metrics["total"], metrics["raw"]
	_, good := given["good"]
	bad, isBad := given["bad"]
	_, total := given["total"]
	_, raw := given["raw"]
	kind, typed := r.get(f, "rawType")
	switch {
	case !f.ok:
	case raw && (good || isBad || total):
		r.fail(f.at, "two_kinds", "", "raw stands beside good, bad or total, want one way to give the ratio")
	case raw && !typed:
		r.fail(f.at, "missing_field", "", `rawType is missing beside raw, want success or failure`)
	case raw:
		in.RawType = r.word(kind, "success", "failure")
	case typed:
		r.warn(kind, "unused_field", "rawType has no effect without raw")
	}
	switch {
	case raw || !f.ok:
	case good && isBad:
		r.fail(bad, "two_kinds", "", "good and bad are both given, want one of them with total")
	case !total || !good && !isBad:
		r.fail(f.at, "missing_field", "", "want total with good or bad, or raw")
	}
	counter, set := r.flag(f, "counter")
	in.Counter = counter
	if !set && in.Total != nil && in.Total.isPrometheus() {
		in.Counter = true
		if f.index("counter") < 0 {
			r.warn(f.at, "counter_assumed", "counter is not given: the queries are read as counters that only grow")
		}
	}
}

// metric reads a metric; nil after an error.
func (r *reader) metric(v value, sources map[string]string) *Metric {
	f := r.fields(v, "metricSource")
	at, ok := r.need(f, "metricSource", "where the metric comes from")
	if !ok {
		return nil
	}
	source := r.fields(at, "metricSourceRef", "type", "spec", "connectionDetails")
	if !source.ok {
		return nil
	}
	m := &Metric{DataSource: r.text(source, "metricSourceRef"), Type: r.text(source, "type")}
	if kind, known := sources[m.DataSource]; m.DataSource != "" && known {
		if m.Type != "" && !strings.EqualFold(m.Type, kind) {
			v, _ := r.get(source, "type")
			r.fail(v, "type_conflict", kind, "type %q, but DataSource %q has type %q", m.Type, m.DataSource, kind)
		}
		m.Type = kind
	} else if m.DataSource != "" && m.Type == "" {
		v, _ := r.get(source, "metricSourceRef")
		r.findings = append(r.findings, r.finding(diagnostic.Warning, v, "unresolved_reference", spelling.Nearest(m.DataSource, slices.Sorted(maps.Keys(sources))),
			fmt.Sprintf("no DataSource %q in the files and no type beside it: the query is handed on as it is", m.DataSource)))
	}
	if m.DataSource == "" && m.Type == "" {
		r.fail(source.at, "missing_field", "", "want a type or a metricSourceRef")
	}
	if spec, ok := r.child(source, "spec"); ok {
		m.Spec = map[string]string{}
		for i := 0; i+1 < len(spec.content); i += 2 {
			if v := r.value(spec.content[i+1], ""); v.n.Kind == yaml.ScalarNode && !isNull(v.n) {
				m.Spec[spec.content[i].Value] = v.n.Value
			}
		}
	}
	return m
}
