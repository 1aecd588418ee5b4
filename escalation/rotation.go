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
// January the handoffs are on 28 February, 31 March, 30 April.
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
	first  int64 // its instant
	length int64 // seconds, or months
	users  []string
	fixed  bool // all turns are the same person's
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
	t := &Turns{zone: zs.require(r.Zone, p.at("tz")), unit: r.Unit, users: slices.Clone(r.Users)}
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
	if len(r.Users) == 0 {
		p.at("users").add("", "at least one person")
	}
	for i, user := range r.Users {
		if user == "" {
			p.at("users[%d]", i).add("", "the id of a person")
		}
	}
	if t.zone == nil || !known || len(r.Users) == 0 {
		return nil
	}
	t.start = start.Unix()
	t.first = t.zone.resolve(t.start, wallclock.First)
	t.length = int64(r.Length)
	if r.Unit != Months {
		t.length *= unitSeconds[r.Unit]
	}
	t.fixed = !slices.ContainsFunc(r.Users, func(user string) bool { return user != r.Users[0] })
	return t
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
	k := t.index(at.Unix())
	if k < 0 {
		return Turn{}, false
	}
	return Turn{Index: k, User: t.user(k), Start: utc(t.handoff(k)), End: utc(t.handoff(k + 1))}, true
}

func (t *Turns) user(k int64) string {
	if k < 0 {
		return ""
	}
	return t.users[k%int64(len(t.users))]
}

// index returns the greatest k whose turn has begun at the instant, or -1.
//
// The readings give a lower bound: the first occurrence of a reading is never
// after the instant at which the clock shows it. They fall short only while a
// clock repeats readings, when turns of later readings may have begun already.
func (t *Turns) index(at int64) int64 {
	if t.unit == ElapsedHours {
		return max(-1, floorDiv(at-t.first, t.length))
	}
	s := t.zone.at(at)
	wall := at + s.offset
	k := max(-1, t.slot(wall))
	if at-s.from > reach {
		return k
	}
	for t.handoff(k+1) <= at {
		k++
	}
	return k
}

// slot returns the greatest k whose reading is not after wall.
func (t *Turns) slot(wall int64) int64 {
	if t.unit != Months {
		return floorDiv(wall-t.start, t.length)
	}
	k := floorDiv(monthOf(wall)-monthOf(t.start), t.length)
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
	return wallclock.AddMonths(utc(t.start), int(k*t.length)).Unix()
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
	switch k := t.index(at); {
	case k < 0:
		return t.first
	case t.fixed:
		return forever
	default:
		return t.handoff(k + 1)
	}
}

func monthOf(wall int64) int64 {
	year, month, _ := utc(wall).Date()
	return int64(year)*12 + int64(month)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
