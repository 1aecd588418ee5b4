package correlation_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// Two replicas are one alert: by hand.
func TestIgnoreLabels(t *testing.T) {
	e, err := correlation.New(nil, correlation.Options{IgnoreLabels: []string{"pod", "replica"}})
	if err != nil {
		t.Fatal(err)
	}
	event := func(at float64, status correlation.Status, pod string, notes map[string]string) correlation.Event {
		return correlation.Event{Alert: "app.slow", Labels: map[string]string{"service": "a", "pod": pod}, Status: status, Time: sec(at), Annotations: notes}
	}
	for _, ev := range []correlation.Event{
		event(10, correlation.Firing, "p1", map[string]string{"summary": "slow"}),
		event(10, correlation.Firing, "p2", nil), // dup
		event(12, correlation.Firing, "p2", map[string]string{"summary": "slower"}),
		event(11, correlation.Firing, "p3", nil), // stale
	} {
		if _, err := e.Apply(sec(20), ev); err != nil {
			t.Fatal(err)
		}
	}
	if s := e.Stats(); s.Alerts != 1 || s.Duplicates != 1 || s.Refreshes != 1 || s.Stale != 1 || s.Events != 4 {
		t.Errorf("Stats() = %+v, want 4 events of 1 alert: 1 dup, 1 refresh, 1 stale", s)
	}
	for _, labels := range []map[string]string{{"service": "a"}, {"service": "a", "pod": "p9", "replica": "1"}} {
		a, ok := e.Alert("", "app.slow", labels)
		if want := map[string]string{"summary": "slower", "pod": "p2"}; !ok || a.String() != "app.slow{service=a}" || !a.Since.Equal(sec(10)) || !maps.Equal(a.Annotations, want) {
			t.Errorf("Alert(%v) = %+v, %v, want app.slow{service=a} since 10 with %v", labels, a, ok, want)
		}
		if why, ok := e.Why("", "app.slow", labels); !ok || !why.Visible {
			t.Errorf("Why(%v) = %+v, %v, want a visible alert", labels, why, ok)
		}
	}
	// An annotation of the event goes before the label; the event is left as it was.
	own := event(21, correlation.Firing, "p4", map[string]string{"pod": "mine"})
	if _, err := e.Apply(sec(21), own); err != nil {
		t.Fatal(err)
	}
	if a := e.Alerts()[0]; a.Annotations["pod"] != "mine" || own.Labels["pod"] != "p4" || len(own.Annotations) != 1 {
		t.Errorf("annotations %v after %+v, want pod = mine and an event as it was", a.Annotations, own)
	}
	got, err := e.Apply(sec(22), event(22, correlation.Resolved, "p1", nil))
	if want := []string{"22 resolve /app.slow{service=a}"}; err != nil || !reflect.DeepEqual(printNotes(got), want) {
		t.Errorf("the end of one replica gives %q, %v, want %q", printNotes(got), err, want)
	}
	bad := event(23, correlation.Firing, "\xff", nil)
	if _, err := e.Apply(sec(23), bad); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("a label that is no text: %v, want an error about UTF-8", err)
	}
}

// An engine that ignores labels is one whose source never sent them: same transitions, same
// snapshots, byte for byte.
func TestIgnoreLabelsIsNotSending(t *testing.T) {
	for seed := range *worlds / 3 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 29))
		w := newWorld(rnd)
		w.pods = true
		o := w.options()
		o.Reorder = time.Duration(rnd.IntN(2)*rnd.IntN(6)) * time.Second
		ignoring, err := correlation.New(w.rules, o)
		if err != nil {
			t.Fatal(err)
		}
		o.IgnoreLabels = nil
		plain, err := correlation.New(w.rules, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range w.random(rnd, 15) {
			got, err := ignoring.Apply(sec(float64(b.at)), b.events...)
			if err != nil {
				t.Fatal(err)
			}
			for n := range b.events {
				ev := &b.events[n]
				if pod := ev.Labels["pod"]; pod != "" {
					ev.Annotations = map[string]string{"pod": pod}
				}
				delete(ev.Labels, "pod")
			}
			want, err := plain.Apply(sec(float64(b.at)), b.events...)
			if err != nil {
				t.Fatal(err)
			}
			if g, w2 := asJSON(t, got), asJSON(t, want); g != w2 {
				t.Fatalf("seed %d at %d: transitions\n got %s\nwant %s\n%s", seed, b.at, g, w2, w)
			}
			if g, w2 := snapshot(t, ignoring), snapshot(t, plain); !bytes.Equal(g, w2) {
				t.Fatalf("seed %d at %d: snapshot\n got %s\nwant %s\n%s", seed, b.at, g, w2, w)
			}
		}
	}
}

// Rules that ask for an ignored label are refused, all together, and so are a topology
// that needs it and a snapshot of alerts that have it.
func TestIgnoreLabelsErrors(t *testing.T) {
	o := correlation.Options{IgnoreLabels: []string{"pod"}}
	rules := []correlation.Rule{
		{Name: "by", Logic: `IF a.b THEN suppress a.c`, By: []string{"pod"}},
		{Name: "where", Logic: `IF a.b WHERE pod="x" THEN suppress a.c`},
		{Name: "target", Logic: `IF a.b THEN suppress a.c WHERE pod!="x"`},
		{Name: "variable", Logic: `IF a.b AS v THEN suppress a.c WHERE host=v.pod`},
		{Name: "joined", Logic: `IF a.b AS v THEN suppress a.c WHERE pod=v.host`},
		{Name: "labels", Logic: `IF a.b THEN CREATE composite_alert: "c"`, Labels: map[string]string{"pod": "x"}},
		{Name: "fine", Logic: `IF a.b THEN suppress a.c WHERE host="x"`, By: []string{"service"}},
	}
	_, err := correlation.New(rules, o)
	var refused []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if re, ok := errors.AsType[*correlation.RuleError](e); ok && re.Value == "pod" {
				refused = append(refused, re.Rule)
			}
		}
	}
	if want := []string{"by", "where", "target", "variable", "joined", "labels"}; !reflect.DeepEqual(refused, want) {
		t.Errorf("refused %q, want %q: %v", refused, want, err)
	}
	for label, o := range map[string]correlation.Options{
		"":        {IgnoreLabels: []string{""}},
		"service": {IgnoreLabels: []string{"service"}, Topology: &correlation.Topology{}},
	} {
		_, err := correlation.New(nil, o)
		bad, ok := errors.AsType[*correlation.OptionError](err)
		if !ok || bad.Option != "IgnoreLabels" || bad.Value != label || !strings.Contains(err.Error(), strconv.Quote(label)) {
			t.Errorf("New with a bad label %q = %v, want an *OptionError with it", label, err)
		}
	}
	e, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ev := correlation.Event{Alert: "a.b", Labels: map[string]string{"pod": "x"}, Status: correlation.Firing, Time: sec(1)}
	if _, err := e.Apply(sec(1), ev); err != nil {
		t.Fatal(err)
	}
	if _, err := correlation.Restore(nil, o, snapshot(t, e)); err == nil || !strings.Contains(err.Error(), `"pod"`) {
		t.Errorf("Restore of an alert with an ignored label: %v, want an error that names it", err)
	}
	if err := ev.Validate(correlation.Options{IgnoreLabels: []string{"pod"}, MaxLabels: 1}); err != nil {
		t.Errorf("Validate counts an ignored label: %v", err)
	}
}
