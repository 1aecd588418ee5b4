package incident_test

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// TestNoDataIsNull is the law that no figure of nothing is a number.
func TestNoDataIsNull(t *testing.T) {
	for _, records := range [][]incident.Record{nil, {{ID: "i1"}}} { // none, and one of which nothing is known
		f, err := incident.FiguresOf(records, incident.FiguresOptions{Targets: incident.DefaultTargets()})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var figures map[string]json.RawMessage
		if err := json.Unmarshal(data, &figures); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"mttd", "mtta", "mttr"} {
			var d map[string]any
			if err := json.Unmarshal(figures[name], &d); err != nil {
				t.Fatal(err)
			}
			for _, figure := range []string{"mean_seconds", "median_seconds", "p90_linear_seconds", "max_seconds"} {
				if v, there := d[figure]; !there || v != nil {
					t.Errorf("%d records: %s.%s = %v, want null", len(records), name, figure, v)
				}
			}
			if d["missing"] != float64(len(records)) {
				t.Errorf("%d records: %s.missing = %v", len(records), name, d["missing"])
			}
		}
		for _, name := range []string{"first_contact_resolution", "escalation_rate", "reopen_rate", "detected_by_user_rate", "target_compliance", "false_alarm_rate"} {
			var s map[string]any
			if err := json.Unmarshal(figures[name], &s); err != nil {
				t.Fatal(err)
			}
			if v, there := s["ratio"]; !there || v != nil {
				t.Errorf("%d records: %s = %v, want null", len(records), name, v)
			}
		}
		if f.Cost.Mean() != nil || f.Volume != 0 || f.Undated != len(records) {
			t.Errorf("%d records: %+v", len(records), f)
		}
	}
	if (incident.Share{}).Judge(target("> 60%")) != incident.Undecided || incident.MeanScore(nil) != nil {
		t.Error("a share or score of nothing was judged")
	}
	if u, err := incident.Utilisation("1", "0"); u != nil || err != nil {
		t.Errorf("Utilisation of nothing = %v, %v, want nil", u, err)
	}
	if r, err := incident.MTTF([]calendar.Interval{{Start: noon, End: minute(1)}}); r.Mean != nil || err != nil {
		t.Errorf("MTTF of one failure = %v, %v, want nil", r.Mean, err)
	}
}

// manyRecords makes reproducible incidents of March 2026.
func manyRecords(n int) []incident.Record {
	r := rand.New(rand.NewPCG(3, 4))
	records := make([]incident.Record, n)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range records {
		at := start.Add(time.Duration(r.Int64N(int64(31 * 24 * time.Hour))))
		next := func() time.Time { at = at.Add(time.Duration(r.Int64N(int64(3 * time.Hour)))); return at }
		records[i] = incident.Record{
			ID: "i", Severity: incident.Severities[r.IntN(4)], Escalations: r.IntN(2), FirstContact: r.IntN(2) == 0,
			Times: incident.Times{Started: next(), Detected: next(), Created: next(), Acknowledged: next(), Resolved: next()},
		}
		if i%7 == 0 {
			records[i].Times.Resolved = time.Time{}
		}
		if i%11 == 0 {
			records[i].Times.Acknowledged = records[i].Times.Created.Add(-time.Second)
		}
	}
	return records
}

// TestFiguresMatchSingleOnes compares the one-pass figures with the functions
// for each, over a period and in any order of the records.
func TestFiguresMatchSingleOnes(t *testing.T) {
	records := manyRecords(500)
	period := calendar.Interval{Start: noon, End: noon.AddDate(0, 0, 14)}
	var resolvedIn, createdIn []incident.Record
	for _, r := range records {
		if period.Contains(r.Times.Resolved) {
			resolvedIn = append(resolvedIn, r)
		}
		if period.Contains(r.Times.Created) {
			createdIn = append(createdIn, r)
		}
	}
	o := incident.FiguresOptions{Period: period, Targets: incident.DefaultTargets(), Resolution: incident.TimeToRestore}
	f, err := incident.FiguresOf(records, o)
	if err != nil {
		t.Fatal(err)
	}
	if f.Volume != len(createdIn) || f.FirstContact != incident.FirstContact(createdIn) || f.Escalated != incident.Escalated(createdIn) {
		t.Errorf("figures = %+v", f)
	}
	for _, d := range []incident.Durations{f.MTTD, f.MTTA, f.MTTR} {
		single := incident.Measured(resolvedIn, d.Span)
		if d.N != single.N || d.Clamped != single.Clamped || d.Mean().Cmp(single.Mean()) != 0 || d.Median().Cmp(single.Median()) != 0 {
			t.Errorf("%v: %+v, want %+v", d.Span, d, single)
		}
	}
	if f.MTTA.Clamped == 0 {
		t.Error("no clamped interval in the sample")
	}
	kept := incident.ComplianceOf(createdIn, incident.TimeToRestore, o.Targets, time.Time{}).Kept
	if f.Kept != kept {
		t.Errorf("Kept = %v, want %v", f.Kept, kept)
	}
	want, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(records)
	again, err := incident.FiguresOf(records, o)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(again); err != nil || string(got) != string(want) {
		t.Errorf("in reverse: %s, %v\nwant %s", got, err, want)
	}
}

// TestFalseAlarmsAndMerges: neither is an incident of its own.
func TestFalseAlarmsAndMerges(t *testing.T) {
	records := []incident.Record{
		{ID: "a", Status: incident.Closed, Times: incident.Times{Created: noon, Acknowledged: minute(1)}},
		{ID: "b", Status: incident.Cancelled, Times: incident.Times{Created: noon, Acknowledged: minute(9)}},
		{ID: "c", Status: incident.Merged, Times: incident.Times{Created: noon, Acknowledged: minute(9)}},
	}
	f, err := incident.FiguresOf(records, incident.FiguresOptions{})
	if err != nil || f.Volume != 1 || f.Merged != 1 || f.FalseAlarms != (incident.Share{Hits: 1, Of: 2}) || f.MTTA.N != 1 {
		t.Errorf("figures = %+v, %v", f, err)
	}
	// Called off before anybody declared them: they count where they were noticed.
	records = append(records,
		incident.Record{ID: "d", Status: incident.Cancelled, Times: incident.Times{Detected: minute(20), Closed: minute(90)}},
		incident.Record{ID: "e", Status: incident.Merged, Times: incident.Times{Detected: minute(20), Closed: minute(90)}})
	for i, want := range []incident.Share{{Hits: 2, Of: 3}, {}} {
		hour := calendar.Interval{Start: minute(60 * i), End: minute(60 * (i + 1))}
		f, err := incident.FiguresOf(records, incident.FiguresOptions{Period: hour})
		if err != nil || f.FalseAlarms != want || f.Merged != 2*(1-i) {
			t.Errorf("hour %d: false alarms %v, merged %d, %v, want %v", i, f.FalseAlarms, f.Merged, err, want)
		}
	}
}

// TestMeanDoesNotOverflow sums 400 durations of 100 years: int64 nanoseconds
// hold 292.
func TestMeanDoesNotOverflow(t *testing.T) {
	century := 876_600 * time.Hour
	r := incident.Record{Times: incident.Times{Detected: noon, Resolved: noon.Add(century)}}
	d := incident.Measured(slices.Repeat([]incident.Record{r}, 400), incident.MTTR)
	if want := big.NewRat(int64(century/time.Second), 1); d.Mean().Cmp(want) != 0 {
		t.Errorf("Mean = %v, want %v", d.Mean(), want)
	}
}

// TestPercentileLaws checks that every method stays within the sample and
// grows with p.
func TestPercentileLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		sample := make([]time.Duration, 1+r.IntN(20))
		for i := range sample {
			sample[i] = time.Duration(r.IntN(1000)) * time.Second
		}
		slices.Sort(sample)
		for m := incident.Linear; m <= incident.Higher; m++ {
			var before *big.Rat
			for p := range int64(21) {
				got, err := incident.Percentile(sample, big.NewRat(p, 20), m)
				if err != nil {
					t.Fatal(err)
				}
				low, high := big.NewRat(int64(sample[0]/time.Second), 1), big.NewRat(int64(sample[len(sample)-1]/time.Second), 1)
				if got.Cmp(low) < 0 || got.Cmp(high) > 0 || before != nil && got.Cmp(before) < 0 {
					t.Fatalf("%v of %v at %d/20 = %v, before %v", m, sample, p, got, before)
				}
				before = got
			}
		}
	}
	for _, p := range []*big.Rat{nil, big.NewRat(-1, 2), big.NewRat(3, 2)} {
		if _, err := incident.Percentile(nil, p, incident.Linear); err == nil {
			t.Errorf("Percentile at %v = nil, want an error", p)
		}
	}
	if _, err := incident.Percentile(nil, big.NewRat(1, 2), 99); err == nil {
		t.Error("Percentile by method 99 = nil, want an error")
	}
}

// The targets of the operations guide; '<' and '>' are strict, "minimum" is
// inclusive.
func TestTargets(t *testing.T) {
	for _, tt := range []struct {
		text   string
		figure string
		want   incident.Verdict
	}{
		{"< 2 hours", "7200", incident.Missed},
		{"< 2 hours", "71999/10", incident.Met},
		{"> 60%", "60", incident.Missed},
		{"< 20%", "19.99", incident.Met},
		{"> 4.5/5", "4.5", incident.Missed},
		{"72 hours minimum", "259200", incident.Met},
		{"72 hours minimum", "259199", incident.Missed},
		{"< 60 seconds", "59", incident.Met},
	} {
		figure, _ := new(big.Rat).SetString(tt.figure)
		if got := target(tt.text).Judge(figure); got != tt.want {
			t.Errorf("Judge(%s, %s) = %v, want %v", tt.text, tt.figure, got, tt.want)
		}
	}
	if (incident.Target{}).Judge(big.NewRat(1, 1)) != incident.Undecided || target("> 60%").JudgeDuration(time.Hour) != incident.Undecided {
		t.Error("a target that is not set, or of another unit, judged")
	}
	if number, unit := target("> 4.5/5").Limit(); number == nil || number.Cmp(big.NewRat(9, 2)) != 0 || unit != "of 5" {
		t.Errorf("Limit(> 4.5/5) = %v %q, want 9/2 of 5", number, unit)
	}
	if number, unit := (incident.Target{}).Limit(); number != nil || unit != "" {
		t.Errorf("Limit of no target = %v %q, want none", number, unit)
	}
	if !target("< 5%").Strict() || target("72 hours minimum").Strict() || target("<= 30s").Strict() || (incident.Target{}).Strict() {
		t.Error(`Strict: want true for "< 5%" alone`)
	}
	if _, err := incident.ParseTarget("soon"); err == nil || !strings.Contains(err.Error(), `"soon"`) {
		t.Errorf("ParseTarget(soon) = %v, want an error with the text", err)
	}
	want := map[incident.Severity]time.Duration{incident.P1: 2 * time.Hour, incident.P2: 8 * time.Hour, incident.P3: 24 * time.Hour, incident.P4: 72 * time.Hour}
	for sev, target := range incident.DefaultTargets() {
		if target.JudgeDuration(want[sev]) != incident.Missed || target.JudgeDuration(want[sev]-1) != incident.Met {
			t.Errorf("%v: %v, want < %v", sev, target, want[sev])
		}
	}
}

// TestOpenIncidents: missed once the target cannot be kept, undecided before.
func TestOpenIncidents(t *testing.T) {
	r := incident.Record{ID: "i", Severity: incident.P1, Times: incident.Times{Detected: noon}}
	for _, tt := range []struct {
		at   time.Time
		want incident.Verdict
	}{
		{time.Time{}, incident.Undecided},
		{minute(-5), incident.Undecided},
		{minute(119), incident.Undecided},
		{minute(120), incident.Missed},
	} {
		got := incident.ComplianceOf([]incident.Record{r}, incident.MTTR, incident.DefaultTargets(), tt.at)
		if j := got.Judgements[0]; j.Verdict != tt.want || !j.Open || j.Missing {
			t.Errorf("at %v: %+v, want %v", tt.at, j, tt.want)
		}
	}
	waiting := r
	waiting.Waits = []calendar.Interval{{Start: minute(10), End: minute(70)}}
	if got := incident.ComplianceOf([]incident.Record{waiting}, incident.MTTR, incident.DefaultTargets(), minute(120)); got.Kept.Of != 0 {
		t.Errorf("with an hour of customer wait: %+v, want undecided", got.Judgements[0])
	}
}

// TestOpenWait: the clock stands still while the customer still has to answer, and not
// while a vendor has to.
func TestOpenWait(t *testing.T) {
	for awaited, want := range map[incident.Awaited]time.Duration{incident.AwaitCustomer: 10 * time.Minute, incident.AwaitVendor: 5 * time.Hour} {
		inc := newIncident(t, incident.Options{})
		apply(t, inc,
			ev(incident.Declare, 0, incident.Details{Title: "down", Severity: incident.P1, Detected: noon}),
			ev(incident.StartWait, 10, incident.Details{Awaiting: awaited}))
		records := []incident.Record{inc.State().Record()}
		missed := want >= 2*time.Hour
		got := incident.ComplianceOf(records, incident.MTTR, incident.DefaultTargets(), minute(300)).Judgements[0]
		if got.Lapse != want || (got.Verdict == incident.Missed) != missed {
			t.Errorf("awaiting the %s: %+v, want %v so far", awaited, got, want)
		}
		meter := incident.NewMeter(incident.FiguresOptions{Targets: incident.DefaultTargets()})
		meter.Update(&records[0])
		if f, err := meter.Figures(minute(300)); err != nil || (f.Kept.Of == 1) != missed {
			t.Errorf("awaiting the %s: Kept = %v, %v in a meter", awaited, f.Kept, err)
		}
	}
}

func TestCostOfTwoCurrencies(t *testing.T) {
	eur, usd := money.Must(money.Parse("1.00 EUR")), money.Must(money.Parse("1.00 USD"))
	if _, err := incident.CostOf([]money.Amount{eur, {}, usd}); err == nil {
		t.Error("CostOf two currencies = nil, want an error")
	}
	if c, err := incident.CostOf([]money.Amount{{}, eur, {}}); err != nil || c.N != 1 || c.Total != eur {
		t.Errorf("CostOf = %+v, %v, want 1.00 EUR of one", c, err)
	}
}

func TestAvailabilityErrors(t *testing.T) {
	period := calendar.Interval{Start: noon, End: minute(60)}
	inverted := []calendar.Interval{{Start: minute(2), End: minute(1)}}
	for name, call := range map[string]func() error{
		"empty period":    func() error { _, err := incident.UptimeOf(calendar.Interval{}, nil, nil, 0); return err },
		"inverted period": func() error { _, err := incident.UptimeOf(inverted[0], nil, nil, 0); return err },
		"downtime":        func() error { _, err := incident.UptimeOf(period, inverted, nil, 0); return err },
		"maintenance":     func() error { _, err := incident.UptimeOf(period, nil, inverted, 0); return err },
		"failures":        func() error { _, err := incident.MTBFStarts(inverted); return err },
		"percent":         func() error { _, err := incident.AllowedDowntime(time.Hour, "101"); return err },
		"no percent":      func() error { _, err := incident.AllowedDowntime(time.Hour, "many"); return err },
	} {
		if call() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// A failure inside agreed maintenance is none; one that began before the period is not counted again.
	u, err := incident.UptimeOf(period, []calendar.Interval{{Start: minute(-5), End: minute(5)}, {Start: minute(10), End: minute(20)}, {Start: minute(30), End: minute(31)}},
		[]calendar.Interval{{Start: minute(10), End: minute(20)}}, incident.MaintenanceIsUp)
	if err != nil || u.Failures != 1 || u.Down != 6*time.Minute {
		t.Errorf("Available = %+v, %v, want 1 failure, 6m down", u, err)
	}
}

func TestTextRoundTrips(t *testing.T) {
	for m := incident.Linear; m <= incident.Higher; m++ {
		text, err := m.MarshalText()
		var again incident.Method
		if err != nil || again.UnmarshalText(text) != nil || again != m {
			t.Errorf("%v: %s, %v", m, text, err)
		}
	}
	for v := incident.Undecided; v <= incident.Missed; v++ {
		text, err := v.MarshalText()
		var again incident.Verdict
		if err != nil || again.UnmarshalText(text) != nil || again != v {
			t.Errorf("%v: %s, %v", v, text, err)
		}
	}
	for _, want := range []incident.Target{{}, target("< 2 hours"), target("> 4.5/5")} {
		text, err := want.MarshalText()
		var again incident.Target
		if err != nil || again.UnmarshalText(text) != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("%v: %s, %v", want, text, err)
		}
	}
	if got := incident.MTTR.String(); got != "detected to resolved" {
		t.Errorf("MTTR = %q", got)
	}
	if new(incident.Method).UnmarshalText([]byte("x")) == nil || new(incident.Verdict).UnmarshalText([]byte("x")) == nil {
		t.Error("unknown names were read")
	}
}
