package correlation_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// A rule for the night, 22:00 to 06:00 in Berlin, which is one hour ahead of UTC until
// 29 March 2026 at 01:00 UTC and two from then on. Day 0 is 1 March. An alert that
// fires all the time is hidden by night and visible by day; it is told once.
func TestActive(t *testing.T) {
	const hour, day = 3600, 24 * 3600
	rule := correlation.Rule{
		Name: "night", Logic: `IF a.b THEN suppress c.d CREATE composite_alert: "night"`, Linger: time.Minute,
		Active: &calendar.Hours{Zone: "Europe/Berlin", Week: calendar.EveryDay("22:00", "06:00")},
	}
	e, err := correlation.New([]correlation.Rule{rule}, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if due, ok := e.NextWake(); ok {
		t.Errorf("NextWake before the first step = %v, want none", due)
	}
	at := 12.0 * hour
	var got []string
	for _, until := range []float64{day, 2 * day} {
		list, err := e.Apply(sec(at), firing("a.b", at), firing("c.d", at))
		if err != nil {
			t.Fatal(err)
		}
		more, err := e.Step(sec(at + until))
		if err != nil {
			t.Fatal(err)
		}
		for _, tr := range append(list, more...) {
			got = append(got, tr.At.Format("2 15:04:05 ")+tr.Kind.String()+" "+tr.Alert.String())
		}
		at = 28 * day // 29 March, 00:00 UTC: in the night, which ends an hour earlier than the one before
	}
	want := []string{
		"1 12:00:00 notify a.b", "1 12:00:00 notify c.d",
		"1 21:00:00 open composite.night", "1 21:00:00 suppress c.d", "1 21:00:00 notify composite.night",
		"2 05:01:00 close composite.night", "2 05:01:00 release c.d", "2 05:01:00 resolve composite.night",
	}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("first day\n got %q\nwant %q", got, want)
	}
	want = []string{
		"29 04:01:00 close composite.night", "29 04:01:00 release c.d", "29 04:01:00 resolve composite.night",
		"29 20:00:00 open composite.night", "29 20:00:00 suppress c.d", "29 20:00:00 notify composite.night",
	}
	if at := slices.Index(got, want[0]); at < 0 || len(got) < at+6 || !slices.Equal(got[at:at+6], want) {
		t.Errorf("the night without an hour\n got %q\nwant %q", got, want)
	}
	rule.Active = &calendar.Hours{Zone: "Europe/Nowhere"}
	_, err = correlation.New([]correlation.Rule{rule}, correlation.Options{})
	if bad, ok := errors.AsType[*correlation.RuleError](err); !ok || bad.Rule != "night" {
		t.Errorf("New with hours in no zone = %v, want a RuleError", err)
	}
}

func firing(alert string, at float64) correlation.Event {
	return correlation.Event{Alert: alert, Status: correlation.Firing, Time: sec(at)}
}
