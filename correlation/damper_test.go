package correlation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/sealed"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func newDamper(tb testing.TB, o correlation.DamperOptions) *correlation.Damper {
	tb.Helper()
	d, err := correlation.NewDamper(o)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// onset and over are the transitions of one alert, named tenant/layer.name.
func onset(t float64, alert string, s incident.Severity) correlation.Transition {
	tenant, name, _ := strings.Cut(alert, "/")
	return correlation.Transition{At: sec(t), Kind: correlation.Notify, Alert: correlation.Alert{Tenant: tenant, Name: name, Active: true, Severity: s}}
}

func over(t float64, alert string) correlation.Transition {
	tr := onset(t, alert, 0)
	tr.Kind, tr.Alert.Active = correlation.Resolve, false
	return tr
}

// lines prints notices: time, kind and what they are about.
func lines(list []correlation.Notice) []string {
	var out []string
	for _, n := range list {
		text := fmt.Sprintf("%v %v", toSec(n.At), n.Kind)
		switch {
		case n.Transition != nil:
			text += fmt.Sprintf(" %v %s/%s", n.Transition.Kind, n.Transition.Alert.Tenant, n.Transition.Alert)
		case n.Alert != nil:
			text += fmt.Sprintf(" %s/%s active %v", n.Alert.Tenant, n.Alert, n.Alert.Active)
		case n.Storm != nil:
			text += fmt.Sprintf(" %s/%s since %v held %d severity %v", n.Storm.Tenant, n.Storm.Name, toSec(n.Storm.Since), n.Storm.Held, n.Storm.Severity)
			names := []string{text}
			for _, a := range n.Storm.Firing {
				names = append(names, a.String())
			}
			text = strings.Join(names, " ")
		}
		out = append(out, text)
	}
	return out
}

// damp feeds transitions and runs everything that falls due, up to the end.
func damp(d *correlation.Damper, end float64, transitions ...correlation.Transition) []string {
	var got []string
	for _, t := range transitions {
		got = append(got, lines(d.Filter([]correlation.Transition{t}))...)
	}
	for {
		at, ok := d.NextWake()
		if !ok || at.After(sec(end)) {
			return got
		}
		got = append(got, lines(d.Step(at))...)
	}
}

var (
	flapLimits  = correlation.Limits{Window: 10 * time.Minute, High: 6, Low: 2}
	stormLimits = correlation.Limits{Window: time.Minute, High: 5, Low: 1}
)

// The changes are those of case F-01: it flaps from the sixth on, at 300, until
// at most two lie in the last 600 s, at 1020.
func TestDamperFlap(t *testing.T) {
	var changes []correlation.Transition
	for n := range 10 {
		tr := onset(float64(60*n), "m/app.x", 0)
		if n%2 == 1 {
			tr = over(float64(60*n), "m/app.x")
		}
		changes = append(changes, tr)
	}
	want := []string{
		"0 tell notify m/app.x", "60 tell resolve m/app.x", "120 tell notify m/app.x", "180 tell resolve m/app.x", "240 tell notify m/app.x",
		"300 flap_start m/app.x active false",
		"1020 flap_end m/app.x active false",
	}
	d := newDamper(t, correlation.DamperOptions{Flap: flapLimits})
	if got := damp(d, 9999, changes...); !slices.Equal(got, want) {
		t.Errorf("F-01 = %q, want %q", got, want)
	}
	// Without the last change it still fires in the end, one minute earlier.
	want[6] = "960 flap_end m/app.x active true"
	want = append(want, "5000 tell resolve m/app.x")
	d = newDamper(t, correlation.DamperOptions{Flap: flapLimits})
	got := damp(d, 4000, changes[:9]...)
	if got = append(got, damp(d, 9999, over(5000, "m/app.x"))...); !slices.Equal(got, want) {
		t.Errorf("F-01 but the last = %q, want %q", got, want)
	}
	if at, ok := d.NextWake(); ok {
		t.Errorf("NextWake = %v after all is over, want none", at)
	}
}

// The check results of TestStateFlappingByHand: the sixth change starts it, 16
// equal results end it in the form of Nagios, 15 in that of Icinga.
func TestDamperChecks(t *testing.T) {
	for scheme, calm := range map[correlation.FlapScheme]int{correlation.Nagios: 16, correlation.Icinga: 15} {
		d := newDamper(t, correlation.DamperOptions{Checks: &scheme})
		var got []string
		check := func(n int, s correlation.Status) {
			got = append(got, lines(d.Check(sec(float64(n)), correlation.Event{Tenant: "m", Alert: "app.x", Status: s}))...)
		}
		for n := 1; n <= 6; n++ {
			status, tr := correlation.Firing, onset(float64(n), "m/app.x", 0)
			if n%2 == 0 {
				status, tr = correlation.Resolved, over(float64(n), "m/app.x")
			}
			check(n, status)
			got = append(got, lines(d.Filter([]correlation.Transition{tr}))...)
		}
		for n := 7; n < 40; n++ {
			check(n, correlation.Resolved)
		}
		want := []string{
			"1 tell notify m/app.x", "2 tell resolve m/app.x", "3 tell notify m/app.x", "4 tell resolve m/app.x", "5 tell notify m/app.x",
			"6 flap_start m/app.x active false",
			fmt.Sprintf("%d flap_end m/app.x active false", 6+calm),
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %q, want %q", scheme, got, want)
		}
		if data, err := d.Snapshot(); err != nil || string(data) != `{"version":1,"crc32c":"8d3f02e0","state":{"alerts":[],"storms":[]}}` {
			t.Errorf("%v: %s, %v in the end, want nothing remembered", scheme, data, err)
		}
		// What nobody was told of flaps in silence.
		for n := 40; n < 60; n++ {
			check(n, correlation.Status(1+n%2))
		}
		if len(got) != len(want) {
			t.Errorf("%v: checks without transitions tell %q, want nothing", scheme, got[len(want):])
		}
	}
}

// The onsets are those of case S-01: a storm from the fifth on, at 40, until at
// most one lies in the last 60 s, at 100.
func TestDamperStorm(t *testing.T) {
	transitions := []correlation.Transition{
		onset(0, "m/app.a", incident.P3), onset(0, "n/app.a", 0), onset(10, "m/app.b", 0), onset(20, "m/app.c", 0), onset(30, "m/app.d", 0),
		onset(40, "m/app.e", incident.P3),
		over(41, "m/app.a"), // was told, so its end is
		over(42, "m/app.e"), // was not
		onset(45, "n/app.b", 0),
		onset(50, "m/app.f", incident.P2),
	}
	want := []string{
		"0 tell notify m/app.a", "0 tell notify n/app.a", "10 tell notify m/app.b", "20 tell notify m/app.c", "30 tell notify m/app.d",
		"40 storm_start m/ since 40 held 1 severity P3",
		"41 tell resolve m/app.a",
		"45 tell notify n/app.b",
		"50 storm_rise m/ since 40 held 2 severity P2",
		"100 storm_end m/ since 40 held 2 severity P2 app.f",
		"200 tell resolve m/app.f", // the list told of it
	}
	d := newDamper(t, correlation.DamperOptions{Storm: stormLimits})
	got := damp(d, 60, transitions...)
	storm := []correlation.Storm{{Tenant: "m", Since: sec(40), Held: 2, Names: map[string]int{"app.e": 1, "app.f": 1}, Severity: incident.P2, Firing: []correlation.Alert{{Tenant: "m", Name: "app.f", Active: true, Severity: incident.P2}}}}
	if storms := d.Storms(); !reflect.DeepEqual(storms, storm) {
		t.Errorf("Storms = %+v, want %+v", storms, storm)
	}
	got = append(got, damp(d, 150)...)
	got = append(got, damp(d, 9999, over(200, "m/app.f"))...)
	if !slices.Equal(got, want) {
		t.Errorf("S-01 =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if storms := d.Storms(); storms != nil {
		t.Errorf("Storms = %v in the end, want none", storms)
	}
}

func TestDamperNameStorm(t *testing.T) {
	limits := correlation.Limits{Window: time.Minute, High: 2, Low: 0}
	named := func(n float64, host int) correlation.Transition {
		tr := onset(n, "m/app.x", 0)
		tr.Alert.Labels = correlation.LabelsOf(map[string]string{"host": strconv.Itoa(host)})
		return tr
	}
	d := newDamper(t, correlation.DamperOptions{NameStorm: limits})
	got := damp(d, 999, named(0, 1), onset(1, "m/app.y", 0), named(2, 2), named(3, 3), onset(4, "n/app.x", 0))
	want := []string{
		"0 tell notify m/app.x{host=1}", "1 tell notify m/app.y",
		"2 storm_start m/app.x since 2 held 1 severity unset",
		"4 tell notify n/app.x",
		"63 storm_end m/app.x since 2 held 2 severity unset app.x{host=2} app.x{host=3}",
	}
	if !slices.Equal(got, want) {
		t.Errorf("by name = %q, want %q", got, want)
	}
	// A storm of the whole tenant takes over, and the name's ends by itself.
	d = newDamper(t, correlation.DamperOptions{NameStorm: limits, Storm: correlation.Limits{Window: 30 * time.Second, High: 3, Low: 1}})
	got = damp(d, 999, named(0, 1), named(1, 2), named(2, 3), named(3, 4), onset(50, "m/app.y", 0), named(51, 5))
	want = []string{
		"0 tell notify m/app.x{host=1}",
		"1 storm_start m/app.x since 1 held 1 severity unset",
		"2 storm_start m/ since 2 held 1 severity unset",
		"32 storm_end m/ since 2 held 2 severity unset app.x{host=3} app.x{host=4}",
		"50 tell notify m/app.y",
		"111 storm_end m/app.x since 1 held 2 severity unset app.x{host=2} app.x{host=5}",
	}
	if !slices.Equal(got, want) {
		t.Errorf("by tenant and name = %q, want %q", got, want)
	}
}

func TestDamperStormAndFlap(t *testing.T) {
	o := correlation.DamperOptions{Flap: correlation.Limits{Window: 100 * time.Second, High: 3, Low: 0}, Storm: correlation.Limits{Window: 10 * time.Second, High: 2, Low: 0}}
	composite := onset(3, "m/composite.r", 0)
	composite.Composite = &correlation.Composite{}
	for _, c := range []struct {
		name        string
		transitions []correlation.Transition
		want        []string
	}{
		{"flaps in a storm and goes on", []correlation.Transition{onset(0, "m/app.a", 0), onset(1, "m/app.x", 0), over(2, "m/app.x"), onset(3, "m/app.x", 0), onset(4, "m/app.x", 0), over(20, "m/app.x")}, []string{
			"0 tell notify m/app.a", "1 storm_start m/ since 1 held 1 severity unset",
			"13 storm_end m/ since 1 held 2 severity unset app.x", "13 flap_start m/app.x active true", "120 flap_end m/app.x active false",
		}},
		{"flaps in a storm by its end", []correlation.Transition{onset(0, "m/app.a", 0), over(0.5, "m/app.a"), onset(1, "m/app.a", 0), onset(2, "m/app.b", 0)}, []string{
			"0 tell notify m/app.a", "0.5 tell resolve m/app.a", "1 storm_start m/ since 1 held 1 severity unset",
			"12 storm_end m/ since 1 held 2 severity unset app.a app.b", "12 flap_start m/app.a active true", "101 flap_end m/app.a active true",
		}},
		{"flapping counts for no storm", []correlation.Transition{onset(0, "m/app.x", 0), over(4, "m/app.x"), onset(20, "m/app.x", 0), over(21, "m/app.x"), onset(22, "m/app.x", 0), onset(31, "m/app.b", 0)}, []string{
			"0 tell notify m/app.x", "4 tell resolve m/app.x", "20 flap_start m/app.x active true", "31 tell notify m/app.b", "122 flap_end m/app.x active true",
		}},
		{"composites are told in a storm", []correlation.Transition{onset(0, "m/app.a", 0), onset(1, "m/app.b", 0), composite}, []string{
			"0 tell notify m/app.a", "1 storm_start m/ since 1 held 1 severity unset", "3 tell notify m/composite.r", "11 storm_end m/ since 1 held 1 severity unset app.b",
		}},
		{"a resolve out of nowhere is passed on", []correlation.Transition{over(5, "m/app.a")}, []string{"5 tell resolve m/app.a"}},
	} {
		if got := damp(newDamper(t, o), 999, c.transitions...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	transitions := []correlation.Transition{onset(0, "m/app.a", 0), {At: sec(1), Kind: correlation.Suppress}, over(2, "m/app.a")}
	if got := newDamper(t, correlation.DamperOptions{}).Filter(transitions); len(got) != 2 || got[0].Transition != &transitions[0] || got[1].Transition != &transitions[2] {
		t.Errorf("Filter without limits = %v, want notify and resolve as they came", got)
	}
}

// Who reads the notices knows in the end what the engine says: nothing that fires
// is forgotten, nothing that is over stays open. A damper that is restored at
// any point tells the same.
func TestDamperContract(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		limits := func() correlation.Limits {
			if r.IntN(4) == 0 {
				return correlation.Limits{}
			}
			low := r.IntN(3)
			return correlation.Limits{Window: time.Duration(1+r.IntN(30)) * time.Second, High: low + 1 + r.IntN(4), Low: low}
		}
		o := correlation.DamperOptions{Flap: limits(), Storm: limits(), NameStorm: limits()}
		if scheme := correlation.FlapScheme(r.IntN(3)); scheme <= correlation.Icinga {
			o.Checks = &scheme
		}
		d := newDamper(t, o)
		twin := newDamper(t, o)
		known, fires, last := map[string]bool{}, map[string]bool{}, map[string]correlation.Event{}
		id := func(a correlation.Alert) string { return a.Tenant + "/" + a.String() }
		read := func(list, again []correlation.Notice) {
			t.Helper()
			if got, want := asJSON(t, again), asJSON(t, list); got != want {
				t.Fatalf("seed %d: restored damper tells %s, want %s", seed, got, want)
			}
			for i, n := range list {
				if i > 0 && n.At.Before(list[i-1].At) {
					t.Fatalf("seed %d: %v after %v", seed, n.At, list[i-1].At)
				}
				switch n.Kind {
				case correlation.Tell:
					known[id(n.Transition.Alert)] = n.Transition.Kind == correlation.Notify
				case correlation.FlapStart, correlation.FlapEnd:
					known[id(*n.Alert)] = n.Alert.Active
				case correlation.StormEnd:
					for _, a := range n.Storm.Firing {
						known[id(a)] = true
					}
				case correlation.StormStart, correlation.StormRise:
				}
			}
		}
		at := 0.0
		for range 200 {
			at += float64(r.IntN(4))
			name := fmt.Sprintf("%d/app.x%d", r.IntN(2), r.IntN(3))
			tr := onset(at, name, incident.Severity(r.IntN(5)))
			tr.Alert.Labels = correlation.LabelsOf(map[string]string{"host": strconv.Itoa(r.IntN(3))})
			if fires[id(tr.Alert)] {
				labels := tr.Alert.Labels
				tr = over(at, name)
				tr.Alert.Labels = labels
			}
			fires[id(tr.Alert)] = tr.Kind == correlation.Notify
			result := correlation.Event{Tenant: tr.Alert.Tenant, Alert: tr.Alert.Name, Labels: tr.Alert.Labels.Map(), Status: correlation.Resolved}
			if tr.Kind == correlation.Notify {
				result.Status = correlation.Firing
			}
			last[id(tr.Alert)] = result
			read(d.Check(sec(at), result), twin.Check(sec(at), result))
			if r.IntN(8) == 0 {
				data, err := d.Snapshot()
				if err != nil {
					t.Fatal(err)
				}
				if twin, err = correlation.RestoreDamper(o, data); err != nil {
					t.Fatal(err)
				}
				if again, err := twin.Snapshot(); err != nil || string(again) != string(data) {
					t.Fatalf("seed %d: snapshot of the restored damper = %s, %v, want %s", seed, again, err, data)
				}
			}
			read(d.Filter([]correlation.Transition{tr}), twin.Filter([]correlation.Transition{tr}))
		}
		end := sec(at + 1000)
		read(d.Step(end), twin.Step(end))
		for range 21 {
			for _, name := range slices.Sorted(maps.Keys(last)) {
				read(d.Check(end, last[name]), twin.Check(end, last[name]))
			}
		}
		for name, f := range fires {
			if known[name] != f {
				t.Fatalf("seed %d with %+v: %s fires %v, but the reader believes %v", seed, o, name, f, known[name])
			}
		}
		if _, ok := d.NextWake(); ok || d.Storms() != nil {
			t.Fatalf("seed %d: something is due long after the end", seed)
		}
	}
}

func TestDamperErrors(t *testing.T) {
	bad := correlation.Limits{Window: time.Second, High: 1, Low: 1}
	_, err := correlation.NewDamper(correlation.DamperOptions{Flap: bad, Storm: bad, NameStorm: correlation.Limits{High: 1}})
	for _, name := range []string{"Flap", "Storm", "NameStorm"} {
		if err == nil || !strings.Contains(err.Error(), "option "+name+" is ") {
			t.Errorf("NewDamper = %v, want %s in it", err, name)
		}
	}
	unknown := correlation.FlapScheme(7)
	_, err = correlation.NewDamper(correlation.DamperOptions{Checks: &unknown})
	if o, ok := errors.AsType[*correlation.OptionError](err); !ok || o.Option != "Checks" || o.Value != unknown {
		t.Errorf("NewDamper with an unknown scheme = %v, want an *OptionError of Checks", err)
	}
	if _, err := unknown.MarshalText(); err == nil {
		t.Error("MarshalText of an unknown scheme = nil error, want one")
	}
	for _, scheme := range []correlation.FlapScheme{correlation.Nagios, correlation.Icinga} {
		text, err := scheme.MarshalText()
		if err == nil {
			err = unknown.UnmarshalText(text)
		}
		if err != nil || unknown != scheme {
			t.Errorf("UnmarshalText(%s) = %v, %v, want %v", text, unknown, err, scheme)
		}
	}
	if err := unknown.UnmarshalText([]byte("riemann")); err == nil {
		t.Error("UnmarshalText of riemann = nil error, want one")
	}
	if _, err := correlation.RestoreDamper(correlation.DamperOptions{Flap: bad}, nil); err == nil {
		t.Error("RestoreDamper with bad limits = nil error, want one")
	}
	if _, err := correlation.RestoreDamper(correlation.DamperOptions{}, []byte("{")); err == nil {
		t.Error("RestoreDamper of half a snapshot = nil error, want one")
	}
	var k correlation.NoticeKind
	if _, err := k.MarshalText(); err == nil {
		t.Error("MarshalText of the zero kind = nil error, want one")
	}
	if err := k.UnmarshalText([]byte("storm_end")); err != nil || k != correlation.StormEnd {
		t.Errorf("UnmarshalText = %v, %v, want storm_end", k, err)
	}
	if err := k.UnmarshalText([]byte("")); err == nil {
		t.Error("UnmarshalText of nothing = nil error, want one")
	}
}

// damped returns the snapshot of a damper that holds a storm and flapping alerts, and its options.
func damped(tb testing.TB) ([]byte, correlation.DamperOptions) {
	tb.Helper()
	scheme := correlation.Icinga
	o := correlation.DamperOptions{Flap: flapLimits, Checks: &scheme, Storm: stormLimits, NameStorm: stormLimits}
	d, err := correlation.NewDamper(o)
	if err != nil {
		tb.Fatal(err)
	}
	for n := range 12 {
		tr := onset(float64(n), "m/app.x", incident.P3)
		if n%2 == 1 {
			tr = over(float64(n), "m/app.x")
		}
		d.Filter([]correlation.Transition{tr, onset(float64(n), fmt.Sprint("m/app.y", n), 0)})
	}
	data, err := d.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	return data, o
}

// Whatever happens to a snapshot, it is refused with ErrSnapshot or is the same state still.
func TestDamagedDamper(t *testing.T) {
	good, o := damped(t)
	for what, bad := range testutil.Damaged(good) {
		again, err := correlation.RestoreDamper(o, bad)
		if err != nil {
			if !errors.Is(err, correlation.ErrSnapshot) {
				t.Fatalf("%s: %v, want ErrSnapshot", what, err)
			}
			continue
		}
		if data, _ := again.Snapshot(); !bytes.Equal(data, good) {
			t.Fatalf("%s: read as another state\n%s\nwant\n%s", what, data, good)
		}
	}
}

// Whatever a snapshot holds, restoring does not panic and the time goes on.
func FuzzRestoreDamper(f *testing.F) {
	data, o := damped(f)
	data, err := sealed.Open(data, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, state []byte) {
		data, err := sealed.Seal(1, json.RawMessage(state))
		if err != nil {
			return
		}
		d, err := correlation.RestoreDamper(o, data)
		if err != nil {
			return
		}
		d.Filter([]correlation.Transition{onset(20, "m/app.x", 0), over(21, "m/app.x")})
		last := time.Time{}
		for _, n := range d.Step(sec(1e6)) {
			if n.At.Before(last) {
				t.Errorf("%v after %v", n.At, last)
			}
			last = n.At
		}
		if _, err := d.Snapshot(); err != nil {
			t.Errorf("Snapshot = %v", err)
		}
	})
}

// Time per transition must stay about the same from 1x to 100x.
func BenchmarkDamper(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("alerts=%d", n), func(b *testing.B) {
			var transitions []correlation.Transition
			for round := range 2 {
				for i := range n {
					tr := onset(float64(300*round)+float64(i)/1000, "m/app.x", 0)
					if round == 1 {
						tr = over(float64(300*round)+float64(i)/1000, "m/app.x")
					}
					tr.Alert.Labels = correlation.LabelsOf(map[string]string{"host": strconv.Itoa(i)})
					transitions = append(transitions, tr)
				}
			}
			b.ReportAllocs()
			cpu := cpuTime()
			for b.Loop() {
				d := newDamper(b, correlation.DamperOptions{Flap: flapLimits, Storm: stormLimits, NameStorm: stormLimits})
				d.Filter(transitions)
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N*len(transitions)), "cpu-ns/transition")
		})
	}
}
