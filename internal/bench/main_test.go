package main

import (
	"slices"
	"testing"
)

func TestChosen(t *testing.T) {
	all := []string{"anomaly", "sla", "slo"}
	for _, c := range []struct {
		only string
		want []string
	}{
		{"", []string{"anomaly", "sla", "slo"}},
		{"^anomaly/score", []string{"anomaly"}},
		{"^(sla/x|slo/y)", []string{"sla", "slo"}},
		{"batch", []string{"anomaly", "sla", "slo"}},
	} {
		if got := chosen(all, c.only); !slices.Equal(got, c.want) {
			t.Errorf("chosen(%q) = %q, want %q", c.only, got, c.want)
		}
	}
}
