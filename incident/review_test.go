package incident_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// TestReviewByClock: single incidents are judged by the clock of the figures.
func TestReviewByClock(t *testing.T) {
	period := calendar.Interval{Start: noon, End: minute(600)}
	b := incident.Basis{Records: []incident.Record{{
		ID: "1", Severity: incident.P1, Times: incident.Times{Detected: noon, Created: noon, Resolved: minute(150)},
		Waits: []calendar.Interval{{Start: minute(10), End: minute(70)}},
	}}}
	for clock, want := range map[incident.Clock]incident.Share{incident.NetTime: {Hits: 1, Of: 1}, incident.WithWaits: {Hits: 0, Of: 1}} {
		o := incident.ReviewOptions{Trend: -1}
		o.Figures = incident.FiguresOptions{Period: period, Targets: incident.DefaultTargets(), Clock: clock, At: period.End}
		r, err := b.Review(o)
		if err != nil || r.Response.Kept != want || r.BySeverity[0].Kept != want || len(r.Improvements.Late) != 1-want.Hits {
			t.Errorf("%v: response %v, figures %v, late %v, %v, want %v", clock, r.Response.Kept, r.BySeverity[0].Kept, r.Improvements.Late, err, want)
		}
	}
}

// TestReview works out the sections for March 2026 in Amsterdam by hand.
func TestReview(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, amsterdam)
	}
	rec := func(id string, sev incident.Severity, team string, from time.Time, hours int, cost string) incident.Record {
		to := from.Add(time.Duration(hours) * time.Hour)
		r := incident.Record{
			ID: id, Severity: sev, Team: team, Centre: "AMS", Services: []string{"checkout"}, Fingerprint: "f1",
			Times:  incident.Times{Started: from, Detected: from, Created: from, Acknowledged: from, Resolved: to},
			Impact: []calendar.Interval{{Start: from, End: to}},
		}
		if cost != "" {
			r.Cost = money.Must(money.ParseDecimal(cost, "EUR"))
		}
		return r
	}
	b := incident.Basis{
		Records: []incident.Record{
			rec("jan", incident.P1, "blue", at(time.January, 31, 23), 1, "1000"),
			rec("mar-1", incident.P1, "blue", at(time.March, 1, 0), 3, "50"),
			rec("mar-2", incident.P1, "red", at(time.March, 10, 0), 1, "70"),
			rec("mar-3", incident.P3, "", at(time.March, 20, 0), 48, ""),
			rec("apr", incident.P4, "red", at(time.April, 1, 0), 1, "5"),
		},
		Changes: []incident.Change{
			{ID: "c1", Team: "red", Kind: incident.NormalChange, Result: incident.ChangeOK, Ended: at(time.March, 5, 0)},
			{ID: "c2", Team: "red", Kind: incident.NormalChange, Result: incident.ChangeFailed, Ended: at(time.March, 6, 0)},
			{ID: "c4", Kind: incident.NormalChange, Window: calendar.Interval{Start: at(time.April, 9, 0), End: at(time.April, 9, 1)}},
			{ID: "c3", Kind: incident.NormalChange, Window: calendar.Interval{Start: at(time.April, 2, 0), End: at(time.April, 2, 1)}},
			{ID: "c5", Kind: incident.NormalChange, Window: calendar.Interval{Start: at(time.March, 30, 0), End: at(time.March, 30, 1)}},
		},
		Problems: []incident.Problem{{ID: "PRB-1", State: incident.KnownError, Cause: "x", Fingerprint: "f1", Opened: at(time.March, 11, 0), Known: at(time.March, 12, 0)}},
	}
	o := incident.ReviewOptions{Zone: amsterdam, Measures: []incident.TrackedMeasure{
		{Incident: "mar-2", Measure: incident.Measure{ID: "m3", Text: "no date yet"}},
		{Incident: "mar-1", Measure: incident.Measure{ID: "m2", Due: "2026-04-30"}},
		{Incident: "mar-1", Measure: incident.Measure{ID: "m1", Due: "2026-03-15"}},
		{Incident: "jan", Measure: incident.Measure{ID: "m0", Due: "2026-02-01", Done: true}},
	}}
	o.Figures = incident.FiguresOptions{Period: incident.Month(2026, time.March, amsterdam), Targets: incident.DefaultTargets(), At: at(time.April, 1, 9)}
	o.Targets = incident.DefaultKPITargets()
	r, err := b.Review(o)
	if err != nil {
		t.Fatal(err)
	}

	var months []string
	for _, m := range r.Trend {
		months = append(months, m.Month+" "+strings.Repeat("i", m.Volume))
	}
	if want := []string{"2026-01 i", "2026-02 ", "2026-03 iii"}; !reflect.DeepEqual(months, want) {
		t.Errorf("trend = %q, want %q", months, want)
	}
	if len(r.BySeverity) != 2 || r.BySeverity[0].Key != "P1" || r.BySeverity[0].Volume != 2 || r.BySeverity[1].Volume != 1 {
		t.Errorf("by severity = %+v, want 2 P1 and a P3", r.BySeverity)
	}
	if len(r.Availability) != 1 || r.Availability[0].Down != 52*time.Hour || r.Availability[0].Counted != 743*time.Hour || r.Availability[0].Failures != 3 {
		t.Errorf("availability = %+v, want 52 of 743 h down in 3 failures", r.Availability)
	}
	if r.Response.Kept != (incident.Share{Hits: 1, Of: 3}) {
		t.Errorf("response = %v, want 1/3 within target", r.Response.Kept)
	}
	if late := r.Improvements.Late; len(late) != 2 || late[0].ID != "mar-3" || late[1].ID != "mar-1" {
		t.Errorf("late = %+v, want mar-3 before mar-1", late)
	}
	if len(r.Teams) != 3 || r.Teams[0].Team != "" || r.Teams[1].Team != "blue" || r.Teams[1].Volume != 1 || r.Teams[2].Changes != (incident.Share{Hits: 1, Of: 2}) || r.Teams[1].Changes.Of != 0 {
		t.Errorf("teams = %+v", r.Teams)
	}
	if len(r.Upcoming) != 2 || r.Upcoming[0].ID != "c3" || r.Upcoming[1].ID != "c4" {
		t.Errorf("upcoming = %+v, want c3, c4", r.Upcoming)
	}
	c := r.Costs
	if c.All != (incident.Cost{N: 2, Total: money.Must(money.Parse("120.00 EUR"))}) || c.Unknown != 1 || len(c.Dearest) != 2 || c.Dearest[0].Key != "mar-2" || len(c.Team) != 2 || len(c.Severity) != 1 {
		t.Errorf("costs = %+v", c)
	}
	i := r.Improvements
	if len(i.Recurring) != 1 || i.Recurring[0].Problem != "PRB-1" || !reflect.DeepEqual(i.Recurring[0].IDs, []string{"mar-1", "mar-2", "mar-3", "apr"}) {
		// From the one in January to mar-2 it is 37 days.
		t.Errorf("recurring = %+v", i.Recurring)
	}
	if len(i.Open) != 3 || i.Open[0].ID != "m1" || i.Open[1].ID != "m2" || i.Open[2].ID != "m3" || i.Overdue != 1 || i.Problems.Known != 1 {
		t.Errorf("improvements = %+v, want m1, m2, m3, one overdue, one known error", i)
	}
	missed := map[incident.KPI]bool{}
	for _, k := range i.Missed {
		missed[k.KPI] = true
	}
	// P1 took 3 h and 1 h, two hours on average; P3 two days; one of two changes failed; c5
	// was never announced.
	if want := map[incident.KPI]bool{incident.KPINotice: true, incident.KPIMTTRP1: true, incident.KPIMTTRP3: true, incident.KPIChangeSuccess: true, incident.KPIFirstContact: true}; !reflect.DeepEqual(missed, want) {
		t.Errorf("missed = %v, want %v", missed, want)
	}

	r0 := rand.New(rand.NewPCG(1, 2))
	r0.Shuffle(len(b.Records), func(i, j int) { b.Records[i], b.Records[j] = b.Records[j], b.Records[i] })
	again, err := b.Review(o)
	if err != nil || asJSON(t, again) != asJSON(t, r) {
		t.Errorf("in another order: %s, %v\nwant %s", asJSON(t, again), err, asJSON(t, r))
	}
	var sections map[string]json.RawMessage
	if err := json.Unmarshal([]byte(asJSON(t, r)), &sections); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"availability_summary", "incident_summary_by_severity", "response_time_performance", "change_management_statistics", "upcoming_maintenance_schedule",
		"performance_trends_and_analysis", "team_performance_metrics", "cost_per_incident_analysis", "process_improvement_opportunities",
	} {
		if sections[name] == nil {
			t.Errorf("JSON has no section %q", name)
		}
	}
}

func TestReviewOfNothing(t *testing.T) {
	if _, err := (incident.Basis{}).Review(incident.ReviewOptions{}); err == nil {
		t.Error("a review without a period was made")
	}
	var o incident.ReviewOptions
	o.Figures.Period, o.Trend = calendar.Interval{Start: noon, End: minute(60)}, -1
	r, err := (incident.Basis{}).Review(o)
	if err != nil || len(r.Trend) != 0 || r.Costs.All.Mean() != nil || len(r.BySeverity) != 0 {
		t.Errorf("review of nothing = %+v, %v", r, err)
	}
	eur, usd := money.Must(money.Parse("1.00 EUR")), money.Must(money.Parse("1.00 USD"))
	mixed := incident.Basis{Records: []incident.Record{{ID: "1", Cost: eur, Times: incident.Times{Created: noon}}, {ID: "2", Cost: usd, Times: incident.Times{Created: noon}}}}
	if _, err := mixed.Review(o); err == nil {
		t.Error("costs of two currencies were added up")
	}
}
