package incident_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
)

func redact(t *testing.T, inc *incident.Incident, entries ...uint64) {
	t.Helper()
	for _, seq := range entries {
		if _, _, err := inc.Redact(seq, "dpo", fmt.Sprint("redact-", seq), "erasure request 7", minute(500)); err != nil {
			t.Fatal(err)
		}
	}
	if err := inc.Timeline().Verify(); err != nil {
		t.Fatal(err)
	}
	again, err := incident.Replay("acme", "INC-1", inc.Timeline().Entries(), incident.Options{})
	if err != nil || !reflect.DeepEqual(again.State(), inc.State()) {
		t.Fatalf("Replay = %+v, %v, want %+v", again.State(), err, inc.State())
	}
}

func assigned(role incident.Role, at int, person string) incident.Event {
	e := ev(incident.AssignRole, at, incident.Details{Role: role, Person: person})
	e.Key += string(role) // and not the name, which would stay
	return e
}

func released(role incident.Role, at int, person string) incident.Event {
	return ev(incident.ReleaseRole, at, incident.Details{Role: role, Person: person})
}

// TestRedactedPairs: bob led and gave it back. Whichever of the entries is erased, in
// whatever order, nobody leads, and a step that asks for a lead is refused.
func TestRedactedPairs(t *testing.T) {
	for _, erased := range [][]uint64{{3}, {4}, {3, 4}, {4, 3}} {
		inc := newIncident(t, incident.Options{Salts: salts(), LeadRequired: true})
		apply(t, inc, major()[:2]...)
		apply(t, inc, assigned(incident.Lead, 2, "bob"), released(incident.Lead, 3, "bob"))
		redact(t, inc, erased...)
		if s := inc.State(); len(s.Roles[incident.Lead]) != 0 || len(s.Findings) != 0 {
			t.Errorf("entries %v erased: lead %v, findings %v, want none", erased, s.Roles[incident.Lead], s.Findings)
		}
		if _, err := inc.Apply(ev(incident.Acknowledge, 9, incident.Details{})); err == nil || !strings.Contains(err.Error(), "a lead") {
			t.Errorf("entries %v erased: Apply(acknowledge) = %v, want it to miss a lead", erased, err)
		}
		apply(t, inc, ev(incident.Acknowledge, 9, incident.Details{Role: incident.Lead}))
		if got := inc.State().Roles[incident.Lead]; !slices.Equal(got, []string{"ann"}) {
			t.Errorf("entries %v erased: lead %v, want ann", erased, got)
		}
	}
}

// TestRedactedPersonsStayApart: bob and cy lead, bob moderates. Both are somebody else
// after the redaction, and the same somebody in each role, whatever the order.
func TestRedactedPersonsStayApart(t *testing.T) {
	for name, order := range map[string][]uint64{"first to last": {3, 4, 6, 10}, "last to first": {10, 6, 4, 3}, "moderator only": {10}} {
		t.Run(name, func(t *testing.T) {
			inc := newIncident(t, incident.Options{Salts: salts()})
			apply(t, inc, major()[:2]...)
			apply(t, inc, assigned(incident.Lead, 2, "bob"), assigned(incident.Lead, 3, "cy"))
			apply(t, inc, major()[3:8]...)
			apply(t, inc, ev(incident.OpenReview, 50, incident.Details{Person: "bob"}))
			redact(t, inc, order...)
			s := inc.State()
			bob, cy := "redacted person 1", "redacted person 2"
			if len(order) == 1 {
				cy = "cy"
			}
			if got := s.Roles[incident.Lead]; !slices.Equal(got, []string{bob, cy}) {
				t.Errorf("lead = %q, want %q and %q", got, bob, cy)
			}
			if got := s.Roles[incident.Moderator]; !slices.Equal(got, []string{bob}) {
				t.Errorf("moderator = %q, want %q", got, bob)
			}
			if f := s.Findings; len(f) != 1 || f[0].Code != incident.ModeratorIsLead || !strings.Contains(f[0].Text, bob) {
				t.Errorf("Findings = %v, want that %q moderates", f, bob)
			}
			if len(order) == 1 {
				return
			}
			var out bytes.Buffer
			if err := inc.Timeline().Write(&out); err != nil {
				t.Fatal(err)
			}
			for _, gone := range []string{"bob", "cy"} { // who was also called
				if strings.Contains(out.String(), `"`+gone+`\"`) || strings.Contains(out.String(), `"`+gone+`"`) {
					t.Errorf("the export still says %q:\n%s", gone, &out)
				}
			}
			read, err := incident.ReadTimeline(&out)
			if err != nil || !reflect.DeepEqual(read.Entries(), inc.Timeline().Entries()) {
				t.Errorf("ReadTimeline = %v, %v, want what was exported", read, err)
			}
		})
	}
}

// TestGatesAskForNames: a pseudonym is nobody who could lead or moderate.
func TestGatesAskForNames(t *testing.T) {
	inc := newIncident(t, incident.Options{Salts: salts(), LeadRequired: true})
	apply(t, inc, major()[:2]...)
	apply(t, inc, assigned(incident.Lead, 2, "bob"), assigned(incident.Moderator, 2, "eve"))
	redact(t, inc, 3, 4)
	for _, e := range []incident.Event{
		ev(incident.Acknowledge, 3, incident.Details{}),
		ev(incident.Acknowledge, 3, incident.Details{Role: incident.Lead, Person: "redacted person 1"}),
	} {
		if _, err := inc.Apply(e); err == nil || !strings.Contains(err.Error(), "a lead who is known by name") {
			t.Errorf("Apply(acknowledge of %q) = %v, want it to miss a lead", e.Person, err)
		}
	}
	apply(t, inc, assigned(incident.Lead, 4, "cy"), ev(incident.Acknowledge, 5, incident.Details{}))
	apply(t, inc, major()[7])
	for _, person := range []string{"", "redacted person 2"} {
		if _, err := inc.Apply(ev(incident.OpenReview, 50, incident.Details{Person: person})); err == nil || !strings.Contains(err.Error(), "a moderator who is known by name") {
			t.Errorf("Apply(open_review by %q) = %v, want it to miss a moderator", person, err)
		}
	}
	apply(t, inc, ev(incident.OpenReview, 50, incident.Details{Person: "zoe"}))
}

// TestReleaseAfterRedaction: while an entry still gives the name, it releases; after
// that the pseudonym does, and a fact about the name is flagged.
func TestReleaseAfterRedaction(t *testing.T) {
	inc := newIncident(t, incident.Options{Salts: salts()})
	apply(t, inc, major()[:2]...)
	apply(t, inc, assigned(incident.Lead, 2, "bob"), assigned(incident.Scribe, 2, "bob"))
	redact(t, inc, 3)
	apply(t, inc, released(incident.Lead, 3, "bob"))
	if s := inc.State(); len(s.Roles[incident.Lead]) != 0 || !slices.Equal(s.Roles[incident.Scribe], []string{"redacted person 1"}) {
		t.Errorf("roles = %v, want the scribe only", s.Roles)
	}
	redact(t, inc, 4, 6)
	late := released(incident.Scribe, 5, "bob")
	if _, err := inc.Apply(late); err == nil {
		t.Error("Apply(release of bob) = nil, want it refused: nobody of that name is known any more")
	}
	late.Imported = true
	apply(t, inc, late)
	if f := inc.State().Findings; len(f) != 1 || f[0].Code != incident.IllegalFact || f[0].Key != late.Key {
		t.Errorf("Findings = %v, want the release of somebody who is no scribe", f)
	}
	apply(t, inc, released(incident.Scribe, 6, "redacted person 1"))
	if s := inc.State(); len(s.Roles) != 0 {
		t.Errorf("roles = %v, want none", s.Roles)
	}
}

// TestRedactionUnderSignedHeads: a head that was signed before the redaction still
// holds, as the chain keeps what the entry was committed to; one that was signed after
// it tells if the record of the redaction is cut off, or more.
func TestRedactionUnderSignedHeads(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	public := key.Public().(ed25519.PublicKey)
	inc := newIncident(t, incident.Options{Salts: salts()})
	apply(t, inc, major()...)
	before, err := inc.Timeline().Sign(key, minute(121))
	if err != nil {
		t.Fatal(err)
	}
	redact(t, inc, 3)
	after, err := inc.Timeline().Sign(key, minute(501))
	if err != nil {
		t.Fatal(err)
	}
	entries := inc.Timeline().Entries()
	for name, head := range map[string]incident.SignedHead{"before": before, "after": after} {
		if err := head.Check(public, entries); err != nil {
			t.Errorf("signed %s the redaction: Check = %v", name, err)
		}
	}
	for n := range entries {
		var broken *incident.ChainError
		if err := after.Check(public, entries[:n]); !errors.As(err, &broken) {
			t.Errorf("Check of the first %d of %d = %v, want a ChainError", n, len(entries), err)
		}
	}
}

func TestIsRedacted(t *testing.T) {
	for name, want := range map[string]bool{
		"redacted person 1": true, "redacted person 12": true, "": false, "ann": false, "redacted": false, "redacted person": false, "redacted person x": false,
	} {
		if got := incident.IsRedacted(name); got != want {
			t.Errorf("IsRedacted(%q) = %v, want %v", name, got, want)
		}
	}
}

// TestLawOfRedaction: whatever is erased, in whatever order, the state stays the same
// but for texts and a renaming of persons that is one to one.
func TestLawOfRedaction(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	renamings := 0
	for round := range 80 {
		inc := newIncident(t, incident.Options{Salts: salts()})
		apply(t, inc, ev(incident.Declare, -1000, incident.Details{Title: "down", Severity: incident.P1}))
		for _, e := range randomEvents(r, 30, true) {
			e.Measure.Owner = []string{"ann", "dee", "dba"}[r.IntN(3)]
			if e.Person == "" && r.IntN(2) == 0 {
				e.Person = []string{"ann", "bob"}[r.IntN(2)] // who also act
			}
			if r.IntN(4) == 0 {
				e.Kind = []incident.Kind{incident.AssignRole, incident.ReleaseRole}[r.IntN(2)]
			}
			apply(t, inc, e)
		}
		before := inc.State()
		for _, n := range r.Perm(31)[:r.IntN(32)] {
			if _, _, err := inc.Redact(uint64(n+1), "dpo", fmt.Sprint("redact-", n), "why", minute(900)); err != nil {
				t.Fatal(err)
			}
		}
		redact(t, inc)
		after := inc.State()
		there, back := map[string]string{}, map[string]string{}
		pair := func(old, now string) {
			if known, ok := there[old]; ok && known != now {
				t.Fatalf("round %d: %q became %q and %q", round, old, known, now)
			}
			if known, ok := back[now]; ok && known != old {
				t.Fatalf("round %d: %q and %q became %q", round, known, old, now)
			}
			if old != now && !incident.IsRedacted(now) {
				t.Fatalf("round %d: %q became %q", round, old, now)
			}
			if there[old], back[now] = now, old; old != now {
				renamings++
			}
		}
		if len(after.Roles) != len(before.Roles) || len(after.Measures) != len(before.Measures) {
			t.Fatalf("round %d: roles %v, measures %v, want as many as %v, %v", round, after.Roles, after.Measures, before.Roles, before.Measures)
		}
		for role, persons := range before.Roles {
			if len(after.Roles[role]) != len(persons) {
				t.Fatalf("round %d: %s %q, want as many as %q", round, role, after.Roles[role], persons)
			}
			for i, person := range persons {
				pair(person, after.Roles[role][i])
			}
		}
		for i, m := range before.Measures {
			pair(m.Owner, after.Measures[i].Owner)
		}
		codes := func(s incident.State) (out []string) {
			for _, f := range s.Findings {
				out = append(out, fmt.Sprint(f.Code, " ", f.Key))
			}
			return out
		}
		if !slices.Equal(codes(after), codes(before)) || after.Status != before.Status || after.Times != before.Times || !reflect.DeepEqual(after.Impact, before.Impact) {
			t.Fatalf("round %d: state = %+v, want the same as %+v", round, after, before)
		}
	}
	if renamings < 200 {
		t.Errorf("%d renamings: the sample is too tame", renamings)
	}
}
