package incident_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
)

// FuzzReadTimeline: whatever is read verifies and is written back to the same
// bytes when read again, and no input panics.
func FuzzReadTimeline(f *testing.F) {
	inc, err := incident.New("acme", "INC-1", incident.Options{Salts: salts()})
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range major() {
		if _, err := inc.Apply(e); err != nil {
			f.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := inc.Timeline().Write(&out); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte(`{"format":"evenkeel-timeline/1","tenant":"","incident":"","entries":0}`))
	f.Add([]byte("{}\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		timeline, err := incident.ReadTimeline(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := timeline.Verify(); err != nil {
			t.Fatalf("read, but Verify = %v", err)
		}
		var first, second bytes.Buffer
		if err := timeline.Write(&first); err != nil {
			t.Fatal(err)
		}
		again, err := incident.ReadTimeline(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("written, but not read again: %v", err)
		}
		if err := again.Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("second export differs: %v", err)
		}
		// Replay may refuse a payload, but must not panic.
		_, _ = incident.Replay("acme", "INC-1", timeline.Entries(), incident.Options{})
	})
}

// FuzzReadLog: no log panics; every line that is not blank is taken or rejected with
// its text; what was taken verifies and replays to the same state.
func FuzzReadLog(f *testing.F) {
	var log []byte
	for i, e := range randomEvents(rand.New(rand.NewPCG(1, 2)), 12, true) {
		e.Imported = i%2 == 0
		line, err := json.Marshal(incident.LogEvent{Incident: "INC-1", Event: e})
		if err != nil {
			f.Fatal(err)
		}
		log = append(append(log, line...), '\n')
	}
	f.Add(log)
	f.Add([]byte(`{"incident":"a","key":"k","kind":"release_role","at":"2026-03-02T12:00:00Z","actor":"x","imported":true,"details":{"role":"lead"}}`))
	f.Add([]byte("{}\n\n{\"incident\":\"a\"}\r\n\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		log, err := incident.ReadLog(bytes.NewReader(data), incident.Options{})
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(data, []byte("\n"))
		for _, r := range log.Rejected {
			if r.Err == nil || r.Line < 1 || r.Line > len(lines) || r.Text != string(lines[r.Line-1]) {
				t.Fatalf("rejected line %d: %q, %v", r.Line, r.Text, r.Err)
			}
		}
		entries, blank := 0, 0
		for _, line := range lines {
			if len(bytes.TrimSpace(line)) == 0 {
				blank++
			}
		}
		for _, inc := range log.Incidents {
			s := inc.State()
			entries += inc.Timeline().Len()
			again, err := incident.Replay(s.Tenant, s.ID, inc.Timeline().Entries(), incident.Options{})
			if err != nil || asJSON(t, again.State()) != asJSON(t, s) {
				t.Fatalf("Replay = %v, another state", err)
			}
		}
		if entries == 0 && len(log.Rejected)+blank != len(lines) {
			t.Fatalf("%d lines, %d blank, %d rejected, none taken", len(lines), blank, len(log.Rejected))
		}
	})
}

// FuzzRecoverTimeline: no export panics; what is recovered verifies, and is all of
// what ReadTimeline accepts; no line is lost.
func FuzzRecoverTimeline(f *testing.F) {
	inc, err := incident.New("acme", "INC-1", incident.Options{Salts: salts()})
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range major()[:4] {
		if _, err := inc.Apply(e); err != nil {
			f.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := inc.Timeline().Write(&out); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add(bytes.Replace(out.Bytes(), []byte("ann"), []byte("bob"), 3))
	f.Add([]byte("{}\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, rejected, err := incident.RecoverTimeline(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		found := len(rejected)
		if got != nil {
			if err := got.Verify(); err != nil {
				t.Fatal(err)
			}
			found += 1 + got.Len()
			if len(rejected) == 1 && rejected[0].Line == 1 {
				found-- // the header is in the list
			}
		}
		for line := range bytes.SplitSeq(data, []byte("\n")) {
			if len(bytes.TrimSpace(line)) > 0 {
				found--
			}
		}
		if found != 0 {
			t.Fatalf("%d lines more than there are", found)
		}
		if want, err := incident.ReadTimeline(bytes.NewReader(data)); err == nil && (len(rejected) > 0 || !slices.Equal(want.Entries(), got.Entries())) {
			t.Fatalf("ReadTimeline accepts %d entries, recovered %v, rejected %v", want.Len(), got, rejected)
		}
	})
}
