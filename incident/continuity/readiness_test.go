package continuity_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func enough(string, calendar.Interval) (int, bool) { return 2, true }

// shop has a database that lacks nothing, and a service of which little is known.
func shop(tb testing.TB) *continuity.Register {
	tb.Helper()
	k := payroll()
	k.RehearsedAt = noon.Add(-day)
	web := continuity.Service{ID: "web | <b>", Owner: "[ops](x)", DependsOn: []string{"db"}, Stateless: true}
	r := register(tb, continuity.Catalogue{
		Services: []continuity.Service{web, complete("db")}, KeyDates: []continuity.KeyDate{k},
		Runbooks: []continuity.Runbook{
			drBook("db"),
			{ID: "pay", Services: []string{"db"}, Purpose: continuity.ForKeyDate, Owner: "ops", Steps: []string{"run"}, ReviewedAt: noon},
		},
	})
	add(tb, r, proof(noon.Add(-day)))
	addTest(tb, r, drTest("dr-1", continuity.Internet, noon.Add(-day), continuity.Passed))
	return r
}

// The parts of a sentence are all of it, and of forms that are known.
func TestSays(t *testing.T) {
	r, err := shop(t).Readiness(noon.AddDate(2, 0, 0), 400*day, continuity.Plans{Work: []continuity.Work{
		{Ref: "CHG-7", Kind: continuity.Change, Emergency: true, Window: between(t, "2028-11-23T00:00:00Z", "2028-11-24T00:00:00Z")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range r.Services {
		for _, f := range s.Findings {
			var said strings.Builder
			for _, c := range f.Says {
				if seen[c.Form] = true; !slices.Contains(continuity.Forms(), c.Form) {
					t.Errorf("%s: unknown form %q", f.Text, c.Form)
				}
				said.WriteString(c.String())
			}
			if text := said.String(); text != f.Text || strings.Contains(text, "%!") {
				t.Errorf("%q says %q", f.Text, text)
			}
		}
	}
	if len(seen) < 8 {
		t.Errorf("%d forms, want those of a service that nobody looked after: %v", len(seen), seen)
	}
}

func TestReadiness(t *testing.T) {
	r := shop(t)
	got, err := r.Readiness(noon, 30*day, continuity.Plans{Cover: enough})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Services) != 2 || got.Services[0].ID != "db" || !got.Until.Equal(noon.Add(30*day)) {
		t.Fatalf("readiness of %+v, want of db and web", got)
	}
	db, web := got.Services[0], got.Services[1]
	if !db.Ready() || !slices.Equal(db.Runbooks, []string{"dr", "pay"}) || db.DR.ID != "dr-1" || db.Proof.Backup != "b-0930" {
		t.Errorf("db = %+v, want it ready", db)
	}
	if *db.RTO.Measured != 3*time.Hour || *db.RPO.Measured != 30*time.Minute {
		t.Errorf("windows of db = %+v, %+v, want 3 h and 30 min", db.RTO, db.RPO)
	}
	if len(db.KeyDates) != 1 || db.KeyDates[0].Days[0].Date != "2026-10-23" {
		t.Errorf("key dates of db = %v, want 23 October", db.KeyDates)
	}
	if want := []string{"dr_never_tested always", "runbook_missing always", "incomplete lines always", "incomplete support_window always", "incomplete tier always"}; web.Ready() || !slices.Equal(brief(web.Findings), want) {
		t.Errorf("web: %q, want %q", brief(web.Findings), want)
	}
	// The same with plans that collide: one more finding, of the database.
	got, err = r.Readiness(noon, 30*day, continuity.Plans{Cover: enough, Work: []continuity.Work{
		{Ref: "CHG-7", Kind: continuity.Maintenance, Window: between(t, "2026-10-23T00:00:00Z", "2026-10-24T00:00:00Z")},
	}})
	if err != nil || !slices.Equal(brief(got.Services[0].Findings), []string{"freeze_conflict CHG-7 10-23 00:00"}) {
		t.Errorf("with work in the freeze: %q, %v", brief(got.Services[0].Findings), err)
	}
}

// What is found by service is what is found at all.
func TestReadinessHasAllFindings(t *testing.T) {
	r := shop(t)
	for _, at := range []time.Time{noon, noon.Add(100 * day), noon.Add(500 * day)} {
		ready, err := r.Readiness(at, 40*day, continuity.Plans{})
		if err != nil {
			t.Fatal(err)
		}
		planned, err := r.CheckDates(calendar.Interval{Start: at, End: at.Add(40 * day)}, continuity.Plans{})
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, s := range ready.Services {
			for _, f := range s.Findings {
				got = append(got, f.Service+f.Text)
			}
		}
		for _, f := range append(r.Findings(at), planned...) {
			want = append(want, f.Service+f.Text)
		}
		slices.Sort(got)
		slices.Sort(want)
		if len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("at %v: %q, want %q", at, got, want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	ready, err := shop(t).Readiness(noon, 30*day, continuity.Plans{Cover: enough})
	if err != nil {
		t.Fatal(err)
	}
	want := `# Readiness on 2026-10-01 12:00 UTC

## Services

| service | owner | tier | last restore | recovery time | loss of data | disaster test | next key date | findings |
|---|---|---|---|---|---|---|---|---|
| db | ops | enterprise | 2026-09-30 12:00 UTC, side | 3h of 4h, met | 30m of 1h, met | 2026-09-30 12:00 UTC, passed | 2026-10-22 22:00 UTC, payroll | 0 |
| web \| &lt;b\> | \[ops\]\(x\) | – | keeps no data | – | – | never tested | – | 5 |

## Findings

| service | finding | about | what | since |
|---|---|---|---|---|
| web \| &lt;b\> | dr\_never\_tested |  | disaster recovery was never tested | always |
| web \| &lt;b\> | runbook\_missing |  | there is no runbook | always |
| web \| &lt;b\> | incomplete | lines | the catalogue names no lines | always |
| web \| &lt;b\> | incomplete | support\_window | the catalogue names no support\_window | always |
| web \| &lt;b\> | incomplete | tier | the catalogue names no tier | always |
`
	if got := ready.Markdown(); got != want {
		t.Errorf("Markdown\n%s\nwant\n%s", got, want)
	}
	for want, restores := range map[string][]continuity.Restore{"never tested": nil, "never proven": {broken(noon)}} {
		r := register(t, continuity.Catalogue{Services: []continuity.Service{complete("db")}})
		add(t, r, restores...)
		if ready, err := r.Readiness(noon, 0, continuity.Plans{}); err != nil || !strings.Contains(ready.Markdown(), "| db | ops | enterprise | "+want+" | – | – |") {
			t.Errorf("Markdown of what was %s: %v\n%s", want, err, ready.Markdown())
		}
	}
	ready.Services = ready.Services[:1]
	if got := ready.Markdown(); !strings.HasSuffix(got, "## Findings\n\nNone.\n") {
		t.Errorf("Markdown without findings\n%s", got)
	}
}

// No data is null or absent in JSON, never 0.
func TestReadinessJSON(t *testing.T) {
	r := register(t, continuity.Catalogue{Services: []continuity.Service{complete("db")}})
	add(t, r, with(proof(noon), func(e *continuity.Restore) { e.Lost = time.Time{} }))
	ready, err := r.Readiness(noon, 0, continuity.Plans{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(ready.Services[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"service":"db"`, `"rto":{"measured_ns":null,"agreed_ns":14400000000000,"verdict":"undecided"}`,
		`"rpo":{"measured_ns":1800000000000,"agreed_ns":3600000000000,"verdict":"met"}`, `{"code":"dr_never_tested","service":"db","text":"disaster recovery was never tested"}`,
	} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s lacks %s", data, part)
		}
	}
	if text := ready.Markdown(); !strings.Contains(text, "| no data | 30m of 1h, met |") {
		t.Errorf("Markdown without a recovery time\n%s", text)
	}
	if strings.Contains(string(data), "last_dr_test") {
		t.Errorf("%s has a disaster test", data)
	}
}
