package escalation

import (
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// Rotation is a list of people who take turns. It is data; [Rotation.Compile]
// checks it and gives the answers.
//
// Turn k begins at the instant at which a clock in the zone shows
//
//	start_local + k · length
//
// in calendar arithmetic: the first occurrence of an ambiguous reading, the
// instant of the transition for a reading that the zone skips. On call at an
// instant is the person of the last turn that has begun. So nobody is on call
// before the start, the hour that a clock repeats does not bring the previous
// person back, and a turn that falls wholly into a skipped hour is left out.
//
// Months are counted from the day of the start and end with the month: from 31
// January the handoffs are on 28 February, 31 March, 30 April. Options below
// change some of this.
type Rotation struct {
	// Zone is an IANA name such as "Europe/Amsterdam".
	Zone string `json:"tz"`

	// Start is the first handoff on the wall clock, "2026-01-05T09:00".
	Start string `json:"start_local"`

	// Unit and Length make up the length of a turn; Length is 1 to 100,000.
	Unit   Unit `json:"unit"`
	Length int  `json:"length"`

	// Users are the ids of the people in the order of their turns. An id may
	// occur more than once.
	Users []string `json:"users"`

	// Changes of the list of people, in order of their instants; optional.
	Changes []ListChange `json:"changes,omitempty"`

	// MonthEnd says what becomes of a handoff on a day that the month does not
	// have. Defaults to Clamp, the last day of the month.
	MonthEnd MonthEnd `json:"month_end,omitzero"`

	// KeepTurn gives a person whose turn falls wholly into a skipped hour the
	// next turn instead. It holds for the changes of clocks from 1970 to 2049.
	KeepTurn bool `json:"keep_turn,omitzero"`

	// Backwards goes on with the turns into the time before the start.
	Backwards bool `json:"extend_backwards,omitzero"`
}

// MonthEnd is what becomes of a monthly handoff on a day that the month does not
// have.
type MonthEnd uint8

// The rules for the end of the month.
const (
	Clamp  MonthEnd = iota // it is on the last day of the month
	Skip                   // it is left out and the turn goes on, as in the recurrence rules of RFC 5545; until 2400
	Refuse                 // a rotation that begins after the 28th is an error
)

var monthEndNames = names{"clamp", "skip", "refuse"}

// String returns "clamp", "skip" or "refuse".
func (m MonthEnd) String() string { return monthEndNames.text(uint8(m), "MonthEnd") }

// MarshalText writes the name.
func (m MonthEnd) MarshalText() ([]byte, error) { return monthEndNames.marshal(uint8(m), "month_end") }

// UnmarshalText reads a name in any case; empty text is Clamp.
func (m *MonthEnd) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*m = Clamp
		return nil
	}
	value, err := monthEndNames.parse(string(text), "month_end")
	if err != nil {
		return err
	}
	*m = MonthEnd(value)
	return nil
}

// Unit is what the length of a turn is counted in. The zero value is not set.
type Unit uint8

// The units of a turn. All but ElapsedHours follow the wall clock: a turn is an
// hour longer or shorter where the clock is changed, and its handoff stays at
// the same time of day. A turn of ElapsedHours has a fixed length, and the time
// of day of its handoff moves.
const (
	Days Unit = iota + 1
	Weeks
	Months
	WallHours
	ElapsedHours
)

var unitNames = names{"", "days", "weeks", "months", "wall_hours", "elapsed_hours"}

// String returns "days", "weeks", "months", "wall_hours" or "elapsed_hours",
// and "unset" for the zero value.
func (u Unit) String() string { return unitNames.text(uint8(u), "Unit") }

// MarshalText writes the name, and empty text for the zero value.
func (u Unit) MarshalText() ([]byte, error) { return unitNames.marshal(uint8(u), "unit") }

// UnmarshalText reads a name in any case; empty text is the zero value.
func (u *Unit) UnmarshalText(text []byte) error {
	value, err := unitNames.parse(string(text), "unit")
	if err != nil {
		return err
	}
	*u = Unit(value)
	return nil
}

var unitSeconds = [...]int64{
	Days: secondsPerDay, Weeks: 7 * secondsPerDay, Months: 0, WallHours: 3600, ElapsedHours: 3600,
}

const maxTurnLength = 100_000

// Turn is one person's time on call in a rotation, [Start, End) in UTC. Index
// counts the turns from 0 at the start of the rotation.
type Turn struct {
	Index int64     `json:"index"`
	User  string    `json:"user"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Turns is a rotation after its checks. It keeps nothing but the rule: an
// answer for any instant is computed from the instant alone. It is immutable
// and safe for concurrent use.
type Turns struct {
	zone   *zone
	unit   Unit
	start  int64 // wall time of turn 0
	anchor anchor
	first  int64 // its instant
	length int64 // seconds, or months
	lists  []userList
	fixed  bool // all turns are the same person's

	backwards bool
	count     turnCount
	missing   []int64 // turns that do not begin, for Skip
}

// Compile checks the rotation. The problems are joined [*ConfigError]s. The
// list of users is copied.
func (r Rotation) Compile() (*Turns, error) {
	p := newProblems()
	t := r.compile(zones{}, p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return t, nil
}

// compile returns a usable value only where it adds no problem.
func (r Rotation) compile(zs zones, p problems) *Turns {
	t := &Turns{zone: zs.require(r.Zone, p.at("tz")), unit: r.Unit, backwards: r.Backwards}
	start, ok := parseLocal(r.Start)
	if !ok {
		p.at("start_local").add(r.Start, `a local time like "2026-01-05T09:00"`)
	}
	known := r.Unit != 0 && int(r.Unit) < len(unitNames)
	if !known {
		p.at("unit").add(r.Unit.String(), "days, weeks, months, wall_hours or elapsed_hours")
	}
	if r.Length < 1 || r.Length > maxTurnLength {
		p.at("length").add(strconv.Itoa(r.Length), "1 to 100000")
	}
	checkUsers(r.Users, p.at("users"))
	valid := t.zone != nil && ok && known && r.Length > 0 && len(r.Users) > 0
	for i, c := range r.Changes {
		q := p.at("changes[%d]", i)
		checkUsers(c.Users, q.at("users"))
		if c.From.IsZero() || i > 0 && !c.From.After(r.Changes[i-1].From) {
			q.at("from").add(c.From.Format(time.RFC3339), "an instant after the change before")
		}
		valid = valid && len(c.Users) > 0
	}
	switch {
	case int(r.MonthEnd) >= len(monthEndNames):
		p.at("month_end").add(r.MonthEnd.String(), "clamp, skip or refuse")
	case r.MonthEnd == Refuse && r.Unit == Months && start.Day() > 28:
		p.at("start_local").add(r.Start, "a day that every month has, 1 to 28")
	case r.MonthEnd == Skip && r.Backwards:
		p.at("extend_backwards").add("true", "false: months are left out from the start on only")
	}
	if !valid {
		return nil
	}
	t.start = start.Unix()
	t.anchor = anchorOf(t.start)
	t.first = t.zone.resolve(t.start, wallclock.First)
	t.length = int64(r.Length)
	if r.Unit != Months {
		t.length *= unitSeconds[r.Unit]
	}
	if r.KeepTurn {
		t.count.idle = t.vanished()
	}
	if r.MonthEnd == Skip {
		t.missing = t.shortMonths()
		t.count.idle = t.missing
	}
	t.setLists(r)
	return t
}

// setLists takes the people and the changes of their list.
func (t *Turns) setLists(r Rotation) {
	t.lists = []userList{{users: slices.Clone(r.Users)}}
	for _, c := range r.Changes {
		t.follow(c)
	}
	t.fixed = true
	for _, l := range t.lists {
		t.fixed = t.fixed && !slices.ContainsFunc(l.users, func(user string) bool { return user != r.Users[0] })
	}
}

func checkUsers(users []string, p problems) {
	if len(users) == 0 {
		p.add("", "at least one person")
	}
	for i, user := range users {
		if user == "" {
			p.at("[%d]", i).add("", "the id of a person")
		}
	}
}

func parseLocal(text string) (wall time.Time, ok bool) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if len(text) != len(layout) {
			continue
		}
		if wall, err := time.Parse(layout, text); err == nil {
			return wall, true
		}
	}
	return time.Time{}, false
}

// At returns the turn at an instant; ok is false before the start.
func (t *Turns) At(at time.Time) (turn Turn, ok bool) {
	now := seconds(at)
	k := t.index(now)
	if k < 0 && !t.backwards {
		return Turn{}, false
	}
	return Turn{Index: k, User: t.who(k, now), Start: utc(t.handoff(k)), End: utc(t.end(k))}, true
}

// user returns who has the turn at an instant; nobody before the start.
func (t *Turns) user(at int64) string { return t.who(t.index(at), at) }

// index returns the greatest k whose turn has begun at the instant, or -1 before
// the start, unless the turns go on backwards.
//
// The readings give a lower bound: the first occurrence of a reading is never
// after the instant at which the clock shows it. They fall short only while a
// clock repeats readings, when turns of later readings may have begun already.
func (t *Turns) index(at int64) int64 {
	k := t.slotAt(at)
	for len(t.missing) > 0 && t.isMissing(k) {
		k--
	}
	if k < 0 && !t.backwards {
		return -1
	}
	return k
}

func (t *Turns) slotAt(at int64) int64 {
	if t.unit == ElapsedHours {
		return floorDiv(at-t.first, t.length)
	}
	s := t.zone.at(at)
	k := t.slot(at + s.offset)
	if at-s.from > reach {
		return k
	}
	for t.handoff(k+1) <= at {
		k++
	}
	return k
}

func (t *Turns) isMissing(k int64) bool {
	_, found := slices.BinarySearch(t.missing, k)
	return found
}

// end returns the handoff at which turn k ends.
func (t *Turns) end(k int64) int64 {
	for k++; len(t.missing) > 0 && t.isMissing(k); k++ {
	}
	return t.handoff(k)
}

// slot returns the greatest k whose reading is not after wall.
func (t *Turns) slot(wall int64) int64 {
	if t.unit != Months {
		return floorDiv(wall-t.start, t.length)
	}
	k := floorDiv(monthOf(wall)-t.anchor.month, t.length)
	if t.reading(k) > wall {
		k--
	}
	return k
}

// reading returns the wall time at which turn k begins.
func (t *Turns) reading(k int64) int64 {
	if t.unit != Months {
		return t.start + k*t.length
	}
	return t.anchor.reading(k * t.length)
}

func (t *Turns) handoff(k int64) int64 {
	if t.unit == ElapsedHours {
		return t.first + k*t.length
	}
	return t.zone.resolve(t.reading(k), wallclock.First)
}

// next returns the first handoff after the instant that can change who is on
// call.
func (t *Turns) next(at int64) int64 {
	k := t.index(at)
	switch {
	case k < 0 && !t.backwards:
		return t.first
	case t.fixed:
		return forever
	}
	edge := t.end(k)
	if i := t.place(at) + 1; i < len(t.lists) {
		edge = min(edge, t.lists[i].from)
	}
	return edge
}

// anchor is the start of a rotation in months.
type anchor struct {
	month       int64 // counted from January of year 0
	day, second int64 // of the month, of the day
}

func anchorOf(wall int64) anchor {
	_, second := date(wall)
	return anchor{month: monthOf(wall), day: int64(utc(wall).Day()), second: second}
}

// reading returns the wall time so many months later, at the end of a month that
// does not have the day. It is [wallclock.AddMonths] at a fraction of the cost.
func (a *anchor) reading(months int64) int64 {
	month := a.month + months
	year := floorDiv(month, 12)
	first := time.Date(int(year), time.Month(month-year*12+1), 1, 0, 0, 0, 0, time.UTC).Unix()
	return first + min(a.day-1, lastDay(year, month-year*12)-1)*secondsPerDay + a.second
}

func monthOf(wall int64) int64 {
	year, month, _ := utc(wall).Date()
	return int64(year)*12 + int64(month) - 1
}

// lastDay returns the length of a month, of which January is 0.
func lastDay(year, month int64) int64 {
	switch {
	case month != 1:
		return 30 + (month+1+(month+1)/8)%2 // 31 in January, July and August
	case year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	}
	return 28
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
