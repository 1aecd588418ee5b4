package pagerduty_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
)

// history is some incidents over a year: those of one day, 60 in one second, and two
// at each end of the time that is exported.
func history(some, onOneDay int) []adaptertest.PagerDutyIncident {
	from := noon.AddDate(-1, 0, 0)
	random := rand.New(rand.NewPCG(1, 2))
	var all []adaptertest.PagerDutyIncident
	add := func(at time.Time) {
		all = append(all, adaptertest.PagerDutyIncident{Title: "x", Service: "PSHOP", Created: at, Status: "resolved", Resolved: at.Add(time.Hour)})
	}
	storm, second := from.AddDate(0, 3, 0), from.AddDate(0, 6, 0)
	for range onOneDay {
		add(storm.Add(time.Duration(random.IntN(86_400)) * time.Second))
	}
	for range 60 {
		add(second)
	}
	for _, border := range []time.Time{from, from, noon.Add(-time.Second), noon.Add(-time.Second)} {
		add(border)
	}
	for len(all) < some {
		at := from.Add(time.Duration(random.IntN(365*86_400)) * time.Second)
		if d := at.Sub(storm); d >= 0 && d < 24*time.Hour || at.Equal(second) {
			continue // the day and the second have what is said above
		}
		add(at)
	}
	return all
}

// 20,000 incidents, 100,000 with EVENKEEL_SOAK=1.
func TestExport(t *testing.T) {
	many := 20_000
	if os.Getenv("EVENKEEL_SOAK") != "" {
		many = 100_000
	}
	for _, tt := range []struct {
		inclusive      bool
		some, onOneDay int
	}{
		{false, many, 17_495}, // github.com/PagerDuty/pd2pg issue 16 has that day
		{true, 5_000, 3_000},
	} {
		if raceEnabled && tt.some > 5_000 {
			continue // many times slower, and about one goroutine
		}
		t.Run(fmt.Sprintf("%d, inclusive %v", tt.some, tt.inclusive), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, fake, _ := setUp(t, func(c *pagerduty.Config, o *adaptertest.PagerDutyOptions) {
					c.Now, o.Now, o.Inclusive = nil, func() time.Time { return noon }, tt.inclusive
				})
				fake.Add(history(tt.some, tt.onOneDay)...)
				// Just outside, on both sides.
				fake.Add(adaptertest.PagerDutyIncident{ID: "QBEFORE", Created: noon.AddDate(-1, 0, 0).Add(-time.Second)}, adaptertest.PagerDutyIncident{ID: "QAFTER", Created: noon})
				var want, got []string
				for _, i := range fake.Incidents() {
					if i.ID != "QBEFORE" && i.ID != "QAFTER" {
						want = append(want, i.ID)
					}
				}
				// The process dies again and again: a cursor goes on behind its incident.
				random := rand.New(rand.NewPCG(3, 4))
				cursor := ""
				for len(got) < len(want) {
					stop := random.IntN(tt.some / 3)
					before := len(got)
					for e, err := range client.Export(t.Context(), noon.AddDate(-1, 0, 0), noon, cursor) {
						if err != nil {
							t.Fatal(err)
						}
						got, cursor = append(got, e.Ticket.Ref.ID), e.Cursor
						if stop--; stop < 0 {
							break
						}
					}
					if len(got) == before {
						break
					}
				}
				if len(got) != tt.some || len(want) != tt.some {
					t.Errorf("exported %d of %d", len(got), len(want))
				}
				slices.Sort(want)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("not the same set: %d exported, %d different", len(got), len(slices.Compact(got)))
				}
				t.Logf("%d requests for %d incidents", fake.Asked("GET /incidents"), len(got))
				for _, err := range client.Export(t.Context(), noon.AddDate(-1, 0, 0), noon, cursor) {
					t.Errorf("more behind the last cursor: %v", err)
				}
			})
		})
	}
}

// A second with too many cannot be divided; it is named and nothing is left out.
func TestExportOfTooManyInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, fake, _ := setUp(t, func(c *pagerduty.Config, o *adaptertest.PagerDutyOptions) {
			c.Now, o.Now = nil, func() time.Time { return noon }
		})
		many := make([]adaptertest.PagerDutyIncident, 10_001)
		for i := range many {
			many[i].Created = noon.Add(-time.Hour)
		}
		fake.Add(many...)
		var last error
		n := 0
		for _, err := range client.Export(t.Context(), noon.Add(-2*time.Hour), noon, "") {
			if last = err; err == nil {
				n++
			}
		}
		if n != 0 || !errors.Is(last, adapters.TooLarge) || !strings.Contains(fmt.Sprint(last), "2026-11-22T11:00:0") && !strings.Contains(fmt.Sprint(last), "2026-11-22T10:59:59Z") {
			t.Errorf("%d incidents and %v, want too_large with the second", n, last)
		}
	})
}

func TestExportRefusesCursors(t *testing.T) {
	client, fake, _ := setUp(t)
	for _, cursor := range []string{"x", "2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z/x"} {
		for _, err := range client.Export(t.Context(), noon.Add(-time.Hour), noon, cursor) {
			if !errors.Is(err, adapters.Invalid) {
				t.Errorf("%q: %v, want invalid", cursor, err)
			}
		}
	}
	if fake.Asked("") != 0 {
		t.Error("something was sent")
	}
}

// A naive client reads pages until there are no more: 10,000 of 10,001.
func TestNaiveListEndsAt10000(t *testing.T) {
	fake := adaptertest.NewPagerDuty(account(func() time.Time { return noon }))
	fake.Add(make([]adaptertest.PagerDutyIncident, 10_001)...)
	status, got := 200, 0
	for offset := 0; status == 200; offset += 100 {
		answer := ask(t, fake, "GET", fmt.Sprintf("/incidents?date_range=all&limit=100&offset=%d", offset), "")
		if status = answer.Code; status == 200 {
			got += strings.Count(answer.Body.String(), `"incident_number"`)
		}
	}
	if status != 400 || got != 10_000 {
		t.Errorf("naive client read %d and ended with %d, want 10000 and 400", got, status)
	}
}

func TestWatch(t *testing.T) {
	client, _, at := setUp(t)
	ctx := t.Context()
	for e, err := range client.Changes(ctx, "") {
		if want := pagerduty.CursorAt(noon); err != nil || e.Cursor != want || !e.Ticket.Ref.IsZero() {
			t.Errorf("the beginning is %+v, %v, want the cursor %q alone", e, err, want)
		}
	}
	a, b := open(t, client, down("a")), open(t, client, down("b"))
	at.at = noon.Add(time.Minute)
	if err := client.Acknowledge(ctx, a, ""); err != nil {
		t.Fatal(err)
	}
	cursor := pagerduty.CursorAt(noon.Add(-time.Minute))
	listed := func() (ids []string) {
		t.Helper()
		for e, err := range client.Changes(ctx, cursor) {
			if err != nil {
				t.Fatal(err)
			}
			ids, cursor = append(ids, e.Ticket.Ref.ID+" "+string(e.Ticket.State)), e.Cursor
		}
		return ids
	}
	// b was opened last at noon, a acknowledged a minute later.
	if got, want := listed(), []string{b.ID + " new", a.ID + " acknowledged"}; !slices.Equal(got, want) {
		t.Errorf("changed %q, want %q", got, want)
	}
	if got := listed(); len(got) != 0 {
		t.Errorf("changed again %q, want nothing", got)
	}
	at.at = noon.Add(2 * time.Minute)
	if err := client.Resolve(ctx, b, adapters.Resolution{Text: "done"}); err != nil {
		t.Fatal(err)
	}
	if got, want := listed(), []string{b.ID + " resolved"}; !slices.Equal(got, want) {
		t.Errorf("changed %q, want %q", got, want)
	}
}

func TestAnalyses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, fake, _ := setUp(t, func(c *pagerduty.Config, o *adaptertest.PagerDutyOptions) {
			c.Now, o.Now = nil, func() time.Time { return noon }
		})
		var (
			want []string
			all  []adaptertest.PagerDutyIncident
		)
		for i := range 12_345 {
			want = append(want, fmt.Sprintf("QA%05d", i))
			at := noon.Add(time.Duration(i-12_345) * time.Second)
			all = append(all, adaptertest.PagerDutyIncident{ID: want[i], Created: at, Status: "resolved", Resolved: at.Add(137 * time.Second)})
		}
		fake.Add(all...)
		fake.Add(adaptertest.PagerDutyIncident{ID: "QAFTER", Created: noon})
		filter := pagerduty.AnalysisFilter{From: noon.Add(-24 * time.Hour), Until: noon, Services: []string{"PSHOP"}}
		var got []string
		cursor, random := "", rand.New(rand.NewPCG(5, 6))
		for len(got) < len(want) {
			stop, before := random.IntN(4000), len(got)
			for a, err := range client.Analyses(t.Context(), filter, cursor) {
				if err != nil {
					t.Fatal(err)
				}
				if a.Analysis.ToResolve == nil || *a.Analysis.ToResolve != 137 || a.Analysis.ToAcknowledge != nil {
					t.Fatalf("analysis %+v", a.Analysis)
				}
				got, cursor = append(got, a.Analysis.ID), a.Cursor
				if stop--; stop < 0 {
					break
				}
			}
			if len(got) == before {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d analyses, want %d", len(got), len(want))
		}
		clocks, err := client.Clocks(t.Context(), incidentRef(want[0]))
		if err != nil || len(clocks) != 2 || clocks[1].Elapsed != 137*time.Second || clocks[1].Stop.IsZero() || !clocks[0].Stop.IsZero() {
			t.Errorf("clocks %+v, %v", clocks, err)
		}
	})
}
