package pagerduty_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
)

func TestOnCall(t *testing.T) {
	client, _, _ := setUp(t, func(_ *pagerduty.Config, o *adaptertest.PagerDutyOptions) {
		o.Duties = []adaptertest.PagerDutyDuty{
			{User: "PBOT", Policy: "PESC", Level: 2},
			{User: "PANN", Policy: "PESC", Schedule: "PSCHED", Level: 1, Start: noon.Add(-time.Hour), End: noon.Add(time.Hour)},
			{User: "PBOT", Policy: "PESC", Schedule: "PSCHED", Level: 1, Start: noon.Add(time.Hour), End: noon.Add(2 * time.Hour)},
			{User: "PBOT", Policy: "POTHER", Level: 1},
		}
	})
	ann := adapters.Duty{Person: "PANN", Name: "Ann", Email: "ann@example.com", Level: 1, Plan: "PSCHED", Start: noon.Add(-time.Hour), End: noon.Add(time.Hour)}
	always := adapters.Duty{Person: "PBOT", Name: "Bot", Email: bot, Level: 2, Plan: "PESC"}
	next := adapters.Duty{Person: "PBOT", Name: "Bot", Email: bot, Level: 1, Plan: "PSCHED", Start: noon.Add(time.Hour), End: noon.Add(2 * time.Hour)}
	for _, tt := range []struct {
		target string
		at     time.Time
		want   []adapters.Duty
	}{
		{"PESC", noon, []adapters.Duty{ann, always}},
		{"PESC", noon.Add(time.Hour), []adapters.Duty{next, always}}, // the border belongs to the next one
		{"schedule:PSCHED", noon, []adapters.Duty{ann}},
		{"schedule:PSCHED", noon.Add(3 * time.Hour), nil},
	} {
		got, err := client.OnCall(t.Context(), tt.target, tt.at)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("OnCall(%s, %v) = %+v, %v, want %+v", tt.target, tt.at, got, err, tt.want)
		}
	}
	if _, err := client.OnCall(t.Context(), "schedule:", noon); !errors.Is(err, adapters.Invalid) {
		t.Errorf("no target: %v, want invalid", err)
	}
}

func TestSchedule(t *testing.T) {
	client, _, _ := setUp(t, func(_ *pagerduty.Config, o *adaptertest.PagerDutyOptions) {
		o.Schedules = []adaptertest.PagerDutySchedule{{ID: "POLD", Name: "old", TimeZone: "Europe/Berlin"}, {ID: "PNEW", Name: "new", TimeZone: "UTC", V3: true}}
	})
	for id, want := range map[string]pagerduty.Schedule{
		"POLD": {ID: "POLD", Name: "old", Zone: "Europe/Berlin", Version: 2}, "PNEW": {ID: "PNEW", Name: "new", Zone: "UTC", Version: 3},
	} {
		if got, err := client.Schedule(t.Context(), id); err != nil || got != want {
			t.Errorf("Schedule(%s) = %+v, %v, want %+v", id, got, err, want)
		}
	}
	if _, err := client.Schedule(t.Context(), "PNONE"); !errors.Is(err, adapters.NotFound) {
		t.Errorf("unknown schedule: %v, want not_found", err)
	}
}
