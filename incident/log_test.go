package incident_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/evenkeelops/evenkeel/incident"
)

// TestRejected: an impossible step, an instant before the creation and an event that
// cannot be recorded give typed errors and are kept; what is accepted later is taken
// off the list.
func TestRejected(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	apply(t, inc, major()[:2]...)
	impossible := ev(incident.Reopen, 5, incident.Details{Text: "again"})
	before := ev(incident.Resolve, -10, incident.Details{Text: "done before it began"})
	bad := ev(incident.Note, 6, incident.Details{Text: "x", Score: 9})
	reused := ev(incident.Note, 7, incident.Details{Text: "x"})
	reused.Key = major()[0].Key
	early := ev(incident.Mitigate, 8, incident.Details{})
	var transition *incident.TransitionError
	var field *incident.EventError
	for _, tt := range []struct {
		event incident.Event
		as    func(error) bool
	}{
		{impossible, func(err error) bool { return errors.As(err, &transition) }},
		{before, func(err error) bool { return errors.As(err, &transition) }},
		{bad, func(err error) bool { return errors.As(err, &field) }},
		{reused, func(err error) bool { return errors.Is(err, incident.ErrKeyReused) }},
		{early, func(err error) bool { return errors.As(err, &transition) }},
		{early, func(err error) bool { return errors.As(err, &transition) }}, // once in the list
	} {
		if _, err := inc.Apply(tt.event); !tt.as(err) {
			t.Errorf("Apply(%s) = %v, want another type of error", tt.event.Key, err)
		}
	}
	want := []incident.Event{impossible, before, bad, reused, early}
	check := func(inc *incident.Incident) {
		t.Helper()
		var got []incident.Event
		for _, r := range inc.Rejected() {
			got = append(got, r.Event)
			if r.Reason == "" {
				t.Errorf("%s is rejected without a reason", r.Event.Key)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Rejected = %v, want %v", got, want)
		}
	}
	check(inc)
	again, err := incident.Restore(throughJSON(t, inc.Snapshot()), incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(again)
	apply(t, inc, ev(incident.Acknowledge, 7, incident.Details{}), early)
	want = want[:4]
	check(inc)
}

// TestReadLog reads the events of two incidents, mixed up, with lines that cannot be
// taken among them.
func TestReadLog(t *testing.T) {
	var lines []string
	add := func(id string, e incident.Event) {
		e.Imported = true
		line, err := json.Marshal(incident.LogEvent{Tenant: "acme", Incident: id, Event: e})
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	for _, e := range slices.Backward(major()) {
		add("INC-1", e)
		add("INC-2", e)
	}
	wrong := map[int]string{
		3:  `{"incident":"INC-1"`,
		5:  `{"incident":"INC-1","colour":"red"}`,
		8:  `{"incident":"","key":"k","kind":"note","at":"2026-03-02T12:00:00Z","actor":"x"}`,
		9:  `{"incident":"INC-9","key":"k","kind":"levitate","at":"2026-03-02T12:00:00Z","actor":"x"}`,
		12: `{"tenant":"acme","incident":"INC-1","key":"r","kind":"reopen","at":"2026-03-02T11:00:00Z","actor":"x","details":{"text":"before it was created"}}`,
		15: "\xff\xfe",
	}
	for i := 1; i <= 15; i++ { // from the front, so that the numbers are those of the final lines
		if text, ok := wrong[i]; ok {
			lines = slices.Insert(lines, i-1, text)
		}
	}
	text := strings.Join(lines, "\n") + "\n\n  \n" + lines[0] + "\n" + lines[1] // blank lines, repetitions, no last line end
	log, err := incident.ReadLog(strings.NewReader(text), incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var rejected []string
	for _, r := range log.Rejected {
		rejected = append(rejected, fmt.Sprint(r.Line, " ", r.Text))
		var bad *incident.LineError
		if !errors.As(r.Err, &bad) || bad.Line != r.Line {
			t.Errorf("line %d: %v, want a LineError", r.Line, r.Err)
		}
	}
	var want []string
	for i := 1; i <= 15; i++ {
		if text, ok := wrong[i]; ok {
			want = append(want, fmt.Sprint(i, " ", text))
		}
	}
	if !slices.Equal(rejected, want) {
		t.Errorf("Rejected = %q, want %q", rejected, want)
	}
	var transition *incident.TransitionError
	var field *incident.EventError
	if !errors.As(log.Rejected[4].Err, &transition) || !errors.As(log.Rejected[3].Err, &field) {
		t.Errorf("errors of lines 9 and 12: %v, %v, want an EventError and a TransitionError", log.Rejected[3].Err, log.Rejected[4].Err)
	}
	whole := newIncident(t, incident.Options{})
	apply(t, whole, major()...)
	if len(log.Incidents) != 2 {
		t.Fatalf("%d incidents, want 2", len(log.Incidents))
	}
	for i, inc := range log.Incidents {
		s := inc.State()
		if s.ID != fmt.Sprint("INC-", i+1) || s.Status != incident.Closed || s.Times != whole.State().Times {
			t.Errorf("incident %d = %+v", i, s)
		}
		if err := inc.Timeline().Verify(); err != nil {
			t.Errorf("incident %d: %v", i, err)
		}
	}

	broken := errors.New("disk on fire")
	part, err := incident.ReadLog(iotestReader(text[:400], broken), incident.Options{})
	if !errors.Is(err, broken) || part == nil || len(part.Incidents) == 0 {
		t.Errorf("ReadLog of a broken reader = %v, %v, want what was read and the error", part, err)
	}
	long, err := incident.ReadLog(strings.NewReader(strings.Repeat("x", 17<<20)+"\n"+lines[0]), incident.Options{})
	if err != nil || len(long.Incidents) != 1 || len(long.Rejected) != 1 || long.Rejected[0].Line != 1 || len(long.Rejected[0].Text) != 16<<20 {
		t.Errorf("a line of 17 MiB: %v, %d incidents, %d rejected", err, len(long.Incidents), len(long.Rejected))
	}
}

func iotestReader(text string, err error) *readers {
	return &readers{strings.NewReader(text), iotest.ErrReader(err)}
}

type readers []interface{ Read([]byte) (int, error) }

func (r *readers) Read(p []byte) (int, error) {
	n, err := (*r)[0].Read(p)
	if n == 0 && err != nil && len(*r) > 1 {
		*r = (*r)[1:]
		return (*r)[0].Read(p)
	}
	return n, err
}

// TestRecoverTimeline damages every line of an export in turn: what is before it is
// recovered, the rest is listed, and nothing is lost.
func TestRecoverTimeline(t *testing.T) {
	inc := newIncident(t, incident.Options{Salts: salts()})
	apply(t, inc, major()...)
	if _, _, err := inc.Redact(6, "ann", "r1", "names a customer", minute(130)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := inc.Timeline().Write(&out); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n"))
	sound, rejected, err := incident.RecoverTimeline(bytes.NewReader(out.Bytes()))
	if err != nil || len(rejected) != 0 || !reflect.DeepEqual(sound.Entries(), inc.Timeline().Entries()) {
		t.Fatalf("RecoverTimeline of a sound export = %v, %v, %v", sound, rejected, err)
	}
	for i := 1; i < len(lines); i++ {
		for what, damage := range map[string]func(line []byte) []byte{
			"edited": func(line []byte) []byte { return bytes.Replace(line, []byte(`"actor":"`), []byte(`"actor":"x`), 1) },
			"cut":    func(line []byte) []byte { return append(line[:len(line)/2:len(line)/2], '\n') },
		} {
			bad := slices.Clone(lines)
			bad[i] = damage(bad[i])
			got, rejected, err := incident.RecoverTimeline(bytes.NewReader(bytes.Join(bad, nil)))
			good := i - 1 // the entries before the damage
			if good >= 6 {
				good = 5 // entry 6 is redacted, and the record of that is gone with the rest
			}
			if err != nil || got.Len() != good || got.Verify() != nil || len(rejected) != len(lines)-1-good {
				t.Errorf("line %d %s: %d entries, %d rejected, %v, want %d and %d", i+1, what, got.Len(), len(rejected), err, good, len(lines)-1-good)
				continue
			}
			for k, r := range rejected {
				var at *incident.LineError
				if r.Line != good+2+k || r.Text != strings.TrimSuffix(string(bad[good+1+k]), "\n") || !errors.As(r.Err, &at) {
					t.Errorf("line %d %s: rejected %+v", i+1, what, r)
				}
			}
			var chain *incident.ChainError
			if first := rejected[0].Err; what == "edited" && (!errors.As(first, &chain) || chain.Fault != incident.Edited) {
				t.Errorf("line %d edited: %v, want a ChainError", i+1, first)
			}
		}
	}
	cut, rejected, err := incident.RecoverTimeline(bytes.NewReader(bytes.Join(lines[:5], nil)))
	if err != nil || cut.Len() != 4 || len(rejected) != 1 || rejected[0].Line != 1 {
		t.Errorf("without the end: %v, %v, %v, want 4 entries and the header", cut, rejected, err)
	}
	none, rejected, err := incident.RecoverTimeline(bytes.NewReader(bytes.Join(lines[1:], nil)))
	if err != nil || none != nil || len(rejected) != len(lines)-1 {
		t.Errorf("without the header: %v, %d rejected, %v, want all lines", none, len(rejected), err)
	}
}

// TestRejectedIsACopy: what the caller does with a refused event, or with the list,
// changes nothing that is kept.
func TestRejectedIsACopy(t *testing.T) {
	inc := newIncident(t, incident.Options{})
	refused := ev(incident.RecordMeasure, 5, incident.Details{Services: []string{"checkout"}, Measure: measure(), Data: json.RawMessage(`[1]`)})
	if _, err := inc.Apply(refused); err == nil {
		t.Fatal("a measure of an incident of which nothing is known: no error")
	}
	change := func(d incident.Details) { d.Services[0], d.Measure.Text, d.Data[1] = "search", "nothing", '2' }
	change(refused.Details)
	change(inc.Rejected()[0].Event.Details)
	snapshot := inc.Snapshot()
	again, err := incident.Restore(snapshot, incident.Options{})
	if err != nil {
		t.Fatal(err)
	}
	change(snapshot.Rejected[0].Event.Details)
	for _, i := range []*incident.Incident{inc, again} {
		if d := i.Rejected()[0].Event.Details; d.Services[0] != "checkout" || *d.Measure != *measure() || string(d.Data) != "[1]" {
			t.Errorf("rejected %v, %+v, %s, want what was reported", d.Services, d.Measure, d.Data)
		}
	}
}
