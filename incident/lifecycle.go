package incident

import (
	"fmt"
	"slices"
	"strings"
)

// Status is where an incident stands. The zero value means that nothing has
// been reported yet.
type Status string

// The statuses, in the order of a usual incident.
const (
	Triage       Status = "triage"       // a signal, not declared yet
	Open         Status = "open"         // declared with a severity
	Acknowledged Status = "acknowledged" // somebody took it
	Mitigated    Status = "mitigated"    // impact over, cause still there
	Resolved     Status = "resolved"     // service restored
	InReview     Status = "in_review"    // moderated review of a major incident
	Closed       Status = "closed"       // measure anchored or review waived
	Cancelled    Status = "cancelled"    // false alarm
	Merged       Status = "merged"       // continues in another incident
)

// Ended reports whether no further step leads out of the status: closed,
// cancelled or merged.
func (s Status) Ended() bool { return s == Closed || s == Cancelled || s == Merged }

// Active reports whether the incident is not over: triage, open, acknowledged or
// mitigated. A service that is mitigated is not hurt, but may be again.
func (s Status) Active() bool {
	return s == Triage || s == Open || s == Acknowledged || s == Mitigated
}

// Phase returns the phase that the status belongs to.
func (s Status) Phase() Phase {
	switch s {
	case Triage, Open:
		return PhaseIncident
	case Acknowledged, Mitigated:
		return PhaseRemediation
	case Resolved, InReview:
		return PhasePostMortem
	default:
		return NormalOperations
	}
}

// Phase is one of the four states of the service lifecycle; statuses refine
// them.
type Phase string

// The phases. Every disruption runs through them in this order and ends where
// it began.
const (
	NormalOperations Phase = "NormalOperations"
	PhaseIncident    Phase = "Incident"
	PhaseRemediation Phase = "Remediation"
	PhasePostMortem  Phase = "PostMortem"
)

// urgency orders phases for ServicePhase: what still needs hands comes first.
func (p Phase) urgency() int {
	return slices.Index([]Phase{NormalOperations, PhasePostMortem, PhaseRemediation, PhaseIncident}, p)
}

// ServicePhase returns the phase of a service: that of its incident which is
// least far along, NormalOperations if every one has ended. A merged incident
// counts as ended because the one it was merged into goes on.
func ServicePhase(service string, states []State) Phase {
	phase := NormalOperations
	for _, s := range states {
		if p := s.Status.Phase(); slices.Contains(s.Services, service) && p.urgency() > phase.urgency() {
			phase = p
		}
	}
	return phase
}

// step is one row of the transition table.
type step struct {
	kind Kind
	from []Status
	to   Status
}

var steps = [...]step{
	{Detect, []Status{""}, Triage},
	{Declare, []Status{"", Triage}, Open},
	{Acknowledge, []Status{Open}, Acknowledged},
	{Mitigate, []Status{Acknowledged}, Mitigated},
	{Relapse, []Status{Mitigated}, Acknowledged},
	{Resolve, []Status{Open, Acknowledged, Mitigated}, Resolved},
	{Reopen, []Status{Resolved, InReview}, Acknowledged},
	{OpenReview, []Status{Resolved}, InReview},
	{Close, []Status{Resolved, InReview}, Closed},
	{Cancel, []Status{Triage, Open, Acknowledged, Mitigated}, Cancelled},
	{Merge, []Status{Triage, Open, Acknowledged, Mitigated}, Merged},
}

// stepOf returns the row of a kind; ok is false for kinds that move nothing.
func stepOf(k Kind) (s step, ok bool) {
	i := slices.IndexFunc(steps[:], func(s step) bool { return s.kind == k })
	if i < 0 {
		return step{}, false
	}
	return steps[i], true
}

// TransitionError reports a step that the lifecycle does not allow. For events
// that move nothing, To equals From.
type TransitionError struct {
	Incident string
	Kind     Kind
	From, To Status
	Missing  []string // what would have to be there, at least one item
}

// Error names both statuses and everything that is missing.
func (e *TransitionError) Error() string {
	from := string(e.From)
	if from == "" {
		from = "nothing reported"
	}
	what := fmt.Sprintf("incident %q: %s", e.Incident, e.Kind)
	if e.To != e.From {
		what += fmt.Sprintf(" (%s -> %s)", from, e.To)
	} else {
		what += fmt.Sprintf(" (%s)", from)
	}
	return what + ": missing " + strings.Join(e.Missing, "; ")
}

// MergeError reports a merge that would make an incident its own descendant.
type MergeError struct {
	Child, Parent string
	Path          []string // from Parent along its targets to Child
}

// Error spells the cycle out.
func (e *MergeError) Error() string {
	return fmt.Sprintf("merge %q into %q: a cycle, %s", e.Child, e.Parent, strings.Join(append([]string{e.Child}, e.Path...), " -> "))
}

// CheckMerge returns a [*MergeError] if child may not be merged into parent
// because parent, or what it was merged into, ends at child. mergedInto returns
// the target of a merged incident, and "" for any other.
func CheckMerge(child, parent string, mergedInto func(id string) string) error {
	path := []string{parent}
	for at := parent; at != child; {
		at = mergedInto(at)
		if at == "" || slices.Contains(path, at) {
			return nil
		}
		path = append(path, at)
	}
	return &MergeError{Child: child, Parent: parent, Path: path}
}

// Survivor returns the incident in which id goes on: what it was merged into, what
// that was merged into, and so on. It does not matter in which order the merges were
// recorded. mergedInto is that of [CheckMerge]; in a cycle, which CheckMerge refuses,
// the answer is the last incident before the way repeats.
func Survivor(id string, mergedInto func(id string) string) string {
	for path := []string{id}; ; {
		next := mergedInto(id)
		if next == "" || slices.Contains(path, next) {
			return id
		}
		id = next
		path = append(path, id)
	}
}

// missing returns what keeps e from being accepted as a command, nil if nothing
// does.
func (o Options) missing(f *fold, e Event) []string {
	s := &f.State
	if s.Status == "" && e.Kind != Detect && e.Kind != Declare {
		return []string{"a detection or declaration before it"}
	}
	out := missingDetails(s, e)
	if row, moves := stepOf(e.Kind); moves && !slices.Contains(row.from, s.Status) {
		out = append(out, wantStatus(e.Kind, s.Status, row.from))
	}
	switch e.Kind {
	case Acknowledge:
		if o.LeadRequired && o.review(f) && !slices.ContainsFunc(s.Roles[Lead], named) && (e.Role != Lead || IsRedacted(e.Person)) {
			out = append(out, "a lead who is known by name")
		}
	case OpenReview:
		if !o.review(f) {
			out = append(out, "a severity that asks for a review")
		}
	case WaiveReview:
		if s.Status != Resolved && s.Status != InReview {
			out = append(out, wantStatus(e.Kind, s.Status, []Status{Resolved, InReview}))
		}
	case Close:
		out = append(out, o.missingToClose(f)...)
	case RedactEntry:
		out = append(out, "a call of Redact")
	default:
	}
	return out
}

// missingToClose is the gate at the end: a major incident needs a review with
// an anchored measure, or a waiver with a reason.
func (o Options) missingToClose(f *fold) []string {
	if f.Waiver != nil || !o.review(f) {
		return nil
	}
	var out []string
	if f.Status != InReview {
		out = append(out, "a review with a moderator, or a waiver with a reason")
	}
	anchored := func(m Measure) bool { return m.Anchored() && (m.Done || !o.MeasureDone) }
	if !slices.ContainsFunc(f.Measures, anchored) {
		want := "a measure with owner, due date and reference, or a waiver with a reason"
		if o.MeasureDone {
			want = "a done " + want[len("a "):]
		}
		out = append(out, want)
	}
	return out
}

// missingDetails returns what e has to say and does not.
func missingDetails(s *State, e Event) []string {
	var out []string
	need := func(ok bool, what string) {
		if !ok {
			out = append(out, what)
		}
	}
	switch e.Kind {
	case Declare:
		need(e.Severity.IsSet() || s.Severity.IsSet(), "a severity")
		need(e.Title != "" || s.Title != "", "a title")
	case ChangeSeverity:
		need(e.Severity.IsSet(), "a severity")
		need(!s.Status.Ended(), "an incident that has not ended")
	case Resolve:
		need(e.Text != "", "a resolution text")
	case OpenReview:
		need(named(e.Person) || slices.ContainsFunc(s.Roles[Moderator], named), "a moderator who is known by name")
	case WaiveReview, Cancel, Reopen, Relapse:
		need(e.Text != "", "a reason")
	case Merge:
		need(e.Target != "" && e.Target != s.ID, "the id of another incident")
	case AssignRole:
		need(e.Role.known(), "a known role")
		need(e.Person != "", "a person")
	case ReleaseRole:
		need(slices.Contains(s.Roles[e.Role], e.Person), fmt.Sprintf("%q in the role %q", e.Person, e.Role))
	case SetFlag:
		need(e.Flag != "", "a flag")
	case ClearFlag:
		need(slices.Contains(s.Flags, e.Flag), fmt.Sprintf("the flag %q", e.Flag))
	case AddLink:
		need(e.Relation != "" && e.Target != "", "a relation and a target")
	case RecordMeasure:
		need(e.Measure != nil, "a measure")
	case CorrectTimes:
		need(!e.Started.IsZero() || !e.Detected.IsZero(), "a start or a detection")
	case AssignTeam:
		need(e.Team != "" || e.Centre != "", "a team or a centre")
	case RecordScore:
		need(e.Score > 0, "a score from 1 to 5")
		need(!s.Times.Resolved.IsZero(), "an incident that is resolved")
	case AskApproval:
		need(e.Ref != "", "a reference")
		need(e.Text != "", "what is to be done")
		need(s.approvalOf(e.Ref) < 0, fmt.Sprintf("a reference other than %q, which was asked before", e.Ref))
	case Approve, Refuse:
		need(e.Kind == Approve || e.Text != "", "a reason")
		if want := s.missingToDecide(e); want != "" {
			out = append(out, want)
		}
	case StartWait:
		need(e.Awaiting == "" || e.Awaiting.known(), "customer, vendor, change or problem to wait for")
		need(s.Status.Active(), "an incident that is not resolved")
		need(s.WaitingSince.IsZero(), "an incident that is not waiting")
	case EndWait:
		need(!s.WaitingSince.IsZero(), "an incident that is waiting")
	case Escalate:
		need(e.Level > 0, "a level from 1")
	case PostUpdate:
		need(e.Text != "", "a text")
		need(e.Stage == "" || e.Stage.known(), "investigating, identified or monitoring as stage")
		need(e.NextUpdate.IsZero() || e.NextUpdate.After(e.At), "a next update after this one")
		need(!s.Status.Ended(), "an incident that has not ended")
	case Note:
		need(e.Text != "", "a text")
	case Notify, RecordResult:
		need(e.Ref != "", "a reference")
	default:
	}
	return out
}

func wantStatus(k Kind, now Status, from []Status) string {
	if now == Closed && k == Reopen {
		return "a new incident with a follow_up link to this one"
	}
	names := make([]string, len(from))
	for i, s := range from {
		if names[i] = string(s); s == "" {
			names[i] = "nothing reported"
		}
	}
	return "status " + strings.Join(names, " or ")
}

// Diagram returns the service lifecycle as a Mermaid state diagram of the four
// phases.
func Diagram() string {
	return `stateDiagram-v2
  [*] --> NormalOperations
  NormalOperations --> Incident: disruption detected (SLO/observability)
  Incident --> Remediation: fixed flow, clear roles
  Remediation --> PostMortem: moderated analysis
  PostMortem --> NormalOperations: measure anchored
`
}

// DetailedDiagram returns the lifecycle with all statuses as a Mermaid state
// diagram. It is drawn from the table that [Incident.Apply] obeys.
func DetailedDiagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, row := range steps {
		for _, from := range row.from {
			name := string(from)
			if name == "" {
				name = "[*]"
			}
			fmt.Fprintf(&b, "  %s --> %s: %s\n", name, row.to, row.kind)
		}
	}
	for _, end := range []Status{Closed, Cancelled, Merged} {
		fmt.Fprintf(&b, "  %s --> [*]\n", end)
	}
	return b.String()
}
