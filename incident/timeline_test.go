package incident_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// salts is a reproducible source of salts.
func salts() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

// chainOf returns a timeline of n entries with payloads of different length.
func chainOf(tb testing.TB, tenant string, n int) []incident.Entry {
	tb.Helper()
	timeline, source := incident.NewTimeline(tenant, "INC-1"), salts()
	for i := range n {
		e := incident.Entry{
			Kind: incident.Note, Key: fmt.Sprint("k", i), Actor: "ann", Imported: i%3 == 0,
			At: minute(i), RecordedAt: minute(i).Add(123456789), Payload: fmt.Sprintf(`{"text":%q}`, strings.Repeat("é<", i%5)),
		}
		if i%2 == 0 {
			if _, err := source.Read(e.Salt[:]); err != nil {
				tb.Fatal(err)
			}
		}
		if _, err := timeline.Append(uint64(i), e); err != nil {
			tb.Fatal(err)
		}
	}
	return timeline.Entries()
}

// TestHash computes the hash of the documentation with other code.
func TestHash(t *testing.T) {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.BigEndian, v) }
	text := func(s string) { put(uint32(len(s))); b.WriteString(s) }
	text("evenkeel/incident/timeline/1")
	text("acme")
	text("INC-1")
	genesis := sha256.Sum256(b.Bytes())

	e := chainOf(t, "acme", 1)[0]
	if e.Prev != genesis {
		t.Errorf("Prev = %v, want the genesis", e.Prev)
	}
	b.Reset()
	put(e.Seq)
	put(e.At.Unix())
	put(uint32(e.At.Nanosecond()))
	put(e.RecordedAt.Unix())
	put(uint32(e.RecordedAt.Nanosecond()))
	put(uint8(1 + 2)) // imported, salted
	text(e.Actor)
	text(string(e.Kind))
	text(e.Key)
	header := bytes.Clone(b.Bytes())
	b.Reset()
	put(uint8(1))
	b.Write(e.Prev[:])
	put(uint32(len(header)))
	b.Write(header)
	commitment := sha256.Sum256(append(e.Salt[:], e.Payload...))
	b.Write(commitment[:])
	if want := sha256.Sum256(b.Bytes()); e.Hash != want {
		t.Errorf("Hash = %v, want %x", e.Hash, want)
	}
}

// score counts changes to a chain, and those that were found where they are.
type score struct{ tried, found int }

// expect verifies a changed chain; it has to be bad at seq, with one of the faults.
func (s *score) expect(t *testing.T, what string, entries []incident.Entry, seq int, faults ...incident.Fault) {
	t.Helper()
	s.tried++
	var broken *incident.ChainError
	if err := incident.Verify("acme", "INC-1", entries); !errors.As(err, &broken) || broken.Seq != uint64(seq) || !slices.Contains(faults, broken.Fault) {
		t.Errorf("%s: Verify = %v, want entry %d, %v", what, err, seq, faults)
		return
	}
	s.found++
}

// TestTampering drops, moves, copies, replaces and smuggles in every entry of a chain
// of 200, and flips every byte of every field; with the race detector, of every
// 40th entry.
func TestTampering(t *testing.T) {
	const n = 200
	good := chainOf(t, "acme", n)
	if err := incident.Verify("acme", "INC-1", good); err != nil {
		t.Fatal(err)
	}
	var drops, swaps, inserts, flips score
	drops.dropEvery(t, good)
	swaps.swapEvery(t, good)
	inserts.insertEvery(t, good, chainOf(t, "globex", n))
	flips.flipEvery(t, good)
	tried := drops.tried + swaps.tried + inserts.tried + flips.tried
	found := drops.found + swaps.found + inserts.found + flips.found
	t.Logf("mutation score: %d of %d found at the right entry (dropped %d/%d, swapped %d/%d, inserted %d/%d, flipped %d/%d)",
		found, tried, drops.found, drops.tried, swaps.found, swaps.tried, inserts.found, inserts.tried, flips.found, flips.tried)
}

func (s *score) dropEvery(t *testing.T, good []incident.Entry) {
	t.Helper()
	last := len(good) - 1
	for k := range last {
		s.expect(t, fmt.Sprint("drop ", k+1), slices.Delete(slices.Clone(good), k, k+1), k+1, incident.Removed)
	}
	// The chain alone cannot miss its end; a signed head does.
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	timeline := incident.NewTimeline("acme", "INC-1")
	for i, e := range good {
		if _, err := timeline.Append(uint64(i), e); err != nil {
			t.Fatal(err)
		}
	}
	head, err := timeline.Sign(key, noon)
	if err != nil {
		t.Fatal(err)
	}
	s.tried++
	var broken *incident.ChainError
	if err := head.Check(key.Public().(ed25519.PublicKey), good[:last]); !errors.As(err, &broken) || broken.Seq != uint64(last+1) || broken.Fault != incident.Removed {
		t.Errorf("drop the last: Check = %v, want entry %d removed", err, last+1)
		return
	}
	s.found++
}

// swapEvery swaps each entry with the next, the first, the last and one at random.
func (s *score) swapEvery(t *testing.T, good []incident.Entry) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	for k := range good {
		for _, j := range []int{k + 1, 0, len(good) - 1, r.IntN(len(good))} {
			if j == k || j == len(good) {
				continue
			}
			swapped := slices.Clone(good)
			swapped[k], swapped[j] = swapped[j], swapped[k]
			s.expect(t, fmt.Sprint("swap ", k+1, " ", j+1), swapped, min(k, j)+1, incident.Reordered)
		}
	}
}

// insertEvery puts a copy of each entry before the first and at places at random, and
// entries of another chain between and instead of them.
func (s *score) insertEvery(t *testing.T, good, other []incident.Entry) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for j := range good {
		for _, k := range []int{0, r.IntN(len(good) + 1), len(good)} {
			place := k + 1
			if j == k {
				place++ // the copy stands behind its original
			}
			s.expect(t, fmt.Sprint("insert ", j+1, " at ", k+1), slices.Insert(slices.Clone(good), k, good[j]), place, incident.Foreign)
		}
		s.expect(t, fmt.Sprint("foreign entry at ", j+1), slices.Insert(slices.Clone(good), j, other[j]), j+1, incident.Foreign)
		replaced := slices.Clone(good)
		replaced[j] = other[j]
		s.expect(t, fmt.Sprint("foreign entry for ", j+1), replaced, j+1, incident.Foreign)
	}
	s.expect(t, "other tenant", other, 1, incident.Foreign)
	s.expect(t, "resealed from the start", incidentsOf("INC-2", len(good)), 1, incident.Foreign)
}

func incidentsOf(id string, n int) []incident.Entry {
	timeline := incident.NewTimeline("acme", id)
	for i := range n {
		_, _ = timeline.Append(uint64(i), incident.Entry{Kind: incident.Note, Key: strconv.Itoa(i), Actor: "x", At: noon, RecordedAt: noon})
	}
	return timeline.Entries()
}

func (s *score) flipEvery(t *testing.T, good []incident.Entry) {
	t.Helper()
	n, stride := len(good), 1
	if underRace {
		stride = 40
	}
	for k := stride - 1; k < n; k += stride {
		spoiled := slices.Clone(good)
		try := func(field string, change func(*incident.Entry)) {
			spoiled[k] = good[k]
			change(&spoiled[k])
			s.expect(t, fmt.Sprint("entry ", k+1, " ", field), spoiled[:k+1], k+1, incident.Edited)
		}
		text := func(field string, get func(*incident.Entry) *string) {
			for i := range *get(&good[k]) {
				try(field, func(e *incident.Entry) {
					b := []byte(*get(e))
					b[i] ^= 1
					*get(e) = string(b)
				})
			}
		}
		bits := func(field string, size int, get func(*incident.Entry, int) *byte) {
			for i := range size {
				try(field, func(e *incident.Entry) { *get(e, i) ^= 0x10 })
			}
		}
		text("actor", func(e *incident.Entry) *string { return &e.Actor })
		text("key", func(e *incident.Entry) *string { return &e.Key })
		text("payload", func(e *incident.Entry) *string { return &e.Payload })
		text("kind", func(e *incident.Entry) *string { return (*string)(&e.Kind) })
		bits("prev", 32, func(e *incident.Entry, i int) *byte { return &e.Prev[i] })
		bits("hash", 32, func(e *incident.Entry, i int) *byte { return &e.Hash[i] })
		bits("salt", 16, func(e *incident.Entry, i int) *byte { return &e.Salt[i] })
		bits("commitment", 32, func(e *incident.Entry, i int) *byte { return &e.Commitment[i] })
		for i := range 63 {
			try("seq", func(e *incident.Entry) { e.Seq ^= 1 << i })
			try("at", func(e *incident.Entry) { e.At = e.At.Add(1 << i) })
			try("recorded_at", func(e *incident.Entry) { e.RecordedAt = e.RecordedAt.Add(1 << i) })
		}
		try("imported", func(e *incident.Entry) { e.Imported = !e.Imported })
		try("redacted", func(e *incident.Entry) { e.Redacted = true })
		try("salt moved into the payload", func(e *incident.Entry) {
			e.Payload, e.Salt = string(e.Salt[:])+e.Payload, incident.Salt{}
		})
		spoiled[k] = good[k]
	}
}

// TestImportFindsEveryFlippedByte flips every byte of an exported timeline. A
// changed file must not be read, or read as exactly what was exported. With the
// race detector it takes every 23rd byte.
func TestImportFindsEveryFlippedByte(t *testing.T) {
	inc := newIncident(t, incident.Options{Salts: salts()})
	apply(t, inc, major()...)
	if _, _, err := inc.Redact(6, "ann", "r1", "names a customer", minute(130)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := inc.Timeline().Write(&out); err != nil {
		t.Fatal(err)
	}
	good := out.Bytes()
	want, err := incident.ReadTimeline(bytes.NewReader(good))
	if err != nil || !reflect.DeepEqual(want.Entries(), inc.Timeline().Entries()) {
		t.Fatalf("ReadTimeline = %v, %v, want what was exported", want, err)
	}
	stride := 1
	if underRace {
		stride = 23
	}
	for i := 0; i < len(good); i += stride {
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			got, err := incident.ReadTimeline(bytes.NewReader(bad))
			if err == nil && !reflect.DeepEqual(got.Entries(), want.Entries()) {
				t.Fatalf("byte %d ^ %#x: read as another timeline", i, flip)
			}
		}
	}
	for i := range bytes.Count(good, []byte("\n")) { // every line, also the last
		lines := bytes.SplitAfter(good, []byte("\n"))
		if _, err := incident.ReadTimeline(bytes.NewReader(bytes.Join(slices.Delete(lines, i, i+1), nil))); err == nil {
			t.Errorf("without line %d: read", i+1)
		}
	}
}

func TestImportErrors(t *testing.T) {
	header := `{"format":"evenkeel-timeline/1","tenant":"acme","incident":"INC-1","entries":1}` + "\n"
	for name, tt := range map[string]struct {
		text string
		line int
	}{
		"empty":         {"", 1},
		"no header":     {`{"seq":1}` + "\n", 1},
		"other format":  {`{"format":"x"}` + "\n", 1},
		"long name":     {strings.Replace(header, "acme", strings.Repeat("x", 1025), 1), 1},
		"no JSON":       {header + "seq 1\n", 2},
		"unknown field": {header + `{"seq":1,"colour":"red"}` + "\n", 2},
		"two values":    {header + `{"seq":1} {"seq":2}` + "\n", 2},
		"no instant":    {header + `{"seq":1}` + "\n", 2},
		"upper hex":     {header + `{"seq":1,"salt":"` + strings.Repeat("AB", 16) + `"}` + "\n", 2},
		"short":         {header, 1},
	} {
		_, err := incident.ReadTimeline(strings.NewReader(tt.text))
		var bad *incident.LineError
		if !errors.As(err, &bad) || bad.Line != tt.line {
			t.Errorf("%s: ReadTimeline = %v, want an error in line %d", name, err, tt.line)
		}
	}
}

// TestFieldErrors: every problem of a line comes at once, with its place.
func TestFieldErrors(t *testing.T) {
	header := `{"format":"evenkeel-timeline/1","tenant":"acme","incident":"INC-1","entries":1}` + "\n"
	for _, tt := range []struct {
		line string
		want []incident.FieldError
	}{
		{`{"seq":"1","At":"noon","hash":"AB","seq":2}`, []incident.FieldError{
			{Path: "seq", Column: 8, Value: `found "1"`, Want: "a whole number"},
			{Path: "At", Column: 12, Value: "unknown key", Want: `"at"`},
			{Path: "hash", Column: 31, Value: `found "AB"`, Want: "64 lower-case hexadecimal digits"},
			{Path: "seq", Column: 36, Value: "the key is there twice", Want: "it once"},
		}},
		{"{\"actor\":\"\xff\"}", []incident.FieldError{{Column: 11, Value: "bytes that are not UTF-8", Want: "UTF-8"}}},
		{`[]`, []incident.FieldError{{Column: 1, Value: "found []", Want: "an object"}}},
		{`{"seq":1`, []incident.FieldError{{Column: 8, Value: "unexpected end of JSON input", Want: "one JSON object"}}},
	} {
		_, err := incident.ReadTimeline(strings.NewReader(header + tt.line + "\n"))
		var line *incident.LineError
		if !errors.As(err, &line) || line.Line != 2 {
			t.Errorf("%s: ReadTimeline = %v, want a LineError of line 2", tt.line, err)
			continue
		}
		var got []incident.FieldError
		joined, ok := line.Err.(interface{ Unwrap() []error })
		if !ok {
			t.Errorf("%s: %v wraps no list", tt.line, line)
			continue
		}
		for _, one := range joined.Unwrap() {
			if field, ok := errors.AsType[*incident.FieldError](one); ok {
				got = append(got, *field)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.line, got, tt.want)
		}
	}
	log, err := incident.ReadLog(strings.NewReader(`{"incident":"i","key":"k","kind":"note","at":"2026-03-02T12:00:00Z","actor":"x","details":{"severity":"P9","data":{"a":[1]},"measure":{"own":"x"}}}`), incident.Options{})
	if err != nil || len(log.Rejected) != 1 {
		t.Fatalf("ReadLog = %+v, %v, want the line rejected", log, err)
	}
	const want = "line 1: column 103: details.severity: found \"P9\", want a severity from \"P1\" to \"P4\"\ncolumn 136: details.measure.own: unknown key, want \"owner\""
	if got := log.Rejected[0].Err.Error(); got != want {
		t.Errorf("rejected: %q, want %q", got, want)
	}
}

func TestAppend(t *testing.T) {
	timeline := incident.NewTimeline("acme", "INC-1")
	e := incident.Entry{Kind: incident.Note, Key: "k", Actor: "ann", At: noon, RecordedAt: noon}
	if _, err := timeline.Append(1, e); !errors.Is(err, incident.ErrConflict) {
		t.Errorf("Append after 1 of 0 = %v, want ErrConflict", err)
	}
	for field, spoil := range map[string]func(*incident.Entry){
		"actor":       func(e *incident.Entry) { e.Actor = "\xff" },
		"kind":        func(e *incident.Entry) { e.Kind = "\xff" },
		"key":         func(e *incident.Entry) { e.Key = "\xff" },
		"payload":     func(e *incident.Entry) { e.Payload = "\xff" },
		"at":          func(e *incident.Entry) { e.At = time.Time{} },
		"recorded_at": func(e *incident.Entry) { e.RecordedAt = time.Time{} },
		"redacted":    func(e *incident.Entry) { e.Redacted = true },
	} {
		bad := e
		spoil(&bad)
		_, err := timeline.Append(0, bad)
		var refused *incident.EntryError
		if !errors.As(err, &refused) || refused.Field != field {
			t.Errorf("%s: Append = %v, want an error for the field", field, err)
		}
	}
	if timeline.Len() != 0 {
		t.Errorf("Len = %d after errors, want 0", timeline.Len())
	}
}

// TestLongestLine: what can be appended can be read back, up to the byte, also when it
// is redacted, and what could not is refused.
func TestLongestLine(t *testing.T) {
	const most = 16<<20 - 256 // bytes of a line
	read := func(timeline *incident.Timeline) (longest int, err error) {
		var out bytes.Buffer
		if err := timeline.Write(&out); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.SplitSeq(out.Bytes(), []byte("\n")) {
			longest = max(longest, len(line))
		}
		again, err := incident.ReadTimeline(&out)
		if err == nil && !reflect.DeepEqual(again.Entries(), timeline.Entries()) {
			err = errors.New("read as another timeline")
		}
		return longest, err
	}
	for name, unit := range map[string]string{"plain": "x", "escaped": "<", "quoted": `"`} {
		entry := func(text string) incident.Entry {
			return incident.Entry{Kind: incident.Note, Key: "k", Actor: "ann", At: noon, RecordedAt: noon, Payload: text}
		}
		try := func(text string) (line int, err error) {
			timeline := incident.NewTimeline("acme", "INC-1")
			if _, err := timeline.Append(0, entry(text)); err != nil {
				return 0, err
			}
			return read(timeline)
		}
		one, err := try(unit)
		if err != nil {
			t.Fatal(err)
		}
		two, err := try(unit + unit)
		if err != nil {
			t.Fatal(err)
		}
		n := (most-one)/(two-one) + 1 // units in the longest line
		pad := strings.Repeat("y", (most-one)%(two-one))
		if line, err := try(strings.Repeat(unit, n) + pad); err != nil || line != most {
			t.Errorf("%s: a line of %d bytes, %v, want %d and that it is read", name, line, err, most)
		}
		_, err = try(strings.Repeat(unit, n) + pad + "z")
		var refused *incident.EntryError
		if !errors.As(err, &refused) || refused.Field != "payload" || !strings.Contains(refused.Want, strconv.Itoa(most)) {
			t.Errorf("%s: one byte more = %v, want an EntryError for the payload", name, err)
		}
	}

	inc := newIncident(t, incident.Options{Salts: salts()})
	apply(t, inc, major()[:2]...)
	long := ev(incident.Note, 3, incident.Details{Text: strings.Repeat("x", 17<<20)})
	head := inc.Head()
	var refused *incident.EntryError
	if _, err := inc.Apply(long); !errors.As(err, &refused) || refused.Field != "payload" || inc.Head() != head {
		t.Errorf("Apply of a note of 17 MiB = %v, want an EntryError and nothing changed", err)
	}
	if r := inc.Rejected(); len(r) != 1 || r[0].Event.Key != long.Key {
		t.Errorf("%d events rejected, want the long one", len(r))
	}
	actor := ev(incident.Note, 3, incident.Details{Text: "x"})
	actor.Actor = strings.Repeat("x", most)
	if _, err := inc.Apply(actor); !errors.As(err, &refused) || refused.Field != "actor" {
		t.Errorf("Apply with an actor of 16 MiB = %v, want an EntryError for it", err)
	}
	// The actor stays when the payload is erased, and the commitment comes on top of it.
	note := func(actor int) *incident.Incident {
		inc := newIncident(t, incident.Options{Salts: salts()})
		apply(t, inc, major()[:2]...)
		e := ev(incident.Note, 3, incident.Details{Text: "x"})
		e.Actor = strings.Repeat("x", actor)
		apply(t, inc, e)
		return inc
	}
	others, err := read(note(1000).Timeline())
	if err != nil {
		t.Fatal(err)
	}
	inc = note(most - (others - 1000))
	if _, _, err := inc.Redact(3, "dpo", "r", "why", minute(130)); err != nil {
		t.Fatal(err)
	}
	if line, err := read(inc.Timeline()); err != nil || line <= most {
		t.Errorf("redacted: a line of %d bytes, %v, want it longer than before and read", line, err)
	}
}

// TestNamesFitTheHeader: the header is a line as well.
func TestNamesFitTheHeader(t *testing.T) {
	for _, bad := range []string{"\xff", strings.Repeat("x", 1025)} {
		for field, names := range map[string][2]string{"tenant": {bad, "INC-1"}, "incident": {"acme", bad}} {
			var refused *incident.EntryError
			if _, err := incident.New(names[0], names[1], incident.Options{}); !errors.As(err, &refused) || refused.Field != field {
				t.Errorf("New with a bad %s = %v, want an EntryError for it", field, err)
			}
			timeline := incident.NewTimeline(names[0], names[1])
			if _, err := timeline.Append(0, incident.Entry{Kind: incident.Note, Key: "k", Actor: "ann", At: noon, RecordedAt: noon}); !errors.As(err, &refused) || refused.Field != field {
				t.Errorf("Append with a bad %s = %v, want an EntryError for it", field, err)
			}
		}
	}
}

func TestRedact(t *testing.T) {
	inc := newIncident(t, incident.Options{Salts: salts()})
	apply(t, inc, major()...)
	apply(t, inc, ev(incident.Note, 121, incident.Details{Text: "customer Jane Roe called", Data: json.RawMessage(`{"phone":"+15550100"}`)}))
	before := inc.State()
	for seq := range inc.Head().Seq { // every entry, one after the other
		erased, record, err := inc.Redact(seq+1, "dpo", fmt.Sprint("r", seq), "erasure request 7", minute(130))
		if err != nil {
			t.Fatal(err)
		}
		if erased.Payload != "" || !erased.Redacted || record.Kind != incident.RedactEntry {
			t.Errorf("Redact(%d) = %+v, %+v", seq+1, erased, record)
		}
		if err := inc.Timeline().Verify(); err != nil {
			t.Fatalf("Redact(%d): %v", seq+1, err)
		}
	}
	after := inc.State()
	if after.Status != before.Status || after.Severity != before.Severity || after.Times != before.Times || len(after.Findings) != 0 {
		t.Errorf("state = %+v, want the status, severity and times of %+v", after, before)
	}
	// Of bob, ann (who acts, so the name stays), cy, eve and dba, in the order of the entries.
	if after.Title != incident.Redacted || after.Roles[incident.Lead][0] != "redacted person 1" || after.Roles[incident.Moderator][0] != "redacted person 4" {
		t.Errorf("state = %+v, want no texts and persons", after)
	}
	if m := after.Measures[0]; !m.Anchored() || m.Owner != "redacted person 5" || m.Text != incident.Redacted {
		t.Errorf("measure = %+v, want it still anchored, with no text and owner", m)
	}
	var out bytes.Buffer
	if err := inc.Timeline().Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"Jane", "+15550100", "checkout is down", "bob"} {
		if strings.Contains(out.String(), gone) {
			t.Errorf("export still holds %q", gone)
		}
	}
	again, err := incident.Replay("acme", "INC-1", inc.Timeline().Entries(), incident.Options{})
	if err != nil || !reflect.DeepEqual(again.State(), after) {
		t.Errorf("Replay = %+v, %v, want %+v", again.State(), err, after)
	}

	// An entry that was erased without the record of it is found.
	entries := inc.Timeline().Entries()
	cut := entries[:len(entries)-1]
	var broken *incident.ChainError
	if err := incident.Verify("acme", "INC-1", cut); !errors.As(err, &broken) || broken.Seq != uint64(len(major())+1) {
		t.Errorf("Verify without the last record = %v, want entry %d", err, len(major())+1)
	}
}

func TestRedactRefused(t *testing.T) {
	unsalted := newIncident(t, incident.Options{})
	apply(t, unsalted, major()...)
	if _, _, err := unsalted.Redact(1, "dpo", "r", "why", noon); !errors.Is(err, incident.ErrNotRedactable) {
		t.Errorf("Redact of an unsalted entry = %v, want ErrNotRedactable", err)
	}
	inc := newIncident(t, incident.Options{Salts: salts()})
	apply(t, inc, major()...)
	for _, seq := range []uint64{0, 12, 1 << 63} {
		if _, _, err := inc.Redact(seq, "dpo", "r", "why", noon); !errors.Is(err, incident.ErrNotRedactable) {
			t.Errorf("Redact(%d) = %v, want ErrNotRedactable", seq, err)
		}
	}
	if _, _, err := inc.Redact(1, "dpo", "r", "", noon); err == nil {
		t.Error("Redact without a reason = nil, want an error")
	}
	if _, _, err := inc.Redact(1, "dpo", "r", "why", minute(130)); err != nil {
		t.Fatal(err)
	}
	for name, seq := range map[string]uint64{"redacted": 1, "record": 12} {
		if _, _, err := inc.Redact(seq, "dpo", name, "why", noon); !errors.Is(err, incident.ErrNotRedactable) {
			t.Errorf("Redact of the %s entry = %v, want ErrNotRedactable", name, err)
		}
	}
	head := inc.Head()
	if _, _, err := inc.Redact(2, "dpo", "r", "why", minute(140)); err != nil || inc.Head() != head {
		t.Errorf("Redact with a known key = %v, want nothing done", err)
	}
}

func TestSignedHead(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	public := key.Public().(ed25519.PublicKey)
	inc := newIncident(t, incident.Options{Salts: salts()})
	apply(t, inc, major()...)
	head, err := inc.Timeline().Sign(key, minute(121))
	if err != nil {
		t.Fatal(err)
	}
	entries := inc.Timeline().Entries()
	if err := head.Check(public, entries); err != nil {
		t.Errorf("Check = %v", err)
	}
	for n := range entries {
		var broken *incident.ChainError
		if err := head.Check(public, entries[:n]); !errors.As(err, &broken) || broken.Fault != incident.Removed || broken.Seq != uint64(n+1) {
			t.Errorf("Check of the first %d = %v, want entry %d removed", n, err, n+1)
		}
	}
	apply(t, inc, ev(incident.Note, 125, incident.Details{Text: "later"}))
	if err := head.Check(public, inc.Timeline().Entries()); err != nil {
		t.Errorf("Check of a longer timeline = %v", err)
	}
	forged := head
	forged.At = forged.At.Add(time.Hour)
	if err := forged.Check(public, entries); !errors.Is(err, incident.ErrSignature) {
		t.Errorf("Check of a changed head = %v, want ErrSignature", err)
	}
	if _, err := inc.Timeline().Sign(key[:5], noon); err == nil {
		t.Error("Sign with half a key = nil, want an error")
	}
	if err := head.Check(public[:5], entries); err == nil {
		t.Error("Check with half a key = nil, want an error")
	}
}

// TestTimelineAllocatesNothing: neither an append where there is room nor the check of
// a chain asks for memory.
func TestTimelineAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	const entries = 50
	e := incident.Entry{Kind: incident.Note, Key: "k", Actor: "monitor", At: noon, RecordedAt: noon, Payload: strings.Repeat("x", 200), Salt: incident.Salt{1}}
	timeline := incident.NewTimeline("acme", "INC-1")
	timeline.Grow(entries)
	appends := testing.AllocsPerRun(entries-1, func() {
		if _, err := timeline.Append(uint64(timeline.Len()), e); err != nil {
			t.Fatal(err)
		}
	})
	verifies := testing.AllocsPerRun(10, func() {
		if err := timeline.Verify(); err != nil {
			t.Fatal(err)
		}
	})
	if timeline.Len() != entries || appends != 0 || verifies != 0 {
		t.Errorf("%d entries: %v allocations to append, %v to verify, want none", timeline.Len(), appends, verifies)
	}
}
