package incident_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
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

	kept := incident.ComplianceOf(records, incident.MTTR, incident.DefaultTargets(), at.Add(3*time.Hour)).Kept
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

// Three incidents of one kind suggest a problem.
func ExampleRecurring() {
	var records []incident.Record
	for i, day := range []int{2, 9, 28} {
		r := incident.Record{ID: fmt.Sprint("INC-", i+1), Fingerprint: "db-pool-exhausted"}
		r.Times.Created = time.Date(2026, 10, day, 10, 0, 0, 0, time.UTC)
		records = append(records, r)
	}
	suggestions, err := incident.Recurring(records, incident.RecurrenceOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range suggestions {
		fmt.Println(s.IDs, s.Why)
	}
	// Output:
	// [INC-1 INC-2 INC-3] 3 incidents with the fingerprint "db-pool-exhausted" from 2026-10-02 to 2026-10-28, at least 3 within 30 days
}

// The key figures of changes, against the targets of the operations guide.
func ExampleChangeFiguresOf() {
	start := time.Date(2026, 10, 10, 22, 0, 0, 0, time.UTC)
	changes := []incident.Change{
		{ID: "CHG-1", Kind: incident.NormalChange, Announced: start.Add(-72 * time.Hour), Window: calendar.Interval{Start: start, End: start.Add(time.Hour)}, Ended: start.Add(time.Hour), Result: incident.ChangeOK},
		{ID: "CHG-2", Kind: incident.NormalChange, Ended: start, Result: incident.ChangeOK, Caused: []string{"INC-7"}},
		{ID: "CHG-3", Kind: incident.EmergencyChange, Requested: start, Approved: start.Add(4 * time.Hour)},
	}
	f := incident.ChangeFiguresOf(changes, calendar.Interval{}, incident.DefaultKPITargets(), time.Time{})
	fmt.Println("success", f.Success, "notice", f.NoticeKept, "approval", f.ApprovalKept)
	// Output:
	// success 1/2 notice 1/1 approval 0/1
}

// A meter follows incidents as they come and shows the last week.
func ExampleMeter() {
	now := time.Date(2026, 10, 14, 12, 0, 0, 0, time.UTC)
	meter := incident.NewMeter(incident.FiguresOptions{
		Targets: incident.DefaultTargets(), Period: calendar.Interval{Start: now.AddDate(0, 0, -7), End: now},
	})
	r := incident.Record{ID: "INC-1", Severity: incident.P1}
	r.Times.Detected, r.Times.Created = now.Add(-3*time.Hour), now.Add(-3*time.Hour)
	meter.Update(&r) // open for three hours
	show := func(at time.Time) {
		f, err := meter.Figures(at)
		fmt.Println(f.Volume, "incidents, kept", f.Kept, err)
	}
	show(now.Add(-2 * time.Hour))
	show(now)
	meter.Slide(calendar.Interval{Start: now, End: now.AddDate(0, 0, 7)})
	show(now.AddDate(0, 0, 7))
	// Output:
	// 1 incidents, kept no data <nil>
	// 1 incidents, kept 0/1 <nil>
	// 0 incidents, kept no data <nil>
}

// A meter follows changes as their records change.
func ExampleNewChangeMeter() {
	start := time.Date(2026, 10, 10, 22, 0, 0, 0, time.UTC)
	meter := incident.NewChangeMeter(calendar.Interval{}, incident.DefaultKPITargets())
	c := incident.Change{ID: "CHG-1", Kind: incident.NormalChange, Ended: start, Result: incident.ChangeOK}
	meter.Update(c)
	fmt.Println("success", meter.Figures(start).Success)
	c.Caused = []string{"INC-7"} // as it turned out
	meter.Update(c)
	fmt.Println("success", meter.Figures(start).Success)
	// Output:
	// success 1/1
	// success 0/1
}

// The incident part of a monthly service review.
func ExampleBasis_Review() {
	at := time.Date(2026, 10, 14, 12, 0, 0, 0, time.UTC)
	var basis incident.Basis
	for i, minutes := range []int{50, 150} {
		basis.Records = append(basis.Records, incident.Record{
			ID: fmt.Sprint("INC-", i+1), Severity: incident.P1, Services: []string{"checkout"}, Team: "payments",
			Cost:   money.Must(money.New(int64(minutes)*100, "EUR")),
			Times:  incident.Times{Detected: at, Created: at, Resolved: at.Add(time.Duration(minutes) * time.Minute)},
			Impact: []calendar.Interval{{Start: at, End: at.Add(time.Duration(minutes) * time.Minute)}},
		})
	}
	var o incident.ReviewOptions
	o.Figures = incident.FiguresOptions{Period: incident.Month(2026, time.October, time.UTC), Targets: incident.DefaultTargets(), At: at.AddDate(0, 1, 0)}
	o.Targets = incident.DefaultKPITargets()
	review, err := basis.Review(o)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, team := range review.Teams {
		fmt.Println(team.Team, team.Volume, "incidents, kept", team.Kept, "at", team.Cost.Total)
	}
	for _, late := range review.Improvements.Late {
		fmt.Println(late.ID, "took", late.Lapse, "against", late.Target)
	}
	for _, k := range review.KPIs[:2] {
		fmt.Println(k.Explain())
	}
	// Output:
	// payments 2 incidents, kept 1/2 at 200.00 EUR
	// INC-2 took 2h30m0s against < 2h
	// mttr (detected to resolved, mean): 6000.00 s over 2
	// mttr_p1 (detected to resolved, mean): 6000.00 s over 2, met "< 2h"
}

// A log of another system: facts in any order, and a line that is none.
func ExampleReadLog() {
	log, err := incident.ReadLog(strings.NewReader(`{"incident":"INC-1","key":"2","kind":"resolve","at":"2026-10-14T02:40:00Z","actor":"pd","imported":true,"details":{"text":"restarted"}}
{"incident":"INC-1","key":"1","kind":"declare","at":"2026-10-14T02:04:00Z","actor":"pd","imported":true,"details":{"severity":"P2","title":"search is slow"}}
INC-1 was quite bad
`), incident.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, inc := range log.Incidents {
		s := inc.State()
		fmt.Println(s.ID, s.Status, s.Severity, s.Title, len(s.Findings))
	}
	for _, r := range log.Rejected {
		fmt.Printf("line %d, %q\n", r.Line, r.Text)
	}
	// Output:
	// INC-1 resolved P2 search is slow 0
	// line 3, "INC-1 was quite bad"
}

// Every key figure with its definition and target; those without data say so.
func ExampleScorecard() {
	basis := incident.Basis{
		Changes: []incident.Change{{ID: "CHG-1", Kind: incident.NormalChange, Result: incident.ChangeOK, Ended: time.Date(2026, 10, 14, 0, 0, 0, 0, time.UTC)}},
		Backups: incident.Share{Hits: 99, Of: 100},
	}
	figures, err := incident.Scorecard(basis, incident.ScorecardOptions{Targets: incident.DefaultKPITargets()})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range figures {
		if f.KPI == incident.KPIChangeSuccess || f.KPI == incident.KPIBackup || f.KPI == incident.KPIMTTD {
			fmt.Println(f.Explain())
		}
	}
	// Output:
	// change_success_rate (planned changes that succeeded and led to no incident of those carried out): 100.00 percent over 1, met "> 95%"
	// mttd (start to detected, mean): no data
	// backup_success_rate (restores proven of those tried): 99.00 percent over 100, missed "> 99%"
}

// 99.9 % of 30 days: a thousandth of 2,592,000 s.
func ExampleAllowedDowntime() {
	seconds, err := incident.AllowedDowntime(30*24*time.Hour, "99.9")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(seconds.RatString(), "s")
	// Output: 2592 s
}

// Two failures of an hour in 30 days: 718 hours of up time over two.
func ExampleMTBF() {
	start := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	hour := func(n int) calendar.Interval {
		return calendar.Interval{Start: start.Add(time.Duration(n) * time.Hour), End: start.Add(time.Duration(n+1) * time.Hour)}
	}
	r, err := incident.MTBF(calendar.Interval{Start: start, End: start.AddDate(0, 1, 0)}, []calendar.Interval{hour(48), hour(200)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.N, r.Mean.RatString(), "s") // 359 h
	// Output: 2 1292400 s
}
