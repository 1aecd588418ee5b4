package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident/postmortem"
)

// FuzzIncident: a file is refused with a place, or it gives a document that can be
// written, read back and shown.
func FuzzIncident(f *testing.F) {
	f.Add([]byte(review))
	f.Add([]byte(`{"id": "a", "tenant": "b", "detection": "User", "closed": "2026-10-20T00:00:00Z", "mitigated": "2026-10-14T03:00:00+02:00", "participants": [""], "services": ["x", "x"]}`))
	f.Add([]byte(`{"id": "a", "resolved": "2150-12-31T23:59:59Z", "acknowledged": "1800-01-01T00:00:00Z", "measures": [{"id": "m", "text": "t", "status": "done"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &inputs{Inputs: program.NewInputs(nil, false), now: time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC), zone: time.UTC}
		if err := in.takeIncident("i.json", data); err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "i.json:") {
					t.Fatalf("error without a place: %q", line)
				}
			}
			return
		}
		doc, err := in.draft()
		if err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		written, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := postmortem.Parse(written); err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if strings.Contains(doc.HTML(), "<script") || strings.Contains(doc.Markdown(), "<script") || doc.Text() == "" {
			t.Fatal("a text has become markup")
		}
	})
}
