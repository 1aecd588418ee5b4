package ical

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// FeedError is something in a feed that cannot be read, or a limit that it passes.
type FeedError struct {
	Line     int    // from 1, where the property begins; 0 for the feed as a whole
	Property string // such as "DTSTART"
	Value    string // as found
	Want     string // what was expected
	Err      error  // the cause, where there is one beneath
}

// Error names line, property, value and what was expected.
func (e *FeedError) Error() string {
	text := "ical: "
	if e.Line > 0 {
		text += fmt.Sprintf("line %d: ", e.Line)
	}
	text += fmt.Sprintf("%s %q: want %s", e.Property, short(e.Value), e.Want)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause beneath, or nil.
func (e *FeedError) Unwrap() error { return e.Err }

// short cuts a long value between two runes.
func short(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// problems collects errors up to a number of them.
type problems []error

// add keeps a problem, where there is room for it.
func (p *problems) add(err error) {
	switch {
	case len(*p) < MaxProblems:
		*p = append(*p, err)
	case len(*p) == MaxProblems:
		*p = append(*p, fmt.Errorf("ical: more than %d problems, the rest was not read", MaxProblems))
	}
}

func (p *problems) full() bool { return len(*p) > MaxProblems }

func (p *problems) joined() error { return errors.Join(*p...) }
