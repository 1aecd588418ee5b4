package logs_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/logs"
)

// FuzzLearn teaches the lines of a text and checks what holds for any.
func FuzzLearn(f *testing.F) {
	for _, seed := range []string{
		"", "\n\n", "a b\na c\na d e", "user 5\nuser x\nuser 10.0.0.1", "\x00\xff\xfe 5", "<num> <*> <ip>\n<num> 5 <ip>",
		"[1, 2]\n[[\n[1,\n\"\n'\n'a' 'b", "{\"msg\":\"a b\",\"n\":1}\n{}\n{\"a\":{\"b\":[1]}}\n{\"", "a=1 b=2\na= b=\n=",
		"alert a is up\nalert b is up\nalert c is up\nalert d is up\nalert e f is up", "::1 :: 1:2 ab:cd:ef:01:02:03 1.2.3.4:5",
		"2026-01-01T00:00:00Z x\n10/Oct/2000:13:55:36 x\nNov 30 15:22:01 x", "x://\nhttp://\n/ ./ ../ ~/\n. .. ... .5 -5 +5 - +",
		"1,234,5 1,234 1, 5 s 5 m/s 5e- 5e-3 5m3", strings.Repeat("x ", 600), strings.Repeat("y", 20_000),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		for _, o := range []logs.Options{{Values: logs.AllValues}, {MaxTemplates: 5, MaxPerKey: 2}, {Preset: logs.Drain}} {
			m := newMiner(t, &o)
			for _, line := range lines {
				r := m.Learn(start, line)
				if _, ok := m.Template(r.ID); !ok {
					t.Fatalf("Learn(%q) = %+v, which is no template", line, r)
				}
				if id, ok := m.Match(line); o.Preset == logs.Default && (!ok || id != r.ID) {
					t.Fatalf("Learn(%q) = %d, Match = %d, %v", line, r.ID, id, ok)
				}
			}
			sum := m.EvictedLines()
			for _, template := range m.Templates() {
				sum += template.Count
			}
			if sum != int64(len(lines)) {
				t.Fatalf("%d lines counted, want %d", sum, len(lines))
			}
			restored, err := logs.RestoreMiner(m.Snapshot())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(restored.Snapshot(), m.Snapshot()) {
				t.Fatal("a restored miner has another snapshot")
			}
			if o.MaxTemplates == 0 && o.Preset == logs.Default && len(lines) < 200 {
				for _, line := range lines {
					if _, ok := restored.Match(line); !ok {
						t.Fatalf("%q was learned and does not match", line)
					}
				}
			}
		}
	})
}

// FuzzRedact checks that no digit of a line survives but those in keys, and that a
// redacted line stays as it is in length of words without values.
func FuzzRedact(f *testing.F) {
	for _, seed := range []string{"", "user bob 10.0.0.1", "a5 b-6 c", `{"a":"b5"}`, "x=5", "'5' \"5\" [5]", "١٢٣ ²", "a,5;6!7"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := logs.Redact(line)
		if strings.ContainsAny(line, "{=") { // keys of JSON and logfmt stay
			return
		}
		if i := strings.IndexAny(got, "0123456789"); i >= 0 {
			t.Fatalf("Redact(%q) = %q, which has a digit at %d", line, got, i)
		}
	})
}

// FuzzRestoreMiner feeds payloads with the right frame, so that the checks behind the
// checksum are met.
func FuzzRestoreMiner(f *testing.F) {
	for _, o := range []logs.Options{{Values: logs.AllValues}, {Preset: logs.Drain}, {MaxTemplates: 3}} {
		m := newMiner(f, &o)
		learn(m, randomLines(8, 60)...)
		f.Add(logs.Payload(m.Snapshot()))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := logs.RestoreMiner(logs.SealMiner(payload))
		if err != nil {
			return
		}
		r := rand.New(rand.NewPCG(1, 1))
		lines := randomLines(9, 20)
		for range 40 {
			line := lines[r.IntN(len(lines))]
			m.Learn(start, line)
			m.MatchSearch(line, logs.Always)
		}
		for _, template := range m.Templates() {
			m.Values(template.ID)
		}
		if _, err := logs.RestoreMiner(m.Snapshot()); err != nil {
			t.Fatalf("a restored miner does not restore: %v", err)
		}
	})
}

// FuzzRestoreWatch does the same with watches.
func FuzzRestoreWatch(f *testing.F) {
	for _, o := range []logs.WatchOptions{{}, {Season: 3600e9, Parts: 4, Keep: 3}} {
		w := newWatch(f, &o)
		for i := range 500 {
			w.Add(start.Add(time.Duration(i)*window/50), logs.Result{ID: logs.ID(1 + i%7)})
		}
		f.Add(logs.Payload(w.Snapshot()))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		w, err := logs.RestoreWatch(logs.SealWatch(payload))
		if err != nil {
			return
		}
		for i := range 20 {
			w.Add(start.Add(time.Duration(i)*window), logs.Result{ID: logs.ID(i%3 + 1)})
		}
		w.Counts(start, start.Add(20*window))
		if _, err := logs.RestoreWatch(w.Snapshot()); err != nil {
			t.Logf("numbers beyond range: %v", err)
		}
	})
}

// FuzzDefine defines a template among learned lines; whatever it says, lines go on
// being known.
func FuzzDefine(f *testing.F) {
	for _, seed := range []string{"disk <*> is <gap>", "<*> responded in <num>", "user <*> ready", "", "<gap> was <ip> open", "a b c", "alert <code> : EOF"} {
		f.Add(seed, "disk sda is full\nuser bob ready")
	}
	f.Fuzz(func(t *testing.T, text, more string) {
		m := newMiner(t, &logs.Options{MaxTemplates: 50})
		learn(m, randomLines(10, 40)...)
		r, err := m.Define(start, text)
		for line := range strings.SplitSeq(more, "\n") {
			learned := m.Learn(start, line)
			if id, ok := m.Match(line); !ok || id != learned.ID {
				t.Fatalf("Learn(%q) = %d, Match = %d, %v", line, learned.ID, id, ok)
			}
		}
		if err == nil {
			if id, ok := m.Resolve(r.ID); !ok || id != r.ID {
				t.Fatalf("the defined template %d is now %d, %v", r.ID, id, ok)
			}
		}
		restored, err := logs.RestoreMiner(m.Snapshot())
		if err != nil || !bytes.Equal(restored.Snapshot(), m.Snapshot()) {
			t.Fatalf("a restored miner differs: %v", err)
		}
	})
}
