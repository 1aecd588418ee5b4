package comms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/key"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// Frequency is how often somebody gets a digest.
type Frequency string

// The periods.
const (
	Daily  Frequency = "daily"  // when the hours of the person open, on each date on which they do
	Weekly Frequency = "weekly" // on the first such date of a week that begins on Monday
)

func (p Frequency) known() bool { return p == Daily || p == Weekly }

// NextDigest returns the first instant after at at which somebody's digest is
// due. ok is false if nobody gets one within a year.
func (p *Plan) NextDigest(at time.Time) (due time.Time, ok bool) {
	for _, r := range p.digests {
		if next, found := r.nextDigest(at); found && (!ok || next.Before(due)) {
			due, ok = next, true
		}
	}
	return due, ok
}

// Digests returns the digests that fall due in (from, until], one per person, in
// the order of due instants, then ids. Each is about the incidents of the services
// of the person, of any severity, that were under way at some time since the digest
// before; one without any is not sent, and those of other tenants are left out.
// states are the incidents as they are now:
// call it soon after NextDigest, with from the instant of the last call. Nothing
// is remembered, and the key of a digest is the same however often it is made.
func (p *Plan) Digests(tenant string, states []incident.State, from, until time.Time) []Message {
	var out []Message
	for i, r := range p.digests {
		if i > 0 && p.digests[i-1].id == r.id {
			continue // once for all services
		}
		for due, ok := r.nextDigest(from); ok && !due.After(until); due, ok = r.nextDigest(due) {
			if m, ok := p.digest(tenant, r, states, due, until); ok {
				out = append(out, m)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Message) int { return a.Due.Compare(b.Due) })
	return out
}

// dayOpening returns the first instant of a date of the person at which the hours
// are open. wall is midnight of the date.
func (r *recipient) dayOpening(wall time.Time) (time.Time, bool) {
	opens, err := r.office.NextOpen(wallclock.Resolve(wall, r.zone, wallclock.First))
	end := wallclock.Resolve(wall.AddDate(0, 0, 1), r.zone, wallclock.First)
	return opens, err == nil && opens.Before(end)
}

// nextDigest returns the first due instant after at.
func (r *recipient) nextDigest(at time.Time) (time.Time, bool) {
	const year = 366
	day := wallclock.Midnight(wallclock.At(at, r.zone))
	if r.prefs.Digest == Weekly {
		day = monday(day)
	}
	for range year {
		opens, ok := r.dayOpening(day)
		switch {
		case ok && opens.After(at):
			return opens, true
		case ok && r.prefs.Digest == Weekly:
			day = monday(day).AddDate(0, 0, 7)
		default:
			day = day.AddDate(0, 0, 1)
		}
	}
	return time.Time{}, false
}

// lastDigest returns the latest due instant before at, or a year ago.
func (r *recipient) lastDigest(at time.Time) time.Time {
	day := wallclock.Midnight(wallclock.At(at, r.zone))
	if r.prefs.Digest == Weekly {
		day = monday(day)
	}
	step := map[Frequency]int{Daily: -1, Weekly: -7}[r.prefs.Digest]
	for last := day.AddDate(-1, 0, 0); day.After(last); day = day.AddDate(0, 0, step) {
		from := wallclock.Resolve(day, r.zone, wallclock.First).Add(-1)
		if due, ok := r.nextDigest(from); ok && due.Before(at) {
			return due
		}
	}
	return at.AddDate(-1, 0, 0)
}

func monday(wall time.Time) time.Time {
	return wall.AddDate(0, 0, -(int(wall.Weekday())+6)%7)
}

// digest writes one; ok is false if there is nothing to tell.
func (p *Plan) digest(tenant string, r *recipient, states []incident.State, due, at time.Time) (m Message, ok bool) {
	since := r.lastDigest(due)
	var lines []string
	open := 0
	for _, s := range sorted(states) {
		if s.Tenant != tenant || !p.concerns(r, s) || !underWay(s, since, due) {
			continue
		}
		line, over := digestLine(s, due)
		lines = append(lines, line)
		if !over {
			open++
		}
	}
	if len(lines) == 0 {
		return Message{}, false
	}
	subject := fmt.Sprintf("[%s digest] %s, %d still open", r.prefs.Digest, plural(len(lines), "incident"), open)
	return Message{
		Key:    key.Join(tenant, "digest", due.UTC().Format(time.RFC3339), r.id, string(Email)),
		Tenant: tenant, Type: Digest, N: 1, Recipient: r.id, Name: r.name, Channel: Email, Address: r.addresses[Email],
		Subject: oneLine.Replace(subject),
		Body:    fmt.Sprintf("Incidents from %s to %s:\n\n%s", english.stamp(since, r.zone), english.stamp(due, r.zone), strings.Join(lines, "\n")),
		Due:     due.UTC(), At: at.UTC(),
		Why: Reason{Role: r.role, Rule: ByDigest, Text: "a " + string(r.prefs.Digest) + " digest is wanted"},
	}, true
}

// concerns reports whether an incident is of a service of the person, who may be
// in the plan once for each.
func (p *Plan) concerns(r *recipient, s incident.State) bool {
	return s.Status != "" && s.Status != incident.Triage && p.find(r.id, s.Services) != nil
}

// sorted returns the states by severity, then id.
func sorted(states []incident.State) []incident.State {
	out := slices.Clone(states)
	slices.SortFunc(out, func(a, b incident.State) int {
		if c := effective(b.Severity).Compare(effective(a.Severity)); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// underWay reports whether an incident was at some time in (since, until].
func underWay(s incident.State, since, until time.Time) bool {
	end := ended(s)
	return !begun(s).After(until) && (end.IsZero() || end.After(since))
}

// digestLine tells of an incident as of an instant, and whether it was over then.
func digestLine(s incident.State, at time.Time) (line string, over bool) {
	line = oneLine.Replace(fmt.Sprintf("%s %s on %s: ", s.ID, effective(s.Severity), english.services(s.Services)))
	end := ended(s)
	if over = !s.Status.Active() && !end.After(at); over {
		line += "over"
		if !end.IsZero() {
			line += " after " + english.elapsed(begun(s), end)
		}
		return line + ". " + oneLine.Replace(english.ending(s)), true
	}
	line += "open for " + english.elapsed(begun(s), at)
	if n := len(s.Updates); n > 0 {
		line += ". " + oneLine.Replace(s.Updates[n-1].Text)
	}
	return line, false
}
