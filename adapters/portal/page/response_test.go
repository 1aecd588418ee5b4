package page_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
)

// answered is a customer with the three months to November 2026 in Amsterdam, without
// any incident.
func answered(tb testing.TB) *page.Tenant {
	tb.Helper()
	zone := amsterdam(tb)
	t := &page.Tenant{ID: "acme", At: time.Date(2026, 11, 28, 9, 30, 0, 0, zone), Zone: zone, Services: []page.Service{{ID: "api"}}}
	for month := time.September; month <= time.November; month++ {
		start := time.Date(2026, month, 1, 0, 0, 0, 0, zone)
		var m report.ServiceReport
		m.Report.Statement.Period = sla.Period{Label: start.Format("2006-01"), Interval: calendar.Interval{Start: start, End: start.AddDate(0, 1, 0)}}
		t.Months = append(t.Months, m)
	}
	return t
}

// answer adds an incident of a severity, opened at an instant. Where something was
// promised, a clock of the contract stopped after so much working time; otherwise
// somebody acknowledged after so much time.
func answer(t *page.Tenant, s incident.Severity, opened time.Time, took, promised time.Duration) *page.Incident {
	in := page.Incident{Incident: sla.Incident{ID: fmt.Sprintf("I-%d", len(t.Incidents)), Service: "api", Severity: s, Opened: opened, Acknowledged: opened.Add(took)}}
	if promised > 0 {
		in.Clocks = []sla.ClockState{{Clause: sla.ClauseResponse, Severity: s, Outcome: sla.Met, Stopped: opened.Add(took), Elapsed: took, Target: promised}}
	}
	t.Incidents = append(t.Incidents, in)
	return &t.Incidents[len(t.Incidents)-1]
}

// drawingOf is the drawing of a figure of a page.
func drawingOf(text, id string) string {
	_, drawing, _ := strings.Cut(text, `aria-labelledby="`+id+`-t `+id+`-d">`)
	drawing, _, _ = strings.Cut(drawing, "</svg>")
	return drawing
}

func incidentsPage(tb testing.TB, t *page.Tenant, o page.Options) string {
	tb.Helper()
	var b bytes.Buffer
	if err := t.Write(&b, page.Incidents, o); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// Twenty responses in September after 20, 19 ... 1 minutes: the nearest ranks are
// ceil(0.5·20) = 10 and ceil(0.95·20) = 19. Two in November after 6 and 4 minutes: ceil(0.5·2)
// = 1 and ceil(0.95·2) = 2. October has none.
//
// The axis runs to 19 minutes over 176 units above 220, and over 848 from 56 on for 2185
// hours, of which October has 745: September ends at 56 + 848·720/2185 = 335.43, November
// begins at 56 + 848·1465/2185 = 624.57, and the middles of September and October are at
// 195.72 and (335.43 + 624.57)/2 = 480.
// 10 minutes are at 220 − 176·10/19 = 127.37, 4 at 182.95, 6 at 164.42, and the target of 15 at 81.05.
func TestResponseTimes(t *testing.T) {
	tenant, zone := answered(t), amsterdam(t)
	for n := 20; n >= 1; n-- {
		answer(tenant, incident.P1, time.Date(2026, 9, n, 8, 0, 0, 0, zone), time.Duration(n)*time.Minute, 15*time.Minute)
	}
	answer(tenant, incident.P1, time.Date(2026, 11, 3, 8, 0, 0, 0, zone), 6*time.Minute, 15*time.Minute)
	// A response counts in the month in which it is given.
	answer(tenant, incident.P1, time.Date(2026, 10, 31, 23, 58, 0, 0, zone), 4*time.Minute, 15*time.Minute)
	// Nobody has answered this one, and this one was withdrawn before anybody did.
	answer(tenant, incident.P1, time.Date(2026, 10, 5, 8, 0, 0, 0, zone), time.Hour, 15*time.Minute).Clocks[0].Stopped = time.Time{}
	withdrawn := answer(tenant, incident.P1, time.Date(2026, 10, 6, 8, 0, 0, 0, zone), time.Hour, 15*time.Minute)
	withdrawn.Cancelled = withdrawn.Clocks[0].Stopped

	text := incidentsPage(t, tenant, page.Options{})
	check(t, "incidents", text)
	have(t, "incidents", text,
		"Time to the first response by month", "P1 critical: time to the first response by month", "Sep 2026 20 10m 19m Oct 2026 0 – no data – no data Nov 2026 2 4m 6m",
		"November 2026: of 2 responses half were given within 4m, and 95 % within 6m. Promised: 15m.")
	for _, want := range []string{
		`<path class="series s0" d="M56 127.37L335.43 127.37M624.57 182.95L904 182.95"/>`,
		`<path class="series s1 dashed" stroke-dasharray="10 8" d="M56 44L335.43 44M624.57 164.42L904 164.42"/>`,
		`<line class="limit" x1="56" x2="904" y1="81.05" y2="81.05"/>`,
		`<text class="limit" x="60" y="77.05">Target 15m</text>`,
		`<text class="axis" x="480" y="238" text-anchor="middle">– Oct 2026</text>`,
		`<text class="axis" x="195.72" y="238" text-anchor="middle">Sep 2026</text>`,
		`>min</text>`, `<title id="response-P1-t">P1 critical: time to the first response by month</title>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s:\n%s", want, drawingOf(text, "response-P1"))
		}
	}
	for lang, want := range map[string]string{
		"de": "November 2026: Von 2 Reaktionen kam die Hälfte innerhalb von 4 min, 95 % innerhalb von 6 min. Zugesagt: 15 min.",
		"nl": "november 2026: van 2 reacties kwam de helft binnen 4 min en 95 % binnen 6 min. Beloofd: 15 min.",
		"fr": "novembre 2026 : sur 2 réponses, la moitié a été donnée en 4 min au plus et 95 % en 6 min au plus. Promis : 15 min.",
	} {
		have(t, lang, strings.ReplaceAll(incidentsPage(t, tenant, page.Options{Locale: lang}), "\u00a0", " "), want)
	}
}

// Severities have targets of their own, so each has its drawing; one that nothing is
// promised for is timed by the clock on the wall, and next to clocks of the contract
// others are left out.
func TestResponseTargets(t *testing.T) {
	tenant, zone := answered(t), amsterdam(t)
	day := time.Date(2026, 11, 3, 8, 0, 0, 0, zone)
	answer(tenant, incident.P2, day, 5*time.Hour, 4*time.Hour)
	answer(tenant, incident.P2, day, time.Hour, 4*time.Hour)
	answer(tenant, incident.P2, day, time.Hour, 6*time.Hour)
	answer(tenant, incident.P2, day, 90*time.Hour, 0)
	answer(tenant, incident.P3, day, time.Hour, time.Hour).Clocks[0].Target = 0
	answer(tenant, incident.P4, day, 2*time.Hour, 0).Responded = day.Add(time.Hour)
	text := incidentsPage(t, tenant, page.Options{})
	have(t, "incidents", text,
		"November 2026: of 3 responses half were given within 1h, and 95 % within 5h. Promised: 4h, 6h.", "Target 4h", "Target 6h",
		"P3 medium: time to the first response by month", "November 2026: 1 response, after 1h. Promised: next business day.",
		"November 2026: 1 response, after 1h. The contract promises no time; hours run around the clock.")
	if !strings.Contains(text, ">h</text>") || strings.Contains(text, "response-P1") {
		t.Error("want hours for the axis of P2, and no drawing of P1")
	}
	have(t, "incidents", incidentsPage(t, unanswered(t), page.Options{}), "No incident was responded to in these months.")
}

func unanswered(tb testing.TB) *page.Tenant {
	tb.Helper()
	t := answered(tb)
	answer(t, incident.P1, t.At.Add(-time.Minute), time.Hour, 0)
	return t
}

// A share consumed of 3/4 is 25 % left, which is at 220 − 176·0.25 = 176. Two hours of 6 · 350
// bad events are 21.26 % of the 19755 that are allowed after 658.5 of the 745 hours of the
// month, and 18.79 % of what the month allows.
func TestFreeze(t *testing.T) {
	const line = `<line class="limit" x1="56" x2="904" y1="176" y2="176"/>`
	for _, c := range []struct {
		consumed slo.Ratio
		wants    []string
		lines    int
	}{
		{slo.NewRatio(3, 4), []string{"Freeze of releases ✓ not in force from 75.00 % of the budget consumed on", "releases stop", "exhausted", "Once 75.00 % of the budget is consumed, releases stop."}, 2},
		{slo.NewRatio(3, 20), []string{"Freeze of releases ▲ in force from 15.00 % of the budget consumed on"}, 2},
		{slo.NewRatio(1, 1), []string{"exhausted, releases stop", "Once 100.00 % of the budget is consumed, releases stop."}, 1},
		{slo.NewRatio(3, 2), []string{"Freeze of releases ✓ not in force from 150.00 % of the budget consumed on", "Once 150.00 % of the budget is consumed, releases stop."}, 1},
		{slo.Ratio{}, nil, 1}, // no policy
	} {
		tenant := sample(t, 1)
		if o := &tenant.Budgets.Budgets[0].Objective; c.consumed.IsSet() {
			o.BudgetPolicy = slo.BudgetPolicy{Actions: []slo.BudgetAction{{Name: "review", Consumed: slo.NewRatio(1, 2)}, {Name: slo.Freeze, Consumed: c.consumed}}}
		}
		var b bytes.Buffer
		if err := tenant.Write(&b, page.SLO, page.Options{}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		check(t, "slo", text)
		have(t, "slo", text, c.wants...)
		drawing := drawingOf(text, "history-checkout-success")
		if got := strings.Count(drawing, `<line class="limit"`); got != c.lines {
			t.Errorf("freeze at %s: %d lines, want %d: %s", c.consumed, got, c.lines, drawing)
		}
		if got := strings.Contains(drawing, line); got != (c.consumed.Compare(slo.NewRatio(3, 4)) == 0) {
			t.Errorf("freeze at %s: a line at 25 %%: %t", c.consumed, got)
		}
		if !c.consumed.IsSet() && strings.Contains(text, "eleases") {
			t.Error("a freeze without a policy")
		}
	}
}
