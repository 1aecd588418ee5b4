package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// september is a report of one service, "api", with the evidence that a test adds.
func september(tb testing.TB, change func(c *sla.Contract, e *sla.Evidence)) report.ServiceReport {
	tb.Helper()
	c := sla.Preset("c-1", sla.Professional, "UTC", money.Must(money.Parse("40000.00 EUR")))
	c.Customer = "cust"
	c.Terms[0].Availability.Services = []sla.Service{{ID: "api"}}
	first := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	e := sla.Evidence{Observed: calendar.Interval{Start: first, End: first.AddDate(0, 1, 0)}}
	if change != nil {
		change(&c, &e)
	}
	a, err := sla.Compile(c)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := a.Report(a.PeriodAt(first), e, sla.ReportOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return report.ServiceReport{Report: r, Contract: c, Services: map[string]string{"api": "Public <API>"}, Sources: []report.Source{{Name: "a.csv", SHA256: "00"}}, Explained: true}
}

func at(day, hour, minute int) time.Time {
	return time.Date(2026, 9, day, hour, minute, 0, 0, time.UTC)
}

func render(t *testing.T, r report.ServiceReport) (text, html, md, data string) {
	t.Helper()
	d := r.Document()
	var b [3]bytes.Buffer
	for i, err := range []error{d.Text(&b[0]), d.HTML(&b[1]), d.Markdown(&b[2])} {
		if err != nil {
			t.Fatalf("rendering %d: %v", i, err)
		}
	}
	out, err := json.Marshal(r.Data())
	if err != nil {
		t.Fatal(err)
	}
	return b[0].String(), b[1].String(), b[2].String(), string(out)
}

func TestServiceReport(t *testing.T) {
	three := 3
	for _, c := range []struct {
		name   string
		change func(c *sla.Contract, e *sla.Evidence)
		text   []string // in text, page and Markdown
		data   []string
	}{
		{
			"kept", nil,
			[]string{"every promise kept, nothing due", "0.00 EUR"},
			[]string{`"state":"none"`, `"availability_percent":100,"availability_fraction":"1/1"`, `"breaches":[]`, `"lines":[]`},
		},
		{
			"missed without a band: 5 h of 720 h are 99.305555 %",
			func(_ *sla.Contract, e *sla.Evidence) {
				e.Outages = []sla.Outage{{Ref: "I-1", Service: "api", Start: at(3, 0, 0), End: at(3, 5, 0)}}
			},
			[]string{"99.305555 %", "missed, no credit band reached", "a promise was missed, but no credit is due for it", "-1h24m"},
			[]string{`"state":"breached_no_band"`, `"budget_left_s":-5040`, `"rate_percent":0`},
		},
		{
			"nothing measured",
			func(_ *sla.Contract, e *sla.Evidence) { e.Observed.Start = e.Observed.End },
			[]string{"Nothing was measured in this period", "no data: not every service was measured"},
			[]string{`"state":"no_data"`, `"availability_percent":null,"availability_fraction":null`, `"met":null`},
		},
		{
			"a period that is not over",
			func(_ *sla.Contract, e *sla.Evidence) { e.Observed.End = at(10, 0, 0) },
			[]string{"The period is not over", "credits are an estimate"},
			[]string{`"complete":false`, `"through":"2026-09-10T00:00:00Z"`},
		},
		{
			"capped: 10 % of 40 000, at most 5 %", // 8 h of 720 h are 98.888888 %
			func(c *sla.Contract, e *sla.Evidence) {
				five := money.WholePercent(5)
				c.CapPercent = &five
				e.Outages = []sla.Outage{{Ref: "I-1", Service: "api", Start: at(3, 0, 0), End: at(3, 8, 0)}}
			},
			[]string{"due, capped; 4000.00 EUR before the cap of 2000.00 EUR"},
			[]string{`"state":"capped"`, `"payable":{"amount":"2000.00","currency":"EUR"}`},
		},
		{
			"no cap",
			func(c *sla.Contract, _ *sla.Evidence) { c.CapPercent = nil },
			nil,
			[]string{`"cap":null`},
		},
		{
			"evidence beside the figures",
			func(c *sla.Contract, e *sla.Evidence) {
				c.Terms[0].Availability.Services = append(c.Terms[0].Availability.Services, sla.Service{ID: "web"})
				e.Outages = []sla.Outage{
					{Service: "api", Start: at(3, 0, 0), End: at(3, 0, 0)},
					{Service: "api", Start: at(-3, 0, 0), End: at(-2, 0, 0)},
					{Service: "mail", Start: at(3, 0, 0), End: at(3, 0, 1)},
					{Start: at(3, 0, 0), End: at(3, 0, 1)},
				}
			},
			[]string{
				"Evidence that is not part of the figures: 1 without length, 1 outside the covered time, 1 of a service that no term names.",
				"Evidence without a service, which counts against each: 1.",
			},
			[]string{`"grade":"complete","empty":1,"outside":1,"unassigned":1,"shared":1`},
		},
		{
			"a mean of services",
			func(c *sla.Contract, e *sla.Evidence) {
				a := c.Terms[0].Availability
				a.Services, a.Aggregate = append(a.Services, sla.Service{ID: "web"}), sla.Mean
				e.Outages = []sla.Outage{{Ref: "I-1", Service: "api", Start: at(3, 0, 0), End: at(3, 7, 12)}} // 1 %, so the mean is 99.5 %
			},
			[]string{"mean of the services", "99.500000 %"},
			[]string{`"overall":{"method":"mean","service":null,"availability_percent":99.5,"met":true}`},
		},
		{
			"incidents, changes and restores",
			func(_ *sla.Contract, e *sla.Evidence) {
				e.Incidents = []sla.Incident{{
					ID: "I-2", Service: "api", Severity: incident.P1, Opened: at(4, 0, 0), Responded: at(4, 0, 6), Resolved: at(4, 1, 0), Cause: "cause | one", Action: "action",
					Escalations: &three, Cost: money.Must(money.Parse("100.01 EUR")),
				}}
				e.Changes = []sla.Change{{Ref: "C-1", Start: at(5, 0, 0), End: at(5, 1, 0), Kind: sla.NormalChange, Outcome: sla.ChangeFailed}}
				e.Restores = []sla.Restore{{Service: "api", Kind: sla.RestoreSide, Started: at(6, 0, 0)}}
			},
			[]string{"cost per incident", "100.01 EUR", "0 %", "6m"},
			[]string{`"cause":"cause | one","remedial_action":"action"`, `"value":{"amount":"100.01","currency":"EUR"},"unit":"money"`, `"success_percent":0`},
		},
		{
			"no promise of availability",
			func(c *sla.Contract, _ *sla.Evidence) { c.Terms = c.Terms[1:] },
			nil,
			[]string{`"overall":null`, `"availability":[]`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, html, md, data := render(t, september(t, c.change))
			for _, want := range c.text {
				if !strings.Contains(text, want) || !strings.Contains(html, want) || !strings.Contains(md, want) {
					t.Errorf("%q is in the text: %t, the page: %t, Markdown: %t, want it in all", want, strings.Contains(text, want), strings.Contains(html, want), strings.Contains(md, want))
				}
			}
			for _, want := range c.data {
				if !strings.Contains(data, want) {
					t.Errorf("the data lack %s:\n%s", want, data)
				}
			}
			if strings.Contains(html, "<API>") || strings.Contains(data, "NaN") {
				t.Error("a text became markup, or a number is none")
			}
		})
	}
}

// The payload has durations to the nanosecond and no rounded percentage.
func TestServiceDataIsExact(t *testing.T) {
	_, _, _, data := render(t, september(t, func(_ *sla.Contract, e *sla.Evidence) {
		e.Outages = []sla.Outage{{Ref: "I-1", Service: "api", Start: at(3, 0, 0), End: at(3, 0, 0).Add(1500*time.Millisecond + time.Nanosecond)}}
	}))
	// 1.500000001 s of 2 592 000 s leave 99.99994212…
	for _, want := range []string{`"down_s":1.500000001`, `"availability_percent":99.999942`} {
		if !strings.Contains(data, want) {
			t.Errorf("the data lack %s:\n%s", want, data)
		}
	}
}

// Breaches, lines and what is payable are the same in the table and in the data.
func TestServiceBreaches(t *testing.T) {
	r := september(t, func(_ *sla.Contract, e *sla.Evidence) {
		e.Gaps = []sla.Gap{{Service: "api", Start: at(7, 0, 0), End: at(7, 0, 45)}}
	})
	var b bytes.Buffer
	if err := r.Breaches().CSV(&b, report.CSVOptions{}); err != nil {
		t.Fatal(err)
	}
	// 1 % of 40 000 for an hour, three quarters of one.
	want := "customer_id,period,clause,ref,service,severity,promised,actual,unit,amount,currency\ncust,2026-09,monitoring,monitoring,,,0,2700,s,300.00,EUR\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// Half of the fee for a month down and 1 % of it for an hour without monitoring,
// under a cap of 10 %: what the rows come to is what is payable, and the same
// statement has the same keys.
func TestServiceCredits(t *testing.T) {
	make := func() report.ServiceReport {
		return september(t, func(c *sla.Contract, e *sla.Evidence) {
			limit := money.WholePercent(10)
			c.CapPercent = &limit
			e.Outages = []sla.Outage{{Ref: "I-1", Service: "api", Start: at(1, 0, 0), End: at(30, 23, 0)}}
			e.Gaps = []sla.Gap{{Service: "api", Start: at(7, 0, 0), End: at(7, 1, 0)}}
			e.Losses = []sla.Loss{{Ref: "L-1", At: at(9, 0, 0), Claimed: money.Must(money.Parse("5.00 EUR"))}}
		})
	}
	table, err := make().Credits()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range table.Rows {
		got = append(got, strings.Join([]string{row[3].Text, row[4].Text, row[5].Text, row[6].Text, row[7].Text, row[8].Text}, ","))
	}
	want := []string{
		"availability,availability,api,percent_of_fee,20000.00,EUR",
		"monitoring,monitoring,monitoring,percent_of_fee_per_hour,400.00,EUR",
		",,,adjustment,-16400.00,EUR",
		"data-loss,data_loss,L-1,liability,5.00,EUR",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	again, err := make().Credits()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, row := range table.Rows {
		if key := row[0].Text; seen[key] || key == "" || key != again.Rows[i][0].Text {
			t.Errorf("key %q: want one of its own, and the same again", key)
		} else {
			seen[key] = true
		}
	}
}

func BenchmarkServiceReport(b *testing.B) {
	r := september(b, func(_ *sla.Contract, e *sla.Evidence) {
		for day := 1; day <= 30; day++ {
			e.Outages = append(e.Outages, sla.Outage{Ref: fmt.Sprintf("I-%d", day), Service: "api", Start: at(day, 1, 0), End: at(day, 1, 7)})
		}
	})
	for name, f := range map[string]func() error{
		"html": func() error { return r.Document().HTML(&bytes.Buffer{}) },
		"data": func() error { _, err := json.Marshal(r.Data()); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleServiceReport() {
	contract := sla.Preset("acme-2026", sla.Enterprise, "Europe/Amsterdam", money.Must(money.Parse("100000.00 EUR")))
	contract.Customer = "acme"
	agreement, err := sla.Compile(contract)
	if err != nil {
		panic(err)
	}
	october := agreement.PeriodAt(time.Date(2026, 10, 15, 0, 0, 0, 0, time.UTC))
	evidence := sla.Evidence{
		Observed: october.Interval,
		Outages:  []sla.Outage{{Ref: "INC-1", Start: october.Start.Add(time.Hour), End: october.Start.Add(9 * time.Hour)}},
	}
	figures, err := agreement.Report(october, evidence, sla.ReportOptions{})
	if err != nil {
		panic(err)
	}
	r := report.ServiceReport{Report: figures, Contract: contract, Zone: agreement.Location()}
	if err := r.Breaches().CSV(os.Stdout, report.CSVOptions{}); err != nil { // or r.Document().HTML(w)
		panic(err)
	}
	// Output:
	// customer_id,period,clause,ref,service,severity,promised,actual,unit,amount,currency
	// acme,2026-10,availability,availability,,,99.9,98.926174,percent,10000.00,EUR
}

// What a line multiplies is in its quantity: intervals, days, and the hours that
// are paid for.
func TestServiceDataQuantities(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(c *sla.Contract, e *sla.Evidence)
		want   string
	}{
		// 90 min are 3 times 30.
		{"intervals", func(c *sla.Contract, _ *sla.Evidence) {
			c.Terms[0].Availability.Remedy = sla.PerInterval{Percent: money.WholePercent(2), Interval: 30 * time.Minute}
		}, "3 × 2 = 2400.00 EUR"},
		// 5 of 30 days.
		{"days", func(c *sla.Contract, _ *sla.Evidence) {
			c.Terms[0].Availability.Remedy = sla.Bands{Bands: []sla.Band{{Below: money.WholePercent(100), Days: 5}}}
		}, "5 × 0 = 6666.67 EUR"},
		// 90 min begin 2 hours.
		{"started hours", func(c *sla.Contract, e *sla.Evidence) {
			c.Terms[3].Monitoring.Count = sla.StartedHours
			e.Gaps, e.Outages = []sla.Gap{{Start: at(4, 0, 0), End: at(4, 1, 30)}}, nil
		}, "2 × 1 = 800.00 EUR"},
	} {
		r := september(t, func(contract *sla.Contract, e *sla.Evidence) {
			contract.Terms[0].Availability.Target = money.WholePercent(100)
			e.Outages = []sla.Outage{{Service: "api", Start: at(3, 0, 0), End: at(3, 1, 30)}}
			c.change(contract, e)
		})
		lines := r.Data().Credits.Lines
		if len(lines) != 1 {
			t.Fatalf("%s: lines %+v, want one", c.name, lines)
		}
		if got := fmt.Sprintf("%s × %s = %s", lines[0].Quantity, lines[0].Rate, lines[0].Amount); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The explanation of what is payable says what bounded it, and that all lines were
// rounded together.
func TestServiceReportExplainsBounds(t *testing.T) {
	r := september(t, func(c *sla.Contract, e *sla.Evidence) {
		limit := money.WholePercent(1)
		c.RoundOnce, c.CapPercent = true, &limit
		e.Outages = []sla.Outage{{Service: "api", Start: at(3, 0, 0), End: at(4, 0, 0)}}
	})
	all := r.Explain()
	last := all[len(all)-1]
	text := fmt.Sprint(last.Formula, last.Values)
	for _, want := range []string{"rounded once", "credits of 10000.00 EUR, capped at 400.00 EUR"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: want %q in it", text, want)
		}
	}
}

// A notice of minus 500 ms, and one of as much as there is, are numbers.
func TestServiceDataNotice(t *testing.T) {
	r := september(t, func(_ *sla.Contract, e *sla.Evidence) {
		e.Maintenance = []sla.Maintenance{
			{Ref: "a", Start: at(3, 0, 0), End: at(3, 1, 0), Announced: at(3, 0, 0).Add(500 * time.Millisecond)},
			{Ref: "b", Start: at(3, 0, 0), End: at(3, 1, 0), Announced: at(3, 0, 0).AddDate(1000, 0, 0)}, // more than int64 holds
		}
	})
	text, err := json.Marshal(r.Data().Maintenance)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"notice_s":-0.5,`, `"notice_s":-9223372036.854775808,`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s: want %s in it", text, want)
		}
	}
}
