package threshold_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

func dec(text string) threshold.Decimal {
	d, err := threshold.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestParseCondition(t *testing.T) {
	for _, c := range []struct {
		text string
		want threshold.Condition
		form string
	}{
		{"> 75% for 10 minutes", threshold.Condition{Op: threshold.Greater, Value: dec("75"), Unit: "%", For: 10 * time.Minute}, "> 75% for 10m"},
		{"disk >= 92.5% used", threshold.Condition{Metric: "disk", Op: threshold.GreaterEqual, Value: dec("92.5"), Unit: "%"}, "disk >= 92.5%"},
		{"latency.p99<250ms FOR 1h30m", threshold.Condition{Metric: "latency.p99", Op: threshold.Less, Value: dec("250"), Unit: "ms", For: 90 * time.Minute}, "latency.p99 < 250ms for 1h30m"},
		{"> 70 % of Max  Pool", threshold.Condition{Op: threshold.Greater, Value: dec("70"), Unit: "%", Mode: threshold.RatioOf, Ref: "max pool"}, "> 70% of max pool"},
		{"<= 5% increase from last week for 2 min", threshold.Condition{Op: threshold.LessEqual, Value: dec("5"), Unit: "%", Mode: threshold.Rise, Ref: "last week", For: 2 * time.Minute}, "<= 5% rise from last week for 2m"},
		{"age < 2 hours", threshold.Condition{Metric: "age", Op: threshold.Less, Value: dec("2"), Unit: "hours"}, "age < 2 hours"},
		{"!= 0", threshold.Condition{Op: threshold.NotEqual}, "!= 0"},
		{"== -4.50 req/s", threshold.Condition{Op: threshold.Equal, Value: dec("-4.5"), Unit: "req/s"}, "== -4.5 req/s"},
		{"> 16 GiB", threshold.Condition{Op: threshold.Greater, Value: dec("16"), Unit: "GiB"}, "> 16GiB"},
	} {
		got, err := threshold.ParseCondition(c.text)
		if err != nil || got != c.want {
			t.Errorf("ParseCondition(%q) = %+v, %v, want %+v", c.text, got, err, c.want)
		}
		if got.String() != c.form {
			t.Errorf("String of %q = %q, want %q", c.text, got, c.form)
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Errorf("Marshal(%q): %v", c.text, err)
		}
		var again threshold.Condition
		if err := json.Unmarshal(b, &again); err != nil || again != got {
			t.Errorf("Unmarshal(%s) = %+v, %v, want %+v", b, again, err, got)
		}
	}
}

func TestParseConditionErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		column int
	}{
		{"", 1},
		{"cpu", 4},
		{"cpu 80%", 5},
		{"> ", 3},
		{"> for 5 minutes", 3},
		{"=> 80%", 1},
		{"= 80%", 1},
		{"> 80%used", 6},
		{"> 1e3", 4},
		{"> 80%%", 6},
		{"> 20% wobble from x", 7},
		{"> 20% deviation baseline", 17},
		{"> 20% drop from", 16},
		{"> 20% drop from for 5m", 17},
		{"> 20% of", 9},
		{"> 20 of pool", 6},
		{"> 20ms of pool", 8},
		{"> 0.2 ratio of pool", 13},
		{"> 80% for", 10},
		{"> 80% for 5", 12},
		{"> 80% for 5 parsecs", 13},
		{"> 80% for -5m", 11},
		{"> 80% for 5m and more", 14},
		{"> 80% > 5", 7},
		{"> 1234567890123456789", 3},
		{"café > 5", 4},
	} {
		got, err := threshold.ParseCondition(c.text)
		e, ok := errors.AsType[*threshold.Error](err)
		if !ok || e.Column != c.column || e.Want == "" {
			t.Errorf("ParseCondition(%q) = %v, %v, want an error in column %d", c.text, got, err, c.column)
		}
	}
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"0", "0"}, {"-0", "0"}, {"007", "7"}, {"1.50", "1.5"}, {"-0.05", "-0.05"}, {"+3", "3"}, {"999999999999999999", "999999999999999999"}, {"0.000000000000000001", "0.000000000000000001"},
	} {
		if got := dec(c.text).String(); got != c.want {
			t.Errorf("ParseDecimal(%q) = %s, want %s", c.text, got, c.want)
		}
	}
	for _, text := range []string{"", "-", "1.", ".1", "1,5", "1e3", "0x10", "NaN", " 1", "1 ", "0.0000000000000000001"} {
		if got, err := threshold.ParseDecimal(text); err == nil {
			t.Errorf("ParseDecimal(%q) = %s, want an error", text, got)
		}
	}
	if dec("99.0") != dec("99") || dec("0.1").Compare(dec("0.09")) != 1 || dec("-2").Sign() != -1 {
		t.Error("equal numbers are not equal, or order is wrong")
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		from, to string
		num, den int64
		fails    bool
	}{
		{"ms", "s", 1e6, 1e9, false},
		{"hours", "seconds", 3600e9, 1e9, false},
		{"GiB", "MB", 1 << 30, 1e6, false},
		{"ratio", "%", 100, 1, false},
		{"messages", "requests", 1, 1, false},
		{"", "ms", 1, 1, false},
		{"ms", "%", 0, 0, true},
		{"messages", "ms", 0, 0, true},
	} {
		num, den, err := threshold.Scale(c.from, c.to)
		if num != c.num || den != c.den || (err != nil) != c.fails {
			t.Errorf("Scale(%q, %q) = %d/%d, %v, want %d/%d", c.from, c.to, num, den, err, c.num, c.den)
		}
	}
}

func FuzzParseCondition(f *testing.F) {
	for _, s := range []string{
		"> 80% for 5 minutes", "disk > 90% used", "> 80% of max pool", "> 20% deviation from baseline", "> 15% drop from normal levels for 2h",
		"latency.p99 <= 2.5s for 1.5 hours", ">> 80", "> 20% wobble from x", "== -4.5 req/s",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := threshold.ParseCondition(text)
		if err != nil {
			if _, ok := errors.AsType[*threshold.Error](err); !ok {
				t.Fatalf("error %T, want *Error", err)
			}
			return
		}
		again, err := threshold.ParseCondition(c.String())
		if err != nil || again != c {
			t.Fatalf("ParseCondition(%q) = %+v, %v, want %+v", c, again, err, c)
		}
		if _, err := threshold.Compile(c, threshold.Options{}); err != nil {
			t.Fatalf("Compile(%q): %v", c, err)
		}
	})
}
