package ical

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"
)

// entry is an event that is written.
type entry struct {
	uid                  string // without the domain
	start, end           time.Time
	summary, description string
	stamp                time.Time
	sequence             int
	cancelled            bool
}

// newDocument begins a document that programs look at again each hour.
func newDocument(product, name string) *ics.Calendar {
	doc := &ics.Calendar{}
	doc.SetVersion("2.0")
	doc.SetProductId("-//evenkeel//" + product + "//EN")
	doc.SetCalscale("GREGORIAN")
	if name != "" {
		doc.SetName(plain(name))
	}
	doc.SetRefreshInterval("PT1H")
	doc.SetXPublishedTTL("PT1H")
	return doc
}

// writeEntries writes a document with the events by start, then UID.
func writeEntries(w io.Writer, doc *ics.Calendar, domain string, entries []entry) error {
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.uid, b.uid)) })
	for _, x := range entries {
		e := doc.AddEvent(x.uid + "@" + domain)
		e.SetDtStampTime(x.stamp)
		e.SetSequence(x.sequence)
		e.SetStartAt(x.start)
		e.SetEndAt(x.end.Add(time.Second - 1))
		e.SetSummary(plain(x.summary))
		if x.description != "" {
			e.SetDescription(plain(x.description))
		}
		status := ics.ObjectStatusConfirmed
		if x.cancelled {
			status = ics.ObjectStatusCancelled
		}
		e.SetStatus(status)
		e.SetTimeTransparency(ics.TransparencyTransparent)
	}
	_, err := io.WriteString(w, doc.Serialize(ics.WithNewLineWindows)) // SerializeTo forgets some errors of w
	return err
}

// checkDomain wants what makes a UID one in the whole world.
func checkDomain(domain string) error {
	if domain == "" || strings.ContainsFunc(domain, unsafe) {
		return &FeedError{Property: "domain", Value: domain, Want: "a name like acme.status.example.net"}
	}
	return nil
}

// unsafe is what a UID should not have.
func unsafe(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// plain leaves out what a content line cannot hold.
func plain(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}
