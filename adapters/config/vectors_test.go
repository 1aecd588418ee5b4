package config_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
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
		for _, kind := range []string{"contract", "slo", "team", "rules", "roi", "playbooks", "portal", "bridge"} {
			kinds[kind] = checkErrors
		}
		testutil.OpenVectors(t, "examples", "config_errors.json").Run(t, kinds)
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

// readers read a file of each kind and return its document.
var readers = map[string]func(data []byte) *config.Document{
	"contract":  func(data []byte) *config.Document { _, d, _ := config.ParseContract("f.yaml", data); return d },
	"slo":       func(data []byte) *config.Document { _, d, _ := config.ParseObjectives("f.yaml", data); return d },
	"team":      func(data []byte) *config.Document { _, d, _ := config.ParseTeam("f.yaml", data); return d },
	"rules":     func(data []byte) *config.Document { _, d, _ := config.ParseRules("f.yaml", data); return d },
	"roi":       func(data []byte) *config.Document { _, d, _ := config.ParseCosts("f.yaml", data); return d },
	"framework": func(data []byte) *config.Document { _, d, _ := config.ParseFramework("f.yaml", data); return d },
	"playbooks": func(data []byte) *config.Document { _, d, _ := config.ParsePlaybooks("f.yaml", data); return d },
	"scenarios": func(data []byte) *config.Document { _, d, _ := config.ParseScenarios("f.yaml", data); return d },
	"topology":  func(data []byte) *config.Document { _, d, _ := config.ParseTopology("f.yaml", data); return d },
	"continuity": func(data []byte) *config.Document {
		_, d, _ := config.ParseContinuity("f.yaml", data, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
		return d
	},
	"articles": func(data []byte) *config.Document { _, d, _ := config.ParseArticles("f.yaml", data); return d },
	"accounts": func(data []byte) *config.Document { _, _, d, _ := config.ParseAccounts("f.yaml", data); return d },
	"bridge":   func(data []byte) *config.Document { _, d, _ := config.ParseBridge("f.yaml", data, anySecret); return d },
	"anomaly":  func(data []byte) *config.Document { _, d, _ := config.ParseAnomaly("f.yaml", data); return d },
	"portal": func(data []byte) *config.Document {
		_, d, _ := config.ParsePortal("f.yaml", data, noSecrets)
		return d
	},
	"public": func(data []byte) *config.Document { _, d, _ := config.ParsePublicSLAs("f.yaml", data); return d },
}

// checkErrors compares the errors of a file exactly, as a set, and looks for the
// warnings that are named.
func checkErrors(c testutil.Case) error {
	type diagnostic struct {
		Line, Col                        *int
		Severity, Code, Path, Suggestion string
	}
	var in struct {
		YAML   string
		Expect []diagnostic
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	if is, guessed := config.Check("", "f.yaml", []byte(in.YAML), checkedAt); is != c.Kind && is != "" {
		return fmt.Errorf("guessed %q: %w", is, guessed)
	}
	_, found := config.Check(c.Kind, "f.yaml", []byte(in.YAML), checkedAt)
	matches := func(want diagnostic, got config.Diagnostic) bool {
		return (want.Line == nil || *want.Line == got.Line) && (want.Col == nil || *want.Col == got.Column) && want.Severity == got.Severity &&
			want.Code == got.Code && want.Path == got.Path && (want.Suggestion == "" || want.Suggestion == got.Suggestion || want.Suggestion == "*" && got.Suggestion != "")
	}
	for _, want := range in.Expect {
		if !slices.ContainsFunc(found, func(got config.Diagnostic) bool { return matches(want, got) }) {
			return fmt.Errorf("no %s %s at %s; found:\n%w", want.Severity, want.Code, want.Path, found)
		}
	}
	for _, got := range found {
		if got.Severity == config.Error && !slices.ContainsFunc(in.Expect, func(want diagnostic) bool { return matches(want, got) }) {
			return fmt.Errorf("unexpected %v", got)
		}
	}
	return nil
}
