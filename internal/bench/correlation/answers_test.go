package main

import (
	"context"
	"testing"
	"time"
)

// Setting a shape up compares every answer with the peer's. The larger ones differ in size alone.
func TestShapesAgree(t *testing.T) {
	seen := 0
	for _, make := range shapes() {
		s := make()
		if len(s.alerts) > 1000 || len(s.rules) > 1000 {
			continue
		}
		seen++
		p := s.pair()
		if _, _, err := p.Setup(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	if seen != 5 {
		t.Errorf("%d small shapes, want 5", seen)
	}
}

// A single alert that is source alone mutes all that are both; without it none is muted.
func TestStormAnswers(t *testing.T) {
	const n = 500
	rules, alerts := twoSided(n)
	source := with(labelsOf("Y", "critical", n), "region", "r", "job", "router")
	ends := start.Add(time.Hour)
	for _, c := range []struct {
		name   string
		alerts []map[string]string
		muted  int
	}{{"two-sided", alerts, 0}, {"with a source", append(alerts[:n:n], source), n}} {
		in, err := hold(rules, c.alerts, ends)
		if err != nil {
			t.Fatal(err)
		}
		ih, err := theirs(rules, newFeed(peerAlerts(c.alerts, ends)))
		if err != nil {
			t.Fatal(err)
		}
		own, other := 0, 0
		for _, labels := range alerts {
			if _, muted := in.Mutes(labels); muted {
				own++
			}
			if ih.Mutes(context.Background(), labelSet(labels)) {
				other++
			}
		}
		ih.Stop()
		if own != c.muted || other != c.muted {
			t.Errorf("%s: %d of %d muted, the peer mutes %d, want %d", c.name, own, n, other, c.muted)
		}
	}
}
