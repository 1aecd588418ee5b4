package incident_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

var allKinds = []incident.Kind{
	incident.Detect, incident.Declare, incident.Acknowledge, incident.Mitigate, incident.Relapse, incident.Resolve, incident.Reopen, incident.OpenReview,
	incident.WaiveReview, incident.Close, incident.Cancel, incident.Merge, incident.RecordResult, incident.ChangeSeverity, incident.AssignRole,
	incident.ReleaseRole, incident.AssignTeam, incident.SetFlag, incident.ClearFlag, incident.AddLink, incident.RecordMeasure, incident.CorrectTimes,
	incident.StartWait, incident.EndWait, incident.Escalate, incident.AskApproval, incident.Approve, incident.Refuse, incident.RecordScore,
	incident.PostUpdate, incident.Notify, incident.Note,
}

// randomEvents makes n events of any kind, usual ones more often, at instants of
// which some are equal. Every detail is filled in.
func randomEvents(r *rand.Rand, n int, facts bool) []incident.Event {
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	usual := []incident.Kind{incident.Declare, incident.Acknowledge, incident.Resolve, incident.Reopen, incident.OpenReview, incident.RecordMeasure, incident.StartWait, incident.AskApproval, incident.Approve}
	events := make([]incident.Event, n)
	for i := range events {
		kind := allKinds[r.IntN(len(allKinds))]
		if r.IntN(2) == 0 {
			kind = usual[r.IntN(len(usual))]
		}
		m := measure()
		m.ID = pick("m1", "m2")
		events[i] = incident.Event{
			Key: fmt.Sprint("k", i), Kind: kind, At: minute(r.IntN(2*n) - n/2), Actor: pick("ann", "bob", "cy"), Imported: facts,
			Details: incident.Details{
				Title: pick("down", "slow"), Services: []string{pick("checkout", "search")}, Severity: incident.Severity(r.IntN(5)), Component: pick("", "db"),
				Fingerprint: pick("", "f1"), DetectedBy: incident.Detector(pick("", "user", "monitor")), Text: "because", Person: pick("", "dee", "eve"),
				Role: incident.Role(pick("lead", "moderator", "scribe")), Team: pick("", "blue"), Centre: pick("", "AMS"), Flag: incident.Flag(pick("data", "security")),
				Relation: incident.AlertRelation, Target: pick("INC-7", "INC-8"), Level: 1, Measure: m, Awaiting: incident.Awaited(pick("", "customer", "vendor")),
				FirstContact: r.IntN(2) == 0, Cost: money.Must(money.New(int64(r.IntN(100)), "EUR")), Score: 1 + r.IntN(5), Ref: pick("a1", "a2"),
			},
		}
		if r.IntN(6) == 0 {
			events[i].Started = minute(-r.IntN(60))
		}
	}
	return events
}

// TestLawsOfFacts: whatever other systems report, in whatever order and however
// often, gives one state; replaying the log gives that state; and a snapshot after
// any number of events with the rest gives it, too.
func TestLawsOfFacts(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	findings := map[incident.FindingCode]int{}
	for round := range 400 {
		facts := randomEvents(r, 2+r.IntN(25), true)
		whole := newIncident(t, incident.Options{})
		apply(t, whole, facts...)
		want := whole.State()
		for _, f := range want.Findings {
			findings[f.Code]++
		}

		shuffled := slices.Concat(facts, facts[:r.IntN(len(facts))])
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		other := newIncident(t, incident.Options{})
		apply(t, other, shuffled...)
		if got := other.State(); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d: in another order\n%+v\nwant\n%+v", round, got, want)
		}

		cut := r.IntN(len(facts) + 1)
		begin := newIncident(t, incident.Options{})
		apply(t, begin, facts[:cut]...)
		again, err := incident.Restore(throughJSON(t, begin.Snapshot()), incident.Options{})
		if err != nil {
			t.Fatal(err)
		}
		apply(t, again, facts[cut:]...)
		if again.Head() != whole.Head() || !reflect.DeepEqual(again.State(), want) {
			t.Fatalf("round %d: snapshot after %d of %d and the rest differ from the whole", round, cut, len(facts))
		}
		checkReplay(t, whole)
	}
	for _, code := range []incident.FindingCode{incident.IllegalFact, incident.NotDeclared, incident.OutOfOrder, incident.SelfApproval} {
		if findings[code] == 0 {
			t.Errorf("no finding %q among %v", code, findings)
		}
	}
}

// TestLawOfFigures: the lines of a log in any order, some of them twice, give the same
// key figures of all incidents, to the byte.
func TestLawOfFigures(t *testing.T) {
	r, known := rand.New(rand.NewPCG(31, 32)), map[incident.KPI]bool{}
	for round := range 10 {
		var lines []string
		for i := range 15 {
			for _, e := range randomEvents(r, 2+r.IntN(10), true) {
				lines = append(lines, asJSON(t, incident.LogEvent{Incident: fmt.Sprint("INC-", i), Event: e}))
			}
		}
		figures := func(lines []string) string {
			log, err := incident.ReadLog(strings.NewReader(strings.Join(lines, "\n")), incident.Options{})
			if err != nil || len(log.Rejected) > 0 || len(log.Incidents) != 15 {
				t.Fatalf("ReadLog = %+v, %v, want 15 incidents and nothing rejected", log, err)
			}
			var basis incident.Basis
			for _, inc := range log.Incidents {
				basis.Records = append(basis.Records, inc.State().Record())
			}
			o := incident.ScorecardOptions{Figures: incident.FiguresOptions{Period: calendar.Interval{Start: minute(-60), End: minute(60)}, At: minute(60)}, Targets: incident.DefaultKPITargets()}
			card, err := incident.Scorecard(basis, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range card {
				if f.Value != nil {
					known[f.KPI] = true
				}
			}
			return asJSON(t, card)
		}
		want := figures(lines)
		shuffled := slices.Concat(lines, lines[:r.IntN(len(lines))])
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got := figures(shuffled); got != want {
			t.Fatalf("round %d: in another order\n%s\nwant\n%s", round, got, want)
		}
	}
	for _, k := range []incident.KPI{incident.KPIMTTR, incident.KPIMTTA, incident.KPIMTBF, incident.KPIUptime} {
		if !known[k] {
			t.Errorf("no round gave a value of %s, only of %v: the sample is too tame", k, known)
		}
	}
}

// TestLawsOfCommands: an accepted command leaves nothing illegal behind, a refused
// one leaves the incident as it was and is in the list of rejected ones, and the log
// replays to the state.
func TestLawsOfCommands(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	accepted, refused, statuses := 0, 0, map[incident.Status]int{}
	for range 300 {
		inc := newIncident(t, incident.Options{})
		for _, e := range randomEvents(r, 60, false) {
			head, before, rejected := inc.Head(), inc.State(), len(inc.Rejected())
			_, err := inc.Apply(e)
			var transition *incident.TransitionError
			switch list := inc.Rejected(); {
			case err == nil:
				accepted++
				if inc.Head() == head || len(list) != rejected {
					t.Fatalf("%s accepted, head %v, %d rejected", e.Kind, inc.Head(), len(list))
				}
			case !errors.As(err, &transition) || inc.Head() != head || !reflect.DeepEqual(inc.State(), before):
				t.Fatalf("%s = %v, want a TransitionError and nothing changed", e.Kind, err)
			default:
				refused++
				if last := list[len(list)-1]; len(list) != rejected+1 || !reflect.DeepEqual(last.Event, e) || last.Reason != err.Error() {
					t.Fatalf("%s refused, but the last of the rejected is %+v", e.Kind, last)
				}
			}
		}
		for _, f := range inc.State().Findings {
			if f.Code != incident.OutOfOrder && f.Code != incident.ModeratorIsLead {
				t.Fatalf("finding %+v after commands only", f)
			}
		}
		statuses[inc.State().Status]++
		checkReplay(t, inc)
	}
	if accepted < 1000 || refused < 1000 || len(statuses) < 8 {
		t.Errorf("%d accepted, %d refused, ended in %v: the sample is too tame", accepted, refused, statuses)
	}
}

func throughJSON(t *testing.T, s incident.Snapshot) (out incident.Snapshot) {
	t.Helper()
	data, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func checkReplay(t *testing.T, inc *incident.Incident) {
	t.Helper()
	again, err := incident.Replay("acme", "INC-1", inc.Timeline().Entries(), incident.Options{})
	if err != nil || again.Head() != inc.Head() || !reflect.DeepEqual(again.State(), inc.State()) {
		t.Fatalf("Replay = %v, another state or head", err)
	}
}

// TestAbsorbIsAssociative: (a·b)·c = a·(b·c) = (a·c)·b.
func TestAbsorbIsAssociative(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	absorb := func(a, b incident.Record) incident.Record {
		joined, err := a.Absorb(b)
		if err != nil {
			t.Fatal(err)
		}
		return joined
	}
	for range 500 {
		var abc [3]incident.Record
		for i := range abc {
			abc[i] = variedRecords(r, 1)[0]
			abc[i].ID = fmt.Sprint("INC-", i)
			for range r.IntN(4) {
				start := r.IntN(60)
				stretch := calendar.Interval{Start: minute(start), End: minute(start + r.IntN(20))}
				if r.IntN(5) == 0 {
					stretch.End = time.Time{}
				}
				abc[i].Impact = append(abc[i].Impact, stretch)
			}
		}
		a, b, c := abc[0], abc[1], abc[2]
		left, right, other := absorb(absorb(a, b), c), absorb(a, absorb(b, c)), absorb(absorb(a, c), b)
		if !reflect.DeepEqual(left, right) {
			t.Fatalf("(a·b)·c =\n%+v\na·(b·c) =\n%+v", left, right)
		}
		if !reflect.DeepEqual(left, other) {
			t.Fatalf("(a·b)·c =\n%+v\n(a·c)·b =\n%+v", left, other)
		}
	}
}

func TestAbsorb(t *testing.T) {
	stretch := func(from, to int) calendar.Interval { return calendar.Interval{Start: minute(from), End: minute(to)} }
	parent := incident.Record{
		ID: "p", Services: []string{"mail", "checkout"}, Severity: incident.P2, DetectedBy: incident.ByMonitor, Escalations: 1,
		Times:  incident.Times{Started: minute(5), Detected: minute(7), Created: minute(8)},
		Impact: []calendar.Interval{stretch(5, 10), {Start: minute(30)}},
	}
	child := incident.Record{
		ID: "c", Services: []string{"search", "mail"}, Severity: incident.P1, DetectedBy: incident.ByUser, Escalations: 2, Cost: money.Must(money.Parse("5.00 EUR")),
		Times:  incident.Times{Started: minute(6), Detected: minute(6), Created: minute(6)},
		Impact: []calendar.Interval{stretch(6, 20), stretch(25, 28), stretch(40, 50)},
	}
	got, err := parent.Absorb(child)
	if err != nil {
		t.Fatal(err)
	}
	want := parent
	want.Services, want.DetectedBy, want.Times.Detected = []string{"checkout", "mail", "search"}, incident.ByUser, minute(6)
	want.Escalations, want.Cost = 3, child.Cost
	want.Impact = []calendar.Interval{stretch(5, 20), stretch(25, 28), {Start: minute(30)}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Absorb =\n%+v\nwant\n%+v", got, want)
	}
	// Pieces of impact are no resolutions: the work on the parent never stopped.
	got.Times.Resolved = minute(60)
	if l, ok := got.Lapse(incident.MTTR); !ok || l.Duration != 54*time.Minute {
		t.Errorf("MTTR = %v, %v, want all of 6 to 60", l.Duration, ok)
	}
	got.Cost = money.Must(money.Parse("1.00 USD"))
	if _, err := got.Absorb(child); !errors.Is(err, money.ErrCurrency) || !strings.Contains(err.Error(), `merge "c" into "p"`) {
		t.Errorf("Absorb of another currency = %v, want ErrCurrency", err)
	}
}

// TestSurvivor merges the same incidents in every order: the survivors are the same.
func TestSurvivor(t *testing.T) {
	merges := [][2]string{{"a", "b"}, {"b", "c"}, {"d", "c"}, {"x", "y"}}
	r := rand.New(rand.NewPCG(27, 28))
	for range 50 {
		into := map[string]string{}
		target := func(id string) string { return into[id] }
		for _, m := range merges {
			if err := incident.CheckMerge(m[0], m[1], target); err != nil {
				t.Fatal(err)
			}
			into[m[0]] = m[1]
		}
		for id, want := range map[string]string{"a": "c", "b": "c", "c": "c", "d": "c", "x": "y", "z": "z"} {
			if got := incident.Survivor(id, target); got != want {
				t.Errorf("Survivor(%q) = %q, want %q", id, got, want)
			}
		}
		r.Shuffle(len(merges), func(i, j int) { merges[i], merges[j] = merges[j], merges[i] })
	}
	circle := map[string]string{"a": "b", "b": "a"}
	if got := incident.Survivor("a", func(id string) string { return circle[id] }); got != "b" {
		t.Errorf("Survivor in a circle = %q, want b", got)
	}
}
