package pagerduty_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/pagerduty"
)

func TestKeepMaintenances(t *testing.T) {
	client, fake, at := setUp(t)
	ctx := t.Context()
	// That of somebody else.
	if w := ask(t, fake, "POST", "/maintenance_windows", `{"maintenance_window":{"type":"maintenance_window","description":"theirs","start_time":"2026-11-22T12:00:00Z","end_time":"2026-11-23T12:00:00Z","services":[{"id":"PDB","type":"service_reference"}]}}`); w.Code != 201 {
		t.Fatal(w.Body)
	}
	db := pagerduty.Maintenance{Key: "m1", Description: "database upgrade", Services: []string{"PDB", "PSHOP"}, Start: noon, End: noon.Add(2 * time.Hour)}
	shop := pagerduty.Maintenance{Key: "m2", Services: []string{"PSHOP"}, Start: noon, End: noon.Add(time.Hour)}
	over := pagerduty.Maintenance{Key: "m3", Services: []string{"PSHOP"}, Start: noon.Add(-2 * time.Hour), End: noon.Add(-time.Hour)}
	longer := db
	longer.End = noon.Add(3 * time.Hour)
	for i, tt := range []struct {
		wanted  []pagerduty.Maintenance
		written int
		left    []string
	}{
		{[]pagerduty.Maintenance{db, shop, over}, 2, []string{"theirs", "database upgrade [evenkeel m1]", " [evenkeel m2]"}},
		{[]pagerduty.Maintenance{db, shop, over}, 0, []string{"theirs", "database upgrade [evenkeel m1]", " [evenkeel m2]"}},
		{[]pagerduty.Maintenance{longer, shop}, 1, []string{"theirs", "database upgrade [evenkeel m1]", " [evenkeel m2]"}},
		{[]pagerduty.Maintenance{longer}, 1, []string{"theirs", "database upgrade [evenkeel m1]"}},
		{nil, 1, []string{"theirs"}},
	} {
		written, err := client.KeepMaintenances(ctx, tt.wanted)
		if err != nil || written != tt.written || !slices.Equal(fake.Windows(), tt.left) {
			t.Errorf("step %d: %d written, %v, left %q; want %d and %q", i, written, err, fake.Windows(), tt.written, tt.left)
		}
		if i == 2 {
			got, err := collect(client.Maintenances(ctx))
			if err != nil || len(got) != 3 || got[1].Key != "m1" || !got[1].End.Equal(noon.Add(3*time.Hour)) || got[1].Description != "database upgrade" {
				t.Errorf("windows %+v, %v", got, err)
			}
		}
	}
	for _, bad := range []pagerduty.Maintenance{{Services: []string{"P"}, Start: noon, End: at.at.Add(time.Nanosecond)}, {Key: "k", Start: noon, End: noon.Add(time.Nanosecond)}, {Key: "k", Services: []string{"P"}, Start: noon, End: noon}, {Key: "k]", Services: []string{"P"}, Start: noon, End: noon.Add(time.Nanosecond)}} {
		if _, err := client.KeepMaintenances(ctx, []pagerduty.Maintenance{bad}); !errors.Is(err, adapters.Invalid) {
			t.Errorf("%+v: %v, want invalid", bad, err)
		}
	}
}

func collect[T any](seq func(func(T, error) bool)) (all []T, err error) {
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
