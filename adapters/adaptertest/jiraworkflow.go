package adaptertest

import (
	"net/http"
	"slices"
	"strings"
)

// jiraStatuses are the workflow: where a status leads, by which transition.
//
// Transitions depend on the current status, and their ids are those of the
// workflow, not of the status they lead to (Jira Cloud platform, "Get
// transitions": only those are returned that can be performed).
var jiraStatuses = map[string]struct {
	id, category string
	transitions  []jiraTransition
}{
	"To Do":       {"1", "new", []jiraTransition{{"11", "Start", "In Progress"}, {"21", "Wait", "Pending"}, {"31", "Finish", "Done"}}},
	"In Progress": {"3", "indeterminate", []jiraTransition{{"12", "Stop", "To Do"}, {"21", "Wait", "Pending"}, {"31", "Finish", "Done"}}},
	"Pending":     {"4", "indeterminate", []jiraTransition{{"22", "Continue", "In Progress"}, {"31", "Finish", "Done"}}},
	"Done":        {"6", "done", []jiraTransition{{"41", "Open again", "To Do"}}},
}

type jiraTransition struct{ id, name, to string }

// jiraStatus writes a status.
func jiraStatus(name string) map[string]any {
	s := jiraStatuses[name]
	return map[string]any{"id": s.id, "name": name, "statusCategory": map[string]any{"key": s.category}}
}

// resolve sets a resolution, and its date with it.
func (c *jiraCall) resolve(value any) {
	c.note(c.issue, "resolution", jiraName(c.issue.fields["resolution"]), jiraName(value))
	c.issue.fields["resolution"], c.issue.fields["resolutiondate"] = value, nil
	if value != nil {
		c.issue.fields["resolutiondate"] = jiraTime(c.now)
	}
}

func (c *jiraCall) transitions() jiraAnswer {
	list := []any{}
	for _, t := range jiraStatuses[c.issue.status].transitions {
		o := map[string]any{"id": t.id, "name": t.name, "to": jiraStatus(t.to)}
		if strings.Contains(c.r.URL.Query().Get("expand"), "transitions.fields") {
			fields := map[string]any{}
			if t.to == "Done" && !c.options.NoResolutionScreen {
				fields["resolution"] = map[string]any{"required": true}
			}
			o["fields"] = fields
		}
		list = append(list, o)
	}
	return jiraOK(map[string]any{"transitions": list})
}

func (c *jiraCall) transition() jiraAnswer {
	var u jiraUpdate
	if !c.decode(&u) {
		return jiraFail(http.StatusBadRequest, "Invalid request payload.")
	}
	possible := jiraStatuses[c.issue.status].transitions
	n := slices.IndexFunc(possible, func(t jiraTransition) bool { return t.id == u.Transition.ID })
	if n < 0 {
		return jiraFail(http.StatusBadRequest, "It seems that you have tried to perform a workflow operation ("+u.Transition.ID+") that is not valid for the current state of this issue.")
	}
	to := possible[n].to
	resolution, given := u.Fields["resolution"]
	switch {
	case given && (c.options.NoResolutionScreen || to != "Done"):
		return jiraInvalid(map[string]string{"resolution": "Field 'resolution' cannot be set. It is not on the appropriate screen, or unknown."})
	case given && !slices.Contains(jiraResolutions, jiraName(resolution)):
		return jiraInvalid(map[string]string{"resolution": "The resolution selected is invalid."})
	case !given && to == "Done" && !c.options.NoResolutionScreen:
		return jiraInvalid(map[string]string{"resolution": "Resolution is required."})
	}
	c.note(c.issue, "status", c.issue.status, to)
	c.issue.status = to
	switch {
	case to == "Done" && given:
		c.resolve(resolution)
	case to != "Done":
		c.issue.fields["resolution"], c.issue.fields["resolutiondate"] = nil, nil // by the workflow
	}
	c.touch(c.issue)
	return jiraAnswer{status: http.StatusNoContent}
}
