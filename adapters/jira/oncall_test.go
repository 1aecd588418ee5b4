package jira

import (
	"reflect"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

func TestOnCall(t *testing.T) {
	night := time.Date(2026, 11, 30, 22, 0, 0, 0, time.FixedZone("", 3600))
	o := adaptertest.JiraOptions{OnCall: map[string][]adaptertest.JiraResponder{"s-1": {
		{ID: "sarah", Type: "user"},
		{ID: "t-1", Type: "team", Of: []adaptertest.JiraResponder{
			{ID: "e-1", Type: "escalation", Of: []adaptertest.JiraResponder{{ID: "mike", Type: "user"}, {ID: "sarah", Type: "user"}}},
		}},
		{ID: "nobody", Type: "noone"},
		{ID: "later", Type: "user", From: night.Add(time.Minute)},
	}}}
	c, _ := with(t, o, func(c *Config) { c.OpsURL = "https://api.atlassian.example/jsm/ops/api/cloud-1/" })
	got, err := c.OnCall(t.Context(), "s-1", night)
	must(t, err)
	if want := []adapters.Duty{{Person: "sarah", Level: 1, Plan: "s-1"}, {Person: "mike", Level: 1, Plan: "s-1"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("OnCall = %+v, want %+v", got, want)
	}
	if got, err = c.OnCall(t.Context(), "s-1", night.Add(time.Minute)); err != nil || len(got) != 3 {
		t.Errorf("a minute later %+v, %v; want three", got, err)
	}
	for target, kind := range map[string]adapters.Kind{"s-2": adapters.NotFound, "": adapters.Invalid, "a/b": adapters.Invalid} {
		if _, err := c.OnCall(t.Context(), target, night); adapters.KindOf(err) != kind {
			t.Errorf("schedule %q: %v, want %v", target, err, kind)
		}
	}
	plain, fake := with(t, o, nil)
	if _, err := plain.OnCall(t.Context(), "s-1", night); adapters.KindOf(err) != adapters.Unsupported || len(fake.Requests()) != 0 || plain.Capabilities().Has(adapters.CanOnCall) {
		t.Errorf("without OpsURL: %v after %v", err, fake.Requests())
	}
	if _, err := New(Config{BaseURL: "https://jira.example", Project: "OPS", Token: adapters.NewSecret(canary), OpsURL: "api.atlassian.com/x"}); err == nil {
		t.Error("an OpsURL without a scheme was taken")
	}
}

func TestEscalate(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			c, fake := with(t, o, func(c *Config) { c.Levels = []string{"sarah", "mike"} })
			ref := mustOpen(t, c, "k")
			must(t, c.Escalate(t.Context(), ref, 2))
			if who := fake.Issues()[0].Assignee; who != "mike" {
				t.Errorf("assigned to %q, want mike", who)
			}
			for _, level := range []int{0, 3} {
				if err := c.Escalate(t.Context(), ref, level); adapters.KindOf(err) != adapters.Invalid {
					t.Errorf("level %d: %v, want invalid", level, err)
				}
			}
			if !c.Capabilities().Has(adapters.CanEscalate) {
				t.Error("not among the capabilities")
			}
			plain, _ := with(t, o, nil)
			if err := plain.Escalate(t.Context(), ref, 1); adapters.KindOf(err) != adapters.Unsupported {
				t.Errorf("without levels: %v, want unsupported", err)
			}
		})
	}
}
