package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/spelling"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// scalar reads a single value of one type from its text.
type scalar struct {
	want  string // in plain words
	parse func(*yaml.Node) (any, *Diagnostic)
}

// Zone is an IANA time zone in a file.
type Zone struct{ *time.Location }

// Decimal is a number kept as its decimal text.
type Decimal string

// Percent is a percentage from 0 to 100 kept as its decimal text, without a
// percent sign.
type Percent string

// scalars are the types that are read from a text of their own kind.
var scalars = map[reflect.Type]scalar{
	reflect.TypeFor[time.Duration]():     {`a duration like "15m" or "1 hour"`, parseDuration},
	reflect.TypeFor[time.Time]():         {"a time with a zone, like 2026-10-01T00:00:00Z", parseTime},
	reflect.TypeFor[Zone]():              {`a time zone like "Europe/Amsterdam"`, parseZone},
	reflect.TypeFor[money.Amount]():      {`an amount like "500.00 EUR"`, parseMoney},
	reflect.TypeFor[incident.Severity](): {"a severity: P1 to P4, critical, high, medium or low", parseSeverity},
	reflect.TypeFor[Percent]():           {`a percentage like 99.9`, parsePercent},
	reflect.TypeFor[Decimal]():           {"a number", parseDecimal},
	reflect.TypeFor[share]():             {"a percentage like 75", parseShare},
	reflect.TypeFor[TokenHash]():         {"the SHA-256 of a token", parseTokenHash},
}

func parseDuration(n *yaml.Node) (any, *Diagnostic) {
	d, err := threshold.ParseDuration(n.Value)
	if err != nil {
		return nil, &Diagnostic{Code: "bad_duration", Message: err.Error(), Suggestion: nearDuration(n.Value)}
	}
	return d, nil
}

// nearDuration mends a unit that is almost a word for one: "15 minuten".
func nearDuration(text string) string {
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	unit := text[len(number):]
	word := spelling.Nearest(unit, []string{"seconds", "minutes", "hours", "days", "weeks"})
	if word == "" {
		return ""
	}
	d, err := threshold.ParseDuration(strings.TrimSpace(number) + " " + word)
	if err != nil {
		return ""
	}
	return threshold.FormatDuration(d)
}

func parseTime(n *yaml.Node) (any, *Diagnostic) {
	t, err := time.Parse(time.RFC3339, n.Value)
	if err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if _, err := time.Parse(layout, n.Value); err == nil {
			return nil, &Diagnostic{Code: "bad_time", Message: fmt.Sprintf("time %q has no zone, want one like 2026-10-01T00:00:00Z or +02:00", n.Value)}
		}
	}
	return nil, &Diagnostic{Code: "bad_time", Message: fmt.Sprintf("time %q, want one with a zone, like 2026-10-01T00:00:00Z", n.Value)}
}

func parseMoney(n *yaml.Node) (any, *Diagnostic) {
	a, err := money.Parse(n.Value)
	if err != nil {
		return nil, &Diagnostic{Code: "bad_money", Message: err.Error()}
	}
	return a, nil
}

func parseSeverity(n *yaml.Node) (any, *Diagnostic) {
	s, err := incident.ParseSeverity(n.Value)
	if err != nil {
		return nil, &Diagnostic{Code: "bad_enum", Message: err.Error(), Suggestion: spelling.Nearest(strings.ToLower(n.Value), []string{"critical", "high", "medium", "low"})}
	}
	return s, nil
}

func parsePercent(n *yaml.Node) (any, *Diagnostic) {
	text := strings.TrimSpace(strings.TrimSuffix(n.Value, "%"))
	p, err := money.ParsePercent(text)
	if err != nil {
		suggestion := strings.Replace(text, ",", ".", 1)
		if _, err := money.ParsePercent(suggestion); err != nil {
			suggestion = ""
		}
		return nil, &Diagnostic{Code: "bad_percent", Message: fmt.Sprintf("percentage %q, want a number from 0 to 100 like 99.9", n.Value), Suggestion: suggestion}
	}
	if p > money.WholePercent(100) {
		return nil, &Diagnostic{Code: "out_of_range", Message: fmt.Sprintf("percentage %q, want at most 100", n.Value)}
	}
	return text, nil
}

func parseDecimal(n *yaml.Node) (any, *Diagnostic) {
	if _, err := threshold.ParseDecimal(n.Value); err != nil {
		return nil, &Diagnostic{Code: "wrong_type"}
	}
	return n.Value, nil
}

// plain reads the basic kinds. The tag decides, not the text: a quoted "8" is
// text.
func plain(kind reflect.Kind) scalar {
	wrong := &Diagnostic{Code: "wrong_type"}
	switch kind {
	case reflect.String:
		return scalar{"text", func(n *yaml.Node) (any, *Diagnostic) { return n.Value, nil }}
	case reflect.Bool:
		return scalar{"true or false", func(n *yaml.Node) (any, *Diagnostic) {
			is := strings.EqualFold(n.Value, "true")
			if n.Tag != "!!bool" || !is && !strings.EqualFold(n.Value, "false") {
				return nil, wrong
			}
			return is, nil
		}}
	case reflect.Int, reflect.Int64:
		return scalar{"a whole number", func(n *yaml.Node) (any, *Diagnostic) {
			i, err := strconv.ParseInt(n.Value, 10, 64)
			if n.Tag != "!!int" || err != nil {
				return nil, wrong
			}
			return i, nil
		}}
	case reflect.Float64:
		return scalar{"a number", func(n *yaml.Node) (any, *Diagnostic) {
			f, err := strconv.ParseFloat(n.Value, 64)
			if n.Tag != "!!int" && n.Tag != "!!float" || err != nil && !errors.Is(err, strconv.ErrRange) || f-f != 0 {
				return nil, wrong
			}
			return f, nil
		}}
	default:
		panic("config: no way to read a " + kind.String())
	}
}
