package escalation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Matrix says when an incident goes up, by severity. Level n is the n-th rung
// of the row.
type Matrix map[incident.Severity][]Rung

// Rung is one level of an escalation.
type Rung struct {
	// Minutes is how long after the creation of the incident, or after its
	// reopening, the level is due: elapsed time, whatever clocks do.
	Minutes int `json:"minutes"`

	// To is the least seniority of the person to be paged: Senior, Principal or
	// Management.
	To Level `json:"escalate_to"`

	// StopOn is the event that stops the level, Acknowledged or Resolved.
	// Resolving stops every level.
	StopOn EventKind `json:"stop_on"`
}

// After returns how long after the anchor the level is due.
func (r Rung) After() time.Duration { return time.Duration(r.Minutes) * time.Minute }

// DefaultMatrix returns the timelines of a published guide to round-the-clock
// operations: 15, 30 and 60 minutes for P1, 30, 120 and 240 for P2, 120, 480 and
// 1,440 for P3, 480, 1,440 and 2,880 for P4. Level 1 goes to a senior unless
// acknowledged, level 2 to a principal and level 3 to the management unless
// resolved; the guide says so for P1 and gives only the minutes below.
func DefaultMatrix() Matrix {
	row := func(first, second, third int) []Rung {
		return []Rung{
			{Minutes: first, To: Senior, StopOn: Acknowledged},
			{Minutes: second, To: Principal, StopOn: Resolved},
			{Minutes: third, To: Management, StopOn: Resolved},
		}
	}
	return Matrix{
		incident.P1: row(15, 30, 60),
		incident.P2: row(30, 120, 240),
		incident.P3: row(120, 480, 1440),
		incident.P4: row(480, 1440, 2880),
	}
}

const maxRungMinutes = 365 * 24 * 60

// Validate returns all problems as joined [*ConfigError]s. Every severity needs
// a row, which may be empty; minutes must rise and targets must not fall along
// it.
func (m Matrix) Validate() error {
	p := newProblems()
	m.check(p.at("matrix"))
	return p.err()
}

func (m Matrix) check(p problems) {
	for _, s := range slices.Sorted(maps.Keys(m)) {
		if !s.IsSet() {
			p.at("[%s]", s).add(s.String(), "P1 to P4")
		}
	}
	for _, s := range incident.Severities {
		row, ok := m[s]
		if !ok {
			p.at("[%s]", s).add("", "a row for every severity")
		}
		before := Rung{Minutes: 0, To: Junior}
		for i, rung := range row {
			q := p.at("[%s][%d]", s, i)
			if rung.Minutes <= before.Minutes || rung.Minutes > maxRungMinutes {
				q.at("minutes").add(strconv.Itoa(rung.Minutes), fmt.Sprintf("%d to %d", before.Minutes+1, maxRungMinutes))
			}
			if rung.To < max(Senior, before.To) || rung.To > Management {
				q.at("escalate_to").add(rung.To.String(), "senior, principal or management, and not below the level before")
			}
			if rung.StopOn != Acknowledged && rung.StopOn != Resolved {
				q.at("stop_on").add(rung.StopOn.String(), "acknowledged or resolved")
			}
			before = rung
		}
	}
}

func (m Matrix) clone() Matrix {
	out := make(Matrix, len(m))
	for s, row := range m {
		out[s] = slices.Clone(row)
	}
	return out
}
