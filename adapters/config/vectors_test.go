package config_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/internal/threshold"
)

func TestVectors(t *testing.T) {
	t.Run("durations", func(t *testing.T) {
		testutil.OpenVectors(t, "examples", "durations.json").Run(t, testutil.Kinds{
			"duration": checkDuration, "business": checkBusiness, "target": checkTarget, "invalid": checkInvalid,
		})
	})
	t.Run("config_errors", func(t *testing.T) {
		kinds := testutil.Kinds{}
		for kind := range readers {
			kinds[kind] = checkErrors
		}
		testutil.OpenVectors(t, "examples", "config_errors.json").Run(t, kinds, "portal", "bridge")
	})
}

func checkDuration(c testutil.Case) error {
	var in struct {
		Text   string
		Expect struct {
			Seconds json.RawMessage
			Text    string
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	d, err := threshold.ParseDuration(in.Text)
	if err != nil {
		return err
	}
	text := string(in.Expect.Seconds)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	seconds, err := time.ParseDuration(text + "s")
	if err != nil {
		return err
	}
	if got := threshold.FormatDuration(d); d != seconds || got != in.Expect.Text {
		return fmt.Errorf("ParseDuration(%q) = %v, %q, want %v, %q", in.Text, d, got, seconds, in.Expect.Text)
	}
	return nil
}

func checkBusiness(c testutil.Case) error {
	var in struct {
		Text   string
		Expect struct {
			Days int `json:"business_days"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	if s, err := threshold.ParseSpan(in.Text); err != nil || s.BusinessDays != in.Expect.Days {
		return fmt.Errorf("ParseSpan(%q) = %+v, %w, want %d days", in.Text, s, err, in.Expect.Days)
	}
	return nil
}

func checkTarget(c testutil.Case) error {
	var in struct {
		Text   string
		Expect struct {
			Op    string
			Value json.Number
			Unit  string
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	target, err := threshold.ParseTarget(in.Text)
	if err != nil {
		return err
	}
	if target.Op.String() != in.Expect.Op || target.Value.String() != in.Expect.Value.String() || target.Unit != in.Expect.Unit {
		return fmt.Errorf("ParseTarget(%q) = %v %v %q, want %+v", in.Text, target.Op, target.Value, target.Unit, in.Expect)
	}
	return nil
}

func checkInvalid(c testutil.Case) error {
	var in struct{ Text string }
	if err := c.Decode(&in); err != nil {
		return err
	}
	if s, err := threshold.ParseSpan(in.Text); err == nil {
		return fmt.Errorf("ParseSpan(%q) = %v, want an error", in.Text, s)
	}
	return nil
}
