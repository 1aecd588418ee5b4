package continuity

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// TestKind is a kind of test. Any text will do; these are those of the guide to
// infrastructure services.
type TestKind string

// The kinds of test.
const (
	UnitTest        TestKind = "unit"
	IntegrationTest TestKind = "integration"
	SanityTest      TestKind = "sanity"
	RegressionTest  TestKind = "regression"
	AcceptanceTest  TestKind = "acceptance"
	LoadTest        TestKind = "load"
	StressTest      TestKind = "stress"
	DestructiveTest TestKind = "destructive"
	SecurityTest    TestKind = "security" // with penetration tests
)

// DefaultTests returns the tests of the stages before production if a gate names
// none. They are ours: the guide names kinds and stages, but not which where.
func DefaultTests() map[Stage][]TestKind {
	return map[Stage][]TestKind{
		Development: {UnitTest},
		Testing:     {IntegrationTest, RegressionTest},
		Acceptance:  {AcceptanceTest},
	}
}

// Gate is what an update of a service has to pass on the way to production.
type Gate struct {
	Service string `json:"service"`
	// Workflows are what the service is for. Each has to be green in acceptance.
	Workflows []string `json:"core_workflows"`
	// Tests are those that have to be green before an update leaves a stage. Nil
	// means DefaultTests.
	Tests map[Stage][]TestKind `json:"tests,omitempty"`
	// Approvers may approve. Empty means anybody but the author of the update.
	Approvers []string `json:"approvers,omitempty"`
}

// Update is a new version on its way.
type Update struct {
	ID     string `json:"id"`
	Author string `json:"author"`
	// Artefact is the SHA-256 of what is to go on. Evidence of another one counts for
	// nothing.
	Artefact  string     `json:"artefact_sha256"`
	Runs      []Run      `json:"runs,omitempty"`
	Rollback  Rollback   `json:"rollback,omitzero"`
	Approvals []Approval `json:"approvals,omitempty"`
}

// Run is the evidence of one test, or of one core workflow.
type Run struct {
	Stage    Stage     `json:"stage"`
	Test     TestKind  `json:"test,omitempty"`     // exactly one of the two
	Workflow string    `json:"workflow,omitempty"` // is set
	Artefact string    `json:"artefact_sha256"`
	At       time.Time `json:"at"` // it ended
	Result   Outcome   `json:"result"`
	Ref      string    `json:"ref,omitempty"`
}

// Rollback is the way back.
type Rollback struct {
	Runbook  string `json:"runbook,omitempty"`         // the procedure
	Artefact string `json:"artefact_sha256,omitempty"` // what it goes back to
}

// Approval is the consent of a person to one artefact. It counts only if all else
// was there when it was given.
type Approval struct {
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Artefact string    `json:"artefact_sha256"`
}

// Decision is the answer of a gate, with the reason for each requirement.
type Decision struct {
	Update       string        `json:"update"`
	To           Stage         `json:"to"`
	Artefact     string        `json:"artefact_sha256"`
	Open         bool          `json:"open"` // all requirements are met
	Requirements []Requirement `json:"requirements"`
}

// Requirement is one thing that is asked of an update.
type Requirement struct {
	Kind  RequirementKind `json:"kind"`
	Stage Stage           `json:"stage,omitzero"` // of tests and workflows
	Name  string          `json:"name,omitempty"` // of the test or workflow
	Met   bool            `json:"met"`
	Why   string          `json:"why"`
	Run   *Run            `json:"run,omitempty"` // the evidence, good or bad
}

// RequirementKind says what is asked for.
type RequirementKind string

// The kinds of requirement.
const (
	NeedsTest     RequirementKind = "test"
	NeedsWorkflow RequirementKind = "workflow"
	NeedsRollback RequirementKind = "rollback"
	NeedsApproval RequirementKind = "approval"
)

// Missing returns the requirements that are not met, in their order.
func (d Decision) Missing() []Requirement {
	return slices.DeleteFunc(slices.Clone(d.Requirements), func(r Requirement) bool { return r.Met })
}

// Validate returns all that is wrong with the gate, joined, each of type
// [*RecordError].
func (g Gate) Validate() error {
	p := newProblems()
	g.check(p)
	return p.err()
}

// Validate returns all that is wrong with the update and its evidence, joined, each of
// type [*RecordError]. Whether it may go on is said by [Gate.Judge].
func (u Update) Validate() error {
	p := newProblems()
	u.check(p)
	return p.err()
}

// Judge decides whether an update may enter a stage, by what is known at an
// instant. All tests of the stages before have to be green on the artefact; for
// production, all core workflows in acceptance too, with a way back and an approval.
// Of several runs the latest counts, of those of one instant a failed one.
// Requirements are by stage, tests before workflows, in the order of the gate.
//
// The error joins [*RecordError] for gates, updates and stages that cannot be used.
func (g Gate) Judge(u Update, to Stage, at time.Time) (Decision, error) {
	p := newProblems()
	g.check(p.at("gate"))
	u.check(p.at("update"))
	if to <= Development || to > Production {
		p.add("to", to.String(), "testing, acceptance or production")
	}
	if err := p.err(); err != nil {
		return Decision{}, err
	}
	d := Decision{Update: u.ID, To: to, Artefact: u.Artefact, Requirements: g.requirements(u, to, at)}
	if to == Production {
		d.Requirements = append(d.Requirements, g.approval(u, at))
	}
	d.Open = len(d.Missing()) == 0
	return d, nil
}

// requirements are all but the approval.
func (g Gate) requirements(u Update, to Stage, at time.Time) (out []Requirement) {
	tests := g.Tests
	if tests == nil {
		tests = DefaultTests()
	}
	for stage := Development; stage < to; stage++ {
		for _, test := range tests[stage] {
			out = append(out, u.evidence(Requirement{Kind: NeedsTest, Stage: stage, Name: string(test)}, at))
		}
	}
	if to < Production {
		return out
	}
	for _, w := range g.Workflows {
		out = append(out, u.evidence(Requirement{Kind: NeedsWorkflow, Stage: Acceptance, Name: w}, at))
	}
	return append(out, u.wayBack())
}

// evidence answers a requirement by the latest run that is known at an instant.
func (u Update) evidence(r Requirement, at time.Time) Requirement {
	var void *Run // the latest green one on another artefact
	for i := range u.Runs {
		run := &u.Runs[i]
		if run.At.After(at) || run.Stage != r.Stage || run.name(r.Kind) != r.Name {
			continue
		}
		switch {
		case run.Artefact == u.Artefact:
			if r.Run == nil || run.later(r.Run) {
				r.Run = run
			}
		case run.Result == Passed && (void == nil || run.later(void)):
			void = run
		}
	}
	switch {
	case r.Run == nil && void == nil:
		r.Why = fmt.Sprintf("no run in %s", r.Stage)
	case r.Run == nil:
		r.Run = void
		r.Why = fmt.Sprintf("green on %s for artefact %s, which is another one", minute(void.At), short(void.Artefact))
	case r.Run.Result == Failed:
		r.Why = "failed on " + minute(r.Run.At)
	default:
		r.Met, r.Why = true, "green on "+minute(r.Run.At)
	}
	if r.Run != nil {
		run := *r.Run
		r.Run = &run
	}
	return r
}

// name returns what the run is evidence of, "" if it is of another kind.
func (r *Run) name(kind RequirementKind) string {
	if kind == NeedsWorkflow {
		return r.Workflow
	}
	return string(r.Test)
}

// later reports whether r counts rather than o.
func (r *Run) later(o *Run) bool {
	if c := r.At.Compare(o.At); c != 0 {
		return c > 0
	}
	if r.Result != o.Result {
		return r.Result == Failed
	}
	return r.Artefact+r.Ref < o.Artefact+o.Ref // any order, but always the same one
}

func (u Update) wayBack() Requirement {
	r := Requirement{Kind: NeedsRollback}
	switch {
	case u.Rollback.Runbook == "":
		r.Why = "no runbook"
	case u.Rollback.Artefact == "":
		r.Why = "no artefact to go back to"
	case u.Rollback.Artefact == u.Artefact:
		r.Why = "goes back to the artefact itself"
	default:
		r.Met, r.Why = true, fmt.Sprintf("%s goes back to artefact %s", u.Rollback.Runbook, short(u.Rollback.Artefact))
	}
	return r
}

// approval looks for one that counts; the latest that does not says why.
func (g Gate) approval(u Update, at time.Time) Requirement {
	approvals := slices.Clone(u.Approvals)
	slices.SortFunc(approvals, func(a, b Approval) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.By, b.By), strings.Compare(a.Artefact, b.Artefact))
	})
	r := Requirement{Kind: NeedsApproval, Why: "nobody approved"}
	for _, a := range approvals {
		if a.At.After(at) {
			break
		}
		missing := Decision{Requirements: g.requirements(u, Production, a.At)}.Missing()
		by := fmt.Sprintf("%s approved on %s", a.By, minute(a.At))
		switch {
		case a.Artefact != u.Artefact:
			r.Why = fmt.Sprintf("%s artefact %s, which is another one", by, short(a.Artefact))
		case a.By == u.Author:
			r.Why = by + ", who is the author"
		case len(g.Approvers) > 0 && !slices.Contains(g.Approvers, a.By):
			r.Why = by + ", who is no approver"
		case len(missing) > 0:
			r.Why = fmt.Sprintf("%s, when %s was missing", by, missing[0].what())
		default:
			r.Met, r.Why = true, by
			return r
		}
	}
	return r
}

// what names the requirement for a sentence.
func (r Requirement) what() string {
	if r.Name == "" {
		return "the " + string(r.Kind)
	}
	return fmt.Sprintf("the %s %s in %s", r.Kind, r.Name, r.Stage)
}

// String returns the requirement and the reason, such as "workflow checkout in
// acceptance: no run in acceptance".
func (r Requirement) String() string { return r.what()[len("the "):] + ": " + r.Why }

func short(hash string) string { return hash[:min(len(hash), 12)] }

func (g Gate) check(p problems) {
	p.required("service", g.Service, "a service")
	if len(g.Workflows) == 0 {
		p.add("core_workflows", "", "at least one workflow")
	}
	for i, w := range g.Workflows {
		p.required(fmt.Sprintf("core_workflows[%d]", i), w, "the name of a workflow")
		if slices.Contains(g.Workflows[:i], w) {
			p.add(fmt.Sprintf("core_workflows[%d]", i), w, "each workflow once")
		}
	}
	for _, stage := range slices.Sorted(maps.Keys(g.Tests)) {
		if stage < Development || stage >= Production {
			p.add("tests", stage.String(), "development, testing or acceptance")
		}
		for i, test := range g.Tests[stage] {
			p.required(fmt.Sprintf("tests.%s[%d]", stage, i), string(test), `a kind of test like "unit"`)
		}
	}
}

func (u Update) check(p problems) {
	p.required("id", u.ID, "an id")
	p.required("author", u.Author, "who made it")
	artefact(u.Artefact, p)
	for i, r := range u.Runs {
		run := p.at("runs[%d]", i)
		if !r.Stage.IsSet() {
			run.add("stage", r.Stage.String(), wantStage)
		}
		if (r.Test == "") == (r.Workflow == "") {
			run.add("test", string(r.Test), "either a test or a workflow")
		}
		if r.Result != Passed && r.Result != Failed {
			run.add("result", string(r.Result), "passed or failed")
		}
		artefact(r.Artefact, run)
		given(r.At, run)
	}
	p.at("rollback").hash("artefact_sha256", u.Rollback.Artefact)
	for i, a := range u.Approvals {
		approval := p.at("approvals[%d]", i)
		approval.required("by", a.By, "who approved")
		artefact(a.Artefact, approval)
		given(a.At, approval)
	}
}

// artefact reports a hash that is missing or none.
func artefact(hash string, p problems) {
	p.required("artefact_sha256", hash, "a SHA-256 as 64 lower-case hexadecimal digits")
	p.hash("artefact_sha256", hash)
}

func given(t time.Time, p problems) {
	if t.IsZero() {
		p.add("at", "", "an instant")
	}
}
