package promrules

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

// AppendDashboard appends a Grafana dashboard, as JSON, of the series that
// [Generate] writes for the same objectives and options: budget left of all of
// them, and of the one that is chosen on top its target, budget, burn rate of
// every window with the factors of its rules, error ratio, and alerts.
//
// The data source is a variable, so that the dashboard can be imported as it is.
// It has version 42 of Grafana's classic model, which is the last one, and needs
// Grafana 9 or later. Objectives and options that have no rules give the errors of
// Generate.
func AppendDashboard(dst []byte, slos []SLO, o Options) ([]byte, error) {
	file, err := Generate(slos, o)
	if err != nil {
		return nil, err
	}
	d := newDashboard(file, slos, o)
	text, err := json.MarshalIndent(d.model(), "", "  ")
	if err != nil {
		return nil, err
	}
	return append(append(dst, text...), '\n'), nil
}

// dashboard knows what the rules of a file record.
type dashboard struct {
	slos []SLO

	label, window     string // by which objectives and windows are told apart
	objective, budget string // expressions: target and error budget of the chosen one
	ids               []string
	recorded          map[string]bool            // names
	ratios            map[string]map[string]bool // by window: names
	alerts            []string                   // names

	panels []object
	y      int // the next free row
}

// object is a JSON object; it is written with sorted keys.
type object map[string]any

func newDashboard(file *File, slos []SLO, o Options) *dashboard {
	d := &dashboard{slos: slos, label: "sloth_id", window: "sloth_window", recorded: map[string]bool{}, ratios: map[string]map[string]bool{}}
	if o.Names == Pyrra {
		d.label, d.window = "slo", "window"
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			id, window := value(r.Labels, d.label), value(r.Labels, d.window)
			if !slices.Contains(d.ids, id) {
				d.ids = append(d.ids, id)
			}
			switch {
			case r.Alert != "":
				if !slices.Contains(d.alerts, r.Alert) {
					d.alerts = append(d.alerts, r.Alert)
				}
			case window != "":
				if d.ratios[window] == nil {
					d.ratios[window] = map[string]bool{}
				}
				d.ratios[window][r.Record] = true
			default:
				d.recorded[r.Record] = true
			}
		}
	}
	d.objective, d.budget = d.chosen("slo:objective:ratio"), d.chosen("slo:error_budget:ratio")
	if o.Names == Pyrra {
		d.objective = d.chosen("pyrra_objective")
		d.budget = "(1 - " + d.objective + ")"
	}
	return d
}

func value(labels []Label, name string) string {
	for _, l := range labels {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

// chosen selects a series of the objective that the reader chose.
func (d *dashboard) chosen(name string) string { return name + "{" + d.label + `="$slo"}` }

// anyOf matches a label that is one of some texts.
func anyOf(label string, texts []string) string {
	if len(texts) == 1 {
		return label + "=" + strconv.Quote(texts[0])
	}
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = regexp.QuoteMeta(t)
	}
	return label + "=~" + strconv.Quote(strings.Join(quoted, "|"))
}

// ratio selects the error ratio of a window that is recorded. Its name may differ
// from objective to objective.
func (d *dashboard) ratio(window string) string {
	names := make([]string, 0, 1)
	for name := range d.ratios[window] {
		names = append(names, name)
	}
	if len(names) == 1 {
		return d.chosen(names[0])
	}
	slices.Sort(names)
	return "{" + anyOf("__name__", names) + "," + d.label + `="$slo"}`
}

// windows are those of the rules and of the current burn rate, ascending.
func (d *dashboard) windows() []string {
	lengths := []time.Duration{current}
	for _, s := range d.slos {
		for _, r := range s.Policy.Rules {
			lengths = append(lengths, r.Long, r.Short)
		}
	}
	slices.Sort(lengths)
	var windows []string
	for _, w := range slices.Compact(lengths) {
		if text := duration(w); len(d.ratios[text]) > 0 {
			windows = append(windows, text)
		}
	}
	return windows
}

// left is the share of the budget that is left, of series with some label
// matchers; ok is false if no objective has a rolling window.
func (d *dashboard) left(matchers string) (expr string, ok bool) {
	if d.label == "slo" {
		return "1 - (1 - pyrra_availability{" + matchers + "}) / on (slo) group_left () (1 - pyrra_objective{" + matchers + "})", d.recorded["pyrra_availability"]
	}
	return "slo:period_error_budget_remaining:ratio{" + matchers + "}", d.recorded["slo:period_error_budget_remaining:ratio"]
}

func (d *dashboard) model() object {
	d.summary()
	d.burn()
	d.errors()
	d.history()
	d.overview()
	source := object{"type": "prometheus", "uid": "${datasource}"}
	objective, _, _ := strings.Cut(d.objective, "{")
	names := "label_values(" + objective + "{" + anyOf(d.label, d.ids) + "}, " + d.label + ")"
	first := ""
	if len(d.ids) > 0 {
		first = d.ids[0]
	}
	return object{
		"annotations": object{"list": []object{}}, "description": "Objectives, error budgets, burn rates and alerts.", "editable": true, "graphTooltip": 1, "id": nil, "links": []object{},
		"panels": d.panels, "refresh": "1m", "schemaVersion": 42, "tags": []string{"slo"},
		"templating": object{"list": []object{
			{"current": object{}, "hide": 0, "label": "Data source", "name": "datasource", "options": []object{}, "query": "prometheus", "refresh": 1, "type": "datasource"},
			{
				"current": object{"text": first, "value": first}, "datasource": source, "definition": names, "hide": 0, "includeAll": false, "label": "Objective", "multi": false,
				"name": "slo", "options": []object{}, "query": object{"query": names, "refId": "slo"}, "refresh": 1, "sort": 1, "type": "query",
			},
		}},
		"time": object{"from": "now-24h", "to": "now"}, "timepicker": object{}, "timezone": "browser", "title": "Error budgets", "uid": "evenkeel-error-budgets", "version": 1,
	}
}

// query is a target of a panel.
type query struct{ expr, legend string }

// panel adds a panel at a place of 24 columns.
func (d *dashboard) panel(kind, title, unit string, x, width, height int, steps []object, options object, queries ...query) {
	targets := make([]object, len(queries))
	source := object{"type": "prometheus", "uid": "${datasource}"}
	for i, q := range queries {
		targets[i] = object{"datasource": source, "editorMode": "code", "expr": q.expr, "legendFormat": q.legend, "range": true, "refId": "Q" + strconv.Itoa(i+1)}
	}
	defaults := object{"unit": unit, "thresholds": object{"mode": "absolute", "steps": steps}}
	if kind == "timeseries" {
		defaults["custom"] = object{"drawStyle": "line", "fillOpacity": 0, "lineWidth": 1, "showPoints": "never", "spanNulls": false}
		defaults["color"] = object{"mode": "palette-classic"}
	}
	d.panels = append(d.panels, object{
		"datasource": source, "fieldConfig": object{"defaults": defaults, "overrides": []object{}}, "gridPos": object{"h": height, "w": width, "x": x, "y": d.y},
		"id": len(d.panels) + 1, "options": options, "targets": targets, "title": title, "type": kind,
	})
}

func step(color string, from any) object { return object{"color": color, "value": from} }

// The colours of a budget: gone, nearly gone, left; and of a burn rate above 1.
var (
	uncolored = []object{step("text", nil)}
	budgeted  = []object{step("red", nil), step("orange", 0.0), step("green", 0.25)}
	burning   = []object{step("green", nil), step("orange", 1)}
	silent    = []object{step("green", nil), step("red", 1)}
)

func reduced() object {
	return object{"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto", "reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}}
}

func drawn() object {
	return object{"legend": object{"calcs": []string{"lastNotNull"}, "displayMode": "list", "placement": "bottom", "showLegend": true}, "tooltip": object{"mode": "multi", "sort": "desc"}}
}

func (d *dashboard) summary() {
	const width, height = 6, 4
	d.panel("stat", "Objective", "percentunit", 0, width, height, uncolored, reduced(), query{d.objective, "objective"})
	if expr, ok := d.left(d.label + `="$slo"`); ok {
		d.panel("stat", "Budget left", "percentunit", width, width, height, budgeted, reduced(), query{expr, "left"})
	}
	if windows := d.windows(); len(windows) > 0 {
		d.panel("stat", "Burn rate over "+windows[0], "short", 2*width, width, height, burning, reduced(), query{d.burnRate(windows[0]), "burn rate"})
	}
	if firing, ok := d.firing(); ok {
		d.panel("stat", "Alerts firing", "short", 3*width, width, height, silent, reduced(), query{"count(" + firing + ") or vector(0)", "firing"})
	}
	d.y += height
}

func (d *dashboard) burnRate(window string) string {
	return d.ratio(window) + " / on (" + d.label + ") group_left () " + d.budget
}

// firing selects the alerts of the chosen objective.
func (d *dashboard) firing() (expr string, ok bool) {
	if len(d.alerts) == 0 {
		return "", false
	}
	return "ALERTS{" + anyOf("alertname", d.alerts) + `,alertstate="firing",` + d.label + `="$slo"}`, true
}

// burn draws the burn rate of every window, and the factors of the rules as far as
// the chosen objective has them.
func (d *dashboard) burn() {
	const height = 9
	var queries []query
	for _, w := range d.windows() {
		queries = append(queries, query{d.burnRate(w), "over " + w})
	}
	d.panel("timeseries", "Burn rate by window, and what the rules allow", "short", 0, 24, height, uncolored, drawn(), append(queries, d.factors()...)...)
	d.y += height
}

func (d *dashboard) factors() []query {
	type key struct{ rule, factor string }
	var keys []key
	having := map[key][]string{}
	for i := range d.slos {
		for _, r := range d.slos[i].Policy.Rules {
			if r.Kind != slo.BurnRate {
				continue // it has no factor
			}
			k := key{r.Name, r.Factor.Decimal()}
			if having[k] == nil {
				keys = append(keys, k)
			}
			having[k] = append(having[k], d.ids[i])
		}
	}
	queries := make([]query, len(keys))
	for i, k := range keys {
		expr := d.objective
		if len(having[k]) < len(d.ids) {
			expr = strings.TrimSuffix(expr, "}") + "," + anyOf(d.label, having[k]) + "}"
		}
		queries[i] = query{k.factor + " * group(" + expr + ")", k.rule + " fires above " + k.factor}
	}
	return queries
}

func (d *dashboard) errors() {
	const height = 8
	var queries []query
	if windows := d.windows(); len(windows) > 0 {
		queries = append(queries, query{d.ratio(windows[0]), "over " + windows[0]})
	}
	queries = append(queries, query{d.budget, "error budget"})
	d.panel("timeseries", "Error ratio", "percentunit", 0, 12, height, uncolored, drawn(), queries...)
	if expr, ok := d.left(d.label + `="$slo"`); ok {
		d.panel("timeseries", "Budget left", "percentunit", 12, 12, height, budgeted, drawn(), query{expr, "left"})
	}
	d.y += height
}

func (d *dashboard) history() {
	const height = 6
	if firing, ok := d.firing(); ok {
		options := object{"alignValue": "left", "legend": object{"displayMode": "list", "placement": "bottom", "showLegend": false}, "mergeValues": true, "rowHeight": 0.8, "showValue": "never"}
		d.panel("state-timeline", "Alerts firing", "short", 0, 24, height, silent, options, query{firing, "{{alertname}} {{rule}} {{severity}}"})
		d.y += height
	}
}

// overview compares all objectives.
func (d *dashboard) overview() {
	if expr, ok := d.left(anyOf(d.label, d.ids)); ok {
		options := object{"displayMode": "basic", "orientation": "horizontal", "reduceOptions": reduced()["reduceOptions"], "showUnfilled": true}
		height := min(4+len(d.ids), 20)
		d.panel("bargauge", "Budget left of all objectives", "percentunit", 0, 24, height, budgeted, options, query{expr, "{{" + d.label + "}}"})
		d.y += height
	}
}
