package continuity_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/continuity"
)

const day = 24 * time.Hour

// noon is a Thursday.
var noon = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)

// hash stands for a SHA-256.
func hash(digit string) string { return strings.Repeat(digit, 64) }

// proof is a restore that keeps a recovery time of 4 h and a loss of 1 h, verified
// at an instant: 3 h after the loss was declared, with data 30 min older than the
// failure.
func proof(verified time.Time) continuity.Restore {
	lost := verified.Add(-3 * time.Hour)
	failed := lost.Add(-10 * time.Minute)
	return continuity.Restore{
		Service: "db", Backup: "b-" + verified.Format("0102"), Kind: continuity.Side,
		Source: failed.Add(-time.Hour), Newest: failed.Add(-30 * time.Minute), FailedAt: failed, Lost: lost,
		Started: lost.Add(time.Minute), Restored: verified.Add(-time.Minute), Verified: verified,
		By: "ann", Method: "row count", Check: continuity.Passed, Artefact: hash("a"),
		RTOTarget: 4 * time.Hour, RPOTarget: time.Hour,
	}
}

// broken is a restore that failed.
func broken(at time.Time) continuity.Restore {
	e := proof(at)
	e.Check, e.Failure = continuity.Failed, "rows are missing"
	return e
}

func with(e continuity.Restore, change func(*continuity.Restore)) continuity.Restore {
	change(&e)
	return e
}

// complete is a service about which the catalogue leaves nothing open.
func complete(id string) continuity.Service {
	return continuity.Service{ID: id, Owner: "ops", Tier: "enterprise", Support: support(), Lines: []string{"L1", "L2"}}
}

// drBook is a runbook that stays good for a long time.
func drBook(services ...string) continuity.Runbook {
	return continuity.Runbook{
		ID: "dr", Services: services, Purpose: continuity.ForDR, Owner: "ops", Steps: []string{"call the lead"},
		ReviewedAt: noon.Add(-day), RehearsedAt: noon.Add(-day),
	}
}

func drTest(id string, scenario continuity.Scenario, ended time.Time, result continuity.Outcome) continuity.DRTest {
	return continuity.DRTest{
		ID: id, Scenario: scenario, Services: []string{"db"}, Started: ended.Add(-time.Hour), Ended: ended, Result: result,
		Participants: []string{"ann", "bob"}, Steps: []continuity.Step{{Text: "switch over", Result: result}},
	}
}

func register(tb testing.TB, c continuity.Catalogue) *continuity.Register {
	tb.Helper()
	r, err := continuity.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// forDB has one service that lacks nothing but restores.
func forDB(tb testing.TB) *continuity.Register {
	tb.Helper()
	r := register(tb, continuity.Catalogue{
		Services: []continuity.Service{complete("db")}, Runbooks: []continuity.Runbook{drBook("db")},
		Policy: continuity.Policy{DREvery: 20 * 365 * day, ReviewEvery: 20 * 365 * day, RehearseEvery: 20 * 365 * day},
	})
	if err := r.AddTest(drTest("dr-1", continuity.Internet, noon.Add(-20*day), continuity.Passed), noon); err != nil {
		tb.Fatal(err)
	}
	return r
}

func add(tb testing.TB, r *continuity.Register, all ...continuity.Restore) {
	tb.Helper()
	for _, e := range all {
		if err := r.AddRestore(e, noon.AddDate(5, 0, 0)); err != nil {
			tb.Fatal(err)
		}
	}
}

// brief writes findings as "code subject since", without a year.
func brief(all []continuity.Finding) (out []string) {
	for _, f := range all {
		since := "always"
		if !f.Since.IsZero() {
			since = f.Since.Format("01-02 15:04")
		}
		out = append(out, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", f.Code, f.Subject, since)), " "))
	}
	return out
}

func TestRestoreFindings(t *testing.T) {
	partial := func(e *continuity.Restore) { e.Kind = continuity.Partial }
	for _, c := range []struct {
		name     string
		restores []continuity.Restore
		at       time.Time
		want     []string
	}{
		{"nothing", nil, noon, []string{"restore_never_tested always"}},
		{"a proof", []continuity.Restore{proof(noon)}, noon, nil},
		{"known only later", []continuity.Restore{proof(noon)}, noon.Add(-1), []string{"restore_never_tested always"}},
		{"just before 90 days", []continuity.Restore{proof(noon)}, noon.Add(90*day - 1), nil},
		// 90 days after 1 October: 31 + 30 days to 30 November, 29 more to 30 December less one day.
		{"90 days", []continuity.Restore{proof(noon)}, noon.Add(90 * day), []string{"restore_overdue b-1001 12-30 12:00"}},
		{"a part in between", []continuity.Restore{proof(noon), with(proof(noon.Add(80*day)), partial)}, noon.Add(100 * day), []string{"restore_overdue b-1001 12-30 12:00"}},
		{
			"only parts",
			[]continuity.Restore{with(proof(noon), partial), with(proof(noon.Add(day)), partial)},
			noon.Add(day),
			[]string{"restore_partial_only b-1002 10-01 12:00"},
		},
		{
			"failed, first and last",
			[]continuity.Restore{broken(noon), broken(noon.Add(day))},
			noon.Add(day),
			[]string{"restore_failed b-1002 10-01 12:00", "success_rate_low 10-01 12:00"},
		},
		{
			"a part mends no whole",
			[]continuity.Restore{broken(noon), with(proof(noon.Add(day)), partial)},
			noon.Add(day),
			[]string{"restore_failed b-1001 10-01 12:00", "restore_partial_only b-1002 10-02 12:00", "success_rate_low 10-01 12:00"},
		},
		{
			"a part mends a part",
			[]continuity.Restore{with(broken(noon), partial), with(proof(noon.Add(day)), partial)},
			noon.Add(day),
			[]string{"restore_partial_only b-1002 10-02 12:00", "success_rate_low 10-01 12:00"},
		},
		{"a whole mends all", []continuity.Restore{with(broken(noon), partial), broken(noon.Add(1)), proof(noon.Add(day))}, noon.Add(day), []string{"success_rate_low 10-01 12:00"}},
		{
			"not verified",
			[]continuity.Restore{proof(noon), with(proof(noon.Add(day)), func(e *continuity.Restore) { e.Verified, e.Check = time.Time{}, "" })},
			noon.Add(day),
			[]string{"restore_unverified b-1002 10-02 11:59"},
		},
		{
			"verified later", []continuity.Restore{
				with(proof(noon), func(e *continuity.Restore) { e.Restored, e.Verified, e.Check = time.Time{}, time.Time{}, "" }), proof(noon),
			}, noon.Add(day), nil,
		},
		{
			"recovery in exactly the time agreed",
			[]continuity.Restore{with(proof(noon), func(e *continuity.Restore) { e.RTOTarget = 3 * time.Hour })},
			noon,
			[]string{"window_missed b-1001 10-01 12:00"},
		},
		{
			"loss of exactly what was agreed, recovery a moment less",
			[]continuity.Restore{with(proof(noon), func(e *continuity.Restore) { e.RTOTarget, e.RPOTarget = 3*time.Hour+1, 30*time.Minute })},
			noon,
			[]string{"window_missed b-1001 10-01 12:00"},
		},
		{
			"a figure that cannot be told",
			[]continuity.Restore{with(proof(noon), func(e *continuity.Restore) { e.Newest = time.Time{} })},
			noon,
			[]string{"window_unknown b-1001 10-01 12:00"},
		},
		{
			"no artefact, and a later one that has",
			[]continuity.Restore{with(proof(noon), func(e *continuity.Restore) { e.Artefact = "" }), proof(noon.Add(day))},
			noon,
			[]string{"artefact_missing b-1001 10-01 12:00"},
		},
		{
			"no artefact before, but a later one that has",
			[]continuity.Restore{with(proof(noon), func(e *continuity.Restore) { e.Artefact = "" }), proof(noon.Add(day))},
			noon.Add(day), nil,
		},
	} {
		r := forDB(t)
		add(t, r, c.restores...)
		if got := brief(r.Findings(c.at)); !slices.Equal(got, c.want) {
			t.Errorf("%s: findings %q, want %q", c.name, got, c.want)
		}
	}
}

// The sentences have the figures.
func TestRestoreTexts(t *testing.T) {
	r := forDB(t)
	add(t, r, with(proof(noon), func(e *continuity.Restore) { e.RTOTarget, e.Newest = 2*time.Hour, time.Time{} }), broken(noon.Add(day)), broken(noon.Add(2*day)))
	silent := forDB(t)
	add(t, silent, with(broken(noon), func(e *continuity.Restore) { e.Failure = "" }))
	if got, want := silent.Findings(noon)[0].Text, "the restore of backup b-1001 failed on 2026-10-01 12:00 UTC"; got != want {
		t.Errorf("a failure without a reason: %q, want %q", got, want)
	}
	var got []string
	for _, f := range r.Findings(noon.Add(90*day + time.Hour)) {
		got = append(got, f.Text)
	}
	want := []string{
		"the restore of backup b-1003 failed on 2026-10-03 12:00 UTC, 2 in a row: rows are missing",
		"the last proof of a whole restore, of backup b-1001 on 2026-10-01 12:00 UTC, is 90d1h old, less than 90d is wanted",
		"recovery time of the restore of backup b-1001 was 3h, less than 2h is agreed",
		"loss of data of the restore of backup b-1001 cannot be told without the failure or the newest data, less than 1h is agreed",
		"1/3 restores of the last 365d passed, > 99% is wanted",
	}
	if !slices.Equal(got, want) {
		t.Errorf("texts\n%q, want\n%q", got, want)
	}
}

func TestWindows(t *testing.T) {
	e := proof(noon)
	for name, c := range map[string]struct {
		got      continuity.Window
		measured time.Duration
		agreed   time.Duration
		verdict  incident.Verdict
	}{
		"recovery time": {e.RTO(), 3 * time.Hour, 4 * time.Hour, incident.Met},
		"loss of data":  {e.RPO(), 30 * time.Minute, time.Hour, incident.Met},
	} {
		if c.got.Measured == nil || *c.got.Measured != c.measured || c.got.Agreed != c.agreed || c.got.Verdict != c.verdict {
			t.Errorf("%s = %+v, want %v of %v, %v", name, c.got, c.measured, c.agreed, c.verdict)
		}
	}
	e.Verified, e.FailedAt = time.Time{}, time.Time{}
	for name, w := range map[string]continuity.Window{"recovery time": e.RTO(), "loss of data": e.RPO()} {
		if w.Measured != nil || w.Verdict != incident.Undecided {
			t.Errorf("%s without an end = %+v, want none", name, w)
		}
	}
}

// 99 of 100 are 99 %, which misses "> 99%"; 100 of 101 are more. A failure leaves
// the count 365 days after it.
func TestSuccessRate(t *testing.T) {
	minute := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Minute) }
	r := forDB(t)
	add(t, r, broken(noon))
	for i := 1; i <= 100; i++ {
		add(t, r, proof(minute(i)))
	}
	year := minute(0).Add(365 * day)
	for _, c := range []struct {
		name string
		at   time.Time
		want time.Time // zero for none
	}{
		{"only the failure", noon, noon},
		{"99 of 100", minute(99), noon},
		{"100 of 101", minute(100), time.Time{}},
		{"the failure is a year old", year, time.Time{}},
	} {
		var got time.Time
		for _, f := range r.Findings(c.at) {
			if f.Code == continuity.SuccessRateLow {
				got = f.Since
			}
		}
		if !got.Equal(c.want) {
			t.Errorf("%s: too low since %v, want %v", c.name, got, c.want)
		}
	}
	// With one more failure the rate is 100 of 102 until the first one leaves, and
	// then 100 of 101; it is too low again when good ones leave: with the 1st gone 99
	// of 100 are left.
	add(t, r, broken(minute(101)))
	for _, c := range []struct {
		at, want time.Time
	}{
		{minute(101), minute(101)},
		{year.Add(-1), minute(101)},
		{year, time.Time{}},
		{year.Add(time.Minute), year.Add(time.Minute)},
		{year.Add(30 * time.Minute), year.Add(time.Minute)},
	} {
		var got time.Time
		for _, f := range r.Findings(c.at) {
			if f.Code == continuity.SuccessRateLow {
				got = f.Since
			}
		}
		if !got.Equal(c.want) {
			t.Errorf("at %v: too low since %v, want %v", c.at, got, c.want)
		}
	}
}

func TestRestoreRefused(t *testing.T) {
	for path, change := range map[string]func(*continuity.Restore){
		"service":       func(e *continuity.Restore) { e.Service = "bd" },
		"backup_id":     func(e *continuity.Restore) { e.Backup = " " },
		"kind":          func(e *continuity.Restore) { e.Kind = "beside" },
		"started":       func(e *continuity.Restore) { e.Started = e.Source.Add(-1) },
		"started, none": func(e *continuity.Restore) { e.Started = time.Time{} },
		"verified, before the newest data": func(e *continuity.Restore) {
			e.FailedAt, e.Lost, e.Verified, e.Newest = time.Time{}, time.Time{}, noon.Add(-time.Second), noon
		},
		"verified, none":      func(e *continuity.Restore) { e.Verified = time.Time{} },
		"data_check, unknown": func(e *continuity.Restore) { e.Check = "fine" },
		"restored":            func(e *continuity.Restore) { e.Restored = time.Time{} },
		"verified":            func(e *continuity.Restore) { e.Verified = noon.Add(1) }, // the future
		"failed_at":           func(e *continuity.Restore) { e.FailedAt = e.Newest.Add(-1) },
		"declared_lost_at":    func(e *continuity.Restore) { e.Lost = e.FailedAt.Add(-1) },
		"by":                  func(e *continuity.Restore) { e.By = "" },
		"method":              func(e *continuity.Restore) { e.Method = "" },
		"data_check":          func(e *continuity.Restore) { e.Check = "" },
		"failure":             func(e *continuity.Restore) { e.Failure = "slow" },
		"artefact_sha256":     func(e *continuity.Restore) { e.Artefact = strings.ToUpper(hash("a")) },
		"rto_target_ns":       func(e *continuity.Restore) { e.RTOTarget = 0 },
		"rpo_target_ns":       func(e *continuity.Restore) { e.RPOTarget = -1 },
	} {
		r := forDB(t)
		earlier := r.Findings(noon)
		err := r.AddRestore(with(proof(noon), change), noon)
		e, ok := errors.AsType[*continuity.RecordError](err)
		if !ok || e.Path != before(path) || e.Want == "" {
			t.Errorf("%s: AddRestore = %v, want a RecordError there", path, err)
		}
		if after := r.Findings(noon); !reflect.DeepEqual(earlier, after) {
			t.Errorf("%s: a refused restore changes the findings to %v", path, after)
		}
	}
	err := forDB(t).AddRestore(with(proof(noon), func(e *continuity.Restore) { e.Service = "dbs" }), noon)
	if err == nil || !strings.Contains(err.Error(), `perhaps "db"`) {
		t.Errorf("AddRestore of a misspelt service = %v, want a suggestion", err)
	}
}

// before returns the path in the name of a case.
func before(name string) string {
	path, _, _ := strings.Cut(name, ",")
	return path
}

// Evidence with a future time is refused whichever instant it is, with what was
// expected, and all of them at once.
func TestFutureEvidenceRefused(t *testing.T) {
	r := forDB(t)
	err := r.AddRestore(proof(noon.Add(4*time.Hour)), noon)
	var paths []string
	for e := range errorsOf(err) {
		paths = append(paths, e.Path)
		if !strings.Contains(e.Want, "not after the present, 2026-10-01T12:00:00Z") {
			t.Errorf("%s wants %q", e.Path, e.Want)
		}
	}
	// The loss was declared at 13:00, the failure was at 12:50, the newest data is of
	// 12:20 and the backup of 11:50.
	if want := []string{"newest", "failed_at", "declared_lost_at", "started", "restored", "verified"}; !slices.Equal(paths, want) {
		t.Errorf("refused %q, want %q", paths, want)
	}
	if err := r.AddRestore(proof(noon), noon); err != nil {
		t.Errorf("evidence of the present: %v", err)
	}
}

// errorsOf yields the RecordErrors of a joined error.
func errorsOf(err error) func(yield func(*continuity.RecordError) bool) {
	return func(yield func(*continuity.RecordError) bool) {
		var walk func(error) bool
		walk = func(err error) bool {
			switch e := err.(type) { //nolint:errorlint // it walks the tree itself
			case *continuity.RecordError:
				return yield(e)
			case interface{ Unwrap() []error }:
				for _, inner := range e.Unwrap() {
					if !walk(inner) {
						return false
					}
				}
			case interface{ Unwrap() error }:
				return walk(e.Unwrap())
			}
			return true
		}
		walk(err)
	}
}

// anyRestores returns records of all kinds, often at the same instants.
func anyRestores(r *rand.Rand) []continuity.Restore {
	out := make([]continuity.Restore, r.IntN(12))
	for i := range out {
		e := proof(noon.Add(time.Duration(r.IntN(8)) * 60 * day))
		e.Backup = []string{"x", "y", "z"}[r.IntN(3)]
		e.Kind = []continuity.RestoreKind{continuity.InPlace, continuity.Side, continuity.Partial}[r.IntN(3)]
		e.RTOTarget = time.Duration(1+r.IntN(6)) * time.Hour
		switch r.IntN(5) {
		case 0:
			e.Check, e.Failure = continuity.Failed, "bad"
		case 1:
			e.Verified, e.Check, e.Artefact = time.Time{}, "", ""
		case 2:
			e.Newest, e.Artefact = time.Time{}, ""
		}
		out[i] = e
	}
	return out
}

// Findings do not depend on the order in which records come, nor on how often, nor
// on records that are later than the instant they are asked for.
func TestFindingsAreOfTheRecords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		restores := anyRestores(rnd)
		tests := []continuity.DRTest{
			drTest("a", continuity.Ransomware, noon.Add(50*day), continuity.Failed),
			drTest("b", continuity.Staff, noon.Add(50*day), continuity.Passed),
			drTest("c", continuity.Ransomware, noon.Add(100*day), continuity.Outcome([]string{"passed", "failed"}[rnd.IntN(2)])),
		}
		at := noon.Add(time.Duration(rnd.IntN(600)) * day)
		one, other, early := forDB(t), forDB(t), forDB(t)
		add(t, one, restores...)
		for _, d := range tests {
			addTest(t, one, d)
		}
		rnd.Shuffle(len(restores), func(i, j int) { restores[i], restores[j] = restores[j], restores[i] })
		for _, d := range slices.Backward(tests) {
			addTest(t, other, d)
			addTest(t, other, d)
			if !d.Ended.After(at) {
				addTest(t, early, d)
			}
		}
		add(t, other, restores...)
		add(t, other, restores...)
		for _, e := range restores {
			if known := max(e.Restored.UnixNano(), e.Verified.UnixNano()); known <= at.UnixNano() {
				add(t, early, e)
			}
		}
		want := one.Findings(at)
		if got := other.Findings(at); !reflect.DeepEqual(got, want) {
			t.Fatalf("in another order: findings %v, want %v", got, want)
		}
		if got := early.Findings(at); !reflect.DeepEqual(got, want) {
			t.Fatalf("without later records: findings %v, want %v", got, want)
		}
		// Every service has a proof or a finding that says why not.
		if len(restores) == 0 && len(want) == 0 {
			t.Fatal("no restore and no finding")
		}
		for _, f := range want {
			if f.Since.After(at) || f.Text == "" || f.Service != "db" {
				t.Fatalf("at %v: %+v", at, f)
			}
		}
	}
}

// A finding held at its instant already; a rate that is too low did not a moment
// before.
func TestSince(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		r := forDB(t)
		add(t, r, anyRestores(rnd)...)
		at := noon.Add(time.Duration(rnd.IntN(600)) * day)
		for _, f := range r.Findings(at) {
			if f.Since.IsZero() {
				continue
			}
			holds := func(at time.Time) bool {
				return slices.ContainsFunc(r.Findings(at), func(o continuity.Finding) bool { return o.Code == f.Code })
			}
			if !holds(f.Since) {
				t.Fatalf("%+v does not hold at its instant: %v", f, r.Findings(f.Since))
			}
			if f.Code == continuity.SuccessRateLow && holds(f.Since.Add(-1)) {
				t.Fatalf("%+v held before its instant", f)
			}
		}
	}
}

func addTest(tb testing.TB, r *continuity.Register, d continuity.DRTest) {
	tb.Helper()
	if err := r.AddTest(d, noon.AddDate(5, 0, 0)); err != nil {
		tb.Fatal(err)
	}
}
