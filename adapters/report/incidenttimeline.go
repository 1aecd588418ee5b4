package report

import (
	"cmp"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// IncidentTimeline is the record of an incident as evidence for a customer or an
// auditor: what happened, whether the chain holds, and the chain itself.
type IncidentTimeline struct {
	Tenant, Incident string
	Entries          []incident.Entry

	// Head is checked with Key if it is there.
	Head *incident.SignedHead
	Key  ed25519.PublicKey

	At   time.Time      // the instant for which the document speaks
	Zone *time.Location // of the times shown. Defaults to UTC.
}

// Document returns the verdict on the chain, the events in the order in which they
// happened, and the entries in that in which they were recorded. A chain that does
// not hold, or entries that cannot be read, are said so and shown all the same.
func (t IncidentTimeline) Document() Document {
	return Document{
		Title: "Timeline of " + cmp.Or(t.Incident, "an incident"), Subtitle: t.Tenant, Generated: t.At, Zone: t.Zone,
		Sections: []Section{
			{"summary", "Is this what was recorded?", []Block{Tiles{{Label: "entries", Value: strconv.Itoa(len(t.Entries))}, t.chain(), t.signature()}}},
			{"events", "What happened", []Block{t.events()}},
			{"chain", "The chain", []Block{t.table()}},
		},
	}
}

func (t IncidentTimeline) chain() Tile {
	tile := Tile{Label: "chain", Value: "verified", Note: "every entry is what was recorded, and none is missing before the last", State: Good}
	if err := incident.Verify(t.Tenant, t.Incident, t.Entries); err != nil {
		tile.Value, tile.Note, tile.State = "broken", err.Error(), Bad
	}
	return tile
}

func (t IncidentTimeline) signature() Tile {
	tile := Tile{Label: "signed head", Value: "none", Note: "entries may be missing at the end", State: NoData}
	if t.Head == nil {
		return tile
	}
	if err := t.Head.Check(t.Key, t.Entries); err != nil {
		tile.Value, tile.Note, tile.State = "does not hold", err.Error(), Bad
		return tile
	}
	if t.Head.Tenant != t.Tenant || t.Head.Incident != t.Incident {
		tile.Value, tile.Note, tile.State = "does not hold", "it is that of another incident", Bad
		return tile
	}
	tile.Value, tile.State = "verified", Good
	tile.Note = fmt.Sprintf("up to entry %d, signed %s", t.Head.Head.Seq, clock(t.Head.At, cmp.Or(t.Zone, time.UTC)))
	return tile
}

func (t IncidentTimeline) events() Block {
	var out Timeline
	for _, entry := range t.Entries {
		e, err := entry.Event()
		text := told(e)
		switch {
		case err != nil:
			text = err.Error()
		case entry.Redacted:
			text = "redacted"
		}
		line := Event{At: entry.At, Stage: string(entry.Kind), Text: entry.Actor}
		if text != "" {
			line.Text += ": " + text
		}
		if entry.Imported {
			line.Why = "reported by another system"
		}
		out = append(out, line)
	}
	slices.SortStableFunc(out, func(a, b Event) int { return a.At.Compare(b.At) })
	if len(out) == 0 {
		return Text("Nothing was recorded.")
	}
	return out
}

// told returns what an event says beside its kind.
func told(e incident.Event) string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, strings.TrimSpace(what+" "+value))
		}
	}
	if e.Severity.IsSet() {
		add("", e.Severity.String())
	}
	if e.Level > 0 {
		add("level", strconv.Itoa(e.Level))
	}
	add("", e.Title)
	add("", e.Text)
	add("role", string(e.Role))
	add("to", e.Person)
	add("team", e.Team)
	add("centre", e.Centre)
	add("flag", string(e.Flag))
	add("waits for", string(e.Awaiting))
	add(string(e.Relation), e.Target)
	add("reference", e.Ref)
	if e.Measure != nil {
		add("measure", cmp.Or(e.Measure.Text, e.Measure.ID))
	}
	if e.Redaction != nil {
		add("", fmt.Sprintf("entry %d, %s", e.Redaction.Seq, e.Redaction.Reason))
	}
	return strings.Join(parts, ", ")
}

func (t IncidentTimeline) table() Block {
	out := Table{Caption: "Entries as recorded", Columns: []Column{
		{Title: "No.", Numeric: true}, {Title: "Recorded"}, {Title: "By"}, {Title: "Kind"}, {Title: "Key"}, {Title: "Payload"}, {Title: "SHA-256"},
	}}
	zone := cmp.Or(t.Zone, time.UTC)
	for _, e := range t.Entries {
		payload := Cell{Text: e.Payload}
		if e.Redacted {
			payload.Text = "redacted; it hashed to " + e.Commitment.String()
		}
		out.Rows = append(out.Rows, []Cell{
			{Text: strconv.FormatUint(e.Seq, 10)}, {Text: clock(e.RecordedAt, zone)}, {Text: e.Actor}, {Text: string(e.Kind)}, {Text: e.Key}, payload, {Text: e.Hash.String()},
		})
	}
	return out
}
