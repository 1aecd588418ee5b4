package escalation_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

func scheduleOf(t *testing.T, plan escalation.Plan) *escalation.Schedule {
	t.Helper()
	s, err := escalation.NewSchedule(plan)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// who asks a schedule at several instants.
func who(s *escalation.Schedule, instants ...string) string {
	var out []string
	for _, text := range instants {
		o := s.WhoAt(at(text))
		out = append(out, strings.Join(append([]string{o.User}, o.Also...), "+"))
	}
	return strings.Join(out, " ")
}

func single(r escalation.Rotation) escalation.Plan {
	return escalation.Plan{Layers: []escalation.Layer{{Name: "one", Rotation: r}}}
}

// On 29 March 2026 Amsterdam has no 02:00 to 03:00: the third of four hourly turns
// is not there. 03:30 there is 01:30Z.
func TestKeepTurn(t *testing.T) {
	r := escalation.Rotation{Zone: "Europe/Amsterdam", Start: "2026-03-29T00:00", Unit: escalation.WallHours, Length: 1, Users: []string{"ann", "bob", "cas"}}
	instants := []string{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"}
	if got := who(scheduleOf(t, single(r)), instants...); got != "bob ann bob" {
		t.Errorf("skipped: %s, want bob ann bob", got)
	}
	r.KeepTurn = true
	if got := who(scheduleOf(t, single(r)), instants...); got != "bob cas ann" {
		t.Errorf("kept: %s, want bob cas ann", got)
	}
}

func TestMonthEnd(t *testing.T) {
	r := escalation.Rotation{Zone: "UTC", Start: "2026-01-31T00:00", Unit: escalation.Months, Length: 1, Users: []string{"ann", "bob"}}
	instants := []string{"2026-02-28T12:00:00Z", "2026-03-30T12:00:00Z", "2026-03-31T12:00:00Z", "2026-04-30T12:00:00Z", "2026-05-31T12:00:00Z"}
	// 28 February, 31 March, 30 April, 31 May.
	if got := who(scheduleOf(t, single(r)), instants...); got != "bob bob ann bob ann" {
		t.Errorf("clamp: %s", got)
	}
	r.MonthEnd = escalation.Skip // 31 March, 31 May
	s := scheduleOf(t, single(r))
	if got := who(s, instants...); got != "ann ann bob bob ann" {
		t.Errorf("skip: %s", got)
	}
	if next, _ := s.NextChange(at("2026-03-31T12:00:00Z")); !next.Equal(at("2026-05-31T00:00:00Z")) {
		t.Errorf("skip: next change %v, want 31 May", next)
	}
	turns, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	if turn, ok := turns.At(at("2026-04-30T12:00:00Z")); !ok || !turn.Start.Equal(at("2026-03-31T00:00:00Z")) || !turn.End.Equal(at("2026-05-31T00:00:00Z")) || turn.User != "bob" {
		t.Errorf("skip: turn %+v, want Bob's from 31 March to 31 May", turn)
	}
	r.MonthEnd = escalation.Refuse
	if _, err := r.Compile(); err == nil || !strings.Contains(err.Error(), "start_local") {
		t.Errorf("refuse: %v", err)
	}
	r.Start = "2026-01-28T00:00"
	if _, err := r.Compile(); err != nil {
		t.Errorf("refuse, the 28th: %v", err)
	}
}

func TestBackwards(t *testing.T) {
	r := escalation.Rotation{Zone: "UTC", Start: "2026-01-05T09:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann", "bob", "cas"}, Backwards: true}
	if got := who(scheduleOf(t, single(r)), "2025-12-29T08:59:59Z", "2025-12-29T09:00:00Z", "2026-01-05T08:59:59Z", "2026-01-05T09:00:00Z"); got != "bob cas cas ann" {
		t.Errorf("%s, want bob cas cas ann", got)
	}
}

// 5 October 2026 is a Monday.
func TestActiveOnly(t *testing.T) {
	l := escalation.Layer{
		Name:     "office",
		Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob", "cas"}},
		Windows:  []escalation.Window{{Days: escalation.Weekdays, From: "09:00", To: "17:00"}},
	}
	days := []string{
		"2026-10-05T12:00:00Z", "2026-10-06T12:00:00Z", "2026-10-07T12:00:00Z", "2026-10-08T12:00:00Z", "2026-10-09T12:00:00Z",
		"2026-10-10T12:00:00Z", "2026-10-12T12:00:00Z", "2026-10-13T12:00:00Z",
	}
	for _, c := range []struct {
		active   bool
		holidays []string
		want     string
	}{
		{false, nil, "ann bob cas ann bob  bob cas"}, // the weekend uses up two turns
		{true, nil, "ann bob cas ann bob  cas ann"},
		{true, []string{"2026-10-07"}, "ann bob  cas ann  bob cas"},
		{false, []string{"2026-10-07"}, "ann bob  ann bob  bob cas"},
	} {
		l.ActiveOnly, l.Holidays = c.active, c.holidays
		if got := who(scheduleOf(t, escalation.Plan{Layers: []escalation.Layer{l}}), days...); got != c.want {
			t.Errorf("active only %v, holidays %v: %q, want %q", c.active, c.holidays, got, c.want)
		}
	}
	for _, unit := range []escalation.Unit{escalation.Months, escalation.ElapsedHours} {
		l.Rotation.Unit, l.ActiveOnly = unit, true
		if _, err := escalation.NewSchedule(escalation.Plan{Layers: []escalation.Layer{l}}); err == nil || !strings.Contains(err.Error(), "active_turns_only") {
			t.Errorf("active only in %s: %v", unit, err)
		}
	}
	l.Windows = nil
	if _, err := escalation.NewSchedule(escalation.Plan{Layers: []escalation.Layer{l}}); err == nil || !strings.Contains(err.Error(), "layers[0].windows") {
		t.Errorf("active only without windows: %v", err)
	}
}

func TestListChanges(t *testing.T) {
	day := func(from string, restart bool, users ...string) escalation.ListChange {
		return escalation.ListChange{From: at(from), Users: users, Restart: restart}
	}
	for _, c := range []struct {
		name    string
		changes []escalation.ListChange
		want    string // at noon from the 5th, and at 18:00 on the 6th before it
	}{
		{"none", nil, "ann bob bob cas ann"},
		{"newcomer: Bob keeps the turn and Cas follows", []escalation.ListChange{day("2026-10-06T15:00:00Z", false, "dan", "ann", "bob", "cas")}, "ann bob bob cas dan"},
		{"Bob leaves: Cas succeeds at once", []escalation.ListChange{day("2026-10-06T15:00:00Z", false, "ann", "cas")}, "ann bob cas ann cas"},
		{"restart", []escalation.ListChange{day("2026-10-06T15:00:00Z", true, "eve", "fay")}, "ann bob eve fay eve"},
		{"all new", []escalation.ListChange{day("2026-10-06T15:00:00Z", false, "eve", "fay")}, "ann bob eve fay eve"},
		{"two", []escalation.ListChange{day("2026-10-06T15:00:00Z", false, "bob", "ann"), day("2026-10-07T06:00:00Z", false, "ann", "gus")}, "ann bob bob ann gus"},
	} {
		r := escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob", "cas"}, Changes: c.changes}
		got := who(scheduleOf(t, single(r)), "2026-10-05T12:00:00Z", "2026-10-06T12:00:00Z", "2026-10-06T18:00:00Z", "2026-10-07T12:00:00Z", "2026-10-08T12:00:00Z")
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTogether(t *testing.T) {
	day := func(name string, users ...string) escalation.Layer {
		return escalation.Layer{Name: name, Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: users}}
	}
	second := day("second", "dan", "ann")
	second.Windows = []escalation.Window{{From: "08:00", To: "20:00"}}
	plan := escalation.Plan{Together: true, Layers: []escalation.Layer{day("first", "ann", "bob"), second}}
	// On the 6th Bob and Ann; on the 7th Ann and Dan.
	instants := []string{"2026-10-05T07:00:00Z", "2026-10-05T12:00:00Z", "2026-10-06T12:00:00Z", "2026-10-06T21:00:00Z"}
	s := scheduleOf(t, plan)
	if got := who(s, instants...); got != "ann ann+dan bob+ann bob" {
		t.Errorf("%s, want ann ann+dan bob+ann bob", got)
	}
	var line []string
	for _, o := range s.Lineup(at("2026-10-06T12:00:00Z")) {
		line = append(line, o.User+" "+o.Source)
	}
	if want := []string{"bob layer:first", "ann layer:second"}; !slices.Equal(line, want) {
		t.Errorf("Lineup = %v, want %v", line, want)
	}
	plan.Overrides = []escalation.Override{
		{ID: "a", Start: at("2026-10-05T10:00:00Z"), End: at("2026-10-05T14:00:00Z"), User: "zoe", Replaces: "dan"},
		{ID: "b", Start: at("2026-10-06T10:00:00Z"), End: at("2026-10-06T14:00:00Z"), Kind: escalation.Remove, Replaces: "bob"},
	}
	if got := who(scheduleOf(t, plan), instants...); got != "ann ann+zoe ann bob" {
		t.Errorf("with overrides %s, want ann ann+zoe ann bob", got)
	}
	// Whoever is on call already is so once.
	plan.Overrides = []escalation.Override{{ID: "c", Start: at("2026-10-05T10:00:00Z"), End: at("2026-10-05T14:00:00Z"), User: "dan"}}
	if got := who(scheduleOf(t, plan), instants...); got != "ann dan bob+ann bob" {
		t.Errorf("with an override by the other %s, want ann dan bob+ann bob", got)
	}
}

func TestReplacement(t *testing.T) {
	plan := single(escalation.Rotation{Zone: "UTC", Start: "2026-12-01T00:00", Unit: escalation.Weeks, Length: 1, Users: []string{"ann"}})
	plan.Replacements = []escalation.Replacement{
		{
			ID: "christmas", Start: at("2026-12-24T18:00:00Z"), End: at("2026-12-27T08:00:00Z"), Fallback: "lead",
			Layers: []escalation.Layer{{
				Name:     "volunteers",
				Rotation: escalation.Rotation{Zone: "UTC", Start: "2026-12-25T00:00", Unit: escalation.Days, Length: 1, Users: []string{"bob", "cas"}},
			}},
		},
		{ID: "new year", Start: at("2026-12-31T12:00:00Z"), End: at("2027-01-01T12:00:00Z"), Fallback: "lead"},
	}
	s := scheduleOf(t, plan)
	var got []string
	for _, shift := range s.Shifts(at("2026-12-24T00:00:00Z"), at("2027-01-02T00:00:00Z")) {
		got = append(got, shift.Start.Format("02T15 ")+shift.User+" "+shift.Source)
	}
	want := []string{
		"24T00 ann layer:one", "24T18 lead replacement:christmas", "25T00 bob layer:volunteers", "26T00 cas layer:volunteers",
		"27T00 bob layer:volunteers", "27T08 ann layer:one", "31T12 lead replacement:new year", "01T12 ann layer:one",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Shifts = %v, want %v", got, want)
	}
	if next, ok := s.NextChange(at("2026-12-20T00:00:00Z")); !ok || !next.Equal(plan.Replacements[0].Start) {
		t.Errorf("NextChange = %v, want the start of the replacement", next)
	}
	plan.Replacements[1].Start = at("2026-12-26T00:00:00Z")
	plan.Replacements = append(plan.Replacements, escalation.Replacement{ID: "new year", Start: at("2027-02-01T00:00:00Z"), End: at("2027-02-01T00:00:00Z")})
	_, err := escalation.NewSchedule(plan)
	for _, want := range []string{"replacements[1].from", "replacements[2].id", "replacements[2].layers", "replacements[2].to"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewSchedule does not report %s: %v", want, err)
		}
	}
}

func TestSwap(t *testing.T) {
	plan := single(escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob", "cas"}})
	s := scheduleOf(t, plan)
	day := func(n int) calendar.Interval {
		start := at("2026-10-05T00:00:00Z").AddDate(0, 0, n)
		return calendar.Interval{Start: start, End: start.AddDate(0, 0, 1)}
	}
	now := at("2026-10-05T08:00:00Z")
	ask := escalation.Swap{ID: "1", Requester: "bob", Counterpart: "cas", Give: day(1), Take: day(2), NeedsApproval: true}
	w, err := ask.Request(s, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Accept(s, "ann", now); !errors.Is(err, escalation.ErrNotYours) {
		t.Errorf("accepted by another: %v", err)
	}
	if _, err := w.Approve(s, "lead", now); !errors.Is(err, escalation.ErrNotPossible) {
		t.Errorf("approved before it was accepted: %v", err)
	}
	if w, err = w.Accept(s, "cas", now); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Approve(s, "cas", now); !errors.Is(err, escalation.ErrNotYours) {
		t.Errorf("approved by one of the two: %v", err)
	}
	if len(w.Overrides()) != 0 {
		t.Error("overrides before it is effective")
	}
	if _, err := w.Approve(s, "lead", at("2026-10-06T00:00:01Z")); !errors.Is(err, escalation.ErrPast) {
		t.Errorf("approved after the shift began: %v", err)
	}
	done, err := w.Approve(s, "lead", now)
	if err != nil {
		t.Fatal(err)
	}
	plan.Overrides = done.Overrides()
	if got := who(scheduleOf(t, plan), "2026-10-05T12:00:00Z", "2026-10-06T12:00:00Z", "2026-10-07T12:00:00Z", "2026-10-08T12:00:00Z"); got != "ann cas bob ann" {
		t.Errorf("after the swap %s, want ann cas bob ann", got)
	}
	if out, err := w.Decline("cas", "busy", now); err != nil || out.State != escalation.SwapDeclined || len(out.Log) != 3 || len(w.Log) != 2 {
		t.Errorf("Decline = %+v, %v", out, err)
	}
	if out, err := w.Decline("bob", "", now); err != nil || out.State != escalation.SwapWithdrawn {
		t.Errorf("withdrawn: %+v, %v", out, err)
	}
	if _, err := done.Decline("cas", "", now); !errors.Is(err, escalation.ErrNotPossible) {
		t.Errorf("declined after it was effective: %v", err)
	}
	// The schedule was changed meanwhile.
	if _, err := w.Approve(scheduleOf(t, plan), "lead", now); !errors.Is(err, escalation.ErrNotYours) {
		t.Errorf("approved on another schedule: %v", err)
	}
	for _, bad := range []escalation.Swap{
		{},
		{ID: "2", Requester: "bob", Counterpart: "bob", Give: day(1)},
		{ID: "3", Requester: "bob", Counterpart: "cas", Give: day(2)},
		{ID: "4", Requester: "bob", Counterpart: "cas", Give: day(1), Take: day(3)},
		{ID: "5", Requester: "ann", Counterpart: "cas", Give: day(0)},
	} {
		if _, err := bad.Request(s, now); err == nil {
			t.Errorf("Request(%+v) = nil, want an error", bad)
		} else if e := new(escalation.SwapError); !errors.As(err, &e) || e.Swap != bad.ID {
			t.Errorf("Request(%+v) = %v", bad, err)
		}
	}
	cover, err := escalation.Swap{ID: "6", Requester: "bob", Counterpart: "cas", Give: day(1)}.Request(s, now)
	if err != nil {
		t.Fatal(err)
	}
	if cover, err = cover.Accept(s, "cas", now); err != nil || len(cover.Overrides()) != 1 {
		t.Errorf("cover: %+v, %v", cover, err)
	}
}

// Who has a shift by a swap can give it on.
func TestSwapOfASwappedShift(t *testing.T) {
	plan := single(escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.Days, Length: 1, Users: []string{"ann", "bob", "cas"}})
	now := at("2026-10-05T08:00:00Z")
	tuesday := calendar.Interval{Start: at("2026-10-06T00:00:00Z"), End: at("2026-10-07T00:00:00Z")}
	for _, pair := range [][2]string{{"bob", "cas"}, {"cas", "dan"}} {
		s := scheduleOf(t, plan)
		w, err := escalation.Swap{ID: pair[0], Requester: pair[0], Counterpart: pair[1], Give: tuesday}.Request(s, now)
		if err != nil {
			t.Fatal(err)
		}
		if w, err = w.Accept(s, pair[1], now); err != nil {
			t.Fatal(err)
		}
		plan.Overrides = append(plan.Overrides, w.Overrides()...)
	}
	if got := who(scheduleOf(t, plan), "2026-10-06T12:00:00Z"); got != "dan" {
		t.Errorf("on call on Tuesday: %s, want dan", got)
	}
}

// A shift of all time to give is refused at its first hour, not gone through.
func TestSwapOfAllTime(t *testing.T) {
	s := scheduleOf(t, single(escalation.Rotation{Zone: "UTC", Start: "2026-10-05T00:00", Unit: escalation.WallHours, Length: 1, Users: []string{"ann", "bob"}}))
	all := calendar.Interval{Start: at("2026-10-05T00:00:00Z"), End: at("9999-12-31T00:00:00Z")}
	_, err := escalation.Swap{ID: "1", Requester: "ann", Counterpart: "bob", Give: all}.Request(s, at("2026-10-01T00:00:00Z"))
	if !errors.Is(err, escalation.ErrNotYours) || !strings.Contains(err.Error(), "from 2026-10-05T01:00:00Z on call: bob, not ann") {
		t.Errorf("Request = %v", err)
	}
}

// walker answers who is on call by going through the turns one by one.
type walker struct {
	layer escalation.Layer
	loc   *time.Location
}

func (w walker) at(when time.Time) string {
	r := w.layer.Rotation
	start, _ := time.Parse("2006-01-02T15:04", r.Start)
	reading := func(k int) time.Time {
		switch r.Unit {
		case escalation.Weeks:
			return start.AddDate(0, 0, 7*k*r.Length)
		case escalation.Months:
			return wallclock.AddMonths(start, k*r.Length)
		case escalation.WallHours:
			return start.Add(time.Duration(k*r.Length) * time.Hour)
		default:
			return start.AddDate(0, 0, k*r.Length)
		}
	}
	handoff := func(k int) time.Time { return wallclock.Resolve(reading(k), w.loc, wallclock.First) }
	if when.Before(handoff(0)) {
		return ""
	}
	users, place, person, changes := r.Users, 0, "", r.Changes
	change := func(until time.Time) {
		for len(changes) > 0 && !changes[0].From.After(until) {
			old, from := users, place
			users, place = changes[0].Users, 0
			for i := range old {
				if at := slices.Index(users, old[(from+i)%len(old)]); at >= 0 && !changes[0].Restart {
					place = at
					break
				}
			}
			person, changes = users[place], changes[1:]
		}
	}
	person = users[0]
	for k := 0; !handoff(k).After(when); k++ {
		if k > 0 {
			before := handoff(k)
			if k+1 > 0 && before.After(when) {
				break
			}
			change(before.Add(-1))
		}
		skip := r.MonthEnd == escalation.Skip && r.Unit == escalation.Months && reading(k).Day() != start.Day()
		if k > 0 && !skip && w.counts(r, reading, handoff, k-1) {
			place = (place + 1) % len(users)
			person = users[place]
		}
		change(handoff(k))
	}
	change(when)
	return person
}

// counts reports whether turn k used up a turn.
func (w walker) counts(r escalation.Rotation, reading, handoff func(int) time.Time, k int) bool {
	if r.KeepTurn && handoff(k).Equal(handoff(k+1)) {
		return false
	}
	if !w.layer.ActiveOnly {
		return true
	}
	for day := reading(k).AddDate(0, 0, -1).Truncate(24 * time.Hour); day.Before(reading(k + 1)); day = day.AddDate(0, 0, 1) {
		for _, win := range w.layer.Windows {
			date := day.Format(time.DateOnly)
			if !win.Days.Has(day.Weekday()) || slices.Contains(win.Except, date) || slices.Contains(w.layer.Holidays, date) {
				continue
			}
			from, _ := time.Parse("15:04", win.From)
			to, _ := time.Parse("15:04", win.To)
			length := to.Sub(from)
			if length <= 0 {
				length += 24 * time.Hour
			}
			open := day.Add(from.Sub(from.Truncate(24 * time.Hour)))
			if open.Before(reading(k+1)) && open.Add(length).After(reading(k)) {
				return true
			}
		}
	}
	return false
}

// With random options the rule gives the same answer as walking through the turns.
func TestOptionsAgainstWalker(t *testing.T) {
	zones := []string{"Europe/Amsterdam", "America/Chicago", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "Africa/Cairo"}
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		pick := func(n int) bool { return rnd.IntN(n) == 0 }
		start := time.Date(2026, time.Month(1+rnd.IntN(12)), 1+rnd.IntN(31), rnd.IntN(24), 30*rnd.IntN(2), 0, 0, time.UTC)
		l := escalation.Layer{Name: "x", Rotation: escalation.Rotation{
			Zone: zones[rnd.IntN(len(zones))], Start: start.Format("2006-01-02T15:04"), Unit: escalation.Unit(1 + rnd.IntN(4)), Length: 1 + rnd.IntN(3),
			Users: []string{"a", "b", "c", "d"}[:1+rnd.IntN(4)], KeepTurn: pick(2),
		}}
		if l.Rotation.Unit == escalation.Months && pick(2) {
			l.Rotation.MonthEnd = escalation.Skip
		}
		span := 500 * 24 * time.Hour
		if l.Rotation.Unit == escalation.WallHours {
			span /= 20
		}
		for from := start; pick(2) && len(l.Rotation.Changes) < 3; {
			from = from.Add(time.Duration(1+rnd.IntN(int(span/time.Hour)/3)) * time.Hour)
			l.Rotation.Changes = append(l.Rotation.Changes, escalation.ListChange{From: from, Users: [][]string{{"b", "e"}, {"a", "b", "c"}, {"f"}, {"d", "c"}}[rnd.IntN(4)], Restart: pick(4)})
		}
		if l.Rotation.Unit != escalation.Months && pick(2) {
			l.ActiveOnly = true
			l.Windows = []escalation.Window{{Days: escalation.Weekdays, From: "09:00", To: "17:00", Except: []string{start.AddDate(0, 0, 8).Format(time.DateOnly)}}}
			if pick(2) {
				l.Windows = append(l.Windows, escalation.Window{Days: escalation.Saturday, From: "22:00", To: "06:00"})
			}
			l.Holidays = []string{start.AddDate(0, 0, 2).Format(time.DateOnly), start.AddDate(0, 0, 30).Format(time.DateOnly)}
		}
		s := scheduleOf(t, escalation.Plan{Layers: []escalation.Layer{l}})
		loc, err := time.LoadLocation(l.Rotation.Zone)
		if err != nil {
			t.Fatal(err)
		}
		w := walker{layer: l, loc: loc}
		for range 12 {
			when := start.Add(time.Duration(rnd.Int64N(int64(span)))).Truncate(time.Minute)
			got := s.WhoAt(when)
			if got.Source == "" { // outside the windows
				continue
			}
			if want := w.at(when); got.User != want {
				t.Fatalf("seed %d: %s at %s, want %s: %+v", seed, got.User, when.Format(time.RFC3339), want, l)
			}
		}
		// Shifts agree with WhoAt on both sides of every edge.
		for _, shift := range s.Shifts(start, start.Add(span/4)) {
			for _, when := range []time.Time{shift.Start, shift.End.Add(-1)} {
				if got := s.WhoAt(when); got.User != shift.User || got.Source != shift.Source {
					t.Fatalf("seed %d: WhoAt(%s) = %+v in the shift %+v", seed, when.Format(time.RFC3339Nano), got, shift)
				}
			}
		}
	}
}
