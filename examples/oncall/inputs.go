package main

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/internal/wallclock"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// The embedded sample: a team in three centres that was made up for it.
//
//go:embed testdata/sample
var sample embed.FS

// sampleNow is in the middle of the incidents of the sample, in the night after the
// clocks of Amsterdam were put back.
var sampleNow = time.Date(2026, 10, 26, 4, 0, 0, 0, time.UTC)

// inputs are the team and the question.
type inputs struct {
	*options
	program.Inputs

	team    config.Organisation
	router  *escalation.Router
	present time.Time
	zone    *time.Location // of the times shown
}

// load reads the team.
func (o *options) load(env *program.Env) (*inputs, error) {
	in := &inputs{options: o, Inputs: program.NewInputs(sample, env.Config == ""), zone: env.Zone}
	in.present = in.Now(env, sampleNow)
	name, data, err := in.Read("config", cmp.Or(env.Config, "team.yaml"))
	if err != nil {
		return nil, err
	}
	team, document, err := config.ParseTeamAt(name, data, in.present)
	if err != nil {
		return nil, err
	}
	in.Note(document)
	in.team = team
	if in.router, err = team.Router(); err != nil {
		return nil, err
	}
	if team.Zone != "" {
		if in.zone, err = time.LoadLocation(team.Zone); err != nil {
			return nil, err
		}
	}
	return in, in.known()
}

// known wants what the flags name to be in the team.
func (in *inputs) known() error {
	var problems []error
	if names := in.router.Schedules(); in.schedule != "" && !slices.Contains(names, in.schedule) {
		problems = append(problems, fmt.Errorf("-schedule %q: want one of %s", in.schedule, orNone(names)))
	}
	if _, ok := in.router.Engineer(in.engineer); in.engineer != "" && !ok && in.engineer != in.team.LastResort.ID {
		problems = append(problems, fmt.Errorf("-engineer %q: want an engineer of the team", in.engineer))
	}
	ids := []string{}
	for _, c := range in.team.Centres {
		ids = append(ids, c.ID)
	}
	if in.centre != "" && in.centre != "*" && !slices.Contains(ids, in.centre) {
		problems = append(problems, fmt.Errorf("-center %q: want one of %s", in.centre, orNone(ids)))
	}
	return errors.Join(problems...)
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none, the team has none"
	}
	return strings.Join(names, ", ")
}

// schedules are the names of those asked about.
func (in *inputs) schedules() []string {
	if in.schedule != "" {
		return []string{in.schedule}
	}
	return in.router.Schedules()
}

// maxYears bounds how much time a question may be about.
const maxYears = 10

// span reads FROM/TO of a flag: times, or dates in the zone of the team.
func (in *inputs) span(flag, text string) (calendar.Interval, error) {
	first, second, ok := strings.Cut(text, "/")
	start, errStart := in.bound(first)
	end, errEnd := in.bound(second)
	switch {
	case !ok || errStart != nil || errEnd != nil:
		return calendar.Interval{}, fmt.Errorf("-%s %q: want two times or dates like 2026-10-01T00:00:00Z/2026-11-01T00:00:00Z", flag, text)
	case !start.Before(end) || end.After(start.AddDate(maxYears, 0, 0)):
		return calendar.Interval{}, fmt.Errorf("-%s %q: want an end after the start, by %d years at most", flag, text, maxYears)
	}
	return calendar.Interval{Start: start, End: end}, nil
}

func (in *inputs) bound(text string) (time.Time, error) {
	if date, err := time.Parse(time.DateOnly, text); err == nil {
		return instant(wallclock.Resolve(date, in.zone, wallclock.First).UTC().Format(time.RFC3339))
	}
	return instant(text)
}

// name is how a person or a centre is called.
func (in *inputs) name(id string) string {
	names := in.names()
	if name := names[id]; name != "" {
		return name
	}
	return id
}

func (in *inputs) names() map[string]string {
	names := map[string]string{in.team.LastResort.ID: in.team.LastResort.Name}
	for _, c := range in.team.Centres {
		names[c.ID] = c.Name
	}
	for _, e := range in.team.Engineers {
		names[e.ID] = e.Name
	}
	return names
}
