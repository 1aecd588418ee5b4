package incident

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line that ReadTimeline accepts, in bytes.
const maxLine = 16 << 20

type timelineHeader struct {
	Format   string `json:"format"`
	Tenant   string `json:"tenant"`
	Incident string `json:"incident"`
	Entries  int    `json:"entries"`
}

const timelineFormat = "evenkeel-timeline/1"

// Write exports the timeline as JSON lines: a header that names the incident,
// then one line per entry. [ReadTimeline] reads it back.
func (t *Timeline) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	if err := enc.Encode(timelineHeader{Format: timelineFormat, Tenant: t.tenant, Incident: t.incident, Entries: len(t.entries)}); err != nil {
		return fmt.Errorf("write timeline: %w", err)
	}
	for i := range t.entries {
		if err := enc.Encode(&t.entries[i]); err != nil {
			return fmt.Errorf("write timeline: entry %d: %w", t.entries[i].Seq, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write timeline: %w", err)
	}
	return nil
}

// LineError reports a line of an exported timeline that cannot be read.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error names the line.
func (e *LineError) Error() string { return fmt.Sprintf("read timeline: line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// ReadTimeline imports what [Timeline.Write] exported. It is strict: unknown
// fields, further text on a line, blank lines and a number of lines that differs
// from the header are a [*LineError]. The chain is checked, so other errors are
// a [*ChainError].
func ReadTimeline(r io.Reader) (*Timeline, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var header timelineHeader
	var t *Timeline
	line := 0
	for lines.Scan() {
		line++
		if t == nil {
			if err := strict(lines.Bytes(), &header); err != nil {
				return nil, &LineError{Line: line, Err: err}
			}
			if header.Format != timelineFormat {
				return nil, &LineError{Line: line, Err: fmt.Errorf("format %q, want %q", header.Format, timelineFormat)}
			}
			t = NewTimeline(header.Tenant, header.Incident)
			continue
		}
		var e Entry
		err := strict(lines.Bytes(), &e)
		if err == nil {
			err = e.check()
		}
		if err != nil {
			return nil, &LineError{Line: line, Err: err}
		}
		e.At, e.RecordedAt = instant(e.At), instant(e.RecordedAt)
		t.entries = append(t.entries, e)
		t.head = e.Hash
	}
	if err := lines.Err(); err != nil {
		return nil, &LineError{Line: line + 1, Err: err}
	}
	if t == nil {
		return nil, &LineError{Line: 1, Err: errors.New("empty, want a header")}
	}
	if err := t.Verify(); err != nil {
		return nil, err
	}
	if header.Entries != len(t.entries) {
		return nil, &LineError{Line: 1, Err: fmt.Errorf("header says %d entries, found %d", header.Entries, len(t.entries))}
	}
	return t, nil
}

// strict decodes one JSON object and nothing else.
func strict(line []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}
