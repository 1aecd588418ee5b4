package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
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

// FuzzVerify: an export is sound, and then it can be read, or a line of it is named.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"format":"evenkeel-timeline/1","tenant":"","incident":"I","entries":1}` + "\n"))
	f.Add([]byte(`{"format":"evenkeel-timeline/1","tenant":"","incident":"I","entries":0}` + "\n\n?"))
	if record, err := sample.ReadFile("testdata/sample/timeline.jsonl"); err == nil {
		f.Add(record)
		f.Add(record[:len(record)/2])
		f.Add(bytes.Replace(record, []byte("\n"), nil, 5))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b := firstBroken(data)
		_, err := incident.ReadTimeline(bytes.NewReader(data))
		if (b == nil) != (err == nil) {
			t.Fatalf("broken %+v, but %v", b, err)
		}
		if b != nil && (b.Line < 1 || b.Line > bytes.Count(data, []byte("\n"))+1 || b.Text == "" || strings.Contains(b.Text, "\n")) {
			t.Fatalf("broken %+v is not in the file", b)
		}
	})
}
