package promrules_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

func dashboardSLOs(t *testing.T) []promrules.SLO {
	t.Helper()
	month := slo.Rolling(30 * 24 * time.Hour)
	policy, err := slo.DefaultPolicy(month)
	if err != nil {
		t.Fatal(err)
	}
	week := slo.Rolling(7 * 24 * time.Hour)
	one := slo.Policy{Rules: []slo.Rule{
		{Name: "one", Severity: slo.Ticket, Long: time.Hour, Factor: slo.NewRatio(3, 2)},
		{Name: "silent", Severity: slo.Ticket, Kind: slo.Silence, Long: time.Hour}, // has no factor to draw
	}}
	return []promrules.SLO{
		{
			Objective: slo.Objective{ID: "api", Service: "shop", Target: slo.MustPercent("99.9"), Windows: []slo.Window{month}, Policy: policy},
			Events:    promrules.Events{Bad: `http_requests_total{code=~"5.."}`, Total: "http_requests_total", By: []string{"region"}},
		},
		{
			Objective: slo.Objective{ID: `odd.|"id`, Service: "shop", Target: slo.MustPercent("99"), Windows: []slo.Window{week}, Policy: one},
			Events:    promrules.Events{Latency: &promrules.Latency{Histogram: "latency_seconds", Limit: slo.NewRatio(1, 4)}},
			Labels:    map[string]string{"team": "shop"},
		},
		{
			Objective: slo.Objective{ID: "calendar", Target: slo.MustPercent("95"), Windows: []slo.Window{slo.Calendar(slo.Month, nil)}},
			Events:    promrules.Events{Up: "up"},
		},
	}
}

// series is what a rule file leaves behind: a name and labels.
type series map[string]string

func seriesOf(t *testing.T, slos []promrules.SLO, o promrules.Options) []series {
	t.Helper()
	file, err := promrules.Generate(slos, o)
	if err != nil {
		t.Fatal(err)
	}
	var all []series
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			s := series{"__name__": r.Record}
			if r.Alert != "" {
				s = series{"__name__": "ALERTS", "alertname": r.Alert, "alertstate": "firing"}
			}
			for _, l := range r.Labels {
				s[l.Name] = l.Value
			}
			all = append(all, s)
		}
	}
	return all
}

var (
	selectorText = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)?\{([^{}]*)\}`)
	matcherText  = regexp.MustCompile(`([a-zA-Z_]+)(=~|=)("(?:[^"\\]|\\.)*")`)
)

// unknown returns the selectors of an expression that match no series.
func unknown(t *testing.T, expr string, all []series) []string {
	t.Helper()
	selectors := selectorText.FindAllStringSubmatch(expr, -1)
	if len(selectors) == 0 && expr != "" {
		t.Errorf("%s: no selector", expr)
	}
	var missing []string
	for _, selector := range selectors {
		if !slices.ContainsFunc(all, func(s series) bool {
			if selector[1] != "" && selector[1] != s["__name__"] {
				return false
			}
			for _, m := range matcherText.FindAllStringSubmatch(selector[2], -1) {
				want, err := strconv.Unquote(m[3])
				if err != nil {
					t.Fatalf("%s: %v", expr, err)
				}
				if m[2] == "=" && s[m[1]] != want || m[2] == "=~" && !regexp.MustCompile("^(?:"+want+")$").MatchString(s[m[1]]) {
					return false
				}
			}
			return true
		}) {
			missing = append(missing, selector[0])
		}
	}
	return missing
}

type grafana struct {
	SchemaVersion int
	Templating    struct {
		List []struct {
			Name, Type string
			Query      any
		}
	}
	Panels []struct {
		ID         int
		Title      string
		Datasource struct{ Type, UID string }
		GridPos    struct{ X, Y, W, H int }
		Targets    []struct{ Expr, RefID string }
	}
}

// Every expression of a dashboard uses series that the rules of the same objectives
// write, for at least one of them that can be chosen.
func TestDashboardUsesWhatIsRecorded(t *testing.T) {
	slos := dashboardSLOs(t)
	for _, names := range []promrules.Names{promrules.Sloth, promrules.Pyrra} {
		for _, scrape := range []time.Duration{0, 30 * time.Second} {
			t.Run(fmt.Sprintf("names=%d scrape=%v", names, scrape), func(t *testing.T) {
				o := promrules.Options{Names: names, Scrape: scrape}
				text, err := promrules.AppendDashboard(nil, slos, o)
				if err != nil {
					t.Fatal(err)
				}
				var d grafana
				if err := json.Unmarshal(text, &d); err != nil {
					t.Fatal(err)
				}
				all := seriesOf(t, slos, o)
				label := "sloth_id"
				if names == promrules.Pyrra {
					label = "slo"
				}
				var ids []string
				for _, s := range all {
					if !slices.Contains(ids, s[label]) {
						ids = append(ids, s[label])
					}
				}
				if len(ids) != len(slos) {
					t.Fatalf("ids %q, want one for each of %d objectives", ids, len(slos))
				}
				exprs := 0
				for _, p := range d.Panels {
					for _, q := range p.Targets {
						exprs++
						var missing []string
						for _, id := range ids {
							quoted := strconv.Quote(id)
							missing = unknown(t, strings.ReplaceAll(q.Expr, "$slo", quoted[1:len(quoted)-1]), all)
							if len(missing) == 0 {
								break
							}
						}
						if len(missing) > 0 {
							t.Errorf("panel %q: %s: nothing records %q", p.Title, q.Expr, missing)
						}
					}
				}
				// A factor of each of the 5 rules, a burn rate of each of the 7 windows.
				if exprs < 12 {
					t.Errorf("%d expressions, want more than 12", exprs)
				}
			})
		}
	}
}

func TestUnknownSeriesAreFound(t *testing.T) {
	all := []series{{"__name__": "a", "slo": "x"}, {"__name__": "b", "slo": `o"d`}}
	for expr, want := range map[string]int{
		`a{slo="x"}`: 0, `a{slo="y"}`: 1, `c{slo="x"} / a{slo="x"}`: 1, `{__name__=~"a|c",slo="x"}`: 0, `{__name__=~"c|d"}`: 1, `b{slo="o\"d"}`: 0, `a{slo=~"x|z"} - a{slo=~"z"}`: 1,
	} {
		if got := unknown(t, expr, all); len(got) != want {
			t.Errorf("unknown(%s) = %q, want %d", expr, got, want)
		}
	}
}

func TestDashboardModel(t *testing.T) {
	slos := dashboardSLOs(t)
	o := promrules.Options{Scrape: 30 * time.Second}
	text, err := promrules.AppendDashboard([]byte("before"), slos, o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := promrules.AppendDashboard([]byte("before"), slos, o)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("two dashboards of the same objectives differ, %v", err)
	}
	text, ok := bytes.CutPrefix(text, []byte("before"))
	var d grafana
	if err := json.Unmarshal(text, &d); err != nil || !ok {
		t.Fatal(err)
	}
	if d.SchemaVersion != 42 {
		t.Errorf("schemaVersion %d, want 42", d.SchemaVersion)
	}
	if l := d.Templating.List; len(l) != 2 || l[0].Type != "datasource" || l[1].Type != "query" || l[1].Name != "slo" {
		t.Errorf("variables %+v, want the data source and the objective", l)
	}
	cells := map[[2]int]string{}
	ids := map[int]bool{}
	var titles []string
	for _, p := range d.Panels {
		if p.Datasource.UID != "${datasource}" || ids[p.ID] || len(p.Targets) == 0 {
			t.Errorf("panel %q: %+v, want the variable data source, an id of its own and a query", p.Title, p)
		}
		ids[p.ID] = true
		titles = append(titles, p.Title)
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q covers %q at column %d", p.Title, other, x)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if refs[q.RefID] {
				t.Errorf("panel %q: query %q stands twice", p.Title, q.RefID)
			}
			refs[q.RefID] = true
		}
	}
	for _, want := range []string{"Objective", "Budget left", "Burn rate by window, and what the rules allow", "Error ratio", "Alerts firing", "Budget left of all objectives"} {
		if !slices.Contains(titles, want) {
			t.Errorf("no panel %q among %q", want, titles)
		}
	}
	// 14.4 is a factor of the first objective only, and must not be drawn for others.
	if want := `14.4 * group(slo:objective:ratio{sloth_id=\"$slo\",sloth_id=\"shop-api\"})`; !bytes.Contains(text, []byte(want)) {
		t.Errorf("no factor %s", want)
	}
	if bytes.Contains(text, []byte("silent fires")) || bytes.Contains(text, []byte("absent *")) {
		t.Error("a factor is drawn for a rule of silence, which has none")
	}
}

func TestDashboardErrors(t *testing.T) {
	slos := dashboardSLOs(t)
	slos[0].Events = promrules.Events{}
	if text, err := promrules.AppendDashboard(nil, slos, promrules.Options{}); err == nil || text != nil {
		t.Errorf("AppendDashboard of an objective without events: %d bytes, %v, want an error", len(text), err)
	}
	text, err := promrules.AppendDashboard(nil, nil, promrules.Options{})
	if err != nil || !json.Valid(text) {
		t.Errorf("AppendDashboard of nothing: %v, want an empty dashboard", err)
	}
}
