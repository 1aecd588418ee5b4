package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
)

// The night schedule is that of every day from 22:00 to 06:00 in Amsterdam, which is
// 20:00Z to 04:00Z until the clocks go back on 25 October 2026, then an hour later. Ann
// is on call by it when her absence begins.
const reachedTeam = `version: 1
timezone: Europe/Amsterdam
last_resort: {id: boss}
engineers:
  - {id: ann, level: senior, primary_skills: [databases], availability_hours: [8, 18]}
absences: [{engineer: ann, from: 2026-12-01T00:00:00Z, to: 2026-12-02T00:00:00Z}]
teams: {data: [ann]}
schedules:
  night: {layers: [{name: n, rotation: {tz: Europe/Amsterdam, start_local: "2026-01-05T09:00", unit: weeks, length: 1, users: [ann]}, windows: [{from: "22:00", to: "06:00"}]}]}
policies:
  rota:
    P1: &p
      steps:
        - {minutes: 0, targets: [{schedule: night}], stop_on: acknowledged}
        - {minutes: 9, targets: [{level: senior}], stop_on: resolved}
    P2: *p
    P3: *p
    P4: {steps: []}
`

// A policy that tells nobody at some instant of the coming 90 days, and a step that
// never tells anybody, are errors with place, instant and step.
func TestTeamAt(t *testing.T) {
	from := time.Date(2026, 10, 6, 4, 0, 0, 0, time.UTC)
	const second = "{level: senior}"
	for _, c := range []struct{ name, from, to, path, want string }{
		{"a level below", "", "", "", ""},
		{"a person", second, "{engineer: boss}", "", ""},
		{"a webhook", second, "{webhook: siren}", "", ""},
		{
			"the schedule alone", second, "{schedule: night}", "policies.rota.P1.steps",
			"team.yaml:14:9: policies.rota.P1.steps: tells nobody at 2026-10-06T04:00:00Z; step 1: schedule night: nobody; step 2: schedule night: nobody",
		},
		{
			"a team that is away", second, "{team: data}", "policies.rota.P1.steps",
			"team.yaml:14:9: policies.rota.P1.steps: tells nobody at 2026-12-01T00:00:00Z; step 1: ann is on call and absent, schedule night: nobody; step 2: ann is absent, team data: nobody",
		},
		{"one that waits", second + "], stop_on: resolved", "{team: data}], stop_on: resolved, wait: true", "", ""},
		{
			"hours in which nobody is on call", "stop_on: acknowledged", `stop_on: acknowledged, only_in: {timezone: Europe/Amsterdam, windows: [{from: "08:00", to: "20:00"}]}`,
			"policies.rota.P1.steps[0]", "team.yaml:14:11: policies.rota.P1.steps[0]: step 1 tells nobody from 2026-10-06T04:00:00Z on for 90 days: outside its hours",
		},
	} {
		text := strings.Replace(reachedTeam, c.from, c.to, 1)
		_, d, err := config.ParseTeamAt("team.yaml", []byte(text), from)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		i := slices.IndexFunc(d.Problems(), func(p config.Diagnostic) bool { return p.Path == c.path })
		if err == nil || i < 0 || d.Problems()[i].Code != "unreached" || !strings.HasPrefix(d.Problems()[i].String(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
		if _, _, err := config.ParseTeam("team.yaml", []byte(text)); err != nil {
			t.Errorf("%s, at no instant: %v", c.name, err)
		}
	}
}

// The organisation of the guide reaches somebody at every instant.
func TestTeamAtOfTheGuide(t *testing.T) {
	all := article(t, "operations_centers") + article(t, "handoff_schedule") + article(t, "escalation") + article(t, "communication")
	if _, _, err := config.ParseTeamAt("guide.yaml", []byte(all), time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Error(err)
	}
}
