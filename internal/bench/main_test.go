package main

import (
	"slices"
	"testing"
)

func TestChosen(t *testing.T) {
	programs := []string{"anomaly/main.go", "sla/main.go", "slo/main.go"}
	for _, c := range []struct {
		only string
		want []string
	}{
		{"", []string{"anomaly", "sla", "slo"}},
		{"^anomaly/score", []string{"anomaly"}},
		{"^(sla/x|slo/y)", []string{"sla", "slo"}},
		{"batch", []string{"anomaly", "sla", "slo"}},
	} {
		if got := chosen(programs, c.only); !slices.Equal(got, c.want) {
			t.Errorf("chosen(%q) = %q, want %q", c.only, got, c.want)
		}
	}
}
