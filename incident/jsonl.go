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
	var t *Timeline
	line, want := 0, 0
	for lines.Scan() {
		line++
		if t == nil {
			var err error
			if t, want, err = timelineOf(lines.Bytes()); err != nil {
				return nil, &LineError{Line: line, Err: err}
			}
			continue
		}
		e, err := entryOf(lines.Bytes())
		if err != nil {
			return nil, &LineError{Line: line, Err: err}
		}
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
	if want != len(t.entries) {
		return nil, &LineError{Line: 1, Err: fmt.Errorf("header says %d entries, found %d", want, len(t.entries))}
	}
	return t, nil
}

// timelineOf reads a header.
func timelineOf(line []byte) (t *Timeline, entries int, err error) {
	var header timelineHeader
	if err := strict(line, &header); err != nil {
		return nil, 0, err
	}
	if header.Format != timelineFormat {
		return nil, 0, fmt.Errorf("format %q, want %q", header.Format, timelineFormat)
	}
	return NewTimeline(header.Tenant, header.Incident), header.Entries, nil
}

func entryOf(line []byte) (Entry, error) {
	var e Entry
	if err := strict(line, &e); err != nil {
		return Entry{}, err
	}
	if err := e.check(); err != nil {
		return Entry{}, err
	}
	e.At, e.RecordedAt = instant(e.At), instant(e.RecordedAt)
	return e, nil
}

// RecoverTimeline reads a damaged export as far as it can be trusted: the timeline
// is its longest begin that verifies, and every line after that is in the list, with
// what [ReadTimeline] or [Verify] say about it; the header, if it promises more than
// there is. Nothing is left out but blank lines. The list is empty for a sound
// export. Without a header there is no timeline. The error is that of r.
func RecoverTimeline(r io.Reader) (*Timeline, []RejectedLine, error) {
	var t *Timeline
	var header RejectedLine
	var lines, rejected []RejectedLine // lines[i] holds entry i of t
	want := 0
	err := eachLine(r, func(number int, line []byte, err error) {
		l := RejectedLine{Line: number, Text: string(line)}
		if err == nil && len(bytes.TrimSpace(line)) == 0 {
			return
		}
		if err == nil && t == nil {
			if t, want, err = timelineOf(line); err == nil {
				header = l
				return
			}
		}
		var e Entry
		if err == nil {
			e, err = entryOf(line)
		}
		if err == nil && len(rejected) > 0 {
			err = errors.New("comes after a line that was rejected")
		}
		if err != nil {
			l.Err = &LineError{Line: number, Err: err}
			rejected = append(rejected, l)
			return
		}
		t.entries, lines = append(t.entries, e), append(lines, l)
	})
	if t == nil {
		return nil, rejected, err
	}
	for {
		var broken *ChainError
		if !errors.As(t.Verify(), &broken) {
			break
		}
		// An entry that was redacted falls with the record of its redaction, so
		// what is left is verified again.
		good := int(broken.Seq) - 1
		var cut []RejectedLine
		for _, l := range lines[good:] {
			cut = append(cut, RejectedLine{Line: l.Line, Text: l.Text, Err: &LineError{Line: l.Line, Err: broken}})
		}
		rejected = append(cut, rejected...)
		t.entries, lines = t.entries[:good], lines[:good]
	}
	n := len(t.entries)
	if n > 0 {
		t.head = t.entries[n-1].Hash
	}
	if len(rejected) == 0 && n != want {
		header.Err = &LineError{Line: header.Line, Err: fmt.Errorf("header says %d entries, found %d", want, n)}
		rejected = append(rejected, header)
	}
	return t, rejected, err
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
