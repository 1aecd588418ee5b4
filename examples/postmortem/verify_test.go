package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/programtest"
	"github.com/evenkeelops/evenkeel/incident"
)

// genesis is the anchor as the format defines it: SHA-256 over label, tenant and
// incident, each with its length in front.
func genesis(tenant, id string) string {
	h := sha256.New()
	for _, text := range []string{"evenkeel/incident/timeline/1", tenant, id} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
		h.Write([]byte(text))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hashOf is the hash that stands in a line of an export.
func hashOf(t *testing.T, line string) string {
	t.Helper()
	var e struct{ Hash string }
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		t.Fatal(err)
	}
	return e.Hash
}

func TestVerify(t *testing.T) {
	record := exported(t, night(t))
	lines := strings.SplitAfter(strings.TrimSuffix(record, "\n"), "\n")
	files := map[string]string{"t.jsonl": record, "empty.jsonl": `{"format":"evenkeel-timeline/1","tenant":"","incident":"I","entries":0}` + "\n"}
	r := programtest.Result(t, files, "-verify", "t.jsonl", "-now", at)
	for path, want := range map[string]any{
		"schema": "timeline-verification/v1", "now": at, "sound": true, "tenant": "northwind", "incident_id": "INC-2024-001", "events": 10, "broken": nil,
		"anchor": genesis("northwind", "INC-2024-001"), "head.seq": 10, "head.hash": hashOf(t, lines[10]), "inputs.0.name": "t.jsonl",
	} {
		programtest.Equal(t, r, path, want)
	}
	o := programtest.Run(t, nil, files, "-verify", "t.jsonl")
	for _, want := range []string{"t.jsonl: sound\n", "events    10\n", "anchor    " + genesis("northwind", "INC-2024-001") + "\n", "head      10 " + hashOf(t, lines[10]) + "\n"} {
		if o.Exit != 0 || o.Stderr != "" || !strings.Contains(o.Stdout, want) {
			t.Errorf("exit %d, stdout lacks %q: %s%s", o.Exit, want, o.Stdout, o.Stderr)
		}
	}
	r = programtest.Result(t, files, "-verify", "empty.jsonl")
	for path, want := range map[string]any{"sound": true, "events": 0, "anchor": genesis("", "I"), "head.seq": 0, "head.hash": genesis("", "I")} {
		programtest.Equal(t, r, path, want)
	}
}

// Whatever is done to a line, the first one that is wrong is named, and what stands
// before it verifies.
func TestVerifyTampered(t *testing.T) {
	record := exported(t, night(t))
	lines := strings.SplitAfter(record, "\n") // line 1 is the header; the last element is empty
	lines = lines[:len(lines)-1]
	type change struct {
		name   string
		lines  []string
		line   int
		fault  string
		events int
	}
	var changes []change
	add := func(line, events int, fault, name string, to []string) {
		changes = append(changes, change{fmt.Sprintf("%s %d", name, line), to, line, fault, events})
	}
	for n := 2; n <= len(lines); n++ {
		edited := slices.Clone(lines)
		edited[n-1] = strings.Replace(edited[n-1], `"actor":"`, `"actor":"x`, 1)
		add(n, n-2, "edited", "edit line", edited)
		cut := slices.Clone(lines)
		cut[n-1] = cut[n-1][:20] + "\n"
		add(n, n-2, "", "cut line", cut)
		twice := slices.Insert(slices.Clone(lines), n, lines[n-1])
		add(n+1, n-1, "foreign", "repeated before line", twice)
		if n < len(lines) {
			add(n, n-2, "removed", "remove line", slices.Delete(slices.Clone(lines), n-1, n))
			moved := slices.Clone(lines)
			moved[n-1], moved[n] = moved[n], moved[n-1]
			add(n, n-2, "reordered", "move line", moved)
		}
	}
	add(1, len(lines)-2, "", "tail", lines[:len(lines)-1])
	other := slices.Clone(lines)
	other[0] = strings.Replace(other[0], "northwind", "acme", 1)
	add(2, 0, "foreign", "tenant", other)
	both := slices.Clone(lines)
	both[3], both[7] = strings.Replace(both[3], `"actor":"`, `"actor":"x`, 1), "?\n"
	add(4, 2, "edited", "an edit before a line that cannot be read", both)
	add(len(lines)+1, len(lines)-1, "", "a blank line", append(slices.Clone(lines), "\n"))

	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"t.jsonl": strings.Join(c.lines, "")}
			o := programtest.Run(t, nil, files, "-verify", "t.jsonl", "-json")
			var r map[string]any
			if err := json.Unmarshal([]byte(o.Stdout), &r); err != nil || o.Exit != 1 {
				t.Fatalf("exit %d, want 1: %s%s", o.Exit, o.Stdout, o.Stderr)
			}
			for path, want := range map[string]any{"sound": false, "broken.line": c.line, "broken.seq": c.line - 1, "broken.fault": c.fault, "events": c.events, "head.seq": c.events} {
				programtest.Equal(t, r, path, want)
			}
		})
	}
	o := programtest.Run(t, nil, map[string]string{"t.jsonl": strings.Join(both, "")}, "-verify", "t.jsonl")
	if first, _, _ := strings.Cut(o.Stdout, "\n"); o.Exit != 1 || first != "t.jsonl:4: timeline entry 3: edited: content and hash differ" {
		t.Errorf("exit %d, first line %q", o.Exit, first)
	}
}

// A redacted timeline is sound, and without the entry that says so it is not.
func TestVerifyRedacted(t *testing.T) {
	inc, err := incident.New("acme", "INC-1", incident.Options{Salts: strings.NewReader(strings.Repeat("0123456789abcdef", 3))})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2024, 3, 12, 21, 46, 0, 0, time.UTC)
	for _, e := range []incident.Event{
		{Key: "d", Kind: incident.Declare, At: begin, Actor: "desk", Details: incident.Details{Severity: incident.P1, Title: "down"}},
		{Key: "n", Kind: incident.Note, At: begin, Actor: "ann", Details: incident.Details{Text: "call 555-0100"}},
	} {
		if _, err := inc.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := inc.Redact(2, "dpo", "r", "a phone number", begin); err != nil {
		t.Fatal(err)
	}
	record := exported(t, inc)
	programtest.Equal(t, programtest.Result(t, map[string]string{"t.jsonl": record}, "-verify", "t.jsonl"), "events", 3)
	lines := strings.SplitAfter(record, "\n")
	cut := strings.Replace(lines[0], `"entries":3`, `"entries":2`, 1) + lines[1] + lines[2]
	o := programtest.Run(t, nil, map[string]string{"t.jsonl": cut}, "-verify", "t.jsonl")
	if o.Exit != 1 || !strings.HasPrefix(o.Stdout, "t.jsonl:3: timeline entry 2: edited: erased without") {
		t.Errorf("exit %d, %s", o.Exit, o.Stdout)
	}
}

func TestVerifyRefuses(t *testing.T) {
	files := map[string]string{"t.jsonl": exported(t, night(t)), "i.json": review, "nothing": "", "next.jsonl": `{"format":"evenkeel-timeline/2","tenant":"","incident":"I","entries":0}`}
	for _, c := range []struct {
		args string
		exit int
		want string
	}{
		{"-verify none.jsonl", 2, "-verify: "},
		{"-verify t.jsonl -incident i.json", 2, "no -incident"},
		{"-verify t.jsonl -timeline t.jsonl", 2, "no -incident and no -timeline"},
		{"-verify t.jsonl -format html", 2, `-format "html": -verify has text and json`},
		{"-verify i.json", 3, "i.json:1: "},
		{"-verify nothing", 3, "nothing:1: empty, want the header of an exported timeline"},
		{"-verify next.jsonl", 3, `next.jsonl:1: format "evenkeel-timeline/2"`},
	} {
		o := programtest.Run(t, nil, files, strings.Fields(c.args)...)
		if o.Exit != c.exit || o.Stdout != "" || !strings.Contains(o.Stderr, c.want) {
			t.Errorf("%s: exit %d, want %d, stdout %q, stderr %q, want %q", c.args, o.Exit, c.exit, o.Stdout, o.Stderr, c.want)
		}
	}
}
