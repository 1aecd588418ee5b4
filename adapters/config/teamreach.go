package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// reachDays is how far ahead ParseTeamAt looks.
const reachDays = 90

// ParseTeamAt is [ParseTeam], and proves that the matrix and the policies of the file tell
// somebody at every instant of the 90 days from at on, by what the file knows. It is
// an error where all steps of a policy tell nobody at some instant, and where one step
// tells nobody in all that time; the message has the first such instant. A level always
// tells somebody, at last the last resort; a step that waits tells who comes until the
// end. The cost is that of [escalation.Router.Unreached]: one look-up per step and
// severity at each change of who is on call, in hours or away among those whom the
// steps name.
func ParseTeamAt(name string, data []byte, at time.Time) (Organisation, *Document, error) {
	t, o := readTeam(name, data)
	if t.d.Err() == nil {
		t.reach(o, at.UTC())
	}
	return o, t.d, t.d.Err()
}

// reach reports the policies that tell nobody.
func (t *team) reach(o Organisation, from time.Time) {
	router, err := o.Router()
	if err != nil {
		t.report(err, o)
		return
	}
	to := from.Add(reachDays * 24 * time.Hour)
	for path, m := range o.matrices() {
		found, err := router.Unreached(m, "", from, to)
		if err != nil {
			t.report(err, o)
			continue
		}
		for _, s := range incident.Severities {
			t.reportUnreached(fmt.Sprintf("%s[%s].steps", path, s), unreachedOf(found, s), from, to)
		}
	}
}

func unreachedOf(all []escalation.Unreached, s incident.Severity) []escalation.Unreached {
	var out []escalation.Unreached
	for _, u := range all {
		if u.Severity == s {
			out = append(out, u)
		}
	}
	return out
}

// reportUnreached reports the first instant at which all steps of a policy tell
// nobody, else the steps that never tell anybody. Those of step 0, which stands for
// all, come first.
func (t *team) reportUnreached(path string, found []escalation.Unreached, from, to time.Time) {
	if len(found) > 0 && found[0].Step == 0 {
		first := found[0].Start
		var why []string
		for _, u := range found {
			if u.Step > 0 && !u.Start.After(first) && u.End.After(first) {
				why = append(why, fmt.Sprintf("step %d: %s", u.Step, strings.Join(u.Why, ", ")))
			}
		}
		t.d.Fail(t.filePath(path), "unreached", "tells nobody at %s; %s", first.Format(time.RFC3339), strings.Join(why, "; "))
		return
	}
	for _, u := range found {
		if u.Start.Equal(from) && u.End.Equal(to) {
			t.d.Fail(t.filePath(fmt.Sprintf("%s[%d]", path, u.Step-1)), "unreached", "step %d tells nobody from %s on for %d days: %s",
				u.Step, from.Format(time.RFC3339), reachDays, strings.Join(u.Why, ", "))
		}
	}
}
