package slo_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

func TestParsePercent(t *testing.T) {
	for text, want := range map[string]string{
		"99.9": "999/1000", "99.90%": "999/1000", "100": "1/1", "100.000": "1/1", "0.1": "1/1000", "95": "19/20",
		"99.9999999999": "999999999999/1000000000000", "50": "1/2",
	} {
		target, err := slo.ParsePercent(text)
		if err != nil || target.Ratio().String() != want {
			t.Errorf("ParsePercent(%q) = %s, %v, want %s", text, target.Ratio(), err, want)
		}
	}
	for _, text := range []string{"", "%", "0", "0.0", "-5", "100.1", "NaN", "Inf", "1e1", " 99", "99,9", "99.9 %", "99.9%%", ".5", "5.", "0x10", "9_9", "99.9999999999999999999"} {
		target, err := slo.ParsePercent(text)
		if e, ok := errors.AsType[*slo.ParseError](err); !ok || e.Text != text || target.IsSet() {
			t.Errorf("ParsePercent(%q) = %s, %v, want a ParseError", text, target, err)
		}
	}
}

func TestTargetText(t *testing.T) {
	odd, err := slo.NewTarget(slo.NewRatio(67, 72))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		target       slo.Target
		text, string string
	}{
		{slo.MustPercent("99.90"), "99.9", "99.9%"},
		{slo.MustPercent("100"), "100", "100%"},
		{odd, "67/72", "93.055555555555555556%"},
		{slo.Target{}, "", "unset"},
	} {
		text, err := tt.target.MarshalText()
		if err != nil || string(text) != tt.text || tt.target.String() != tt.string {
			t.Errorf("target %s: text %q, %v, want %q and %q", tt.target, text, err, tt.text, tt.string)
		}
		var back slo.Target
		if err := back.UnmarshalText(text); err != nil || back != tt.target {
			t.Errorf("UnmarshalText(%q) = %s, %v, want %s", text, back, err, tt.target)
		}
	}
	for _, r := range []slo.Ratio{{}, slo.NewRatio(0, 1), slo.NewRatio(-1, 2), slo.NewRatio(3, 2), slo.Inf(1)} {
		if target, err := slo.NewTarget(r); err == nil {
			t.Errorf("NewTarget(%s) = %s, want an error", r, target)
		}
	}
}

func TestRatioText(t *testing.T) {
	for text, want := range map[string]string{
		"14.4": "72/5", "14/15": "14/15", "144/10": "72/5", "-0.5": "-1/2", "0": "0/1", "+Inf": "+Inf", "-Inf": "-Inf", "6/3": "2/1",
		// Nothing is octal, however long it is.
		"010/3": "10/3", "0000000000000000000010/3": "10/3", "-8/0000000000000000000010": "-4/5", "0000000000000000000010.5": "21/2",
	} {
		r, err := slo.ParseRatio(text)
		if err != nil || r.String() != want {
			t.Errorf("ParseRatio(%q) = %s, %v, want %s", text, r, err, want)
		}
		data, err := json.Marshal(r)
		var back slo.Ratio
		if err != nil || json.Unmarshal(data, &back) != nil || back.Compare(r) != 0 {
			t.Errorf("%s becomes %s and back %s, %v", r, data, back, err)
		}
	}
	for _, text := range []string{"", "1/0", "1/00", "1/", "/2", "1.5/2", "1/-2", "--1", "1e3", "0x1", "NaN", "Inf", " 1", "1_0", "."} {
		if r, err := slo.ParseRatio(text); err == nil {
			t.Errorf("ParseRatio(%q) = %s, want an error", text, r)
		}
	}
	var absent slo.Ratio
	if data, err := json.Marshal(absent); err != nil || string(data) != "null" || absent.String() != "absent" {
		t.Errorf("absent ratio is %s, %v and %q", data, err, absent)
	}
	if err := json.Unmarshal([]byte("14.4"), &absent); err != nil || absent.String() != "72/5" {
		t.Errorf("a plain number becomes %s, %v, want 72/5", absent, err)
	}
}

func TestRatioOrder(t *testing.T) {
	rising := []slo.Ratio{{}, slo.Inf(-1), slo.NewRatio(-1, 2), slo.NewRatio(0, 1), slo.NewRatio(1, 3), slo.NewRatio(1, 2), slo.Inf(1)}
	for i, a := range rising {
		for j, b := range rising {
			want := 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("%s.Compare(%s) = %d, want %d", a, b, got, want)
			}
		}
	}
	if slo.NewRatio(1, 0).IsSet() || !slo.Inf(-1).IsInf(-1) || slo.Inf(-1).IsInf(1) || !slo.Inf(1).IsInf(0) {
		t.Error("1/0 is set, or the infinities are mixed up")
	}
	if !math.IsNaN(slo.Ratio{}.Float64()) || !math.IsInf(slo.Inf(1).Float64(), 1) || slo.NewRatio(1, 4).Float64() != 0.25 {
		t.Error("Float64 of absent, infinite or 1/4 is wrong")
	}
}

func TestParseValue(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		exact      bool
	}{
		{"0", "0", true},
		{"1027", "1027", true},
		{"18446744073709551615", "18446744073709551615", true},
		{"9007199254740993", "9007199254740993", true}, // 2^53 + 1
		{"4.0", "4", true},
		{"1.5e+06", "1500000", true},
		{"0.25", "0.25", false},
		{"1e+20", "100000000000000000000", false},
		{"NaN", "NaN", false},
	} {
		v, err := slo.ParseValue(tt.text)
		if _, exact := v.Uint64(); err != nil || v.String() != tt.want || exact != tt.exact {
			t.Errorf("ParseValue(%q) = %s exact %t, %v, want %s %t", tt.text, v, exact, err, tt.want, tt.exact)
		}
		if v.IsGap() != (tt.text == "NaN") || v.Ratio().IsSet() == v.IsGap() {
			t.Errorf("ParseValue(%q) is a gap: %t, as a ratio %s", tt.text, v.IsGap(), v.Ratio())
		}
	}
	for _, text := range []string{"", "-1", "-0.5", "+Inf", "Inf", "-Inf", "1e999", "0x10", "1_000", "abc", " 1"} {
		if v, err := slo.ParseValue(text); err == nil {
			t.Errorf("ParseValue(%q) = %s, want an error", text, v)
		}
	}
}

func TestCounterFractions(t *testing.T) {
	var readings []slo.Reading
	for i, text := range []string{"0.5", "2.25", "NaN", "1.5", "1.5"} {
		v, err := slo.ParseValue(text)
		if err != nil {
			t.Fatal(err)
		}
		readings = append(readings, slo.Reading{At: origin.Add(time.Duration(i) * time.Second), Value: v})
	}
	got, err := slo.CounterIncrease(readings, false)
	// 1.75 up, then a reset to 1.5; both sums are exact in binary.
	if err != nil || got.Value.Float64() != 3.25 || got.Exact || got.Resets != 1 || got.Gaps != 1 {
		t.Errorf("CounterIncrease = %+v, %v, want 3.25 inexact, one reset, one gap", got, err)
	}
}

func TestCounterRefuses(t *testing.T) {
	huge := func(i int) slo.Reading {
		v, err := slo.ParseValue("1.5e308")
		if err != nil {
			t.Fatal(err)
		}
		return slo.Reading{At: origin.Add(time.Duration(i) * time.Second), Value: v}
	}
	second := func(i int, n uint64) slo.Reading {
		return slo.Reading{At: origin.Add(time.Duration(i) * time.Second), Value: slo.NewValue(n)}
	}
	for _, tt := range []struct {
		name     string
		readings []slo.Reading
		want     error
	}{
		{"out of order", []slo.Reading{second(1, 1), second(0, 2)}, slo.ErrOutOfOrder},
		{"conflict", []slo.Reading{second(1, 1), second(1, 2)}, slo.ErrConflict},
		{"overflow", []slo.Reading{second(1, math.MaxUint64), second(2, 1)}, slo.ErrOverflow},
		{"overflow of fractions", []slo.Reading{huge(1), second(2, 0), huge(3)}, slo.ErrOverflow},
	} {
		_, err := slo.CounterIncrease(tt.readings, true)
		e, ok := errors.AsType[*slo.SampleError](err)
		n := len(tt.readings) - 1
		if !errors.Is(err, tt.want) || !ok || !e.At.Equal(tt.readings[n].At) || !e.Last.Equal(tt.readings[n-1].At) {
			t.Errorf("%s: %v, want %v with the instants", tt.name, err, tt.want)
		}
	}
}

// Splitting a series anywhere does not change its increase.
func TestCounterIsIncremental(t *testing.T) {
	var readings []slo.Reading
	for i, n := range []uint64{7, 9, 9, 3, 8, 0, 0, 5} {
		readings = append(readings, slo.Reading{At: origin.Add(time.Duration(i) * time.Second), Value: slo.NewValue(n)})
	}
	whole, err := slo.CounterIncrease(readings, true)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range readings {
		head, errHead := slo.CounterIncrease(readings[:cut+1], true)
		tail, errTail := slo.CounterIncrease(readings[cut:], false)
		a, _ := head.Value.Uint64()
		b, _ := tail.Value.Uint64()
		if want, _ := whole.Value.Uint64(); errHead != nil || errTail != nil || a+b != want || head.Resets+tail.Resets != whole.Resets {
			t.Errorf("cut at %d: %d + %d, want %d", cut, a, b, want)
		}
	}
}
