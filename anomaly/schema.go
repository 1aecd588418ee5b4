package anomaly

import (
	"fmt"
	"slices"
	"unicode"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

// Side is a direction in which a value can deviate.
type Side uint8

const (
	// Both sides: a deviation harms whichever way it goes. The default.
	Both Side = iota
	// High values harm: error rates, latencies.
	High
	// Low values harm: availability, free space.
	Low
)

var sideNames = []string{"both", "high", "low"}

// String returns "both", "high" or "low".
func (s Side) String() string { return enum.String(sideNames, "Side", uint8(s)) }

// MarshalText implements [encoding.TextMarshaler].
func (s Side) MarshalText() ([]byte, error) { return enum.Text(sideNames, "anomaly", "Side", uint8(s)) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Side) UnmarshalText(text []byte) error {
	n, err := enum.Parse(sideNames, "anomaly", "side", text)
	*s = Side(n)
	return err
}

// Feature describes one metric.
type Feature struct {
	// Name is how readings and histories call it.
	Name string `json:"name"`
	// Unit is for display only.
	Unit string `json:"unit,omitempty"`
	// Harm is the side on which a deviation is watched. Defaults to Both.
	Harm Side `json:"harm"`
	// Min and Max are physical limits, both inclusive: a percentage cannot be 120.
	// A value outside is invalid rather than abnormal. Default to none.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
	// AdviceHigh and AdviceLow replace the general advice when this feature
	// deviates upwards or downwards. Default to the table of [Options.Advice].
	AdviceHigh string `json:"advice_high,omitempty"`
	AdviceLow  string `json:"advice_low,omitempty"`
}

// Schema lists the features of a service. Readings are matched to it by name, in
// whatever order they come.
type Schema []Feature

// SchemaOf guesses a schema from names: the unit from an ending such as _ms, and
// from words such as error, latency or queue that only high values harm. It
// states no limits.
func SchemaOf(names ...string) Schema {
	s := make(Schema, len(names))
	for i, name := range names {
		s[i].Name = name
		words := splitWords(name)
		if len(words) > 0 {
			s[i].Unit = units[words[len(words)-1]]
		}
		for _, word := range words {
			if slices.Contains(harmfulHigh, word) {
				s[i].Harm = High
			}
		}
	}
	return s
}

var units = map[string]string{
	"ms": "ms", "us": "µs", "ns": "ns", "seconds": "s", "s": "s", "bytes": "B",
	"percent": "%", "pct": "%", "rps": "1/s", "qps": "1/s",
}

var harmfulHigh = []string{
	"error", "errors", "failure", "failures", "failed", "latency", "latencies",
	"response", "duration", "wait", "queue", "lag", "backlog", "retries", "timeouts",
}

// Validate reports the first feature without a name or with crossed limits as an
// [*OptionError], and all repeated names as a [*SchemaError].
func (s Schema) Validate() error {
	seen := make(map[string]bool, len(s))
	var twice []string
	for i, f := range s {
		field := fmt.Sprintf("Schema[%d].", i)
		switch {
		case f.Name == "":
			return &OptionError{field + "Name", `""`, "a name"}
		case f.Harm > Low:
			return &OptionError{field + "Harm", f.Harm, "Both, High or Low"}
		case f.Min != nil && !finite(*f.Min):
			return &OptionError{field + "Min", *f.Min, "a finite number or nil"}
		case f.Max != nil && !finite(*f.Max):
			return &OptionError{field + "Max", *f.Max, "a finite number or nil"}
		case f.Min != nil && f.Max != nil && *f.Min > *f.Max:
			return &OptionError{field + "Min", *f.Min, fmt.Sprintf("at most Max = %v", *f.Max)}
		}
		if seen[f.Name] {
			twice = append(twice, f.Name)
		}
		seen[f.Name] = true
	}
	if twice != nil {
		slices.Sort(twice)
		return &SchemaError{Duplicate: slices.Compact(twice)}
	}
	return nil
}

// within reports whether v respects the physical limits.
func (f *Feature) within(v float64) bool {
	return (f.Min == nil || v >= *f.Min) && (f.Max == nil || v <= *f.Max)
}

// splitWords cuts a name at everything that is neither letter nor digit and
// where the case changes, and lowers it: "HTTPErrorRate.p99" is http, error,
// rate, p99.
func splitWords(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = word[:0]
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if unicode.IsUpper(r) && i > 0 {
			before := runes[i-1]
			endOfCapitals := unicode.IsUpper(before) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if unicode.IsLower(before) || unicode.IsDigit(before) || endOfCapitals {
				flush()
			}
		}
		word = append(word, unicode.ToLower(r))
	}
	flush()
	return words
}
