package slo_test

import (
	"math"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

func ratioText(t *testing.T, text string) slo.Ratio {
	t.Helper()
	r, err := slo.ParseRatio(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFromRatio(t *testing.T) {
	for _, c := range []struct {
		ratio        string
		events, good uint64
	}{
		{"0.9995", 10_000, 9_995},
		{"0.9995", 1_000, 999}, // 999.5 is rounded to the worse side
		{"0", 7, 0},
		{"1", math.MaxUint64, math.MaxUint64},
		{"0.5", math.MaxUint64, math.MaxUint64 / 2},
		{"0.3333333333333333333333333333333333333333", 3_000_000_000_000_000_000, 999_999_999_999_999_999},
		{"0.9", 0, 0},
	} {
		got, err := slo.FromRatio(ratioText(t, c.ratio), c.events)
		if want := (slo.Counts{Good: c.good, Total: c.events}); err != nil || got != want {
			t.Errorf("FromRatio(%s, %d) = %+v, %v, want %+v", c.ratio, c.events, got, err, want)
		}
	}
	for _, bad := range []slo.Ratio{{}, slo.NewRatio(-1, 10), slo.NewRatio(11, 10), slo.Inf(1)} {
		if got, err := slo.FromRatio(bad, 10); err == nil {
			t.Errorf("FromRatio(%s) = %+v, want an error", bad, got)
		}
	}
}

func TestFromGauge(t *testing.T) {
	up, err := slo.FromGauge(true, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	down, err := slo.FromGauge(false, 6*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	all := slo.Counts{Good: up.Good + down.Good, Total: up.Total + down.Total}
	if got := all.ErrorRatio(); got.Compare(slo.NewRatio(1, 11)) != 0 { // 6 of 66 minutes
		t.Errorf("error ratio %s, want 1/11", got)
	}
	if _, err := slo.FromGauge(true, -1); err == nil {
		t.Error("FromGauge(-1ns) = nil, want an error")
	}
}

func TestFromThreshold(t *testing.T) {
	for op, want := range map[slo.Op]string{slo.LessThan: "100", slo.AtMost: "110", slo.GreaterThan: "001", slo.AtLeast: "011"} {
		var got []byte
		for _, reading := range []string{"499.9", "500", "500.1"} {
			c, err := slo.FromThreshold(ratioText(t, reading), op, ratioText(t, "500"))
			if err != nil || c.Total != 1 {
				t.Fatalf("%s %s 500 = %+v, %v", reading, op, c, err)
			}
			got = append(got, byte('0'+c.Good))
		}
		if string(got) != want {
			t.Errorf("%s: %s, want %s", op, got, want)
		}
		text, err := op.MarshalText()
		var back slo.Op
		if err != nil || back.UnmarshalText(text) != nil || back != op {
			t.Errorf("%s reads back as %s", text, back)
		}
	}
	for _, op := range []slo.Op{0, 5} {
		if _, err := slo.FromThreshold(slo.NewRatio(1, 1), op, slo.NewRatio(1, 1)); err == nil {
			t.Errorf("FromThreshold with %s = nil, want an error", op)
		}
	}
	if _, err := slo.FromThreshold(slo.Ratio{}, slo.AtMost, slo.NewRatio(1, 1)); err == nil {
		t.Error("FromThreshold of nothing = nil, want an error")
	}
}
