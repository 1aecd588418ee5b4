package main

import (
	"math"
	"testing"
)

func TestCheckRanking(t *testing.T) {
	odd := make([]float64, rows)
	if err := checkRanking("all alike", odd); err == nil {
		t.Error("scores without any difference pass")
	}
	for i := range planted {
		odd[i] = float64(1 + i%3)
	}
	if err := checkRanking("planted first", odd); err != nil {
		t.Error(err)
	}
	odd[rows-1] = 4 // one false outlier costs a hundredth of a percent
	if err := checkRanking("nearly", odd); err != nil {
		t.Error(err)
	}
	for i := range odd {
		odd[i] = -odd[i]
	}
	if err := checkRanking("upside down", odd); err == nil {
		t.Error("planted outliers ranked last pass")
	}
	if err := checkRanking("short", odd[1:]); err == nil {
		t.Error("a missing score passes")
	}
}

func TestCheckRanks(t *testing.T) {
	values := seriesOf("rising")
	exact := func(q float64) float64 { return q * points }
	if err := checkRanks("exact", values, exact, 0.001); err != nil {
		t.Error(err)
	}
	for name, wrong := range map[string]func(float64) float64{
		"two thousandths off": func(q float64) float64 { return (q + 0.002) * points },
		"not a number":        func(float64) float64 { return math.NaN() },
	} {
		if err := checkRanks(name, values, wrong, 0.001); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
