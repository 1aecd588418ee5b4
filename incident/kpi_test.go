package incident_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func scorecard(t *testing.T, b incident.Basis, o incident.ScorecardOptions) map[incident.KPI]incident.KeyFigure {
	t.Helper()
	figures, err := incident.Scorecard(b, o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[incident.KPI]incident.KeyFigure{}
	for _, f := range figures {
		out[f.KPI] = f
	}
	if len(out) != len(figures) || len(out) != 33 {
		t.Errorf("Scorecard has %d figures and %d names, want 33 of each", len(figures), len(out))
	}
	return out
}

// TestScorecardOfNothing: every key figure is there, and none is a number.
func TestScorecardOfNothing(t *testing.T) {
	period := calendar.Interval{Start: noon, End: minute(60)}
	for _, p := range []calendar.Interval{{}, period} {
		o := incident.ScorecardOptions{Figures: incident.FiguresOptions{Period: p, At: minute(60)}, Targets: incident.DefaultKPITargets()}
		for name, f := range scorecard(t, incident.Basis{}, o) {
			data, err := json.Marshal(f)
			if err != nil || f.Value != nil || f.AtLeast != nil || f.Verdict != incident.Undecided || f.N != 0 || !strings.Contains(string(data), `"value":null`) {
				t.Errorf("%s = %s, %v, want null and undecided", name, data, err)
			}
			if !strings.Contains(f.Explain(), "no data") {
				t.Errorf("Explain = %q, want it to say that there is no data", f.Explain())
			}
		}
	}
}

// TestScorecard works out every figure by hand.
func TestScorecard(t *testing.T) {
	eur := func(text string) money.Amount { return money.Must(money.ParseDecimal(text, "EUR")) }
	period := calendar.Interval{Start: noon, End: minute(1440)}
	down := func(from, to int) []calendar.Interval {
		return []calendar.Interval{{Start: minute(from), End: minute(to)}}
	}
	records := []incident.Record{
		{
			ID: "1", Severity: incident.P1, Services: []string{"a"}, Times: incident.Times{Started: minute(0), Detected: minute(2), Created: minute(4), Acknowledged: minute(10), Resolved: minute(62)},
			FirstContact: true, Escalations: 2, DetectedBy: incident.ByMonitor, Score: 5, Cost: eur("100"), Impact: down(0, 62),
		},
		{
			ID: "2", Severity: incident.P1, Services: []string{"a", "b"}, Times: incident.Times{Started: minute(100), Detected: minute(106), Created: minute(106), Acknowledged: minute(108), Resolved: minute(226)},
			DetectedBy: incident.ByUser, Score: 4, Cost: eur("50.50"), Reopens: 1, Impact: down(100, 226),
		},
		{ID: "3", Severity: incident.P4, Services: []string{"b"}, Times: incident.Times{Created: minute(200)}, Waits: down(210, 220)},
		{ID: "4", Status: incident.Cancelled, Services: []string{"b"}, Times: incident.Times{Created: minute(300)}, Impact: down(300, 400)},
		{ID: "5", Status: incident.Merged, Services: []string{"b"}, Times: incident.Times{Created: minute(210)}, Impact: down(200, 240)},
	}
	b := incident.Basis{
		Records: records,
		Changes: []incident.Change{
			{ID: "c1", Kind: incident.NormalChange, Result: incident.ChangeOK, Ended: minute(60), Announced: minute(-4320), Window: calendar.Interval{Start: noon, End: minute(60)}},
			{ID: "c2", Kind: incident.EmergencyChange, Requested: minute(0), Approved: minute(240), Result: incident.ChangeOK, Ended: minute(250)},
		},
		Problems: []incident.Problem{{ID: "p1", Opened: minute(5), Closed: minute(6)}, {ID: "p2", Opened: minute(5)}},
		Alerts: []incident.Alert{
			{ID: "a1", Fired: minute(0), Stored: minute(0).Add(time.Second), Told: minute(0).Add(59 * time.Second), Outcome: incident.AlertTrue},
			{ID: "a2", Fired: minute(1), Stored: minute(2), Told: minute(1).Add(30 * time.Second), Outcome: incident.AlertFalse}, // told before it was stored
			{ID: "a3", Fired: minute(1430)},
		},
		Series:   []incident.Series{{Name: "cpu", At: []time.Time{minute(0), minute(1), minute(3)}}, {Name: "disk"}},
		Promises: incident.Share{Hits: 9, Of: 10}, Utilisation: big.NewRat(3, 4), Backups: incident.Share{Hits: 199, Of: 200},
		RTO: []time.Duration{time.Hour, 4 * time.Hour}, RPO: []time.Duration{time.Hour - 1},
		Tickets: []money.Amount{eur("10"), eur("20.01")},
	}
	o := incident.ScorecardOptions{Figures: incident.FiguresOptions{Period: period, At: minute(1440)}, Targets: incident.DefaultKPITargets()}
	got := scorecard(t, b, o)
	for name, want := range map[incident.KPI]struct {
		value   string
		n       int
		verdict incident.Verdict
	}{
		incident.KPIMTTR:         {"5400", 2, incident.Undecided}, // 60 and 120 minutes
		incident.KPIMTTRP1:       {"5400", 2, incident.Met},
		incident.KPIMTTRP2:       {"", 0, incident.Undecided},
		incident.KPIMTTRP4:       {"", 0, incident.Undecided},
		incident.KPIMTTD:         {"240", 2, incident.Undecided},     // 2 and 6 minutes
		incident.KPIMTTA:         {"240", 2, incident.Undecided},     // 6 and 2 minutes
		incident.KPIUptime:       {"1595/18", 2, incident.Undecided}, // a was down 62 + 126 minutes, b 126 + 14 of the merged one; of 2880
		incident.KPIVolume:       {"3", 3, incident.Undecided},
		incident.KPIFirstContact: {"50", 2, incident.Missed},
		incident.KPIEscalation:   {"100/3", 3, incident.Missed},
		incident.KPIReopened:     {"100/3", 3, incident.Undecided},
		incident.KPISeenByUser:   {"50", 2, incident.Undecided},
		incident.KPICustomerWait: {"100/3", 3, incident.Undecided},
		incident.KPISatisfaction: {"9/2", 2, incident.Missed}, // exactly 4.5
		incident.KPIIncidentCost: {"301/4", 2, incident.Undecided},
		incident.KPITicketCost:   {"3001/200", 2, incident.Undecided},

		incident.KPIChangeSuccess: {"100", 1, incident.Met},
		incident.KPINotice:        {"259200", 1, incident.Met},   // exactly 72 h
		incident.KPIApproval:      {"14400", 1, incident.Missed}, // exactly 4 h
		incident.KPIAnnounced:     {"100", 1, incident.Undecided},
		incident.KPIApproved:      {"100", 1, incident.Undecided},
		incident.KPIProblems:      {"50", 2, incident.Undecided},
		incident.KPICompliance:    {"90", 10, incident.Undecided},
		incident.KPIUtilisation:   {"75", 1, incident.Undecided},
		incident.KPIBackup:        {"199/2", 200, incident.Met},
		incident.KPIRTO:           {"14400", 2, incident.Missed}, // the longest, exactly 4 h
		incident.KPIRPO:           {"3599999999999/1000000000", 1, incident.Met},

		incident.KPICollectionInterval: {"90", 2, incident.Missed},
		incident.KPICoverage:           {"5/48", 2, incident.Missed}, // 3 of 2 · 1440 minutes
		incident.KPIAlertProcessing:    {"", 3, incident.Missed},     // 60 s until stored, and the third was never told
		incident.KPIFalsePositives:     {"50", 2, incident.Missed},
	} {
		f := got[name]
		value := ""
		if f.Value != nil {
			value = f.Value.RatString()
		}
		if value != want.value || f.N != want.n || f.Verdict != want.verdict {
			t.Errorf("%s = %q over %d, %v, want %q over %d, %v", name, value, f.N, f.Verdict, want.value, want.n, want.verdict)
		}
	}
	// Up 2880 - 328 minutes; three failures began: two of a, one of b.
	if f := got[incident.KPIMTBF]; f.N != 3 || f.Value.Cmp(big.NewRat(2552*60, 3)) != 0 {
		t.Errorf("mtbf = %v over %d, want 2552 minutes over 3", f.Value, f.N)
	}
	if f := got[incident.KPITicketCost]; f.Currency != "EUR" || f.Explain() != "cost_per_ticket (cost of tickets, mean): 15.01 EUR over 2" {
		t.Errorf("Explain = %q", f.Explain())
	}
	if f := got[incident.KPIMTTRP1]; f.Explain() != `mttr_p1 (detected to resolved, mean): 5400.00 s over 2, met "< 2h"` {
		t.Errorf("Explain = %q", f.Explain())
	}

	o.Percentile, o.Method = big.NewRat(9, 10), incident.NearestRank
	if f := scorecard(t, b, o)[incident.KPIMTTR]; f.Value.RatString() != "7200" || f.Definition != "detected to resolved, percentile 90 (nearest_rank)" {
		t.Errorf("mttr = %v, %q, want the longer of both", f.Value, f.Definition)
	}
	o.Percentile = big.NewRat(9, 1)
	if _, err := incident.Scorecard(b, o); err == nil {
		t.Error("a percentile of 9 was accepted")
	}

	alerts := incident.AlertFiguresOf(b.Alerts, period, incident.DefaultKPITargets(), minute(1440))
	if alerts.Kept != (incident.Share{Hits: 1, Of: 3}) || alerts.Processing.Missing != 1 || alerts.Storing.N != 2 {
		t.Errorf("alerts = %+v, want one of three in time, the third never told", alerts)
	}
	if early := incident.AlertFiguresOf(b.Alerts, period, incident.DefaultKPITargets(), minute(1430).Add(59*time.Second)); early.Kept.Of != 2 {
		t.Errorf("59 s after the third: kept %v, want it undecided", early.Kept)
	}
}

// TestBoundsAreNoValues: the time between failures needs two of them. With fewer, the
// time up in 24 hours is a lower bound, which keeps a target that asks for less.
func TestBoundsAreNoValues(t *testing.T) {
	day := calendar.Interval{Start: noon, End: minute(1440)}
	failure := func(from int) incident.Record {
		return incident.Record{
			ID: strconv.Itoa(from), Services: []string{"a"}, Times: incident.Times{Created: minute(from)},
			Impact: []calendar.Interval{{Start: minute(from), End: minute(from + 60)}},
		}
	}
	for _, tt := range []struct {
		name           string
		records        []incident.Record
		value, atLeast int64 // hours, 0 for none
		n              int
		verdicts       map[string]incident.Verdict // by target
	}{
		{"none", nil, 0, 24, 0, map[string]incident.Verdict{"> 23h": incident.Met, "> 24h": incident.Undecided, "< 24h": incident.Missed, "< 25h": incident.Undecided}},
		{"one", []incident.Record{failure(60)}, 0, 23, 1, map[string]incident.Verdict{"> 22h": incident.Met, "> 23h": incident.Undecided, ">= 23h": incident.Met, "< 23h": incident.Missed}},
		{"two", []incident.Record{failure(60), failure(240)}, 11, 0, 2, map[string]incident.Verdict{"> 10h": incident.Met, "> 11h": incident.Missed, "< 12h": incident.Met}},
	} {
		for text, verdict := range tt.verdicts {
			o := incident.ScorecardOptions{Figures: incident.FiguresOptions{Period: day, At: minute(1440)}, Targets: incident.KPITargets{incident.KPIMTBF: target(text)}}
			f := scorecard(t, incident.Basis{Records: tt.records, Services: []string{"a"}}, o)[incident.KPIMTBF]
			hours := func(h int64) *big.Rat {
				if h == 0 {
					return nil
				}
				return big.NewRat(h*3600, 1)
			}
			if err := firstError(same("value", f.Value, hours(tt.value)), same("bound", f.AtLeast, hours(tt.atLeast))); err != nil || f.N != tt.n || f.Verdict != verdict {
				t.Errorf("%s failures, %s: %v over %d, %v, want %d and %v", tt.name, text, err, f.N, f.Verdict, tt.n, verdict)
			}
		}
	}
	o := incident.ScorecardOptions{Figures: incident.FiguresOptions{Period: day, At: minute(1440)}}
	f := scorecard(t, incident.Basis{Records: []incident.Record{failure(-30)}}, o)[incident.KPIMTBF]
	if want := "mtbf (time up of all services by failure): at least 84600.00 s over 0"; f.Explain() != want { // 23 h 30 min
		t.Errorf("Explain = %q, want %q", f.Explain(), want)
	}
	if text := asJSON(t, f); !strings.Contains(text, `"value":null,"at_least":"84600","unit":"s"`) {
		t.Errorf("as JSON: %s, want null beside the bound", text)
	}
}

// TestScorecardOfUnapproved: the longest wait for an approval is not known while one is
// still waited for, and no limit is kept once a change ended without.
func TestScorecardOfUnapproved(t *testing.T) {
	day := calendar.Interval{Start: noon, End: minute(1440)}
	change := func(approved, ended int) incident.Change {
		c := incident.Change{Kind: incident.EmergencyChange, Requested: noon}
		if approved > 0 {
			c.Approved = minute(approved)
		}
		if ended > 0 {
			c.Ended, c.Result = minute(ended), incident.ChangeOK
		}
		return c
	}
	for _, tt := range []struct {
		name     string
		changes  []incident.Change
		explain  string
		approved string
	}{
		{"approved", []incident.Change{change(120, 150)}, `7200.00 s over 1, met "< 4h"`, "100.00 percent over 1"},
		{"one waits", []incident.Change{change(120, 150), change(0, 0)}, "at least 10800.00 s over 2", "100.00 percent over 1"},
		{"one ended without, sooner", []incident.Change{change(120, 150), change(0, 60)}, `at least 7200.00 s over 2, missed "< 4h"`, "50.00 percent over 2"},
		{"none", nil, "no data", "no data"},
	} {
		o := incident.ScorecardOptions{Figures: incident.FiguresOptions{Period: day, At: minute(180)}, Targets: incident.DefaultKPITargets()}
		got := scorecard(t, incident.Basis{Changes: tt.changes}, o)
		if text := got[incident.KPIApproval].Explain(); !strings.HasSuffix(text, ": "+tt.explain) {
			t.Errorf("%s: %q, want %q", tt.name, text, tt.explain)
		}
		if text := got[incident.KPIApproved].Explain(); !strings.HasSuffix(text, ": "+tt.approved) {
			t.Errorf("%s: %q, want %q", tt.name, text, tt.approved)
		}
	}
}

// TestScorecardOfUntold: an alert that nobody is told about is late, not left out.
func TestScorecardOfUntold(t *testing.T) {
	told := incident.Alert{ID: "1", Fired: noon, Stored: noon, Told: noon.Add(20 * time.Second)}
	lost := incident.Alert{ID: "2", Fired: noon, Stored: noon}
	for _, tt := range []struct {
		name    string
		alerts  []incident.Alert
		after   time.Duration
		explain string
	}{
		{"told", []incident.Alert{told}, time.Hour, `20.00 s over 1, met "< 1m"`},
		{"one waits", []incident.Alert{told, lost}, 30 * time.Second, "at least 30.00 s over 2"},
		{"one waits too long", []incident.Alert{told, lost}, time.Hour, `at least 3600.00 s over 2, missed "< 1m"`},
		{"none fired yet", []incident.Alert{lost}, -time.Second, "no data"},
	} {
		o := incident.ScorecardOptions{Figures: incident.FiguresOptions{At: noon.Add(tt.after)}, Targets: incident.DefaultKPITargets()}
		if text := scorecard(t, incident.Basis{Alerts: tt.alerts}, o)[incident.KPIAlertProcessing].Explain(); !strings.HasSuffix(text, ": "+tt.explain) {
			t.Errorf("%s: %q, want %q", tt.name, text, tt.explain)
		}
	}
}

// TestTargetOfAnotherUnit: a target that is not in the unit of its figure decides
// nothing, and is shown all the same.
func TestTargetOfAnotherUnit(t *testing.T) {
	basis := incident.Basis{
		Records: []incident.Record{{
			ID: "1", Score: 4, Cost: money.Must(money.Parse("9.00 EUR")),
			Times: incident.Times{Started: noon, Detected: minute(1), Created: minute(1), Acknowledged: minute(2), Resolved: minute(3)},
		}},
		Changes: []incident.Change{{Kind: incident.EmergencyChange, Requested: noon, Ended: minute(9), Result: incident.ChangeOK}},
	}
	for _, tt := range []struct {
		kpi  incident.KPI
		text string
		want incident.Verdict
	}{
		{incident.KPIMTTA, "< 61 seconds", incident.Met},
		{incident.KPIMTTA, "< 61%", incident.Undecided},
		{incident.KPIMTTA, "< 61", incident.Undecided},
		{incident.KPIMTTR, "> 4.5/5", incident.Undecided},
		{incident.KPIFirstContact, "< 1 hour", incident.Undecided},
		{incident.KPISatisfaction, "< 4.5/5", incident.Met},
		{incident.KPISatisfaction, "< 4.5", incident.Met},
		{incident.KPISatisfaction, "< 4.5/10", incident.Undecided},
		{incident.KPISatisfaction, "< 90%", incident.Undecided},
		{incident.KPIVolume, "< 2", incident.Met},
		{incident.KPIVolume, "< 2%", incident.Undecided},
		{incident.KPIIncidentCost, "< 10", incident.Met},
		{incident.KPIIncidentCost, "< 10 minutes", incident.Undecided},
		{incident.KPIApproval, "< 4 hours", incident.Missed},
		{incident.KPIApproval, "< 4%", incident.Undecided},
	} {
		f := scorecard(t, basis, incident.ScorecardOptions{Targets: incident.KPITargets{tt.kpi: target(tt.text)}})[tt.kpi]
		if f.Verdict != tt.want || !f.Target.IsSet() {
			t.Errorf("%s of %v against %q: %v, want %v", tt.kpi, f.Value, tt.text, f.Verdict, tt.want)
		}
	}
}

func TestScorecardErrors(t *testing.T) {
	eur, usd := money.Must(money.Parse("1.00 EUR")), money.Must(money.Parse("1.00 USD"))
	inverted := []calendar.Interval{{Start: minute(2), End: minute(1)}}
	period := incident.ScorecardOptions{Figures: incident.FiguresOptions{Period: calendar.Interval{Start: noon, End: minute(60)}}}
	for name, b := range map[string]incident.Basis{
		"costs":       {Records: []incident.Record{{Times: incident.Times{Created: noon}, Cost: eur}, {ID: "2", Times: incident.Times{Created: noon}, Cost: usd}}},
		"tickets":     {Tickets: []money.Amount{eur, usd}},
		"maintenance": {Services: []string{"a"}, Maintenance: inverted},
		"reach":       {Series: []incident.Series{{Name: "cpu"}}, Reach: -1},
	} {
		if _, err := incident.Scorecard(b, period); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCollected(t *testing.T) {
	period := calendar.Interval{Start: noon, End: minute(10)}
	c, err := incident.CollectionOf([]incident.Series{
		{Name: "late", At: []time.Time{minute(4), minute(-1), minute(3), minute(9)}}, // in any order; the first reaches into the period
		{Name: "gone", At: []time.Time{minute(-60)}},
	}, period, 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// 0-1 of the one before, 3-4, 4-6 and 9-10.
	if c.Covered.Int64() != int64(5*time.Minute) || c.Counted.Int64() != int64(20*time.Minute) || !slices.Equal(c.Silent, []string{"gone"}) {
		t.Errorf("Collected = %+v, want 5 of 20 minutes and one silent series", c)
	}
	if longest, _ := c.Interval.Max(); c.Interval.N != 3 || longest != 5*time.Minute {
		t.Errorf("Interval = %d, %v, want 3 intervals up to 5m", c.Interval.N, longest)
	}
	if data, err := json.Marshal(c); err != nil || !strings.Contains(string(data), `"counted_ns":1200000000000,"covered_ns":300000000000,"silent":["gone"],"monitoring_coverage":"1/4"`) {
		t.Errorf("as JSON: %s, %v", data, err)
	}
	if (incident.Collection{}).Ratio() != nil {
		t.Error("Ratio of nothing is a number")
	}
	if _, err := incident.CollectionOf(nil, calendar.Interval{}, time.Minute); err == nil {
		t.Error("Collected over an empty period = nil, want an error")
	}
}

// TestManyServicesAndSeries: 5000 services and as many series are some 400 years of a
// month, more than a time.Duration holds.
func TestManyServicesAndSeries(t *testing.T) {
	basis := incident.Basis{Reach: 24 * time.Hour}
	period := calendar.Interval{Start: noon, End: noon.AddDate(0, 0, 30)}
	for i := range 5000 {
		name := fmt.Sprint("s-", i)
		basis.Services = append(basis.Services, name)
		basis.Series = append(basis.Series, incident.Series{Name: name, At: []time.Time{noon}})
	}
	basis.Records = []incident.Record{{ID: "1", Services: basis.Services[:1], Times: incident.Times{Created: noon}, Impact: []calendar.Interval{period}}}
	figures, err := incident.Scorecard(basis, incident.ScorecardOptions{Figures: incident.FiguresOptions{Period: period}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[incident.KPI]*big.Rat{
		incident.KPICoverage: big.NewRat(100, 30),
		incident.KPIUptime:   big.NewRat(100*4999, 5000),
	}
	bound := big.NewRat(4999*30*86400, 1) // of one failure
	for _, f := range figures {
		if f.KPI == incident.KPIMTBF && (f.Value != nil || f.AtLeast == nil || f.AtLeast.Cmp(bound) != 0) {
			t.Errorf("mtbf = %v, at least %v, want at least %v", f.Value, f.AtLeast, bound)
		}
		if w := want[f.KPI]; w != nil && (f.Value == nil || f.Value.Cmp(w) != 0) {
			t.Errorf("%s = %v, want %v", f.KPI, f.Value, w)
		}
	}
}

// TestKPITargetsAreThoseOfTheGuide compares with the shared list of targets and of
// key figures.
func TestKPITargetsAreThoseOfTheGuide(t *testing.T) {
	var guide struct {
		MTTR       map[string]string `json:"mttr"`
		Resolution map[string]string `json:"resolution"`
		Delivery   map[string]string `json:"service_delivery"`
		Monitoring map[string]string `json:"infrastructure_monitoring"`
		KPIs       []struct{ Key incident.KPI }
	}
	data, err := os.ReadFile(testutil.SharedFile(t, "data", "incident", "targets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &guide); err != nil {
		t.Fatal(err)
	}
	targets := incident.DefaultKPITargets()
	names := map[string]incident.KPI{
		"first_call_resolution": incident.KPIFirstContact, "planned_maintenance_notice": incident.KPINotice,
		"disaster_recovery_rto": incident.KPIRTO, "disaster_recovery_rpo": incident.KPIRPO,
	}
	n := 0
	for _, group := range []map[string]string{guide.MTTR, guide.Resolution, guide.Delivery, guide.Monitoring} {
		for key, text := range group {
			name := incident.KPI(key)
			if len(key) == 2 {
				name = incident.KPI("mttr_" + key)
			} else if names[key] != "" {
				name = names[key]
			}
			n++
			if want := target(text); targets[name] != want {
				t.Errorf("target of %s = %v, want %v", name, targets[name], want)
			}
		}
	}
	if n != len(targets) || n == 0 {
		t.Errorf("%d targets in the guide, %d here", n, len(targets))
	}
	figures, err := incident.Scorecard(incident.Basis{}, incident.ScorecardOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range guide.KPIs {
		if !slices.ContainsFunc(figures, func(f incident.KeyFigure) bool { return f.KPI == k.Key }) {
			t.Errorf("no key figure %s", k.Key)
		}
	}
}

// TestUptimes: an impact that has not ended counts up to the instant, one of a false
// alarm not at all, and what two incidents share counts once.
func TestUptimes(t *testing.T) {
	period := calendar.Interval{Start: noon, End: minute(100)}
	stretch := func(from, to int) []calendar.Interval {
		return []calendar.Interval{{Start: minute(from), End: minute(to)}}
	}
	records := []incident.Record{
		{ID: "1", Services: []string{"a"}, Impact: stretch(0, 10)},
		{ID: "2", Services: []string{"a"}, Impact: stretch(5, 20)},
		{ID: "3", Services: []string{"b"}, Impact: []calendar.Interval{{Start: minute(80)}}},
		{ID: "4", Services: []string{"b"}, Status: incident.Cancelled, Impact: stretch(0, 50)},
		{ID: "5", Services: []string{"c"}, Impact: []calendar.Interval{{Start: minute(95)}}},
	}
	got, err := incident.Uptimes(records, []string{"c", "a", "b", "idle"}, period, minute(90), stretch(0, 5), incident.MaintenanceIsUp)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]time.Duration{"a": 15 * time.Minute, "b": 10 * time.Minute, "c": 0, "idle": 0} // c broke down after the instant
	for i, service := range []string{"c", "a", "b", "idle"} {
		if got[i].Service != service || got[i].Down != want[service] {
			t.Errorf("%s: %+v, want %v down", service, got[i], want[service])
		}
	}
	if text := asJSON(t, got[1]); !strings.HasPrefix(text, `{"service":"a"`) || !strings.HasSuffix(text, `"ratio":"17/20"}`) {
		t.Errorf("as JSON: %s", text)
	}
}

// TestLongTimes: a lapse across centuries is what the standard library says, and
// instants beyond those of int64 nanoseconds are in no period of today.
func TestLongTimes(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 3, 2, 0, 0, 0, 5, time.UTC) }
	years := []time.Time{year(1), year(1600), year(1969), year(2026), year(2262), year(9999)}
	for _, from := range years {
		for _, to := range years {
			r := incident.Record{ID: "i", Times: incident.Times{Detected: from, Created: from, Resolved: to}}
			if l, ok := r.Lapse(incident.MTTR); !ok || l.Raw != to.Sub(from) {
				t.Errorf("%v to %v: %v, want %v", from, to, l.Raw, to.Sub(from))
			}
			f, err := incident.FiguresOf([]incident.Record{r}, incident.FiguresOptions{Period: calendar.Interval{Start: year(2026), End: year(2027)}})
			if in := from.Equal(year(2026)); err != nil || (f.Volume == 1) != in {
				t.Errorf("declared %v: volume %d in 2026, %v", from, f.Volume, err)
			}
		}
	}
}

// TestMeterWithoutReaders: records that change again and again, while nobody asks, are
// not kept for ever, and the figures are those of the last one.
func TestMeterWithoutReaders(t *testing.T) {
	meter := incident.NewMeter(incident.FiguresOptions{})
	r := incident.Record{ID: "i", Times: incident.Times{Detected: noon, Created: noon}}
	for i := range 200_000 {
		r.Times.Resolved = noon.Add(time.Duration(i) * time.Second)
		meter.Update(&r)
	}
	f, err := meter.Figures(time.Time{})
	if longest, _ := f.MTTR.Max(); err != nil || f.MTTR.N != 1 || longest != 199_999*time.Second {
		t.Errorf("MTTR = %d, %v, %v, want the last of 200,000", f.MTTR.N, longest, err)
	}
}
