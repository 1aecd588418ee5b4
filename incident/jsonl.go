package incident

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"

	"github.com/evenkeelops/evenkeel/internal/strictjson"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// The longest things of an export, in bytes. What is written is never longer than
// what is read.
const (
	maxLine  = 16 << 20      // a line without its end
	maxEntry = maxLine - 256 // a line when it is appended; a redaction may add less than that
	maxName  = 1 << 10       // a tenant or id
)

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

// LineError reports a line of an exported timeline or of a log that cannot be read.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error names the line.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// FieldError reports something that is wrong with the JSON of a line.
type FieldError struct {
	Path   string // such as "details.severity"; "" for the whole line
	Column int    // from 1, in bytes
	Value  string
	Want   string
}

// Error names the place, what stands there and what was expected.
func (e *FieldError) Error() string {
	what := e.Value + ", want " + e.Want
	if e.Path != "" {
		what = e.Path + ": " + what
	}
	return fmt.Sprintf("column %d: %s", e.Column, what)
}

// ReadTimeline imports what [Timeline.Write] exported. It is strict: keys that are
// unknown, repeated or in another case, further text on a line, blank lines and a
// number of lines that differs from the header are a [*LineError]; what is wrong with
// the JSON of a line it wraps as one [*FieldError] each. The chain is checked, so other
// errors are a [*ChainError].
func ReadTimeline(r io.Reader) (*Timeline, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine+len("\n"))
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
	t = NewTimeline(header.Tenant, header.Incident)
	if err := t.checkName(); err != nil {
		return nil, 0, err
	}
	return t, header.Entries, nil
}

func entryOf(line []byte) (Entry, error) {
	var e Entry
	if err := strict(line, &e); err != nil {
		return Entry{}, err
	}
	if err := cmp.Or(e.check(), e.checkLength(maxLine)); err != nil {
		return Entry{}, err
	}
	e.At, e.RecordedAt = e.At.Round(0).UTC(), e.RecordedAt.Round(0).UTC()
	return e, nil
}

// checkLength refuses an entry of which the line is longer than most. It names the
// longest text.
func (e *Entry) checkLength(most int) error {
	const escaped, others = 6, 1 << 10 // "\u0000" for one byte; hashes, instants and the names of fields
	longest, name, sum := 0, "", 0
	for _, f := range [...]struct {
		name string
		size int
	}{{"payload", len(e.Payload)}, {"actor", len(e.Actor)}, {"kind", len(e.Kind)}, {"key", len(e.Key)}} {
		if sum += f.size; f.size > longest {
			longest, name = f.size, f.name
		}
	}
	if sum <= (most-others)/escaped {
		return nil
	}
	if n := lineLength(*e); n > most {
		return &EntryError{Field: name, Want: fmt.Sprintf("a line of at most %d bytes, not %d", most, n)}
	}
	return nil
}

// lineLength returns the length of the line that [Timeline.Write] writes, without its
// end. It takes a copy, so that an entry that is short for certain costs no memory.
func lineLength(e Entry) int {
	var n length
	if err := json.NewEncoder(&n).Encode(&e); err != nil {
		return math.MaxInt // not reached: it was checked
	}
	return int(n) - len("\n")
}

// length counts the bytes that are written to it.
type length int

// Write counts and never fails.
func (n *length) Write(p []byte) (int, error) {
	*n += length(len(p))
	return len(p), nil
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

// strictness says what types expect that read their own text.
var strictness = strictjson.Options{Want: map[reflect.Type]string{
	reflect.TypeFor[Severity]():     `a severity from "P1" to "P4"`,
	reflect.TypeFor[Digest]():       "64 lower-case hexadecimal digits",
	reflect.TypeFor[Salt]():         "32 lower-case hexadecimal digits",
	reflect.TypeFor[money.Amount](): `an amount like {"amount":"12.50","currency":"EUR"}`,
}}

// strict decodes one JSON object and nothing else. Every problem is a [*FieldError].
func strict(line []byte, v any) error {
	var errs []error
	for _, p := range strictjson.Read(line, v, strictness).Problems() {
		errs = append(errs, &FieldError{Path: p.Path, Column: p.Column, Value: p.Value, Want: p.Want})
	}
	return errors.Join(errs...)
}
