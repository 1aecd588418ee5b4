package pagerduty

import (
	"fmt"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters"
)

// The limits of texts.
// https://developer.pagerduty.com/docs/send-alert-event
const (
	maxSummary  = 1024 // characters of a summary or title
	maxDedupKey = 255
	maxEvent    = 512_000 // bytes of an event; the document says 512 KB
)

// Cut tells what of a text did not fit.
type Cut struct {
	Field string // "title", "summary", "custom_details", "links", "images"
	Had   int    // characters of a text, bytes of anything else
	Kept  int
}

// String says "title: 1024 of 3000 kept".
func (c Cut) String() string { return fmt.Sprintf("%s: %d of %d kept", c.Field, c.Kept, c.Had) }

// shortenTitle cuts a text to what a summary or title holds.
func shortenTitle(field, text string) (string, []Cut) {
	short, lost := adapters.Cut(text, maxSummary)
	if lost == 0 {
		return short, nil
	}
	return short, []Cut{{Field: field, Had: utf8.RuneCountInString(text), Kept: utf8.RuneCountInString(short)}}
}
