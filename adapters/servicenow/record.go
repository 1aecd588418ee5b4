package servicenow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Record is a row of a table: its columns with their values as the database has
// them, times in UTC and references as sys_ids. An empty text is no value.
type Record map[string]string

// UnmarshalJSON reads an object whose values are texts, numbers, booleans, null,
// or references with a link and a value, of which the value is kept.
func (r *Record) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	if raw == nil {
		return fmt.Errorf("servicenow: record is %s, want an object", data)
	}
	out := make(Record, len(raw))
	for column, value := range raw {
		text, err := plain(value)
		if err != nil {
			return fmt.Errorf("servicenow: column %q: %w", column, err)
		}
		out[column] = text
	}
	*r = out
	return nil
}

func plain(value json.RawMessage) (string, error) {
	value = bytes.TrimSpace(value)
	switch {
	case len(value) == 0 || value[0] == 'n':
		return "", nil
	case value[0] == '"':
		var text string
		err := json.Unmarshal(value, &text)
		return text, err
	case value[0] == '{':
		var reference struct {
			Value *string `json:"value"`
		}
		if err := json.Unmarshal(value, &reference); err != nil {
			return "", err
		}
		if reference.Value == nil {
			return "", fmt.Errorf("%s has no value", value)
		}
		return *reference.Value, nil
	case value[0] == '[':
		return "", errors.New("list, want a value")
	default:
		return string(value), nil
	}
}

// timeLayout is how the Table API writes instants, in UTC with
// sysparm_display_value=false.
const timeLayout = "2006-01-02 15:04:05"

// ParseTime reads an instant, "2026-11-30 19:07:23" in UTC. Empty text is the zero
// time.
func ParseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(timeLayout, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("servicenow: parse time %q: want like %q", text, timeLayout)
	}
	return at, nil
}

// FormatTime writes an instant to the second, later fractions cut off. The zero
// time is empty.
func FormatTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(timeLayout)
}

// ParseDuration reads a duration, which ServiceNow writes as the instant that lies
// so long after 1970: "1970-01-01 00:02:17" is 137 s. Empty text is no duration:
// then known is false.
func ParseDuration(text string) (d time.Duration, known bool, err error) {
	if text == "" {
		return 0, false, nil
	}
	at, err := time.Parse(timeLayout, text)
	if err != nil {
		return 0, false, fmt.Errorf("servicenow: parse duration %q: want like %q", text, "1970-01-01 00:02:17")
	}
	seconds := at.Unix()
	if most := int64(1<<63-1) / int64(time.Second); seconds > most || seconds < -most {
		return 0, false, fmt.Errorf("servicenow: parse duration %q: more than 292 years", text)
	}
	return time.Duration(seconds) * time.Second, true, nil
}

// defuse keeps a journal from rendering what stands between [code] and [/code] as
// HTML (property glide.ui.security.allow_codetag), by a character of no width
// behind the bracket.
func defuse(text string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '[')
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i+1])
		text = text[i+1:]
		word := strings.TrimPrefix(text, "/")
		if len(word) >= 4 && strings.EqualFold(word[:4], "code") {
			b.WriteString("\u200b")
		}
	}
}
