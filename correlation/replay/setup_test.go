package replay_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/correlation/silence"
)

// arrivals reads "t +alert host ends" and "t -alert host".
func arrivals(t *testing.T, text string) (list []replay.Arrival) {
	t.Helper()
	for row := range strings.SplitSeq(text, "; ") {
		f := strings.Fields(row)
		var at, ends int
		if _, err := fmt.Sscan(f[0], &at); err != nil {
			t.Fatal(err)
		}
		a := replay.Arrival{At: sec(at), Event: correlation.Event{Alert: f[1][1:], Labels: map[string]string{"host": f[2]}, Time: sec(at), Status: correlation.Firing}}
		if f[1][0] == '-' {
			a.Status = correlation.Resolved
		}
		if len(f) > 3 {
			if _, err := fmt.Sscan(f[3], &ends); err != nil {
				t.Fatal(err)
			}
			a.Ends = sec(ends)
		}
		list = append(list, a)
	}
	return list
}

// told prints what people were told.
func told(r *replay.Record) []string {
	var list []string
	for _, x := range r.Told {
		sign := "+"
		if x.Over {
			sign = "-"
		}
		list = append(list, fmt.Sprintf("%d %s%s", int(x.At.Sub(start).Seconds()), sign, x.Alert))
	}
	return list
}

// By hand: what inhibition and silences hold back is told when they let go, is not told if
// it is over by then, and its end is told only if it was.
func TestSetup(t *testing.T) {
	muting := []inhibit.Rule{{Name: "quiet", SourceMatchers: []string{`layer="l"`, `alertname="cause"`}, TargetMatchers: []string{`alertname="effect"`}, Equal: []string{"host"}}}
	silences := func(from, to int) []silence.Silence {
		return []silence.Silence{{ID: "s", Matchers: []string{`alertname="l.cause"`}, Start: sec(from), End: sec(to), CreatedBy: "ann", Comment: "upkeep"}}
	}
	hides := []correlation.Rule{{Name: "r", By: []string{"host"}, Logic: `IF l.cause THEN suppress l.effect`}}
	for _, c := range []struct {
		name  string
		setup replay.Setup
		log   string
		want  []string
	}{
		{
			"inhibited until its source ends",
			replay.Setup{Inhibit: muting},
			"0 +l.cause a; 5 +l.effect a; 6 +l.effect b; 20 -l.cause a; 30 -l.effect a",
			[]string{"0 +l.cause{host=a}", "6 +l.effect{host=b}", "20 -l.cause{host=a}", "20 +l.effect{host=a}", "30 -l.effect{host=a}"},
		},
		{
			"inhibited to its end",
			replay.Setup{Inhibit: muting},
			"0 +l.cause a; 5 +l.effect a; 10 -l.effect a; 20 -l.cause a",
			[]string{"0 +l.cause{host=a}", "20 -l.cause{host=a}"},
		},
		{
			"a source that ends by itself",
			replay.Setup{Inhibit: muting},
			"0 +l.cause a 15; 5 +l.effect a; 40 +l.x a",
			[]string{"0 +l.cause{host=a}", "15 -l.cause{host=a}", "15 +l.effect{host=a}", "40 +l.x{host=a}"},
		},
		{
			"a source that ends by itself at the instant of something else",
			replay.Setup{Inhibit: muting},
			"0 +l.cause a 15; 5 +l.effect a; 15 +l.x b; 40 +l.x a",
			[]string{"0 +l.cause{host=a}", "15 +l.x{host=b}", "15 -l.cause{host=a}", "15 +l.effect{host=a}", "40 +l.x{host=a}"},
		},
		{
			"told before, and over while it is inhibited",
			replay.Setup{Inhibit: muting},
			"0 +l.effect a; 5 +l.cause a; 10 -l.effect a",
			[]string{"0 +l.effect{host=a}", "5 +l.cause{host=a}", "10 -l.effect{host=a}"},
		},
		{
			"silenced until then",
			replay.Setup{Rules: hides, Silences: silences(0, 20)},
			"1 +l.cause a; 2 +l.effect a; 30 -l.cause a",
			[]string{"20 +l.cause{host=a}", "30 +l.effect{host=a}", "30 -l.cause{host=a}"},
		},
		{
			"and for nobody else",
			replay.Setup{Rules: hides, Silences: silences(0, 20), Options: correlation.Options{StrictSilence: true}},
			"1 +l.cause a; 2 +l.effect a; 30 -l.cause a",
			[]string{"2 +l.effect{host=a}", "20 +l.cause{host=a}", "30 -l.cause{host=a}"},
		},
		{
			"a silenced source inhibits, and what both hold back waits for both",
			replay.Setup{Inhibit: append(muting, inhibit.Rule{SourceMatchers: []string{`alertname="x"`}, TargetMatchers: []string{`alertname="cause"`}}), Silences: silences(0, 20)},
			"1 +l.cause a; 2 +l.effect a; 3 +l.x a; 25 -l.x a; 30 -l.cause a",
			[]string{"3 +l.x{host=a}", "25 -l.x{host=a}", "25 +l.cause{host=a}", "30 -l.cause{host=a}", "30 +l.effect{host=a}"},
		},
	} {
		r, err := c.setup.Run(arrivals(t, c.log), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if got := told(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: told %q\nwant %q", c.name, got, c.want)
		}
	}
}

// What is held back at the instant of a record counts as not told there, and goes on to be
// held back in the rest of a log.
func TestSetupRecord(t *testing.T) {
	s := replay.Setup{
		Inhibit:  []inhibit.Rule{{SourceMatchers: []string{`alertname="cause"`}, TargetMatchers: []string{`alertname="effect"`}}},
		Silences: []silence.Silence{{ID: "s", Matchers: []string{`alertname="l.other"`}, End: sec(100), CreatedBy: "ann", Comment: "upkeep"}},
	}
	log := arrivals(t, "0 +l.cause a; 1 +l.effect a; 2 +l.other a; 50 -l.cause a; 60 -l.other a")
	r, err := s.Run(log[:3], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range r.Alerts {
		got = append(got, fmt.Sprintf("%s notified %v hidden by %v silenced by %v", a, a.Notified, a.SuppressedBy, r.SilencedBy(a)))
	}
	want := []string{
		"l.cause{host=a} notified true hidden by [] silenced by []",
		"l.effect{host=a} notified false hidden by [inhibit_rules[0]] silenced by []",
		"l.other{host=a} notified false hidden by [] silenced by [s]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("alerts %q\nwant %q", got, want)
	}
	if x, _ := r.Why(r.Alerts[2]); !slices.Equal(x.SilencedBy, []string{"s"}) {
		t.Errorf("Why = %+v, want the silence", x)
	}
	for _, e := range r.Episodes {
		if e.Alert == "l.effect{host=a}" && (!reflect.DeepEqual(e.HiddenBy, []string{"inhibit_rules[0]"}) || !e.Told.IsZero()) {
			t.Errorf("episode %+v, want it hidden by the rule and untold", e)
		}
	}
	state, err := r.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	rest, err := s.Resume(state, log[3:], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := told(rest), []string{"50 -l.cause{host=a}", "50 +l.effect{host=a}"}; !slices.Equal(got, want) {
		t.Errorf("resumed: told %q, want %q", got, want)
	}
}

// Silences that were in force when a state was made are so in its rest only if the setup
// has them.
func TestSetupResumeSilences(t *testing.T) {
	silences := []silence.Silence{{ID: "s", Matchers: []string{`alertname="l.cause"`}, End: sec(100), CreatedBy: "ann", Comment: "upkeep"}}
	strict := replay.Setup{
		Rules: []correlation.Rule{{Name: "r", Logic: `IF l.cause THEN suppress l.effect`}}, Options: correlation.Options{StrictSilence: true}, Silences: silences,
	}
	log := arrivals(t, "0 +l.cause a; 2 +l.effect a")
	r, err := strict.Run(log[:1], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	state, err := r.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		silences []silence.Silence
		want     []string
	}{
		{"with", silences, []string{"2 +l.effect{host=a}"}},
		{"without", nil, nil},
		{"with others", []silence.Silence{{ID: "t", Matchers: []string{`alertname="l.x"`}, Start: sec(50), End: sec(100), CreatedBy: "ann", Comment: "upkeep"}}, nil},
	} {
		strict.Silences = c.silences
		rest, err := strict.Resume(state, log[1:], time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if got := told(rest); !slices.Equal(got, c.want) {
			t.Errorf("%s the silence: told %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSetupErrors(t *testing.T) {
	log := arrivals(t, "0 +l.x a")
	for name, s := range map[string]replay.Setup{
		"rule":    {Rules: []correlation.Rule{{Name: "x", Logic: "IF"}}},
		"silence": {Silences: []silence.Silence{{ID: "s"}}},
		"inhibit": {Inhibit: []inhibit.Rule{{SourceMatchers: []string{"="}}}},
	} {
		if _, err := s.Run(log, time.Time{}); err == nil {
			t.Errorf("Run with a bad %s = nil error", name)
		}
	}
}
