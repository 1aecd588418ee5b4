package report_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/anomaly/forecast"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// ahead is an outlook as of 1 October 2026, with a component for each verdict, and a
// disk that grows by 2 GB a day from 100 GB on 1 September: on the 30th 158 GB are in
// use, and 200 GB are reached 21 days later.
func ahead() *report.Outlook {
	disk := forecast.Series{Start: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), Step: 24 * time.Hour}
	flat := forecast.Series{Start: disk.Start, Step: disk.Step}
	for i := range 30 {
		disk.Values = append(disk.Values, 100+2*float64(i))
		flat.Values = append(flat.Values, 12.5)
	}
	given := time.Date(2028, 1, 5, 0, 0, 0, 0, time.UTC)
	return &report.Outlook{
		At: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
		Components: []report.Component{
			{Name: "PHP", Version: "8.1", Service: "api", EndOfSupport: "2026-09-30", Replacement: "PHP 8.4"},
			{Name: "Ubuntu", Version: "22.04", EndOfSupport: "2027-04-30", Replacement: "Ubuntu 26.04", Planned: "2027-03-01"},
			{Name: "Redis", Version: "6.2", EndOfSupport: "2026-10-31", Planned: "2026-11-15"},
			{Name: "nginx", EndOfSupport: "2026-12-01"},
			{Name: "Kafka", EndOfSupport: "2028-10-01"},
			{Name: "X-7"},
		},
		Capacities: []report.Capacity{
			{Name: "disk-1", Service: "api", Unit: "GB", Limit: 200, Series: disk},
			{Name: "pool", Limit: 40, Series: flat},
			{Name: "queue", Unit: "GB", Limit: 10, Series: forecast.Series{Start: disk.Start, Step: disk.Step, Values: []float64{11, math.NaN()}}},
			{Name: "index", Unit: "GB", Limit: 10, Series: forecast.Series{Start: disk.Start, Step: disk.Step, Values: []float64{1, 2, 3}}},
			{Name: "lake", Unit: "TB", Limit: 9.5, Forecast: &forecast.ETA{State: forecast.OK, Median: &given, Earliest: &given, Latest: &given, Confidence: 0.925}},
		},
	}
}

func packOf(t *testing.T, k report.ReviewPack) report.Document {
	t.Helper()
	d, err := k.Document()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Days are those of the calendar: 1 October to 30 April are 211. Within 180 days an end
// without a plan is a warning.
func TestRoadmap(t *testing.T) {
	d := packOf(t, report.ReviewPack{Review: sla.ExecutiveReport(), Reports: quarter(t), Outlook: ahead()})
	want := []string{
		"PHP|8.1|Public <API>|30 Sep 2026|-1|PHP 8.4|no data|support is over",
		"Ubuntu|22.04|all services|30 Apr 2027|211|Ubuntu 26.04|1 Mar 2027|replaced in time",
		"Redis|6.2|all services|31 Oct 2026|30|not given|15 Nov 2026|replaced after its support ends",
		"nginx||all services|1 Dec 2026|61|not given|no data|no replacement is planned",
		"Kafka||all services|1 Oct 2028|731|not given|no data|supported",
		"X-7||all services|no data|no data|not given|no data|no data",
	}
	if got := rowsOf(t, d, "technology_roadmap_review", "End of support"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The disk grows without noise, so every history says the same day: 21 days after the
// last value.
func TestCapacity(t *testing.T) {
	d := packOf(t, report.ReviewPack{Review: sla.MonthlyReview(), Reports: quarter(t), Outlook: ahead()})
	want := []string{
		"disk-1|Public <API>|158 GB|200 GB|79 %|2 GB|21 Oct 2026|21 Oct 2026 to 21 Oct 2026|100 %|limit reached soon",
		"pool|all services|12.5|40|31.25 %|0|no data|no data|100 %|does not grow",
		"queue|all services|11 GB|10 GB|110 %|no data|no data|no data|100 %|limit reached", // one value is enough to see that
		"index|all services|3 GB|10 GB|30 %|no data|no data|no data|no data|no data",
		"lake|all services|no data|9.5 TB|no data|no data|5 Jan 2028|5 Jan 2028 to 5 Jan 2028|92.5 %|enough",
	}
	if got := rowsOf(t, d, "capacity_planning_review", "Capacity and limits"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := texts(d, "capacity_planning_review"); !strings.Contains(got, "90 of 100") {
		t.Errorf("explanation %q", got)
	}
}

func TestOutlookProblems(t *testing.T) {
	o := ahead()
	o.Components[0].EndOfSupport, o.Components[1].Name, o.Capacities[0].Limit, o.Capacities[1].Series.Step = "soon", "", math.Inf(1), 0
	_, err := report.ReviewPack{Review: sla.MonthlyReview(), Reports: quarter(t), Outlook: o}.Document()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`components[0].end_of_support: "soon", want a date`, "components[1].name: missing", "capacities[0].limit: +Inf, want", "capacities[1].series: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q lacks %q", err, want)
		}
	}
}

// The week from 31 August has the outage of 3 September, 5.5 of 168 hours: 96.726190 %.
// A week is a warning and earns no credit; what comes before a single one is not known.
func TestWeeklyReview(t *testing.T) {
	reports := weeks(t, "en")
	d := packOf(t, report.ReviewPack{Review: sla.WeeklyReview(), Reports: reports})
	if d.Title != "Weekly service review 2026-W36 to 2026-W37" {
		t.Errorf("title %q", d.Title)
	}
	// 0.5 % of 168 h are 50 min 24 s.
	want := []string{"2026-W36|Public <API>|99.5 %|96.726190 %|missed|5h30m|50m24s", "2026-W37|Public <API>|99.5 %|100.000000 %|met|0s|50m24s"}
	if got := rowsOf(t, d, "sla_performance_review", "Availability: promised and actual"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			table, _ := b.(report.Table)
			if table.Caption == "Fees and credits" || slices.ContainsFunc(table.Columns, func(c report.Column) bool { return c.Title == "Credit" }) {
				t.Errorf("section %s has credits", s.ID)
			}
			for _, row := range table.Rows {
				if row[0].Text == "2026-W36" && len(row) == 7 && row[4].State != report.Warning && s.ID == "sla_performance_review" {
					t.Errorf("a week below the target is %q", row[4].State)
				}
			}
		}
	}
	if got := rowsOf(t, d, sla.SectionChanges, "Changes"); !slices.Equal(got, []string{"2026-W36|0|0|0|0|0|0|no data", "2026-W37|0|0|0|0|0|0|no data"}) {
		t.Errorf("changes %q", got)
	}
	d = packOf(t, report.ReviewPack{Review: sla.WeeklyReview(), Reports: reports[:1]})
	if got := rowsOf(t, d, "incident_trend_analysis", "Incidents opened"); !slices.Equal(got, []string{"P1|1", "P2|0", "P3|0", "P4|0", "all|1"}) {
		t.Errorf("incidents of one week %q", got)
	}
}

func TestReviewLength(t *testing.T) {
	r := sla.MonthlyReview()
	k := report.ReviewPack{Review: r, Reports: quarter(t)}
	if got := texts(packOf(t, k), "participants"); got != "Duration: not agreed." {
		t.Errorf("without a length: %q", got)
	}
	k.Review.Length = 90 * time.Minute
	if got := texts(packOf(t, k), "participants"); got != "Duration: 1h30m." {
		t.Errorf("with a length: %q", got)
	}
}

// What a review says of the months ahead: when a disk is full that grows by 2 GB a day,
// and what is not supported for long any more.
func ExampleReviewPack() {
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	disk := forecast.Series{Start: start, Step: 24 * time.Hour}
	for day := range 30 {
		disk.Values = append(disk.Values, 100+2*float64(day))
	}
	contract := sla.Preset("c-1", sla.Enterprise, "UTC", money.Must(money.Parse("80000.00 EUR")))
	agreement, err := sla.Compile(contract)
	if err != nil {
		fmt.Println(err)
		return
	}
	end := start.AddDate(0, 1, 0)
	september, err := agreement.Report(agreement.PeriodAt(start), sla.Evidence{Observed: calendar.Interval{Start: start, End: end}}, sla.ReportOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := report.ReviewPack{
		Review: sla.ExecutiveReport(), Reports: []report.ServiceReport{{Report: september, Contract: contract}},
		Outlook: &report.Outlook{
			Components: []report.Component{{Name: "PostgreSQL", Version: "14", EndOfSupport: "2026-11-12", Replacement: "PostgreSQL 18"}},
			Capacities: []report.Capacity{{Name: "disk", Unit: "GB", Limit: 200, Series: disk}},
		},
	}.Document()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			if t, ok := b.(report.Table); ok && (t.Caption == "Capacity and limits" || t.Caption == "End of support") {
				for i, c := range t.Rows[0] {
					fmt.Println(t.Columns[i].Title+":", c.Text)
				}
			}
		}
	}
	// Output:
	// Resource: disk
	// Service: all services
	// In use: 158 GB
	// Limit: 200 GB
	// Share: 79 %
	// Growth per day: 2 GB
	// Limit reached: 21 Oct 2026
	// In 90 of 100 cases: 21 Oct 2026 to 21 Oct 2026
	// Confidence: 100 %
	// Verdict: limit reached soon
	// Component: PostgreSQL
	// Version: 14
	// Service: all services
	// Supported until: 12 Nov 2026
	// Days left: 42
	// Replacement: PostgreSQL 18
	// Replaced on: no data
	// Verdict: no replacement is planned
}
