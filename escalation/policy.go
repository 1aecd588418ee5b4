package escalation

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Matrix is the policy of every severity, P1 to P4. To change one, take DefaultMatrix
// and set it:
//
//	m := escalation.DefaultMatrix()
//	m[incident.P1] = policy
type Matrix map[incident.Severity]Policy

// Policy says who is told of an incident, and when, while nobody takes it on or
// ends it.
type Policy struct {
	// Steps are in order of their minutes. None: nobody but the person of the
	// first page is told. With the repetitions they make at most 1,000 levels; each
	// event and firing costs time in proportion to them.
	Steps []Step `json:"steps"`

	// Repeat goes through the steps again, 0 to 9 times. Pass n begins n times
	// Every minutes after the anchor; Every is above the minutes of the last
	// step.
	Repeat int `json:"repeat,omitzero"`
	Every  int `json:"repeat_every_minutes,omitzero"`

	// AckTimeout is after how many minutes an acknowledgement lapses while the
	// incident is not over: the steps that it stopped are due again. Defaults to
	// never.
	AckTimeout int `json:"ack_timeout_minutes,omitzero"`

	// Repage is after how many minutes whoever acknowledged the incident is paged
	// again, and again after as many, while it is neither given up nor over. If that
	// person is absent by then, it is who holds it, else everybody paged in the round.
	// Defaults to never.
	Repage int `json:"repage_minutes,omitzero"`
}

// Step is who is told at one point of a policy. The nth step is level n of the
// escalation; the steps of a repetition count on.
type Step struct {
	// Minutes is how long after the anchor of the incident the step is due:
	// elapsed time, whatever clocks do. The anchor is the creation of the
	// incident, or its reopening. A first step at 0 takes the place of the page
	// that goes out by skill when an incident is opened.
	Minutes int `json:"minutes"`

	// Targets are all told, or one in turn if RoundRobin is set: the first
	// incident that comes to the step goes to the first, the next to the second.
	// Who they are is found out when the step fires.
	Targets    []Target `json:"targets"`
	RoundRobin bool     `json:"round_robin,omitzero"`

	// StopOn is the event that stops the step, Acknowledged or Resolved.
	// Resolving stops every step.
	StopOn EventKind `json:"stop_on"`

	// Only restricts the step to some hours. Defaults to all.
	Only *OnlyIn `json:"only_in,omitempty"`

	// Wait holds the step, where its targets are nobody or its hours are not
	// open, until that changes. Defaults to going on to the next step at once.
	Wait bool `json:"wait,omitzero"`
}

// OnlyIn are hours in a zone.
type OnlyIn struct {
	Zone    string   `json:"timezone"`
	Windows []Window `json:"windows"`
}

// DefaultMatrix returns the timelines of a published guide to round-the-clock
// operations: 15, 30 and 60 minutes for P1, 30, 120 and 240 for P2, 120, 480 and
// 1,440 for P3, 480, 1,440 and 2,880 for P4. Level 1 goes to a senior unless
// acknowledged, level 2 to a principal and level 3 to the management unless
// resolved; the guide says so for P1 and gives only the minutes below.
func DefaultMatrix() Matrix {
	up := func(minutes int, least Level, stop EventKind) Step {
		return Step{Minutes: minutes, Targets: []Target{{Level: least}}, StopOn: stop}
	}
	row := func(first, second, third int) Policy {
		return Policy{Steps: []Step{up(first, Senior, Acknowledged), up(second, Principal, Resolved), up(third, Management, Resolved)}}
	}
	return Matrix{
		incident.P1: row(15, 30, 60),
		incident.P2: row(30, 120, 240),
		incident.P3: row(120, 480, 1440),
		incident.P4: row(480, 1440, 2880),
	}
}

// Validate returns all problems that show without a roster, as joined
// [*ConfigError]s. Every severity needs a policy; minutes must rise and levels
// must not fall along its steps. Whether the targets exist is checked by
// [NewEngine].
func (m Matrix) Validate() error {
	p := newProblems()
	m.compile(nil, zones{}, p.at("matrix"))
	return p.err()
}

// policy is a Policy after its checks: the steps of all passes.
type policy struct {
	rungs      []rung
	ackTimeout time.Duration
	repage     time.Duration
}

// rung is one level of an escalation.
type rung struct {
	*Step
	after time.Duration // from the anchor
	hours *hours        // nil: all
	turn  string        // names the step where it goes round robin
}

// book is a matrix after its checks. Its name is a digest of the text, so that an
// incident keeps the policy with which it began.
type book struct {
	name     string
	matrix   Matrix
	text     json.RawMessage // of which the name is a digest
	policies map[incident.Severity]*policy
}

// compile returns a usable value only where it adds no problem. Without a router
// the targets are not looked up.
func (m Matrix) compile(r *Router, zs zones, p problems) *book {
	for _, s := range slices.Sorted(maps.Keys(m)) {
		if !s.IsSet() {
			p.at("[%s]", s).add(s.String(), "P1 to P4")
		}
	}
	b := &book{matrix: Matrix{}, policies: map[incident.Severity]*policy{}}
	for _, s := range incident.Severities {
		data, ok := m[s]
		if !ok {
			p.at("[%s]", s).add("", "a policy for every severity")
		}
		data = data.clone()
		b.matrix[s] = data
		b.policies[s] = data.compile(s, r, zs, p.at("[%s]", s))
	}
	var err error
	if b.text, err = json.Marshal(b.matrix); err != nil {
		return nil // an enumeration out of range, which is a problem already
	}
	sum := sha256.Sum256(b.text)
	b.name = hex.EncodeToString(sum[:8])
	return b
}

const (
	maxMinutes = 365 * 24 * 60
	maxRepeat  = 9
	maxLevels  = 1000
)

func (data Policy) compile(s incident.Severity, r *Router, zs zones, p problems) *policy {
	out := &policy{ackTimeout: minutes(data.AckTimeout), repage: minutes(data.Repage)}
	for _, f := range []struct {
		key     string
		minutes int
	}{{"ack_timeout_minutes", data.AckTimeout}, {"repage_minutes", data.Repage}} {
		if f.minutes < 0 || f.minutes > maxMinutes {
			p.at("%s", f.key).add(strconv.Itoa(f.minutes), fmt.Sprintf("0 to %d", maxMinutes))
		}
	}
	hours := make([]*hours, len(data.Steps))
	least, level := 0, Junior
	for i := range data.Steps {
		step, q := &data.Steps[i], p.at("steps[%d]", i)
		if step.Minutes < least || step.Minutes > maxMinutes {
			q.at("minutes").add(strconv.Itoa(step.Minutes), fmt.Sprintf("%d to %d", least, maxMinutes))
		}
		least = step.Minutes + 1
		hours[i], level = step.check(level, r, zs, q)
	}
	switch {
	case data.Repeat < 0 || data.Repeat > maxRepeat || data.Repeat > 0 && len(data.Steps) == 0:
		p.at("repeat").add(strconv.Itoa(data.Repeat), fmt.Sprintf("0 to %d, and steps to repeat", maxRepeat))
		return out
	case data.Repeat > 0 && (data.Every < least || data.Every > maxMinutes), data.Repeat == 0 && data.Every != 0:
		p.at("repeat_every_minutes").add(strconv.Itoa(data.Every), fmt.Sprintf("%d to %d, or 0 without a repetition", least, maxMinutes))
	}
	if n := len(data.Steps) * (data.Repeat + 1); n > maxLevels {
		p.at("steps").add(strconv.Itoa(n), fmt.Sprintf("at most %d levels, the steps of all passes", maxLevels))
		return out
	}
	for pass := 0; pass <= data.Repeat; pass++ {
		for i := range data.Steps {
			step := &data.Steps[i]
			out.rungs = append(out.rungs, rung{
				Step: step, after: minutes(pass*data.Every + step.Minutes), hours: hours[i], turn: fmt.Sprintf("%s.%d", s, i+1),
			})
		}
	}
	return out
}

// check reports the problems of a step that follows one with a least level.
func (step *Step) check(level Level, r *Router, zs zones, p problems) (*hours, Level) {
	if step.StopOn != Acknowledged && step.StopOn != Resolved {
		p.at("stop_on").add(step.StopOn.String(), "acknowledged or resolved")
	}
	if len(step.Targets) == 0 {
		p.at("targets").add("", "at least one")
	}
	for i, t := range step.Targets {
		level = t.check(level, r, p.at("targets[%d]", i))
	}
	if step.Only == nil {
		return nil, level
	}
	q := p.at("only_in")
	if len(step.Only.Windows) == 0 {
		q.at("windows").add("", "at least one")
	}
	return compileWindows(step.Only.Windows, zs.require(step.Only.Zone, q.at("timezone")), q.at("windows")), level
}

func (data Policy) clone() Policy {
	data.Steps = slices.Clone(data.Steps)
	for i := range data.Steps {
		step := &data.Steps[i]
		step.Targets = slices.Clone(step.Targets)
		if step.Only != nil {
			step.Only = &OnlyIn{Zone: step.Only.Zone, Windows: slices.Clone(step.Only.Windows)}
		}
	}
	return data
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// open reports whether the hours of a rung are open.
func (g *rung) open(at time.Time) bool { return g.hours == nil || g.hours.open(seconds(at)) }
