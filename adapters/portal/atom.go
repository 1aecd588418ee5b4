package portal

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
)

// atomFeed is a feed by RFC 4287.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  atomPerson  `xml:"author"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomPerson struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Published string      `xml:"published"`
	Updated   string      `xml:"updated"`
	Links     []atomLink  `xml:"link"`
	Content   atomContent `xml:"content"`

	at time.Time // of Updated
}

type atomContent struct {
	Type string `xml:"type,attr"`
	HTML string `xml:",chardata"`
}

// feed serves the incidents and their updates.
func (v *visit) feed() {
	v.show(atomType, "feed.atom", func() ([]byte, error) {
		return render(func(b *bytes.Buffer) error { return writeFeed(b, v.page, v.base, "") })
	})
}

// writeFeed writes an entry for every incident and for every update of one, the latest
// first. ending is that of pages: ".html" in a static site. An entry changes when its
// incident does, and keeps its id for ever: a tag URI (RFC 4151) of the host, the day
// on which the incident was opened, and the names of customer and incident.
func writeFeed(w io.Writer, t *page.Tenant, base site, ending string) error {
	f := atomFeed{
		ID: "tag:" + base.host + ",2000:" + t.ID + "/incidents", Title: cmp.Or(t.Name, t.ID), Author: atomPerson{cmp.Or(t.Brand.Name, base.host)},
		Links: []atomLink{{"self", "application/atom+xml", base.address(t.ID, "feed.atom")}, {"alternate", "text/html", base.address(t.ID, "incidents"+ending)}},
	}
	link := []atomLink{{"alternate", "text/html", base.address(t.ID, "incidents"+ending)}}
	for _, in := range t.Incidents {
		if in.Opened.After(t.At) {
			continue
		}
		id := "tag:" + base.host + "," + in.Opened.UTC().Format(time.DateOnly) + ":" + t.ID + "/" + tagPart(in.ID)
		title := printable(strings.TrimSpace(in.ID + " " + in.Title))
		f.Entries = append(f.Entries, newAtomEntry(id, title, in.Opened, changed(in, t.At), link, incidentText(in, t)))
		seen := map[string]int{}
		for _, u := range in.Updates {
			if u.At.After(t.At) {
				continue
			}
			at := u.At.UTC().Format("20060102T150405.999999999Z")
			if seen[at]++; seen[at] > 1 {
				at += "-" + strconv.Itoa(seen[at])
			}
			f.Entries = append(f.Entries, newAtomEntry(id+"/"+at, title, u.At, u.At, link, updateText(u, t)))
		}
	}
	slices.SortStableFunc(f.Entries, func(a, b atomEntry) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.ID, b.ID)) })
	f.Updated = t.At.UTC().Format(time.RFC3339Nano)
	if len(f.Entries) > 0 {
		f.Updated = f.Entries[0].Updated
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(f); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func newAtomEntry(id, title string, published, updated time.Time, link []atomLink, content string) atomEntry {
	return atomEntry{
		ID: id, Title: title, Published: published.UTC().Format(time.RFC3339Nano), Updated: updated.UTC().Format(time.RFC3339Nano),
		Links: link, Content: atomContent{"html", content}, at: updated,
	}
}

// changed is when an incident last changed before an instant.
func changed(in page.Incident, now time.Time) time.Time {
	last := in.Opened
	for _, at := range []time.Time{in.Acknowledged, in.Responded, in.Resolved, in.Cancelled, lastUpdate(in)} {
		if at.After(last) && !at.After(now) {
			last = at
		}
	}
	return last
}

// incidentText says what is known of an incident as HTML, for readers of feeds. The
// words are those of the API.
func incidentText(in page.Incident, t *page.Tenant) string {
	d := incidentOf(in, t.At)
	lines := []string{"Severity " + d.Severity + ", " + d.State + "."}
	if d.Service != nil {
		lines = append(lines, "Service: "+serviceName(t, *d.Service)+".")
	}
	if d.Stage != nil {
		lines = append(lines, "Stage: "+*d.Stage+".")
	}
	for _, at := range []struct {
		word string
		at   *time.Time
	}{{"Opened", &d.Opened}, {"Acknowledged", d.Acknowledged}, {"Resolved", d.Resolved}, {"Next update due", d.NextUpdate}} {
		if at.at != nil {
			lines = append(lines, at.word+": "+at.at.In(zone(t)).Format("2 Jan 2006 15:04 MST")+".")
		}
	}
	return paragraphs(strings.Join(lines, "\n\n"))
}

// updateText is an update as HTML, with the stage and the next update that it tells.
func updateText(u page.Update, t *page.Tenant) string {
	told := u.Text
	if u.Stage != "" {
		told = "Stage: " + u.Stage + ".\n\n" + told
	}
	if !u.Next.IsZero() {
		told += "\n\nNext update due: " + u.Next.In(zone(t)).Format("2 Jan 2006 15:04 MST") + "."
	}
	return paragraphs(told)
}

// zone is that of the times that a customer sees.
func zone(t *page.Tenant) *time.Location {
	switch {
	case t.Zone != nil:
		return t.Zone
	case len(t.Months) > 0 && t.Months[len(t.Months)-1].Zone != nil:
		return t.Months[len(t.Months)-1].Zone
	}
	return time.UTC
}

func serviceName(t *page.Tenant, id string) string {
	for _, s := range t.Services {
		if s.ID == id && s.Name != "" {
			return s.Name
		}
	}
	if id == "*" {
		return "all services"
	}
	return id
}

// paragraphs makes HTML of a plain text.
func paragraphs(text string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(printable(text), "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			b.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(part), "\n", "<br>") + "</p>")
		}
	}
	return b.String()
}

// printable replaces what XML 1.0 cannot hold, which encoding/xml would replace too,
// and carriage returns, which readers take for line ends.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ':
			return ' '
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), "\ufffd"))
}

// tagPart writes an id as a part of a tag URI.
func tagPart(id string) string {
	var b strings.Builder
	for i := range len(id) {
		c := id[i]
		switch {
		case c|32-'a' < 26, c-'0' < 10, c == '-', c == '.', c == '_', c == '~':
			b.WriteByte(c)
		default:
			const digits = "0123456789ABCDEF"
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
