package correlation_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// An alert that comes back after its instance was forgotten brings nothing along that a
// window of the earlier one has marked.
func TestWindowOfForgottenInstance(t *testing.T) {
	e, err := correlation.New([]correlation.Rule{{
		Name: "w", By: []string{"host"}, Within: 10 * time.Second, Logic: `IF l.a AND l.b THEN CREATE composite_alert: "w"`,
	}}, correlation.Options{Retention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	event := func(name, host string, n int, status correlation.Status, sec int) correlation.Event {
		return correlation.Event{
			Alert: name, Labels: map[string]string{"host": host, "n": strconv.Itoa(n)}, Status: status, Time: time.Unix(int64(sec), 0).UTC(),
		}
	}
	apply := func(sec int, events ...correlation.Event) {
		t.Helper()
		if _, err := e.Apply(time.Unix(int64(sec), 0).UTC(), events...); err != nil {
			t.Fatal(err)
		}
	}
	// Sweep 1 finds that a0 and b0 are in a window and a1 is not.
	apply(1000, event("l.a", "x", 0, correlation.Firing, 1000), event("l.b", "x", 0, correlation.Firing, 1000), event("l.a", "x", 1, correlation.Firing, 900))
	want := func(evidence ...string) {
		t.Helper()
		list := e.Composites()
		if len(list) != 1 || fmt.Sprint(list[0].Evidence) != fmt.Sprint(evidence) {
			t.Errorf("composites %+v, want one with evidence %v", list, evidence)
		}
	}
	want("l.a{host=x,n=0}", "l.b{host=x,n=0}")
	apply(1001, event("l.a", "x", 0, correlation.Resolved, 1001), event("l.b", "x", 0, correlation.Resolved, 1001), event("l.a", "x", 1, correlation.Resolved, 1001))
	// So many others come and go that the idle instances are forgotten.
	for n := range 40 {
		host := fmt.Sprint("h", n)
		apply(1002+n, event("l.a", host, 0, correlation.Firing, 1002))
		apply(1003+n, event("l.a", host, 0, correlation.Resolved, 1003+n))
	}
	// The next sweep of the instance of x finds a1 and b0; a0 began too early.
	apply(2000, event("l.a", "x", 1, correlation.Firing, 2000), event("l.b", "x", 0, correlation.Firing, 2000), event("l.a", "x", 0, correlation.Firing, 1900))
	want("l.a{host=x,n=1}", "l.b{host=x,n=0}")
}
