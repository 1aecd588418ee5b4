package correlation_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// quiet is a silence on the alerts of a name.
func quiet(names ...string) (list []correlation.Silence) {
	for _, name := range names {
		list = append(list, correlation.Silence{ID: name, Matchers: []string{fmt.Sprintf("%s=%q", correlation.NameLabel, name)}})
	}
	return list
}

// kinds prints transitions but those of composites that open and close.
func kinds(list []correlation.Transition) []string {
	var out []string
	for _, t := range list {
		if t.Kind != correlation.Open && t.Kind != correlation.Close {
			out = append(out, fmt.Sprintf("%v %s %s", toSec(t.At), t.Kind, t.Alert))
		}
	}
	return out
}

// What follows from the meaning of a silence that stands for nobody, by hand. A step is
// "t silence names", "t + name" or "t - name", with composite.<rule> for a composite.
func TestStrictSilence(t *testing.T) {
	bare := correlation.Rule{Name: "bare", Logic: `IF l.cause THEN suppress l.effect`}
	made := correlation.Rule{Name: "made", Logic: bare.Logic + ` CREATE composite_alert: "x"`}
	next := correlation.Rule{Name: "next", Logic: `IF l.effect THEN suppress l.last`}
	circle := []correlation.Rule{{Name: "there", Logic: `IF l.a THEN suppress l.b`}, {Name: "back", Logic: `IF l.b THEN suppress l.a`}}
	linger := bare
	linger.Linger = 10 * time.Second
	for _, c := range []struct {
		name  string
		rules []correlation.Rule
		steps string
		loose []string // without the option
		want  []string
	}{
		{
			"what it alone stands for is told, and hidden when it may be told of",
			[]correlation.Rule{bare},
			"0 silence l.cause; 1 + l.cause; 2 + l.effect; 10 silence; 20 silence l.cause; 30 - l.effect",
			[]string{"1 notify l.cause", "2 suppress l.effect"},
			[]string{"1 notify l.cause", "2 notify l.effect", "10 suppress l.effect", "20 release l.effect", "30 resolve l.effect"},
		},
		{
			"its composite stands for it",
			[]correlation.Rule{made},
			"0 silence l.cause; 1 + l.cause; 2 + l.effect",
			[]string{"1 notify composite.made", "1 notify l.cause", "2 suppress l.effect"},
			[]string{"1 notify composite.made", "1 notify l.cause", "2 suppress l.effect"},
		},
		{
			"unless that is silenced, too",
			[]correlation.Rule{made},
			"0 silence l.cause composite.made; 1 + l.cause; 2 + l.effect",
			[]string{"1 notify composite.made", "1 notify l.cause", "2 suppress l.effect"},
			[]string{"1 notify composite.made", "1 notify l.cause", "2 notify l.effect"},
		},
		{
			"what is told in its place stands for the rest",
			[]correlation.Rule{bare, next},
			"1 + l.cause; 2 + l.effect; 3 + l.last; 4 silence l.cause",
			[]string{"1 notify l.cause", "2 suppress l.effect", "3 suppress l.last"},
			[]string{"1 notify l.cause", "2 suppress l.effect", "3 suppress l.last", "4 release l.effect", "4 notify l.effect"},
		},
		{
			"a silenced link is passed over",
			[]correlation.Rule{bare, next},
			"0 silence l.effect; 1 + l.cause; 2 + l.effect; 3 + l.last",
			[]string{"1 notify l.cause", "2 suppress l.effect", "3 suppress l.last"},
			[]string{"1 notify l.cause", "2 suppress l.effect", "3 suppress l.last"},
		},
		{
			"and hides nothing at the end of a chain of silenced ones",
			[]correlation.Rule{bare, next},
			"0 silence l.cause l.effect; 1 + l.cause; 2 + l.effect; 3 + l.last",
			[]string{"1 notify l.cause", "2 suppress l.effect", "3 suppress l.last"},
			[]string{"1 notify l.cause", "2 notify l.effect", "3 notify l.last"},
		},
		{
			"of two that hide each other the one that is not silenced is let go",
			circle, "0 silence l.a; 1 + l.a; 2 + l.b",
			[]string{"1 notify l.a", "2 suppress l.b"},
			[]string{"1 notify l.a", "2 suppress l.a", "2 notify l.b"},
		},
		{
			"a silenced cause lingers for nobody",
			[]correlation.Rule{linger},
			"0 silence l.cause; 1 + l.cause; 2 - l.cause; 3 + l.effect",
			[]string{"1 notify l.cause", "2 resolve l.cause", "3 suppress l.effect", "12 release l.effect", "12 notify l.effect"},
			[]string{"1 notify l.cause", "2 resolve l.cause", "3 notify l.effect"},
		},
	} {
		for _, strict := range []bool{false, true} {
			e, err := correlation.New(c.rules, correlation.Options{StrictSilence: strict})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for step := range strings.SplitSeq(c.steps+"; 60 silence", "; ") {
				f := strings.Fields(step)
				var at float64
				if _, err := fmt.Sscan(f[0], &at); err != nil {
					t.Fatal(err)
				}
				var list []correlation.Transition
				switch f[1] {
				case "silence":
					if at == 60 { // only what falls due until then
						list, err = e.Step(sec(at))
					} else {
						list, err = e.Silence(sec(at), quiet(f[2:]...)...)
					}
				case "+":
					list, err = e.Apply(sec(at), correlation.Event{Alert: f[2], Status: correlation.Firing, Time: sec(at)})
				case "-":
					list, err = e.Apply(sec(at), correlation.Event{Alert: f[2], Status: correlation.Resolved, Time: sec(at)})
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, kinds(list)...)
			}
			want := c.loose
			if strict {
				want = c.want
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, strict %v:\n got %q\nwant %q", c.name, strict, got, want)
			}
		}
	}
}

// Why names the silences, and the rules that stand on what is silenced.
func TestWhyStrictSilence(t *testing.T) {
	e, err := correlation.New([]correlation.Rule{{Name: "bare", Logic: `IF l.cause THEN suppress l.effect`}}, correlation.Options{StrictSilence: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Silence(sec(0), quiet("l.cause")...); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"l.cause", "l.effect"} {
		if _, err := e.Apply(sec(1), correlation.Event{Alert: name, Status: correlation.Firing, Time: sec(1)}); err != nil {
			t.Fatal(err)
		}
	}
	x, _ := e.Why("", "l.cause", nil)
	if !slices.Equal(x.SilencedBy, []string{"l.cause"}) || !x.Visible || x.Released {
		t.Errorf("Why of the silenced alert = %+v, want it visible and the silence named", x)
	}
	x, _ = e.Why("", "l.effect", nil)
	if !x.Visible || !x.Released || len(x.Reasons) != 1 || !x.Reasons[0].Silent || !slices.Equal(x.Path, []string{"l.effect"}) || x.SilencedBy != nil {
		t.Errorf("Why of what it explains = %+v, want it released from a silent rule", x)
	}
}

// The order of silences and events of one instant does not change what is hidden; a
// snapshot at any prefix goes on alike, byte for byte; and to say the same silences again
// changes nothing.
func TestStrictSilenceLaws(t *testing.T) {
	seen := 0
	for seed := range *worlds / 2 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 23))
		w := newWorld(rnd)
		w.strict = true
		o := w.options()
		o.WholeLife = seed%2 == 1
		o.Retention = 30 * time.Second
		e, later := w.engine(t), w.engine(t)
		restored, err := correlation.New(w.rules, o)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := correlation.New(w.rules, o)
		if err != nil {
			t.Fatal(err)
		}
		must := func(list []correlation.Transition, err error) []correlation.Transition {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		data := snapshot(t, restored)
		for _, b := range w.random(rnd, 15) {
			at, silences := sec(float64(b.at)), inForce(w.silences(rnd))
			must(e.Silence(at, silences...))
			must(e.Apply(at, b.events...))
			if again := must(e.Silence(at, silences...)); again != nil {
				t.Fatalf("seed %d at %d: the same silences again = %q, want nothing", seed, b.at, kinds(again))
			}
			must(later.Apply(at, b.events...))
			rnd.Shuffle(len(silences), func(i, j int) { silences[i], silences[j] = silences[j], silences[i] })
			must(later.Silence(at, silences...))
			hidden, _ := printState(e)
			if got, _ := printState(later); !reflect.DeepEqual(got, hidden) {
				t.Fatalf("seed %d at %d: hidden\n got %v\nwant %v\n%s", seed, b.at, got, hidden, w)
			}
			want := must(whole.Silence(at, silences...))
			if restored, err = correlation.Restore(w.rules, o, data); err != nil {
				t.Fatal(err)
			}
			if g, w2 := asJSON(t, must(restored.Silence(at, silences...))), asJSON(t, want); g != w2 {
				t.Fatalf("seed %d at %d: transitions of silences\n got %s\nwant %s\n%s", seed, b.at, g, w2, w)
			}
			want = must(whole.Apply(at, b.events...))
			if restored, err = correlation.Restore(w.rules, o, snapshot(t, restored)); err != nil {
				t.Fatal(err)
			}
			if g, w2 := asJSON(t, must(restored.Apply(at, b.events...))), asJSON(t, want); g != w2 {
				t.Fatalf("seed %d at %d: transitions of events\n got %s\nwant %s\n%s", seed, b.at, g, w2, w)
			}
			data = snapshot(t, restored)
			if want := snapshot(t, whole); !bytes.Equal(data, want) {
				t.Fatalf("seed %d at %d: snapshot\n got %s\nwant %s\n%s", seed, b.at, data, want, w)
			}
			_, _, mute := checkNoBlackHole(t, whole, silences)
			seen += mute
		}
	}
	if seen == 0 {
		t.Error("seen no alert that is told for a silence, want some")
	}
}

// Bad silences change nothing, and every problem is told.
func TestSilenceErrors(t *testing.T) {
	e, err := correlation.New(nil, correlation.Options{StrictSilence: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Silence(sec(5), quiet("l.x")...); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, e)
	list := append(quiet("l.x", "l.x"), correlation.Silence{Matchers: []string{"host=~("}}, correlation.Silence{ID: "all", Matchers: []string{`host!="a"`}})
	_, err = e.Silence(sec(6), list...)
	var fields []string
	joined, _ := err.(interface{ Unwrap() []error })
	if joined == nil {
		t.Fatalf("Silence = %v, want joined errors", err)
	}
	for _, x := range joined.Unwrap() {
		if bad := (*correlation.SilenceError)(nil); errors.As(x, &bad) {
			fields = append(fields, bad.Field)
		}
	}
	if want := []string{"ID", "ID", "Matchers[0]", "Matchers"}; !slices.Equal(fields, want) {
		t.Errorf("Silence = %v with the fields %q, want %q", err, fields, want)
	}
	if _, err := e.Silence(sec(4)); !errors.Is(err, correlation.ErrTime) {
		t.Errorf("Silence in the past = %v, want ErrTime", err)
	}
	if after := snapshot(t, e); !bytes.Equal(before, after) {
		t.Errorf("snapshot after errors\n got %s\nwant %s", after, before)
	}
}
