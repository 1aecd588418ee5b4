package dispatch_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/notify"
	"github.com/evenkeelops/evenkeel/adapters/report/dispatch"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/sla"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func to(addresses ...string) []notify.Target {
	var list []notify.Target
	for _, a := range addresses {
		list = append(list, notify.Target{Recipient: a, Channel: comms.Email, Address: a})
	}
	return list
}

// acme is sent what an enterprise customer has.
func acme(t *testing.T) dispatch.Customer {
	t.Helper()
	return dispatch.Customer{
		ID: "acme", Zone: zone(t, "Europe/Amsterdam"), Kinds: dispatch.KindsOf(sla.Enterprise),
		To: map[string][]notify.Target{"customer_stakeholders": to("it@acme.example", "board@acme.example"), "account_manager": to("am@msp.example"), "service_delivery_manager": to("sdm@msp.example")},
	}
}

func keysOf(list []dispatch.Due) []string {
	var keys []string
	for _, d := range list {
		keys = append(keys, d.Key())
	}
	return keys
}

// October 2026 ends in Amsterdam at 23:00 UTC on the 31st, a Saturday, as winter time
// began on the 25th; with a cut-off of a day its report is due on 1 November at 23:00 UTC.
func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name, now string
		want      string
	}{
		{"a nanosecond too early", "2026-11-01T22:59:59.999999999Z", "monthly_report/2026-09/0 monthly_service_review/2026-09/0 executive_report/2026-09/0 quarterly_business_review/2026-Q3/0 weekly_service_review/2026-W43/0"},
		{"exactly then", "2026-11-01T23:00:00Z", "quarterly_business_review/2026-Q3/0 weekly_service_review/2026-W43/0 monthly_report/2026-10/0 monthly_service_review/2026-10/0 executive_report/2026-10/0"},
		{"the week follows", "2026-11-02T23:00:00Z", "quarterly_business_review/2026-Q3/0 monthly_report/2026-10/0 monthly_service_review/2026-10/0 executive_report/2026-10/0 weekly_service_review/2026-W44/0"},
		{"the turn of the year", "2027-01-01T23:00:00Z", "weekly_service_review/2026-W52/0 monthly_report/2026-12/0 monthly_service_review/2026-12/0 executive_report/2026-12/0 quarterly_business_review/2026-Q4/0"},
	} {
		if got := keysOf(dispatch.Plan([]dispatch.Customer{acme(t)}, at(t, c.now))); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: Plan(%s)\ngot  %q\nwant %s", c.name, c.now, got, c.want)
		}
	}
}

// What was missed is sent too, from Since on; a cut-off of the customer's own counts.
func TestPlanCatchesUp(t *testing.T) {
	c := acme(t)
	c.Kinds, c.Since, c.CutOff = []dispatch.Kind{dispatch.MonthlyReport}, at(t, "2026-08-15T00:00:00Z"), new(72*time.Hour)
	got := dispatch.Plan([]dispatch.Customer{c}, at(t, "2026-11-03T23:00:00Z"))
	if want := []string{"monthly_report/2026-08/0", "monthly_report/2026-09/0", "monthly_report/2026-10/0"}; !slices.Equal(keysOf(got), want) {
		t.Errorf("got %q, want %q", keysOf(got), want)
	}
	// Three days after 31 October 23:00 UTC; the end of 15 November in Amsterdam is too late.
	last := got[2]
	if !last.At.Equal(at(t, "2026-11-03T23:00:00Z")) || !last.Before.Equal(at(t, "2026-11-15T23:00:00Z")) || last.Late(last.Before.Add(-1)) || !last.Late(last.Before) {
		t.Errorf("due at %v, too late at %v", last.At, last.Before)
	}
	if review := dispatch.Plan([]dispatch.Customer{acme(t)}, at(t, "2030-01-01T00:00:00Z"))[0]; review.Kind == dispatch.MonthlyReport || review.Late(at(t, "2040-01-01T00:00:00Z")) {
		t.Errorf("%s can be late, of which nothing is promised", review.Kind)
	}
	c.Since = at(t, "1990-01-01T00:00:00Z")
	if n := len(dispatch.Plan([]dispatch.Customer{c}, at(t, "2026-11-03T23:00:00Z"))); n != 60 {
		t.Errorf("%d periods at once, want 60", n)
	}
}

// A cut-off of zero is none: the report is due when its period ends.
func TestNoCutOff(t *testing.T) {
	c := acme(t)
	c.Kinds, c.CutOff = []dispatch.Kind{dispatch.MonthlyReport}, new(time.Duration(0))
	for now, want := range map[string]string{"2026-10-31T22:59:59.999999999Z": "monthly_report/2026-09/0", "2026-10-31T23:00:00Z": "monthly_report/2026-10/0"} {
		if got := keysOf(dispatch.Plan([]dispatch.Customer{c}, at(t, now))); !slices.Equal(got, []string{want}) {
			t.Errorf("Plan(%s) = %q, want %s", now, got, want)
		}
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

// At the instant that Next names something is due that was not a nanosecond before.
func TestNext(t *testing.T) {
	customers := []dispatch.Customer{acme(t)}
	now := at(t, "2026-10-01T12:00:00Z")
	for range 40 {
		next, ok := dispatch.Next(customers, now)
		if !ok || !next.After(now) {
			t.Fatalf("Next(%v) = %v, %v", now, next, ok)
		}
		before, after := keysOf(dispatch.Plan(customers, next.Add(-1))), keysOf(dispatch.Plan(customers, next))
		if slices.Equal(before, after) || !slices.Equal(before, keysOf(dispatch.Plan(customers, now))) {
			t.Fatalf("between %v and %v: %q, then %q", now, next, before, after)
		}
		now = next
	}
	if _, ok := dispatch.Next(nil, now); ok {
		t.Error("something is due for nobody")
	}
}

func TestValidate(t *testing.T) {
	if err := acme(t).Validate(); err != nil {
		t.Fatal(err)
	}
	c := acme(t)
	c.ID, c.CutOff, c.Kinds = "", new(15*24*time.Hour), []dispatch.Kind{"daily", dispatch.MonthlyReport, dispatch.MonthlyReport}
	c.To = map[string][]notify.Target{"customer_stakeholders": to(""), "account_manager": to("a@b.example"), "boss": to("c@d.example")}
	err := c.Validate()
	if _, ok := errors.AsType[*dispatch.InputError](err); !ok {
		t.Fatalf("error %v of type %T", err, err)
	}
	for _, want := range []string{
		`id: "", want`, `cut_off: "360h0m0s", want 0 to 14 days`, `kinds[0]: "daily", want one of`, `kinds[2]: "monthly_report", want each kind once`, `to.customer_stakeholders[0]: "", want a channel and an address`,
		`to.service_delivery_manager: "", want somebody`, `to: "boss", want one of`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}

func TestCorrectionsAreOfThePast(t *testing.T) {
	c, now := acme(t), at(t, "2026-11-03T00:00:00Z")
	if d, err := c.Correction(dispatch.WeeklyReview, "2026-W41", 2, now); err != nil || d.Key() != "weekly_service_review/2026-W41/2" {
		t.Errorf("%+v, %v", d, err)
	}
	for _, bad := range []struct {
		kind     dispatch.Kind
		label    string
		revision int
	}{{dispatch.MonthlyReport, "2026-10", 0}, {dispatch.MonthlyReport, "2026-12", 1}, {dispatch.MonthlyReport, "10/2026", 1}, {"daily", "2026-10", 1}} {
		if d, err := c.Correction(bad.kind, bad.label, bad.revision, now); err == nil {
			t.Errorf("%v: got %+v, want an error", bad, d)
		}
	}
}
