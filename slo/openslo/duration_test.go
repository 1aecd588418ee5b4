package openslo_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/openslo"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		text   string
		length time.Duration // 0 for none
		unit   slo.Unit
	}{
		{"1m", time.Minute, 0},
		{"90m", 90 * time.Minute, 0},
		{"12h", 12 * time.Hour, 0},
		{"007d", 7 * day, 0},
		{"4w", 28 * day, 0},
		{"3660d", 3660 * day, 0},
		{"1M", 0, slo.Month},
		{"2Q", 0, slo.Quarter},
		{"10Y", 0, slo.Year},
	} {
		d, err := openslo.ParseDuration(c.text)
		length, _ := d.Length()
		unit, _ := d.Calendar()
		if err != nil || length != c.length || unit != c.unit {
			t.Errorf("ParseDuration(%q) = %v of %v, %v, %v, want %v, %v", c.text, d, length, unit, err, c.length, c.unit)
		}
	}
	for _, text := range []string{"", "m", "-5m", "+5m", "5", "5 m", " 5m", "1.5h", "5s", "1h30m", "0m", "5mm", "1W", "1D", "1H", "1q", "3661d", "11Y", "9223372036854775808m", "٣m"} {
		d, err := openslo.ParseDuration(text)
		var parse *slo.ParseError
		if !errors.As(err, &parse) || parse.Text != text || d != (openslo.Duration{}) {
			t.Errorf("ParseDuration(%q) = %v, %v, want a ParseError", text, d, err)
		}
	}
	if got := (openslo.Duration{}).String(); got != "unset" {
		t.Errorf("the zero Duration is %q, want unset", got)
	}
}
