package calendar

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/wallclock"
)

// NextDayRule says when a promise of "next business day" is due. In all of them
// the next business day is the first local date after the date of receipt on
// which a span opens.
type NextDayRule struct {
	Mode NextDayMode `json:"mode,omitzero"`

	// CutOff is the time of day up to which a receipt counts for its own date,
	// like "16:00"; used by AfterCutOff only and required there.
	CutOff string `json:"cut_off,omitempty"`
}

// NextDayMode is one of the readings of "next business day".
type NextDayMode uint8

// The readings in use. They differ in the date of receipt and in the time of
// day at which the promise is due.
const (
	// AfterReceipt counts from the local date of the receipt; due at close.
	AfterReceipt NextDayMode = iota
	// AfterOpening counts from the date of the next opening when the receipt
	// lies outside hours: Saturday counts as Monday, so Tuesday is next. Due at
	// close.
	AfterOpening
	// AtOpening counts from the local date of the receipt; due at opening.
	AtOpening
	// AfterCutOff counts a receipt after the cut-off, or on a date without
	// working time, for the next business day; due at close of the one after.
	AfterCutOff
)

var nextDayModes = [...]string{
	AfterReceipt: "receipt_date", AfterOpening: "effective_receipt", AtOpening: "opening", AfterCutOff: "cut_off",
}

// String returns the name of the mode: "receipt_date", "effective_receipt",
// "opening" or "cut_off".
func (m NextDayMode) String() string {
	if int(m) < len(nextDayModes) {
		return nextDayModes[m]
	}
	return fmt.Sprintf("NextDayMode(%d)", uint8(m))
}

// MarshalText writes the name of the mode.
func (m NextDayMode) MarshalText() ([]byte, error) {
	if int(m) >= len(nextDayModes) {
		return nil, modeError(m.String())
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads the name of a mode.
func (m *NextDayMode) UnmarshalText(text []byte) error {
	at := slices.Index(nextDayModes[:], string(text))
	if at < 0 {
		return modeError(string(text))
	}
	*m = NextDayMode(at)
	return nil
}

func modeError(text string) error {
	return &HoursError{Path: "mode", Value: text, Want: "receipt_date, effective_receipt, opening or cut_off"}
}

// BusinessDay is the answer of [Calendar.NextBusinessDay]. Opens and Closes are
// the first opening and the last closing of the spans that open on that local
// date; a night shift closes on the following date.
type BusinessDay struct {
	Due    time.Time `json:"due"`
	Opens  time.Time `json:"opens"`
	Closes time.Time `json:"closes"`
}

// NextBusinessDay returns the business day on which something received at the
// given instant is due. The error is [ErrUnreachable] when none follows within
// ten years, and a [*HoursError] for a rule that cannot be used.
func (c *Calendar) NextBusinessDay(receipt time.Time, rule NextDayRule) (BusinessDay, error) {
	date, err := c.receiptDate(receipt, rule)
	if err != nil {
		return BusinessDay{}, err
	}
	_, next, err := c.businessDay(date + 1)
	if err != nil {
		return BusinessDay{}, err
	}
	next.Due = next.Closes
	if rule.Mode == AtOpening {
		next.Due = next.Opens
	}
	return next, nil
}

// receiptDate returns the local date from which the rule counts.
func (c *Calendar) receiptDate(receipt time.Time, rule NextDayRule) (day, error) {
	wall := wallclock.At(receipt, c.loc)
	switch rule.Mode {
	case AfterReceipt, AtOpening:
		return dayOf(wall), nil
	case AfterOpening:
		open, err := c.NextOpen(receipt)
		return dayOf(wallclock.At(open, c.loc)), err
	case AfterCutOff:
		cutOff, err := parseClock("cut_off", rule.CutOff)
		if err != nil {
			return 0, err
		}
		date := dayOf(wall)
		if wall.Sub(wallclock.Midnight(wall)) > cutOff {
			date++
		}
		date, _, err = c.businessDay(date)
		return date, err
	}
	return 0, modeError(rule.Mode.String())
}

// IsBusinessDay reports whether a span opens on a local date of the calendar that
// no holiday closes. The date is the one that the argument shows in its own
// location: time.Date(2026, 12, 25, 0, 0, 0, 0, time.UTC) asks for the 25th wherever
// the calendar is, and t.In(c.Location()) for the local date of an instant.
func (c *Calendar) IsBusinessDay(date time.Time) bool {
	year, month, dayOfMonth := date.Date()
	if year < firstYear || year > lastYear {
		return false
	}
	return len(c.openings(dayOf(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC)))) > 0
}

// openings returns the spans that open on a local date if it is a business day.
func (c *Calendar) openings(d day) []segment {
	if c.closed(d) {
		return nil
	}
	return c.appendDay(nil, c.year(yearOf(d.start())), d)
}

// businessDay finds the first local date from d on which a span opens.
func (c *Calendar) businessDay(d day) (day, BusinessDay, error) {
	d = max(d, firstDay(firstYear))
	for limit := min(d+horizon*366, firstDay(lastYear+1)); d < limit; d++ {
		spans := c.openings(d)
		if len(spans) == 0 {
			continue
		}
		opens, closes := spans[0].start, spans[0].end
		for _, s := range spans[1:] {
			opens, closes = min(opens, s.start), max(closes, s.end)
		}
		return d, BusinessDay{Opens: instant(opens), Closes: instant(closes)}, nil
	}
	return 0, BusinessDay{}, ErrUnreachable
}
