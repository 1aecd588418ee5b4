package silence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/silence"
	"github.com/evenkeelops/evenkeel/internal/sealed"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// start is a Sunday.
var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func sec(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }

// change is the transition of one alert, named tenant/layer.name, with a label host.
func change(s int, kind correlation.Kind, alert, host string) correlation.Transition {
	tenant, name, _ := strings.Cut(alert, "/")
	a := correlation.Alert{Tenant: tenant, Name: name, Labels: correlation.LabelsOf(map[string]string{"host": host}), Active: kind != correlation.Resolve, Since: sec(s)}
	return correlation.Transition{At: sec(s), Kind: kind, Alert: a}
}

func lines(list []correlation.Transition) []string {
	var out []string
	for _, t := range list {
		out = append(out, fmt.Sprintf("%d %s %s/%s", int(t.At.Sub(start).Seconds()), t.Kind, t.Alert.Tenant, t.Alert))
	}
	return out
}

func wantLines(t *testing.T, what string, got []correlation.Transition, err error, want ...string) {
	t.Helper()
	if err != nil || !slices.Equal(lines(got), want) {
		t.Fatalf("%s = %q, %v\nwant %q", what, lines(got), err, want)
	}
}

func upkeep(id string, from, to int, matchers ...string) silence.Silence {
	s := silence.Silence{ID: id, Tenant: "m", Matchers: matchers, Start: sec(from), CreatedBy: "ann", Comment: "upkeep"}
	if to > 0 {
		s.End = sec(to)
	}
	return s
}

func add(tb testing.TB, s *silence.Silencer, list ...silence.Silence) {
	tb.Helper()
	for _, x := range list {
		if _, err := s.Add(sec(0), x); err != nil {
			tb.Fatal(err)
		}
	}
}

// The cases follow from the contract: only creation is muted, and what is held is told
// when nothing mutes it any more.
func TestContract(t *testing.T) {
	const n, r, hide, show = correlation.Notify, correlation.Resolve, correlation.Suppress, correlation.Release
	for _, c := range []struct {
		name     string
		silences []silence.Silence
		in       []correlation.Transition
		want     []string
	}{
		{
			"told before, resolved within",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`)},
			[]correlation.Transition{change(9, n, "m/l.x", "a"), change(15, r, "m/l.x", "a")},
			[]string{"9 notify m/l.x{host=a}", "15 resolve m/l.x{host=a}"},
		},
		{
			"at the start it mutes, at the end not",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`)},
			[]correlation.Transition{change(10, n, "m/l.x", "a"), change(20, n, "m/l.y", "a")},
			[]string{"20 notify m/l.y{host=a}", "20 notify m/l.x{host=a}"},
		},
		{
			"never told, never resolved",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`)},
			[]correlation.Transition{change(10, n, "m/l.x", "a"), change(19, r, "m/l.x", "a")},
			nil,
		},
		{
			"over at the end",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`)},
			[]correlation.Transition{change(10, n, "m/l.x", "a"), change(20, r, "m/l.x", "a")},
			nil,
		},
		{
			"other labels, other tenant",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`)},
			[]correlation.Transition{change(11, n, "m/l.x", "b"), change(12, n, "k/l.x", "a")},
			[]string{"11 notify m/l.x{host=b}", "12 notify k/l.x{host=a}"},
		},
		{
			"by name",
			[]silence.Silence{upkeep("s", 10, 20, `alertname="l.x"`)},
			[]correlation.Transition{change(11, n, "m/l.x", "b"), change(12, n, "m/l.y", "b")},
			[]string{"12 notify m/l.y{host=b}", "20 notify m/l.x{host=b}"},
		},
		{
			"until the last of two ends",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`), upkeep("u", 15, 30, `alertname=~"l.*"`)},
			[]correlation.Transition{change(11, n, "m/l.x", "a")},
			[]string{"30 notify m/l.x{host=a}"},
		},
		{
			"not while rules hide it",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`)},
			[]correlation.Transition{change(11, n, "m/l.x", "a"), change(12, hide, "m/l.x", "a"), change(25, show, "m/l.x", "a")},
			[]string{"12 suppress m/l.x{host=a}", "25 release m/l.x{host=a}", "25 notify m/l.x{host=a}"},
		},
		{
			"hidden and over",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`)},
			[]correlation.Transition{change(11, n, "m/l.x", "a"), change(12, hide, "m/l.x", "a"), change(25, r, "m/l.x", "a")},
			[]string{"12 suppress m/l.x{host=a}"},
		},
		{
			"shown before something else happens",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`)},
			[]correlation.Transition{change(11, n, "m/l.x", "a"), change(12, hide, "m/l.x", "a"), change(25, show, "m/l.x", "a"), change(40, n, "m/l.y", "a")},
			[]string{"12 suppress m/l.x{host=a}", "25 release m/l.x{host=a}", "25 notify m/l.x{host=a}", "40 notify m/l.y{host=a}"},
		},
		{
			"hidden, and told by its source once more",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`)},
			[]correlation.Transition{change(11, n, "m/l.x", "a"), change(12, hide, "m/l.x", "a"), change(25, n, "m/l.x", "a"), change(26, show, "m/l.x", "a")},
			[]string{"12 suppress m/l.x{host=a}", "25 notify m/l.x{host=a}", "26 release m/l.x{host=a}"},
		},
		{
			"shown within a later silence",
			[]silence.Silence{upkeep("s", 10, 20, `host="a"`), upkeep("u", 24, 30, `host="a"`)},
			[]correlation.Transition{change(11, n, "m/l.x", "a"), change(12, hide, "m/l.x", "a"), change(25, show, "m/l.x", "a")},
			[]string{"12 suppress m/l.x{host=a}", "25 release m/l.x{host=a}", "30 notify m/l.x{host=a}"},
		},
	} {
		s := silence.New(silence.Options{})
		add(t, s, c.silences...)
		var got []correlation.Transition
		for _, tr := range append(c.in, correlation.Transition{}) {
			at := sec(100)
			var in []correlation.Transition
			if tr.Kind != 0 {
				at, in = tr.At, append(in, tr)
			}
			out, err := s.Apply(at, in...)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, out...)
		}
		if !slices.Equal(lines(got), c.want) {
			t.Errorf("%s: told %q\nwant %q", c.name, lines(got), c.want)
		}
		// All in one call is the same.
		s = silence.New(silence.Options{})
		add(t, s, c.silences...)
		if got, err := s.Apply(sec(100), c.in...); err != nil || !slices.Equal(lines(got), c.want) {
			t.Errorf("%s, in one call: told %q, %v\nwant %q", c.name, lines(got), err, c.want)
		}
	}
}

// Maintenance on Sundays from 02:00 to 04:00 in Berlin, where the clock is put forward
// on 29 March 2026 at 02:00: that night it is from 01:00 to 02:00 UTC, else an hour
// longer.
func TestMaintenance(t *testing.T) {
	s := silence.New(silence.Options{})
	v := upkeep("weekly", 0, 0, `host="a"`)
	v.Hours = &calendar.Hours{Zone: "Europe/Berlin", Week: calendar.Week{time.Sunday: {{From: "02:00", To: "04:00"}}}}
	add(t, s, v)
	const hour, week = 3600, 7 * 24 * 3600
	got, err := s.Apply(sec(4*week+10*hour),
		change(hour-1, correlation.Notify, "m/l.before", "a"), change(hour, correlation.Notify, "m/l.x", "a"), change(5*hour, correlation.Resolve, "m/l.x", "a"),
		change(4*week+hour, correlation.Notify, "m/l.y", "a"))
	wantLines(t, "Apply", got, err,
		"3599 notify m/l.before{host=a}", "10800 notify m/l.x{host=a}", "18000 resolve m/l.x{host=a}", "2426400 notify m/l.y{host=a}")
	if want := 4*week + 2*hour; want != 2426400 {
		t.Fatalf("02:00 UTC of the fifth Sunday is %d", want)
	}
	if list := s.List(); len(list) != 1 || list[0].State != silence.Resting {
		t.Errorf("List = %+v, want it resting", list)
	}
}

// Expire and Delete tell what they set free, and all is in the audit.
func TestAudit(t *testing.T) {
	s := silence.New(silence.Options{Retention: 50 * time.Second})
	add(t, s, upkeep("a", 0, 40, `host="a"`), upkeep("b", 0, 60, `host="b"`), upkeep("c", 90, 95, `host="c"`))
	got, err := s.Apply(sec(10), change(5, correlation.Notify, "m/l.x", "a"), change(6, correlation.Notify, "m/l.x", "b"), change(7, correlation.Notify, "m/l.y", "b"))
	wantLines(t, "Apply", got, err)
	if got := s.Muted("m", "b"); len(got) != 2 || got[0].String() != "l.x{host=b}" || got[1].String() != "l.y{host=b}" {
		t.Errorf("Muted = %v, want l.x and l.y of host b", got)
	}
	why := s.Why(change(0, correlation.Notify, "m/l.x", "a").Alert)
	if len(why.Silences) != 1 || why.Silences[0].Comment != "upkeep" || !why.Held.Equal(sec(5)) || why.Hidden {
		t.Errorf("Why = %+v, want silence a since 5", why)
	}
	if a := change(0, correlation.Notify, "m/l.z", "b").Alert; !s.Mutes(a, sec(59)) || s.Mutes(a, sec(60)) {
		t.Error("Mutes does not follow the end of silence b")
	}
	got, err = s.Expire("m", "b", "bob", sec(20))
	wantLines(t, "Expire", got, err, "20 notify m/l.x{host=b}", "20 notify m/l.y{host=b}")
	got, err = s.Delete("m", "a", "bob", sec(30))
	wantLines(t, "Delete", got, err, "30 notify m/l.x{host=a}")
	for _, c := range []struct {
		err  error
		want error
	}{
		{second(s.Expire("m", "b", "bob", sec(30))), silence.ErrOver},
		{second(s.Expire("m", "a", "bob", sec(30))), silence.ErrUnknown},
		{second(s.Delete("x", "a", "bob", sec(30))), silence.ErrUnknown},
		{second(s.Add(sec(30), upkeep("b", 0, 60, `host="b"`))), silence.ErrExists},
		{second(s.Apply(sec(29))), silence.ErrTime},
		{second(s.Apply(sec(40), change(41, correlation.Notify, "m/l.x", "b"))), silence.ErrTime},
		{second(s.Apply(sec(40), change(35, correlation.Notify, "m/l.x", "b"), change(34, correlation.Notify, "m/l.y", "b"))), silence.ErrTime},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("error %v, want %v", c.err, c.want)
		}
	}
	if _, err := s.Apply(sec(200)); err != nil {
		t.Fatal(err)
	}
	var audit []string
	for _, e := range s.Audit() {
		audit = append(audit, fmt.Sprintf("%d %s %s by %s", int(e.At.Sub(start).Seconds()), e.Action, e.Silence.ID, e.By))
	}
	want := []string{
		"0 added a by ann", "0 added b by ann", "0 added c by ann", "20 cut b by bob", "30 deleted a by bob",
		"70 forgotten b by ", "95 ended c by ", "145 forgotten c by ",
	}
	if !slices.Equal(audit, want) {
		t.Errorf("Audit = %q\nwant %q", audit, want)
	}
	if len(s.Audit()) != 0 || len(s.List()) != 0 {
		t.Errorf("after that Audit and List = %v, %v, want nothing", s.Audit(), s.List())
	}
	if due, ok := s.NextWake(); ok {
		t.Errorf("NextWake = %v, want nothing", due)
	}
}

// One that is expired before it began has no length.
func TestExpirePending(t *testing.T) {
	s := silence.New(silence.Options{})
	add(t, s, upkeep("a", 50, 60, `host="a"`))
	got, err := s.Expire("m", "a", "bob", sec(20))
	wantLines(t, "Expire", got, err)
	if list := s.List(); len(list) != 1 || list[0].State != silence.Expired || !list[0].Silence.Start.Equal(sec(20)) || !list[0].Silence.End.Equal(sec(20)) {
		t.Errorf("List = %+v, want it from 20 to 20", list)
	}
	got, err = s.Apply(sec(55), change(55, correlation.Notify, "m/l.x", "a"))
	wantLines(t, "Apply", got, err, "55 notify m/l.x{host=a}")
}

// Shown and over in one instant: it is not told.
func TestShownAndOver(t *testing.T) {
	s := silence.New(silence.Options{})
	add(t, s, upkeep("a", 10, 20, `host="a"`))
	got, err := s.Apply(sec(30), change(11, correlation.Notify, "m/l.x", "a"), change(12, correlation.Suppress, "m/l.x", "a"),
		change(25, correlation.Release, "m/l.x", "a"), change(25, correlation.Resolve, "m/l.x", "a"))
	wantLines(t, "Apply", got, err, "12 suppress m/l.x{host=a}", "25 release m/l.x{host=a}")
}

func second(_ []correlation.Transition, err error) error { return err }

func TestRefused(t *testing.T) {
	s := silence.New(silence.Options{})
	_, err := s.Add(sec(50), silence.Silence{Matchers: []string{`a=`, `b=~"("`}, Start: sec(60), End: sec(60), Hours: &calendar.Hours{}})
	for _, field := range []string{"ID", "Matchers[1]", "End", "Hours", "CreatedBy", "Comment"} {
		if err == nil || !strings.Contains(err.Error(), ": "+field+" is ") {
			t.Errorf("Add = %v, want %s in it", err, field)
		}
	}
	for _, v := range []silence.Silence{upkeep("s", 0, 60), upkeep("s", 0, 60, `host=~".*"`), upkeep("s", 0, 50, `host="a"`), upkeep("s", 0, 0, `host="a"`)} {
		_, err := s.Add(sec(50), v)
		if fe, ok := errors.AsType[*silence.FieldError](err); !ok || fe.ID != "s" {
			t.Errorf("Add(%+v) = %v, want a FieldError", v, err)
		}
	}
	if list := s.List(); len(list) > 0 {
		t.Errorf("List = %v, want nothing", list)
	}
	for _, data := range []string{"", "{}", `{"version":1,"silences":[{"silence":{"id":"s"}}]}`} {
		if _, err := silence.Restore(silence.Options{}, []byte(data)); err == nil {
			t.Errorf("Restore(%q) = nil error, want one", data)
		}
	}
}

// step is one call.
type step struct {
	at   int
	in   []correlation.Transition
	add  *silence.Silence
	stop string // ID to expire
}

// random makes calls with the transitions that an engine could report.
func random(rnd *rand.Rand, n int) []step {
	var steps []step
	at := 0
	fires, hidden := map[string]bool{}, map[string]bool{}
	for k := range n {
		at += 1 + rnd.IntN(5)
		st := step{at: at}
		for _, name := range []string{"m/l.a", "m/l.b", "m/l.c", "k/l.a"} {
			host := []string{"a", "b"}[rnd.IntN(2)]
			id := name + host
			var kind correlation.Kind
			switch rnd.IntN(8) {
			case 0, 1:
				kind = correlation.Notify
			case 2:
				kind = correlation.Resolve
			case 3:
				kind = correlation.Suppress
			case 4:
				kind = correlation.Release
			}
			switch {
			case kind == correlation.Notify && !fires[id]:
				fires[id] = true
			case kind == correlation.Resolve && fires[id]:
				delete(fires, id)
				delete(hidden, id)
			case kind == correlation.Suppress && fires[id] && !hidden[id]:
				hidden[id] = true
			case kind == correlation.Release && hidden[id]:
				delete(hidden, id)
			default:
				continue
			}
			st.in = append(st.in, change(at, kind, name, host))
		}
		switch rnd.IntN(4) {
		case 0:
			s := upkeep(fmt.Sprint("s", k), at-2+rnd.IntN(10), at+10+rnd.IntN(20), []string{`host="a"`, `alertname=~"l.[ab]"`, `host!="a",host="b"`}[rnd.IntN(3)])
			st.add = &s
		case 1:
			st.stop = fmt.Sprint("s", rnd.IntN(k+1))
		}
		steps = append(steps, st)
	}
	return steps
}

func run(tb testing.TB, s *silence.Silencer, st step) []correlation.Transition {
	tb.Helper()
	out, err := s.Apply(sec(st.at), st.in...)
	if err != nil {
		tb.Fatal(err)
	}
	var more []correlation.Transition
	if st.add != nil {
		more, err = s.Add(sec(st.at), *st.add)
		if err != nil {
			tb.Fatal(err)
		}
	}
	out = append(out, more...)
	if st.stop != "" {
		more, err = s.Expire("m", st.stop, "bob", sec(st.at))
		if err != nil && !errors.Is(err, silence.ErrUnknown) && !errors.Is(err, silence.ErrOver) {
			tb.Fatal(err)
		}
	}
	return append(out, more...)
}

// model says at every second what was told, from the contract alone.
type model struct {
	silences          []silence.Silence
	fires, told, hide map[string]correlation.Alert
}

func (m *model) muted(a correlation.Alert, at time.Time) bool {
	for _, s := range m.silences {
		host := a.Labels.Get("host")
		matches := map[string]bool{`host="a"`: host == "a", `alertname=~"l.[ab]"`: a.Name != "l.c", `host!="a",host="b"`: host == "b"}[s.Matchers[0]]
		if a.Tenant == s.Tenant && matches && !at.Before(s.Start) && at.Before(s.End) {
			return true
		}
	}
	return false
}

// release tells what fires, is not hidden and not muted, and was not told.
func (m *model) release(at time.Time) (out []string) {
	for id, a := range m.fires {
		_, told := m.told[id]
		if _, hidden := m.hide[id]; !told && !hidden && !m.muted(a, at) {
			m.told[id] = a
			out = append(out, fmt.Sprintf("%d notify %s/%s", int(at.Sub(start).Seconds()), a.Tenant, a))
		}
	}
	return out
}

func (m *model) apply(list []correlation.Transition) (out []string) {
	for _, t := range list {
		id := t.Alert.Tenant + "/" + t.Alert.String()
		_, told := m.told[id]
		switch t.Kind {
		case correlation.Notify:
			m.fires[id] = t.Alert
			continue
		case correlation.Resolve:
			delete(m.fires, id)
			delete(m.told, id)
			delete(m.hide, id)
			if !told {
				continue
			}
		case correlation.Suppress:
			m.hide[id] = t.Alert
		case correlation.Release:
			delete(m.hide, id)
		case correlation.Late, correlation.Open, correlation.Close:
		}
		out = append(out, lines([]correlation.Transition{t})...)
	}
	return out
}

// A slow model tells the same; nothing is told twice and nothing resolved that was not
// told; a snapshot at any prefix and the rest give the whole run, byte for byte; and
// the order of the transitions of an instant does not matter.
func TestLaws(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		whole := silence.New(silence.Options{Retention: 20 * time.Second})
		data, _ := whole.Snapshot()
		m := &model{fires: map[string]correlation.Alert{}, told: map[string]correlation.Alert{}, hide: map[string]correlation.Alert{}}
		on := map[string]bool{}
		last := 0
		for n, st := range random(rnd, 40) {
			var want []string
			for at := last + 1; at < st.at; at++ {
				want = append(want, m.release(sec(at))...)
			}
			last = st.at
			want = append(want, m.apply(st.in)...)
			want = append(want, m.release(sec(st.at))...)
			if st.add != nil {
				m.silences = append(m.silences, *st.add)
			}
			for k := range m.silences {
				if s := &m.silences[k]; s.ID == st.stop && s.End.After(sec(st.at)) {
					s.End = sec(st.at)
				}
			}
			want = append(want, m.release(sec(st.at))...)

			got := run(t, whole, st)
			for _, tr := range got {
				id := tr.Alert.Tenant + "/" + tr.Alert.String()
				if k := tr.Kind; k == correlation.Notify && on[id] || k == correlation.Resolve && !on[id] {
					t.Fatalf("seed %d step %d: %s of %s, which was told: %v", seed, n, k, id, on[id])
				}
				if tr.Kind == correlation.Notify || tr.Kind == correlation.Resolve {
					on[id] = tr.Kind == correlation.Notify
				}
			}
			if g := lines(got); !equalSets(g, want) {
				t.Fatalf("seed %d step %d: told\n got %q\nwant %q", seed, n, g, want)
			}

			restored, err := silence.Restore(silence.Options{Retention: 20 * time.Second}, data)
			if err != nil {
				t.Fatal(err)
			}
			if again, _ := restored.Snapshot(); !bytes.Equal(again, data) {
				t.Fatalf("seed %d step %d: restored\n got %s\nwant %s", seed, n, again, data)
			}
			if rest := run(t, restored, st); !slices.Equal(lines(rest), lines(got)) {
				t.Fatalf("seed %d step %d: after a restart\n got %q\nwant %q", seed, n, lines(rest), lines(got))
			}
			shuffled, err := silence.Restore(silence.Options{Retention: 20 * time.Second}, data)
			if err != nil {
				t.Fatal(err)
			}
			rnd.Shuffle(len(st.in), func(i, k int) { st.in[i], st.in[k] = st.in[k], st.in[i] })
			if rest := run(t, shuffled, st); !equalSets(lines(rest), lines(got)) {
				t.Fatalf("seed %d step %d: shuffled\n got %q\nwant %q", seed, n, lines(rest), lines(got))
			}
			data, err = whole.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range []*silence.Silencer{restored, shuffled} {
				if got, _ := other.Snapshot(); !bytes.Equal(got, data) {
					t.Fatalf("seed %d step %d: snapshot\n got %s\nwant %s", seed, n, got, data)
				}
			}
		}
	}
}

func equalSets(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// Whatever happens to a snapshot, it is refused with ErrSnapshot or is the same state still.
func TestDamagedSnapshot(t *testing.T) {
	s := silence.New(silence.Options{})
	add(t, s, upkeep("a", 0, 40, `host="a"`), upkeep("b", 5, 90, `host="b"`))
	if _, err := s.Apply(sec(1), change(1, correlation.Notify, "m/l.x", "a")); err != nil {
		t.Fatal(err)
	}
	good, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range testutil.Damaged(good) {
		again, err := silence.Restore(silence.Options{}, bad)
		if err != nil {
			if !errors.Is(err, silence.ErrSnapshot) {
				t.Fatalf("%s: %v, want ErrSnapshot", what, err)
			}
			continue
		}
		if data, _ := again.Snapshot(); !bytes.Equal(data, good) {
			t.Fatalf("%s: read as another state\n%s\nwant\n%s", what, data, good)
		}
	}
	for data, want := range map[string]string{
		strings.Replace(string(good), "00:00:40", "00:00:41", 1): "the checksum of its state is ",
		`{"version":1,"silences":[]}`:                            "it has version 1, want 2",
	} {
		if _, err := silence.Restore(silence.Options{}, []byte(data)); !errors.Is(err, silence.ErrSnapshot) || !strings.Contains(err.Error(), want) {
			t.Errorf("Restore(%s) = %v, want ErrSnapshot: %s", data, err, want)
		}
	}
}

// A state that is not one is an error, never a panic.
func FuzzRestore(f *testing.F) {
	s := silence.New(silence.Options{})
	add(f, s, upkeep("a", 0, 40, `host="a"`))
	if _, err := s.Apply(sec(1), change(1, correlation.Notify, "m/l.x", "a")); err != nil {
		f.Fatal(err)
	}
	data, err := s.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	if data, err = sealed.Open(data, 2); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, state []byte) {
		data, err := sealed.Seal(2, json.RawMessage(state))
		if err != nil {
			return
		}
		s, err := silence.Restore(silence.Options{}, data)
		if err != nil {
			return
		}
		if again, err := s.Snapshot(); err == nil && !json.Valid(again) {
			t.Errorf("Snapshot = %q", again)
		}
		if _, err := s.Apply(sec(1000)); err != nil && !errors.Is(err, silence.ErrTime) {
			t.Errorf("Apply = %v", err)
		}
	})
}
