package showback_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/roi/showback"
	"github.com/evenkeelops/evenkeel/sla/money"
)

func TestLicences(t *testing.T) {
	at := instant(t, "2026-03-01")
	entitlements := []showback.Entitlement{
		{Product: "editor", Metric: showback.Named, Quantity: 100, ListPrice: amount("50 EUR"), Paid: amount("35.50 EUR")},
		{Product: "database", Metric: showback.Core, Quantity: 16, ListPrice: amount("1200 EUR"), EndOfSupport: instant(t, "2026-02-27"), EndOfLife: instant(t, "2027-03-01")},
		{Product: "cad", Metric: showback.Concurrent, Quantity: 5, ListPrice: amount("900 EUR"), Renewal: instant(t, "2026-08-28"), EndOfSale: instant(t, "2026-08-29")},
		{Product: "agent", Metric: showback.Device, Quantity: 7},
		{Product: "wiki", Metric: showback.Named, Quantity: 3, ListPrice: amount("9 EUR")},
		{Product: "empty", Metric: showback.Named, Quantity: 3, ListPrice: amount("9 EUR")},
	}
	uses := []showback.Use{
		{Product: "database", Metric: showback.Core, Units: 12},
		{Product: "database", Metric: showback.Core, Units: 8},
		{Product: "editor", Metric: showback.Named, Units: 88},
		{Product: "cad", Metric: showback.Concurrent, Units: 5},
		{Product: "agent", Metric: showback.Device, Units: 9},
		{Product: "editor", Metric: showback.Device, Units: 2},
		{Product: "wiki", Metric: showback.Named, Units: 0},
	}
	findings, err := showback.Licences(entitlements, uses, at, &showback.LicenceOptions{AuditSurcharge: money.WholePercent(22)})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		product string
		metric  showback.Metric
		kind    showback.FindingKind
		units   int64
		amounts string // cost, exposure, waste
		text    string
	}{
		{"agent", showback.Device, showback.Overuse, 2, "- - -", "9 used - 7 allowed = 2 too many"},
		{"cad", showback.Concurrent, showback.RenewalDue, 0, "- - -", "renewal on 2026-08-28, in 180 days"}, // its end of sale is a day too far
		// 4 × 1200.00 = 4800.00; + 22 % = 5856.00
		{"database", showback.Core, showback.Overuse, 4, "4800.00 5856.00 -", "20 used - 16 allowed = 4 too many, x 1200.00 EUR = 4800.00 EUR, with 22% surcharge 5856.00 EUR"},
		{"database", showback.Core, showback.SupportEnds, 0, "- - -", "end of support was on 2026-02-27, 2 days ago"},
		{"editor", showback.Device, showback.Unlicensed, 2, "- - -", "2 units in use and no entitlement; no list price is known"},
		// 12 × 35.50 = 426.00
		{"editor", showback.Named, showback.Unused, 12, "- - 426.00", "100 allowed - 88 used = 12 unused, x 35.50 EUR = 426.00 EUR"},
		{"empty", showback.Named, showback.NoUse, 0, "- - -", "3 units allowed, and no count of what is used"},
		{"wiki", showback.Named, showback.Unused, 3, "- - 27.00", "3 allowed - 0 used = 3 unused, x 9.00 EUR = 27.00 EUR"},
	}
	if len(findings) != len(want) {
		t.Fatalf("%d findings %+v, want %d", len(findings), findings, len(want))
	}
	for i, w := range want {
		f := findings[i]
		if f.Product != w.product || f.Metric != w.metric || f.Kind != w.kind || f.Units != w.units || textOf(f.Cost, f.Exposure, f.Waste) != w.amounts || f.Text != w.text || f.Passed != (w.kind == showback.SupportEnds) {
			t.Errorf("finding %d: %+v, want %+v", i, f, w)
		}
	}
	// A date at the instant itself is passed.
	due := []showback.Entitlement{{Product: "x", Metric: showback.Named, Renewal: at}}
	findings, err = showback.Licences(due, []showback.Use{{Product: "x", Metric: showback.Named}}, at, nil)
	if err != nil || len(findings) != 1 || !findings[0].Passed {
		t.Errorf("a renewal now: %+v, %v, want it passed", findings, err)
	}
}

func TestLicencesErrors(t *testing.T) {
	good := showback.Entitlement{Product: "x", Metric: showback.Named}
	for _, c := range []struct {
		path         string
		entitlements []showback.Entitlement
		uses         []showback.Use
		o            showback.LicenceOptions
	}{
		{path: "ahead", o: showback.LicenceOptions{Ahead: -1}},
		{path: "audit_surcharge", o: showback.LicenceOptions{AuditSurcharge: -1}},
		{path: "uses[0].units", uses: []showback.Use{{Product: "x", Metric: showback.Named, Units: -1}}},
		{path: "uses[0].product", uses: []showback.Use{{Metric: showback.Named}}},
		{path: "uses[0].metric", uses: []showback.Use{{Product: "x", Metric: "seats"}}},
		{path: "uses[1].units", uses: []showback.Use{{Product: "x", Metric: showback.Named, Units: math.MaxInt64}, {Product: "x", Metric: showback.Named, Units: 1}}},
		{path: "entitlements[0].product", entitlements: []showback.Entitlement{{Metric: showback.Named}}},
		{path: "entitlements[0].quantity", entitlements: []showback.Entitlement{{Product: "x", Metric: showback.Named, Quantity: -1}}},
		{path: "entitlements[0].list_price and paid", entitlements: []showback.Entitlement{{Product: "x", Metric: showback.Named, Paid: amount("-1 EUR")}}},
		{path: "entitlements[1]", entitlements: []showback.Entitlement{good, good}},
		{
			path:         "entitlements[0]",
			entitlements: []showback.Entitlement{{Product: "x", Metric: showback.Named, ListPrice: amount("90000000000000000 EUR")}},
			uses:         []showback.Use{{Product: "x", Metric: showback.Named, Units: 2}},
		},
	} {
		_, err := showback.Licences(c.entitlements, c.uses, time.Time{}, &c.o)
		wantField(t, "Licences", err, c.path)
	}
}

func TestCount(t *testing.T) {
	if got := showback.Distinct([]string{"ada", "bob", "ada"}); got != 2 {
		t.Errorf("Distinct = %d, want 2", got)
	}
	// 8 × 50 % = 4; 3 × 75 % = 2.25, up to 3; 1 core, but at least 4; 5 as they are
	half, most := money.WholePercent(50), money.WholePercent(75)
	if got, err := showback.Cores([]showback.Host{{Cores: 8, Factor: half}, {Cores: 3, Factor: most}, {Cores: 1, Least: 4}, {Cores: 5}}); err != nil || got != 16 {
		t.Errorf("Cores = %d, %v, want 16", got, err)
	}
	_, err := showback.Cores([]showback.Host{{Cores: -1}})
	wantField(t, "Cores", err, "hosts[0]")
	if _, err = showback.Cores([]showback.Host{{Cores: math.MaxInt64}, {Cores: 1}}); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("Cores of too many: %v, want %v", err, money.ErrOverflow)
	}
}

func TestPeak(t *testing.T) {
	day := instant(t, "2026-03-01")
	session := func(from, to int) showback.Session {
		return showback.Session{Start: day.Add(time.Duration(from) * time.Hour), End: day.Add(time.Duration(to) * time.Hour)}
	}
	for _, c := range []struct {
		sessions []showback.Session
		want     int64
	}{
		{nil, 0},
		{[]showback.Session{session(1, 1)}, 0},
		{[]showback.Session{session(1, 2), session(2, 3)}, 1},
		{[]showback.Session{session(1, 3), session(2, 4), session(3, 5)}, 2},
	} {
		if got, err := showback.Peak(c.sessions); err != nil || got != c.want {
			t.Errorf("Peak(%v) = %d, %v, want %d", c.sessions, got, err, c.want)
		}
	}
	_, err := showback.Peak([]showback.Session{session(2, 1)})
	wantField(t, "Peak", err, "sessions[0].end")

	// Beside a count for every hour.
	r := rand.New(rand.NewPCG(13, 14))
	for range 100 {
		var sessions []showback.Session
		var hours [48]int64
		for range r.IntN(40) {
			from, length := r.IntN(30), r.IntN(18)
			sessions = append(sessions, session(from, from+length))
			for h := from; h < from+length; h++ {
				hours[h]++
			}
		}
		want := int64(0)
		for _, n := range hours {
			want = max(want, n)
		}
		if got, err := showback.Peak(sessions); err != nil || got != want {
			t.Fatalf("Peak(%v) = %d, %v, want %d", sessions, got, err, want)
		}
	}
}
