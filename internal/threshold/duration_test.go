package threshold_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
		form string
	}{
		{"0s", 0, "0s"},
		{"45s", 45 * time.Second, "45s"},
		{"1h30m", 90 * time.Minute, "1h30m"},
		{"1.5h", 90 * time.Minute, "1h30m"},
		{" 1 hour\t30 Minutes ", 90 * time.Minute, "1h30m"},
		{"1 hr 5 mins 10 secs", time.Hour + 5*time.Minute + 10*time.Second, "1h5m10s"},
		{"36h", 36 * time.Hour, "1d12h"},
		{"2w1d", 15 * 24 * time.Hour, "15d"},
		{"0.000000001s", 1, "1ns"},
		{"1500us", 1500 * time.Microsecond, "1ms500us"},
		{"7 µs", 7 * time.Microsecond, "7us"},
		{"P1DT12H", 36 * time.Hour, "1d12h"},
		{"P1W2D", 9 * 24 * time.Hour, "9d"},
		{"PT1.5M", 90 * time.Second, "1m30s"},
		{"106751 days", 106751 * 24 * time.Hour, "106751d"},
		{"9223372036854775807ns", math.MaxInt64, ""}, // 19 digits: refused below
	} {
		got, err := threshold.ParseDuration(c.text)
		if c.form == "" {
			if err == nil {
				t.Errorf("ParseDuration(%q) = %v, want an error", c.text, got)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", c.text, got, err, c.want)
		}
		if form := threshold.FormatDuration(got); form != c.form {
			t.Errorf("FormatDuration(%v) = %q, want %q", got, form, c.form)
		}
	}
}

func TestParseDurationErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		column int
	}{
		{"", 1},
		{"   ", 4},
		{"15", 3},
		{"5 M", 3},
		{"5 H", 3},
		{"m", 1},
		{"-1h", 1},
		{"1h -5m", 4},
		{"1,5h", 2},
		{"1.h", 3},
		{".5h", 1},
		{"1e3s", 2},
		{"30m1h", 5},
		{"5m5m", 4},
		{"2 months", 3},
		{"3 years", 3},
		{"5 business days", 3},
		{"0.5ns", 1},
		{"107000 days", 1},
		{"106751d 24h", 9},
		{"１５m", 1}, // full-width digits
		{"P", 2},
		{"PT1H30", 7},
		{"P1H", 3},
		{"PT1D", 4},
		{"PT30M1H", 7},
		{"P1DT", 5},
		{"p1d", 1},
	} {
		got, err := threshold.ParseDuration(c.text)
		e, ok := errors.AsType[*threshold.Error](err)
		if !ok || e.Column != c.column || e.Text != c.text || e.Want == "" {
			t.Errorf("ParseDuration(%q) = %v, %v, want an error in column %d", c.text, got, err, c.column)
		}
	}
}

func TestParseSpan(t *testing.T) {
	for _, c := range []struct {
		text, want string
		days       int
	}{
		{"Next business day", "1 business day", 1},
		{" 10  business\tdays", "10 business days", 10},
		{"2 hours", "2h", 0},
	} {
		got, err := threshold.ParseSpan(c.text)
		if err != nil || got.String() != c.want || got.BusinessDays != c.days {
			t.Errorf("ParseSpan(%q) = %v (%d days), %v, want %s", c.text, got, got.BusinessDays, err, c.want)
		}
	}
	for _, text := range []string{"0 business days", "-1 business days", "1.5 business days", "next business days", "business day", "some business days", "99999 business days"} {
		if got, err := threshold.ParseSpan(text); err == nil {
			t.Errorf("ParseSpan(%q) = %v, want an error", text, got)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"< 90 minutes", "< 1h30m"},
		{"<= PT2H", "<= 2h"},
		{"12 hours minimum", ">= 12h"},
		{"12 hours Maximum", "<= 12h"},
		{"90% minimum", ">= 90%"},
		{"15 minutes", "<= 15m"},
		{"99.950%", ">= 99.95%"},
		{"> 4.25 / 5", "> 4.25/5"},
		{"> 2.0", "> 2"},
		{"!= 0", "!= 0"},
	} {
		got, err := threshold.ParseTarget(c.text)
		if err != nil || got.String() != c.want {
			t.Errorf("ParseTarget(%q) = %v, %v, want %s", c.text, got, err, c.want)
		}
		if again, err := threshold.ParseTarget(got.String()); err != nil || again != got {
			t.Errorf("ParseTarget(%q) = %v, %v, want %v", got, again, err, got)
		}
	}
	for _, text := range []string{"", "<", "=> 5%", "> 5% x", "> 4.5/0", "> 4.5/", "> 72 hours minimum", "minimum", "fast", "< 1 month", "< next business day", "~ 5"} {
		if got, err := threshold.ParseTarget(text); err == nil {
			t.Errorf("ParseTarget(%q) = %v, want an error", text, got)
		}
	}
}

func TestTargetMet(t *testing.T) {
	for _, c := range []struct {
		target, value string
		want          bool
	}{
		{"> 99%", "99", false},
		{"> 99%", "99.000000000000001", true},
		{"99.0%", "99", true},
		{"< 4 hours", "14400", false},
		{"72 hours minimum", "259200", true},
	} {
		target, err := threshold.ParseTarget(c.target)
		if err != nil {
			t.Fatal(err)
		}
		value, err := threshold.ParseDecimal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		if got := target.Met(value); got != c.want {
			t.Errorf("%q Met(%s) = %v, want %v", c.target, c.value, got, c.want)
		}
	}
	target, _ := threshold.ParseTarget("< 0.25s")
	if d, ok := target.Duration(); !ok || d != 250*time.Millisecond {
		t.Errorf("Duration() = %v, %v, want 250ms", d, ok)
	}
}

// Format and parse are inverse over the whole range.
func TestDurationRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		d := time.Duration(rnd.Uint64() >> (1 + rnd.UintN(63)))
		text := threshold.FormatDuration(d)
		if got, err := threshold.ParseDuration(text); err != nil || got != d {
			t.Fatalf("ParseDuration(%q) = %d, %v, want %d", text, got, err, d)
		}
	}
	if got, want := threshold.FormatDuration(math.MinInt64), "-106751d23h47m16s854ms775us808ns"; got != want {
		t.Errorf("FormatDuration(min) = %q, want %q", got, want)
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"15m", "1 hour 30 minutes", "PT0.5S", "P1DT12H", "next business day", "1,5h", "5M", "∞", "9223372037s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := threshold.ParseSpan(text)
		if err != nil {
			if _, ok := errors.AsType[*threshold.Error](err); !ok {
				t.Fatalf("error %T, want *Error", err)
			}
			return
		}
		if again, err := threshold.ParseSpan(s.String()); err != nil || again != s {
			t.Fatalf("ParseSpan(%q) = %v, %v, want %v", s, again, err, s)
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"< 4 hours", "72 hours minimum", "> 4.5/5", "99.0%", "> 2.0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := threshold.ParseTarget(text)
		if err != nil {
			return
		}
		if again, err := threshold.ParseTarget(v.String()); err != nil || again != v {
			t.Fatalf("ParseTarget(%q) = %v, %v, want %v", v, again, err, v)
		}
	})
}
