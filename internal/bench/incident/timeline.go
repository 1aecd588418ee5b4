package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const (
	perEntry = time.Microsecond // a million a second
	length   = 1000
)

// timelines append and verify entries with a salt and a payload of 200 bytes.
var timelines = slices.Concat(
	[]measure.Pair{
		noAllocs(goal("incident/append", perEntry, length, func() (func(), error) { return appends(length) })),
		noAllocs(goal("incident/verify", perEntry, length, func() (func(), error) { return verifies(length) })),
	},
	measure.Growth("incident/append", "entries", length, appends),
	measure.Growth("incident/verify", "entries", length, verifies),
)

// drafts returns entries as a monitor would write them.
func drafts(n int) []incident.Entry {
	out := make([]incident.Entry, n)
	for i := range out {
		at := noon.Add(time.Duration(i) * time.Second)
		out[i] = incident.Entry{
			Kind: incident.Note, Key: fmt.Sprintf("alert/%d/note", i), Actor: "monitor", At: at, RecordedAt: at.Add(time.Millisecond),
			Payload: strings.Repeat("x", 200), Salt: incident.Salt{1, byte(i)},
		}
	}
	return out
}

// appends fills a timeline that has room for n entries.
func appends(n int) (func(), error) {
	drafts := drafts(n)
	empty := incident.NewTimeline("acme", "INC-2026-0815")
	empty.Grow(n)
	fill := func() incident.Timeline {
		t := *empty // in the memory of the one before
		for i := range drafts {
			must(t.Append(uint64(i), drafts[i]))
		}
		return t
	}
	t := fill()
	return func() { fill() }, t.Verify()
}

// verifies checks a timeline of n entries.
func verifies(n int) (func(), error) {
	t := incident.NewTimeline("acme", "INC-2026-0815")
	for i, e := range drafts(n) {
		if _, err := t.Append(uint64(i), e); err != nil {
			return nil, err
		}
	}
	entries := t.Entries()
	entries[n-1].Payload += "y"
	if err := incident.Verify("acme", "INC-2026-0815", entries); err == nil {
		return nil, fmt.Errorf("verify of %d entries did not see that the last was edited", n)
	}
	entries = t.Entries()
	return func() {
		if err := incident.Verify("acme", "INC-2026-0815", entries); err != nil {
			panic(err)
		}
	}, nil
}
