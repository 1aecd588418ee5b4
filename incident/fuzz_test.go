package incident_test

import (
	"bytes"
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
