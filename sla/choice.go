package sla

import (
	"fmt"
	"slices"
	"strings"
)

// Stack says how the credits of several clauses add up.
type Stack uint8

// The ways to stack.
const (
	StackSum    Stack = iota // all clauses together
	StackMax                 // the clause with the largest sum alone
	StackEither              // one term, which the customer chooses: the largest, as long as nothing else is said
)

// Aggregate says which services of an availability term earn a credit.
type Aggregate uint8

// The ways to aggregate. Worst pays for the lowest of the services that miss
// their target (ties to the smaller id), PerService for each of them. Mean and
// Weighted judge one value, the mean of those of all services that were measured;
// the target is that of the term.
const (
	Worst Aggregate = iota
	PerService
	Mean
	Weighted
)

// ExcludeMode says what excluded time is taken from.
type ExcludeMode uint8

// FromDowntime leaves the denominator whole. FromBoth also takes every excluded
// window out of the denominator, whether or not the service was down in it.
const (
	FromDowntime ExcludeMode = iota
	FromBoth
)

// Unknown says what becomes of time that nothing measured. In each case it is
// also reported.
type Unknown uint8

// The ways to treat unknown time.
const (
	UnknownUp       Unknown = iota // counts as up
	UnknownDown                    // counts as down, unless excluded
	UnknownExcluded                // counts neither as up nor as down
)

// ClockStart is the event from which a clock runs.
type ClockStart uint8

// FromOpened runs from the ticket, FromDetected from the first signal; without
// one it runs from the ticket too.
const (
	FromOpened ClockStart = iota
	FromDetected
)

// CountIn says to which period a clock belongs once it has ended.
type CountIn uint8

// The periods to count in. A clock that still runs is pending in every period
// until it is known where it belongs.
const (
	// CountAtBreach counts a miss where the target was passed, answered or not,
	// and a met clock where it stopped.
	CountAtBreach CountIn = iota

	// CountAtCreation counts both where the ticket was opened. Their outcome may
	// follow later, so all that the evidence holds is looked at and the statement
	// is not final before the last of its clocks has ended.
	CountAtCreation

	// CountAtResponse counts both where the clock stopped. What is never answered
	// is never counted.
	CountAtResponse
)

// HourCount says how the hours of a monitoring outage are counted.
type HourCount uint8

// The ways to count. All but the last count the union of the gaps.
const (
	ProRata          HourCount = iota // to the nanosecond
	FullHours                         // whole hours only
	StartedHours                      // every hour begun
	StartedPerOutage                  // every hour begun, each gap of the union by itself
)

var (
	stackNames     = []string{"sum", "max", "either"}
	aggregateNames = []string{"worst", "per_service", "mean", "weighted"}
	excludeNames   = []string{"downtime_only", "both"}
	unknownNames   = []string{"up", "down", "exclude"}
	startNames     = []string{"opened", "detected"}
	countInNames   = []string{"breach", "creation", "response"}
	countNames     = []string{"prorata", "full_hours", "started_hours", "started_per_outage"}
)

// String returns "sum", "max" or "either".
func (s Stack) String() string { return nameOf(stackNames, s) }

// MarshalText writes what String returns; an unknown value is an error.
func (s Stack) MarshalText() ([]byte, error) { return textOf("stack", stackNames, s) }

// UnmarshalText reads what String returns.
func (s *Stack) UnmarshalText(text []byte) error { return parseName("stack", stackNames, text, s) }

// String returns "worst", "per_service", "mean" or "weighted".
func (a Aggregate) String() string { return nameOf(aggregateNames, a) }

// MarshalText writes what String returns; an unknown value is an error.
func (a Aggregate) MarshalText() ([]byte, error) { return textOf("aggregate", aggregateNames, a) }

// UnmarshalText reads what String returns.
func (a *Aggregate) UnmarshalText(text []byte) error {
	return parseName("aggregate", aggregateNames, text, a)
}

// String returns "downtime_only" or "both".
func (m ExcludeMode) String() string { return nameOf(excludeNames, m) }

// MarshalText writes what String returns; an unknown value is an error.
func (m ExcludeMode) MarshalText() ([]byte, error) { return textOf("exclude_mode", excludeNames, m) }

// UnmarshalText reads what String returns.
func (m *ExcludeMode) UnmarshalText(text []byte) error {
	return parseName("exclude_mode", excludeNames, text, m)
}

// String returns "up", "down" or "exclude".
func (u Unknown) String() string { return nameOf(unknownNames, u) }

// MarshalText writes what String returns; an unknown value is an error.
func (u Unknown) MarshalText() ([]byte, error) { return textOf("unknown", unknownNames, u) }

// UnmarshalText reads what String returns.
func (u *Unknown) UnmarshalText(text []byte) error {
	return parseName("unknown", unknownNames, text, u)
}

// String returns "opened" or "detected".
func (s ClockStart) String() string { return nameOf(startNames, s) }

// MarshalText writes what String returns; an unknown value is an error.
func (s ClockStart) MarshalText() ([]byte, error) { return textOf("start", startNames, s) }

// UnmarshalText reads what String returns.
func (s *ClockStart) UnmarshalText(text []byte) error { return parseName("start", startNames, text, s) }

// String returns "breach", "creation" or "response".
func (c CountIn) String() string { return nameOf(countInNames, c) }

// MarshalText writes what String returns; an unknown value is an error.
func (c CountIn) MarshalText() ([]byte, error) { return textOf("count_in", countInNames, c) }

// UnmarshalText reads what String returns.
func (c *CountIn) UnmarshalText(text []byte) error {
	return parseName("count_in", countInNames, text, c)
}

// String returns "prorata", "full_hours", "started_hours" or
// "started_per_outage".
func (h HourCount) String() string { return nameOf(countNames, h) }

// MarshalText writes what String returns; an unknown value is an error.
func (h HourCount) MarshalText() ([]byte, error) { return textOf("count", countNames, h) }

// UnmarshalText reads what String returns.
func (h *HourCount) UnmarshalText(text []byte) error { return parseName("count", countNames, text, h) }

func nameOf[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("%T(%d)", v, uint8(v))
}

func textOf[T ~uint8](what string, names []string, v T) ([]byte, error) {
	if int(v) < len(names) {
		return []byte(names[v]), nil
	}
	return nil, fmt.Errorf("sla: %s %q: want %s", what, nameOf(names, v), strings.Join(names, ", "))
}

// textOfKind and parseKind are textOf and parseName for values of which the zero
// one is not set and has no text.
func textOfKind[T ~uint8](what string, names []string, v T) ([]byte, error) {
	if v == 0 || int(v) >= len(names) {
		return nil, fmt.Errorf("sla: %s %q: want %s", what, nameOf(names, v), strings.Join(names[1:], ", "))
	}
	return []byte(names[v]), nil
}

func parseKind[T ~uint8](what string, names []string, text []byte, v *T) error {
	if err := parseName(what, names[1:], text, v); err != nil {
		return err
	}
	*v++
	return nil
}

func parseName[T ~uint8](what string, names []string, text []byte, v *T) error {
	at := slices.Index(names, string(text))
	if at < 0 {
		return fmt.Errorf("sla: %s %q: want %s", what, text, strings.Join(names, ", "))
	}
	*v = T(at)
	return nil
}
