package incident_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// An incident from the first signal to a refused closing.
func Example() {
	inc, err := incident.New("acme", "INC-42", incident.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 10, 14, 2, 4, 0, 0, time.UTC)
	for _, e := range []incident.Event{
		{Kind: incident.Detect, Key: "alert-17", At: at, Actor: "monitor", Details: incident.Details{
			Title: "checkout is down", Services: []string{"checkout"}, Started: at.Add(-4 * time.Minute), DetectedBy: incident.ByMonitor,
		}},
		{Kind: incident.Declare, Key: "declare", At: at.Add(time.Minute), Actor: "bot", Details: incident.Details{Severity: incident.P1}},
		{Kind: incident.Acknowledge, Key: "ack", At: at.Add(2 * time.Minute), Actor: "ann"},
		{Kind: incident.Resolve, Key: "resolve", At: at.Add(40 * time.Minute), Actor: "ann", Details: incident.Details{Text: "index rebuilt"}},
		{Kind: incident.Close, Key: "close", At: at.Add(50 * time.Minute), Actor: "ann"},
	} {
		entries, err := inc.Apply(e)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(entries[0].Seq, entries[0].Kind, inc.State().Status, inc.State().Phase())
	}

	// What a store keeps is enough to go on after a crash.
	again, err := incident.Replay("acme", "INC-42", inc.Timeline().Entries(), incident.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.State().Status, again.Head() == inc.Head())
	// Output:
	// 1 detect triage Incident
	// 2 declare open Incident
	// 3 acknowledge acknowledged Remediation
	// 4 resolve resolved PostMortem
	// incident "INC-42": close (resolved -> closed): missing a review with a moderator, or a waiver with a reason; a measure with owner, due date and reference, or a waiver with a reason
	// resolved true
}

// A timeline shows where it was changed.
func ExampleVerify() {
	timeline := incident.NewTimeline("acme", "INC-42")
	at := time.Date(2026, 10, 14, 2, 4, 0, 0, time.UTC)
	for i, text := range []string{`{"text":"restarted"}`, `{"text":"it was DNS"}`, `{"text":"done"}`} {
		_, err := timeline.Append(uint64(i), incident.Entry{
			Kind: incident.Note, Key: fmt.Sprint("note-", i), Actor: "ann", At: at, RecordedAt: at, Payload: text,
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	entries := timeline.Entries()
	fmt.Println(incident.Verify("acme", "INC-42", entries))

	entries[1].Payload = `{"text":"it was the vendor"}`
	fmt.Println(incident.Verify("acme", "INC-42", entries))
	var broken *incident.ChainError
	fmt.Println(errors.As(incident.Verify("acme", "INC-43", timeline.Entries()), &broken), broken.Fault)
	// Output:
	// <nil>
	// timeline entry 2: edited: content and hash differ
	// true foreign
}

// A signed head shows that the end is missing.
func ExampleTimeline_Sign() {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize)) // from a safe place
	timeline := incident.NewTimeline("acme", "INC-42")
	at := time.Date(2026, 10, 14, 2, 4, 0, 0, time.UTC)
	for i := range uint64(3) {
		if _, err := timeline.Append(i, incident.Entry{Kind: incident.Note, Key: strconv.FormatUint(i, 10), Actor: "ann", At: at, RecordedAt: at}); err != nil {
			fmt.Println(err)
		}
	}
	head, err := timeline.Sign(key, at)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(head.Check(key.Public().(ed25519.PublicKey), timeline.Entries()[:2]))
	// Output:
	// timeline entry 3: removed: the signed head is number 3
}

// Key figures are exact and say how they were taken.
func ExampleMeasured() {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	var records []incident.Record
	for i, minutes := range []int{20, 45, 100} {
		r := incident.Record{ID: fmt.Sprint("i", i), Severity: incident.P1}
		r.Times.Detected, r.Times.Resolved = at, at.Add(time.Duration(minutes)*time.Minute)
		records = append(records, r)
	}
	records = append(records, incident.Record{ID: "open", Severity: incident.P1, Times: incident.Times{Detected: at}})

	d := incident.Measured(records, incident.MTTR)
	fmt.Println("MTTR", d.Span, d.Mean().RatString(), "s over", d.N, "without", d.Missing)
	fmt.Println("p90", d.Percentile(big.NewRat(9, 10), incident.Linear).RatString(), d.Percentile(big.NewRat(9, 10), incident.NearestRank).RatString())

	kept := incident.Comply(records, incident.MTTR, incident.DefaultTargets(), at.Add(3*time.Hour)).Kept
	fmt.Println("kept", kept)
	none, err := json.Marshal(incident.Measured(nil, incident.MTTD))
	fmt.Println(string(none), err)
	// Output:
	// MTTR detected to resolved 3300 s over 3 without 1
	// p90 5340 6000
	// kept 3/4
	// {"definition":"start to detected","n":0,"missing":0,"clamped":0,"mean_seconds":null,"median_seconds":null,"p90_linear_seconds":null,"max_seconds":null} <nil>
}

func ExampleDiagram() {
	fmt.Print(incident.Diagram())
	// Output:
	// stateDiagram-v2
	//   [*] --> NormalOperations
	//   NormalOperations --> Incident: disruption detected (SLO/observability)
	//   Incident --> Remediation: fixed flow, clear roles
	//   Remediation --> PostMortem: moderated analysis
	//   PostMortem --> NormalOperations: measure anchored
}
