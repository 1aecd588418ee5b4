package continuity_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/continuity"
)

var shopGate = continuity.Gate{Service: "shop", Workflows: []string{"add to cart", "check out"}}

// run is a run on artefact a, some hours after noon.
func run(stage continuity.Stage, test continuity.TestKind, hours int) continuity.Run {
	return continuity.Run{Stage: stage, Test: test, Artefact: hash("a"), At: noon.Add(time.Duration(hours) * time.Hour), Result: continuity.Passed}
}

func flow(workflow string, hours int) continuity.Run {
	r := run(continuity.Acceptance, "", hours)
	r.Workflow = workflow
	return r
}

// ready is an update that may go into production from 8 h after noon.
func ready() continuity.Update {
	return continuity.Update{
		ID: "v2", Author: "bob", Artefact: hash("a"),
		Runs: []continuity.Run{
			run(continuity.Development, continuity.UnitTest, 1),
			run(continuity.Testing, continuity.IntegrationTest, 2),
			run(continuity.Testing, continuity.RegressionTest, 3),
			run(continuity.Acceptance, continuity.AcceptanceTest, 4),
			flow("add to cart", 5), flow("check out", 6),
		},
		Rollback:  continuity.Rollback{Runbook: "roll back the shop", Artefact: hash("9")},
		Approvals: []continuity.Approval{{By: "ann", At: noon.Add(8 * time.Hour), Artefact: hash("a")}},
	}
}

func judge(tb testing.TB, g continuity.Gate, u continuity.Update, to continuity.Stage, at time.Time) continuity.Decision {
	tb.Helper()
	d, err := g.Judge(u, to, at)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func missing(d continuity.Decision) (out []string) {
	for _, r := range d.Missing() {
		out = append(out, r.String())
	}
	return out
}

func TestGate(t *testing.T) {
	later := noon.Add(24 * time.Hour)
	for _, c := range []struct {
		name   string
		change func(*continuity.Update)
		to     continuity.Stage
		at     time.Time
		want   []string
	}{
		{"ready", func(*continuity.Update) {}, continuity.Production, later, nil},
		{"at the instant of the approval", func(*continuity.Update) {}, continuity.Production, noon.Add(8 * time.Hour), nil},
		{"a moment before it", func(*continuity.Update) {}, continuity.Production, noon.Add(8*time.Hour - 1), []string{"approval: nobody approved"}},
		{"into testing after the unit tests", func(*continuity.Update) {}, continuity.Testing, noon.Add(time.Hour), nil},
		{"into testing before them", func(*continuity.Update) {}, continuity.Testing, noon, []string{"test unit in development: no run in development"}},
		{"into acceptance", func(*continuity.Update) {}, continuity.Acceptance, noon.Add(2 * time.Hour), []string{"test regression in testing: no run in testing"}},
		{
			"a workflow that failed last", func(u *continuity.Update) {
				bad := flow("check out", 7)
				bad.Result = continuity.Failed
				u.Runs = append([]continuity.Run{bad}, u.Runs...)
			}, continuity.Production, later,
			[]string{
				"workflow check out in acceptance: failed on 2026-10-01 19:00 UTC",
				"approval: ann approved on 2026-10-01 20:00 UTC, when the workflow check out in acceptance was missing",
			},
		},
		{
			"a workflow tested elsewhere", func(u *continuity.Update) { u.Runs[4].Stage = continuity.Testing }, continuity.Production, later,
			[]string{
				"workflow add to cart in acceptance: no run in acceptance",
				"approval: ann approved on 2026-10-01 20:00 UTC, when the workflow add to cart in acceptance was missing",
			},
		},
		{"green again after the approval", func(u *continuity.Update) { u.Runs = append(u.Runs, flow("check out", 9)) }, continuity.Production, later, nil},
		{
			"green only after the approval", func(u *continuity.Update) { u.Runs[5].At = noon.Add(9 * time.Hour) }, continuity.Production, later,
			[]string{"approval: ann approved on 2026-10-01 20:00 UTC, when the workflow check out in acceptance was missing"},
		},
		{
			"no way back", func(u *continuity.Update) { u.Rollback = continuity.Rollback{Runbook: "roll back the shop"} }, continuity.Production, later,
			[]string{"rollback: no artefact to go back to", "approval: ann approved on 2026-10-01 20:00 UTC, when the rollback was missing"},
		},
		{
			"no procedure", func(u *continuity.Update) { u.Rollback.Runbook = "" }, continuity.Production, later,
			[]string{"rollback: no runbook", "approval: ann approved on 2026-10-01 20:00 UTC, when the rollback was missing"},
		},
		{
			"back to itself", func(u *continuity.Update) { u.Rollback.Artefact = u.Artefact }, continuity.Production, later,
			[]string{"rollback: goes back to the artefact itself", "approval: ann approved on 2026-10-01 20:00 UTC, when the rollback was missing"},
		},
		{
			"approved by the author", func(u *continuity.Update) { u.Approvals[0].By = "bob" }, continuity.Production, later,
			[]string{"approval: bob approved on 2026-10-01 20:00 UTC, who is the author"},
		},
		{
			"by the author, then by somebody else", func(u *continuity.Update) {
				u.Approvals = append(u.Approvals, continuity.Approval{By: "bob", At: noon.Add(7 * time.Hour), Artefact: hash("a")})
			}, continuity.Production, later, nil,
		},
	} {
		u := ready()
		c.change(&u)
		d := judge(t, shopGate, u, c.to, c.at)
		if got := missing(d); !slices.Equal(got, c.want) || d.Open != (len(c.want) == 0) {
			t.Errorf("%s: open %v, missing %q, want %q", c.name, d.Open, got, c.want)
		}
	}
}

// A changed artefact voids all earlier evidence and the approval: the way begins
// anew, and the decision says where the green runs belong.
func TestGateWithChangedArtefact(t *testing.T) {
	u := ready()
	u.Artefact = hash("b")
	want := []string{
		"test unit in development: green on 2026-10-01 13:00 UTC for artefact aaaaaaaaaaaa, which is another one",
		"test integration in testing: green on 2026-10-01 14:00 UTC for artefact aaaaaaaaaaaa, which is another one",
		"test regression in testing: green on 2026-10-01 15:00 UTC for artefact aaaaaaaaaaaa, which is another one",
		"test acceptance in acceptance: green on 2026-10-01 16:00 UTC for artefact aaaaaaaaaaaa, which is another one",
		"workflow add to cart in acceptance: green on 2026-10-01 17:00 UTC for artefact aaaaaaaaaaaa, which is another one",
		"workflow check out in acceptance: green on 2026-10-01 18:00 UTC for artefact aaaaaaaaaaaa, which is another one",
		"approval: ann approved on 2026-10-01 20:00 UTC artefact aaaaaaaaaaaa, which is another one",
	}
	if got := missing(judge(t, shopGate, u, continuity.Production, noon.Add(day))); !slices.Equal(got, want) {
		t.Errorf("missing %q, want %q", got, want)
	}
	// All of it again on the new artefact opens the gate; one run on the old one in
	// between does not matter.
	again := ready()
	for i := range again.Runs {
		again.Runs[i].Artefact = hash("b")
		again.Runs[i].At = again.Runs[i].At.Add(day)
	}
	u.Runs = append(u.Runs, again.Runs...)
	u.Runs = append(u.Runs, flow("check out", 100))
	u.Approvals = append(u.Approvals, continuity.Approval{By: "ann", At: noon.Add(3 * day), Artefact: hash("b")})
	if d := judge(t, shopGate, u, continuity.Production, noon.Add(5*day)); !d.Open {
		t.Errorf("all again on the new artefact: missing %q", missing(d))
	}
}

func TestGateOptions(t *testing.T) {
	g := shopGate
	g.Approvers = []string{"cleo"}
	g.Tests = map[continuity.Stage][]continuity.TestKind{continuity.Development: {continuity.SanityTest}, continuity.Acceptance: {continuity.LoadTest}}
	want := []string{
		"test sanity in development: no run in development",
		"test load in acceptance: no run in acceptance",
		"approval: ann approved on 2026-10-01 20:00 UTC, who is no approver",
	}
	if got := missing(judge(t, g, ready(), continuity.Production, noon.Add(day))); !slices.Equal(got, want) {
		t.Errorf("missing %q, want %q", got, want)
	}
}

// Decisions do not depend on the order of runs and approvals; of two runs at one
// instant the failed one counts.
func TestGateOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	u := ready()
	u.Approvals = append(u.Approvals, continuity.Approval{By: "bob", At: noon.Add(8 * time.Hour), Artefact: hash("a")})
	bad := flow("check out", 6)
	bad.Result = continuity.Failed
	twice := flow("add to cart", 5)
	twice.Ref = "second"
	u.Runs = append(u.Runs, bad, flow("check out", 5), twice)
	at := noon.Add(day)
	want := judge(t, shopGate, u, continuity.Production, at)
	if got := missing(want); len(got) == 0 || !strings.HasPrefix(got[0], "workflow check out in acceptance: failed") {
		t.Fatalf("missing %q, want the workflow that failed", got)
	}
	for range 100 {
		r.Shuffle(len(u.Runs), func(i, j int) { u.Runs[i], u.Runs[j] = u.Runs[j], u.Runs[i] })
		r.Shuffle(len(u.Approvals), func(i, j int) { u.Approvals[i], u.Approvals[j] = u.Approvals[j], u.Approvals[i] })
		if got := judge(t, shopGate, u, continuity.Production, at); !reflect.DeepEqual(got, want) {
			t.Fatalf("in another order %+v, want %+v", got, want)
		}
	}
}

// Production opens only if every workflow has a green run of this artefact.
func TestGateNeverOpensWithoutEvidence(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	opened := 0
	for range 3000 {
		u := ready()
		for i := range u.Runs {
			switch r.IntN(24) {
			case 0:
				u.Runs[i].Artefact = hash("b")
			case 1:
				u.Runs[i].Result = continuity.Failed
			case 2:
				u.Runs[i].At = u.Runs[i].At.Add(day)
			}
		}
		d := judge(t, shopGate, u, continuity.Production, noon.Add(12*time.Hour))
		green := !slices.ContainsFunc(u.Runs, func(run continuity.Run) bool {
			return run.Artefact != u.Artefact || run.Result != continuity.Passed || run.At.After(noon.Add(8*time.Hour))
		})
		if d.Open != green {
			t.Fatalf("open %v, want %v: %q of %+v", d.Open, green, missing(d), u.Runs)
		}
		if d.Open {
			opened++
		}
	}
	if opened == 0 {
		t.Error("it never opened")
	}
}

func TestGateRefused(t *testing.T) {
	for path, change := range map[string]func(*continuity.Gate, *continuity.Update){
		"gate.service":           func(g *continuity.Gate, _ *continuity.Update) { g.Service = "" },
		"gate.core_workflows":    func(g *continuity.Gate, _ *continuity.Update) { g.Workflows = nil },
		"gate.core_workflows[1]": func(g *continuity.Gate, _ *continuity.Update) { g.Workflows = []string{"a", "a"} },
		"gate.tests": func(g *continuity.Gate, _ *continuity.Update) {
			g.Tests = map[continuity.Stage][]continuity.TestKind{continuity.Production: nil}
		},
		"gate.tests.testing[0]": func(g *continuity.Gate, _ *continuity.Update) {
			g.Tests = map[continuity.Stage][]continuity.TestKind{continuity.Testing: {""}}
		},
		"update.id":                           func(_ *continuity.Gate, u *continuity.Update) { u.ID = "" },
		"update.author":                       func(_ *continuity.Gate, u *continuity.Update) { u.Author = "" },
		"update.artefact_sha256":              func(_ *continuity.Gate, u *continuity.Update) { u.Artefact = "" },
		"update.runs[1].stage":                func(_ *continuity.Gate, u *continuity.Update) { u.Runs[1].Stage = 9 },
		"update.runs[1].test":                 func(_ *continuity.Gate, u *continuity.Update) { u.Runs[1].Workflow = "check out" },
		"update.runs[1].result":               func(_ *continuity.Gate, u *continuity.Update) { u.Runs[1].Result = "" },
		"update.runs[1].artefact_sha256":      func(_ *continuity.Gate, u *continuity.Update) { u.Runs[1].Artefact = "v1.2" },
		"update.runs[1].at":                   func(_ *continuity.Gate, u *continuity.Update) { u.Runs[1].At = time.Time{} },
		"update.rollback.artefact_sha256":     func(_ *continuity.Gate, u *continuity.Update) { u.Rollback.Artefact = "v1.1" },
		"update.approvals[0].by":              func(_ *continuity.Gate, u *continuity.Update) { u.Approvals[0].By = "" },
		"update.approvals[0].artefact_sha256": func(_ *continuity.Gate, u *continuity.Update) { u.Approvals[0].Artefact = "" },
		"update.approvals[0].at":              func(_ *continuity.Gate, u *continuity.Update) { u.Approvals[0].At = time.Time{} },
	} {
		g, u := shopGate, ready()
		change(&g, &u)
		if _, err := g.Judge(u, continuity.Production, noon); !refusedAt(err, path) {
			t.Errorf("%s: Judge = %v, want a RecordError there", path, err)
		}
	}
	for _, to := range []continuity.Stage{0, continuity.Development, continuity.Production + 1} {
		if _, err := shopGate.Judge(ready(), to, noon); !refusedAt(err, "to") {
			t.Errorf("into %v: %v, want a RecordError", to, err)
		}
	}
}

func refusedAt(err error, path string) bool {
	e, ok := errors.AsType[*continuity.RecordError](err)
	return ok && e.Path == path
}

func TestStageText(t *testing.T) {
	for stage := continuity.Development; stage <= continuity.Production; stage++ {
		text, err := stage.MarshalText()
		var back continuity.Stage
		if err != nil || back.UnmarshalText(text) != nil || back != stage || stage.String() != string(text) {
			t.Errorf("%v became %q and %v, %v", stage, text, back, err)
		}
	}
	var unset continuity.Stage
	if text, err := unset.MarshalText(); err != nil || len(text) != 0 || unset.UnmarshalText(nil) != nil || unset.IsSet() {
		t.Errorf("no stage became %q, %v", text, err)
	}
	if unset.String() != "unset" || continuity.Stage(7).String() != "Stage(7)" {
		t.Errorf("stages that are none: %v, %v", unset, continuity.Stage(7))
	}
	if _, err := continuity.Stage(7).MarshalText(); !refusedAt(err, "stage") {
		t.Errorf("Stage(7): %v, want a RecordError", err)
	}
}
