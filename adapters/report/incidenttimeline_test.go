package report_test

import (
	"bytes"
	"crypto/ed25519"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/incident"
)

func timelineReport(t *testing.T) report.IncidentTimeline {
	t.Helper()
	at := time.Date(2026, 10, 14, 2, 4, 0, 0, time.UTC)
	inc, err := incident.New("acme", "INC-42", incident.Options{Salts: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range []incident.Event{
		{Kind: incident.Declare, Details: incident.Details{Severity: incident.P1, Title: "<script>checkout</script> is down"}},
		{Kind: incident.Note, Details: incident.Details{Text: "customer Jane Roe called"}},
		{Kind: incident.Acknowledge, Details: incident.Details{Team: "blue"}, Imported: true},
	} {
		e.Key, e.Actor, e.At = string(rune('a'+i)), "ann", at.Add(time.Duration(i)*time.Minute)
		if _, err := inc.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := inc.Redact(2, "dpo", "r", "erasure request 7", at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	head, err := inc.Timeline().Sign(key, at.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return report.IncidentTimeline{
		Tenant: "acme", Incident: "INC-42", Entries: inc.Timeline().Entries(), Head: &head, Key: key.Public().(ed25519.PublicKey), At: at.Add(3 * time.Hour),
	}
}

func tilesOf(t *testing.T, r report.IncidentTimeline) map[string]report.Tile {
	t.Helper()
	tiles := map[string]report.Tile{}
	for _, tile := range r.Document().Sections[0].Blocks[0].(report.Tiles) {
		tiles[tile.Label] = tile
	}
	return tiles
}

func TestIncidentTimeline(t *testing.T) {
	r := timelineReport(t)
	tiles := tilesOf(t, r)
	if tiles["entries"].Value != "4" || tiles["chain"].State != report.Good || tiles["signed head"].State != report.Good || !strings.Contains(tiles["signed head"].Note, "entry 4") {
		t.Errorf("tiles = %+v, want 4 entries, chain and head verified", tiles)
	}
	var markdown, page bytes.Buffer
	if err := r.Document().Markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	if err := r.Document().HTML(&page); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"Markdown": markdown.String(), "HTML": page.String()} {
		for _, want := range []string{"INC", "acknowledge", "team blue", "erasure request 7", "reported by another system", r.Entries[3].Hash.String(), r.Entries[1].Commitment.String()} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not hold %q", name, want)
			}
		}
		for _, gone := range []string{"Jane", "<script>"} {
			if strings.Contains(text, gone) {
				t.Errorf("%s holds %q", name, gone)
			}
		}
	}
}

// TestIncidentTimelineOfABrokenChain: an edited entry, a missing end and the head of
// another incident are said, and the document is made all the same.
func TestIncidentTimelineOfABrokenChain(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil       func(*report.IncidentTimeline)
		chain, head report.State
	}{
		"edited":           {func(r *report.IncidentTimeline) { r.Entries[2].Actor = "bob" }, report.Bad, report.Bad},
		"payload":          {func(r *report.IncidentTimeline) { r.Entries[2].Payload = "{" }, report.Bad, report.Bad},
		"cut":              {func(r *report.IncidentTimeline) { r.Entries = r.Entries[:1] }, report.Good, report.Bad},
		"unsigned":         {func(r *report.IncidentTimeline) { r.Head = nil }, report.Good, report.NoData},
		"without a key":    {func(r *report.IncidentTimeline) { r.Key = nil }, report.Good, report.Bad},
		"another incident": {func(r *report.IncidentTimeline) { r.Incident = "INC-43" }, report.Bad, report.Bad},
		"nothing":          {func(r *report.IncidentTimeline) { *r = report.IncidentTimeline{} }, report.Good, report.NoData},
	} {
		r := timelineReport(t)
		tt.spoil(&r)
		tiles := tilesOf(t, r)
		if tiles["chain"].State != tt.chain || tiles["signed head"].State != tt.head {
			t.Errorf("%s: %+v, want the chain %s, the head %s", name, tiles, tt.chain, tt.head)
		}
		var out bytes.Buffer
		if err := r.Document().HTML(&out); err != nil {
			t.Errorf("%s: HTML = %v", name, err)
		}
	}
}
