package continuity

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// RestoreKind says where a restore went.
type RestoreKind string

// The kinds of restore. Only the first two bring back the whole service.
const (
	InPlace RestoreKind = "in_place" // over what was lost
	Side    RestoreKind = "side"     // beside it
	Partial RestoreKind = "partial"  // a part of the data
)

// Outcome is how a check went. The zero value means that there was none, or not
// yet.
type Outcome string

// The outcomes.
const (
	Passed Outcome = "passed"
	Failed Outcome = "failed"
)

// Restore is the evidence of one restore from backup, be it a test or not. It is
// evidence of a recovery when the data was checked and the check passed; the
// record of a failed one counts as much.
type Restore struct {
	Service string      `json:"service"`
	Backup  string      `json:"backup_id"`
	Kind    RestoreKind `json:"kind"`

	Source   time.Time `json:"source_at,omitzero"`        // the backup was taken
	FailedAt time.Time `json:"failed_at,omitzero"`        // the service failed, in a test by assumption
	Lost     time.Time `json:"declared_lost_at,omitzero"` // somebody decided to restore it
	Started  time.Time `json:"started"`
	Restored time.Time `json:"restored,omitzero"` // the data was back
	// Verified is when the result was known, good or bad.
	Verified time.Time `json:"verified,omitzero"`
	// Newest is the instant of the newest data that came back.
	Newest time.Time `json:"newest,omitzero"`

	By      string  `json:"by,omitempty"`     // who verified
	Method  string  `json:"method,omitempty"` // and how
	Check   Outcome `json:"data_check,omitempty"`
	Failure string  `json:"failure,omitempty"` // why it failed; empty if it did not

	// Artefact is the SHA-256 of the backup that was restored, in lower-case hex.
	Artefact string `json:"artefact_sha256,omitempty"`

	// RTOTarget and RPOTarget are the recovery time and the loss of data that were
	// agreed. Both are required, and missed when they are reached: less is wanted.
	RTOTarget time.Duration `json:"rto_target_ns"`
	RPOTarget time.Duration `json:"rpo_target_ns"`
}

// Outcome returns Passed for a restore whose data was checked and right, Failed for
// one that went wrong, and no outcome for one that nobody verified.
func (e Restore) Outcome() Outcome {
	switch {
	case e.Failure != "" || e.Check == Failed:
		return Failed
	case e.Check == Passed && !e.Verified.IsZero():
		return Passed
	}
	return ""
}

// Window is a measured figure against the agreed one.
type Window struct {
	Measured *time.Duration   `json:"measured_ns"` // nil if it cannot be told
	Agreed   time.Duration    `json:"agreed_ns"`
	Verdict  incident.Verdict `json:"verdict"` // met only if less than agreed
}

// RTO returns the time from the declaration of the loss to the verified recovery.
func (e Restore) RTO() Window { return window(e.Lost, e.Verified, e.RTOTarget) }

// RPO returns the time from the newest data that came back to the failure.
func (e Restore) RPO() Window { return window(e.Newest, e.FailedAt, e.RPOTarget) }

func window(from, to time.Time, agreed time.Duration) Window {
	w := Window{Agreed: agreed}
	if from.IsZero() || to.IsZero() {
		return w
	}
	d := to.Sub(from)
	w.Measured, w.Verdict = &d, incident.Missed
	if d < agreed {
		w.Verdict = incident.Met
	}
	return w
}

// ended is the last instant of the record: from then on it is known.
func (e Restore) ended() time.Time {
	last := e.Started
	for _, t := range []time.Time{e.Restored, e.Verified} {
		if t.After(last) {
			last = t
		}
	}
	return last
}

func (e Restore) whole() bool { return e.Kind != Partial }

func (e Restore) moments() []moment {
	return []moment{
		{"source_at", e.Source},
		{"newest", e.Newest},
		{"failed_at", e.FailedAt},
		{"declared_lost_at", e.Lost},
		{"started", e.Started},
		{"restored", e.Restored},
		{"verified", e.Verified},
	}
}

// check reports what is wrong with a record that is made at an instant.
func (e Restore) check(at time.Time, p problems) {
	p.required("backup_id", e.Backup, "the id of the backup")
	switch e.Kind {
	case InPlace, Side, Partial:
	default:
		p.add("kind", string(e.Kind), "in_place, side or partial")
	}
	if e.Started.IsZero() {
		p.add("started", "", "an instant")
	}
	p.past(at, e.moments()...)
	p.inOrder(moment{"source_at", e.Source}, moment{"started", e.Started}, moment{"restored", e.Restored}, moment{"verified", e.Verified})
	p.inOrder(moment{"newest", e.Newest}, moment{"failed_at", e.FailedAt}, moment{"declared_lost_at", e.Lost}, moment{"verified", e.Verified})
	checkOutcome("data_check", e.Check, p)
	switch {
	case e.Check == Passed && e.Failure != "":
		p.add("failure", e.Failure, "none where the data check passed")
	case e.Check == Passed && e.Restored.IsZero():
		p.add("restored", "", "an instant, where the data check passed")
	}
	if e.Check != "" {
		if e.Verified.IsZero() {
			p.add("verified", "", "an instant, where there was a data check")
		}
		p.required("by", e.By, "who verified")
		p.required("method", e.Method, "how the data was checked")
	}
	if !e.Verified.IsZero() && e.Check == "" && e.Failure == "" {
		p.add("data_check", "", "passed or failed, where the result is known")
	}
	p.hash("artefact_sha256", e.Artefact)
	for _, target := range []struct {
		key string
		d   time.Duration
	}{{"rto_target_ns", e.RTOTarget}, {"rpo_target_ns", e.RPOTarget}} {
		if target.d <= 0 {
			p.add(target.key, target.d.String(), "what was agreed, more than 0")
		}
	}
}

func checkOutcome(key string, o Outcome, p problems) {
	switch o {
	case "", Passed, Failed:
	default:
		p.add(key, string(o), "passed or failed")
	}
}

// canonical returns e with instants as they are kept.
func (e Restore) canonical() Restore {
	for _, t := range []*time.Time{&e.Source, &e.FailedAt, &e.Lost, &e.Started, &e.Restored, &e.Verified, &e.Newest} {
		*t = t.Round(0).UTC()
	}
	return e
}

// compareRestores orders records by the instant from which they are known, then by
// all the rest, so that the order is always the same one.
func compareRestores(a, b Restore) int {
	return cmp.Or(
		a.ended().Compare(b.ended()), a.Started.Compare(b.Started),
		strings.Compare(string(a.Outcome()), string(b.Outcome())), // a known one is later than an open one
		strings.Compare(a.Backup, b.Backup), strings.Compare(string(a.Kind), string(b.Kind)),
		strings.Compare(a.Artefact, b.Artefact), strings.Compare(a.Failure, b.Failure),
		cmp.Compare(a.RTOTarget, b.RTOTarget), cmp.Compare(a.RPOTarget, b.RPOTarget),
		a.Lost.Compare(b.Lost), a.FailedAt.Compare(b.FailedAt), a.Newest.Compare(b.Newest),
		a.Restored.Compare(b.Restored), a.Verified.Compare(b.Verified), a.Source.Compare(b.Source),
		strings.Compare(a.By, b.By), strings.Compare(a.Method, b.Method), strings.Compare(string(a.Check), string(b.Check)),
	)
}

// lastProof returns the latest restore that proves a recovery, the whole one if
// there is any.
func lastProof(known []Restore) (proof Restore, ok bool) {
	for _, e := range known {
		if e.Outcome() == Passed && (e.whole() || !ok || !proof.whole()) {
			proof, ok = e, true
		}
	}
	return proof, ok
}

// restoreFindings judges the restores of one service that are known at an instant,
// in their order.
func (p Policy) restoreFindings(service string, known []Restore, at time.Time) (out []Finding) {
	find := func(code Code, subject string, since time.Time, said ...Clause) {
		out = append(out, Finding{Code: code, Service: service, Subject: subject, Since: since}.saying(said...))
	}
	if len(known) == 0 {
		find(RestoreNeverTested, "", time.Time{}, clause("restore_never_tested"))
		return out
	}
	if n, first, last := unmended(known); n > 0 {
		said := append([]Clause{clause("restore_failed", last.Backup, last.ended())}, inARow(n)...)
		if last.Failure != "" {
			said = append(said, clause("because", last.Failure))
		}
		find(RestoreFailed, last.Backup, first.ended(), said...)
	}
	if latest := known[len(known)-1]; latest.Outcome() == "" {
		find(RestoreUnverified, latest.Backup, latest.ended(), clause("restore_unverified", latest.Backup, latest.Started))
	}
	if proof, ok := lastProof(known); ok {
		out = append(out, p.proofFindings(proof, known, at)...)
	}
	return append(out, p.rateFinding(service, known, at)...)
}

// proofFindings judges the restore on which a service relies.
func (p Policy) proofFindings(proof Restore, known []Restore, at time.Time) (out []Finding) {
	find := func(code Code, since time.Time, form string, args ...any) {
		said := clause(form, append([]any{proof.Backup}, args...)...)
		out = append(out, Finding{Code: code, Service: proof.Service, Subject: proof.Backup, Since: since}.saying(said))
	}
	switch lapse := proof.Verified.Add(p.RestoreEvery); {
	case !proof.whole():
		first := known[slices.IndexFunc(known, func(e Restore) bool { return e.Outcome() == Passed })]
		find(RestorePartialOnly, first.Verified, "restore_partial_only", proof.Verified)
	case !at.Before(lapse):
		find(RestoreOverdue, lapse, "restore_overdue", proof.Verified, at.Sub(proof.Verified), p.RestoreEvery)
	}
	for _, w := range []struct {
		form string
		Window
	}{{"rto", proof.RTO()}, {"rpo", proof.RPO()}} {
		switch w.Verdict {
		case incident.Missed:
			find(WindowMissed, proof.Verified, w.form+"_missed", *w.Measured, w.Agreed)
		case incident.Undecided:
			find(WindowUnknown, proof.Verified, w.form+"_unknown", w.Agreed)
		case incident.Met:
		}
	}
	if proof.Artefact == "" {
		find(ArtefactMissing, proof.Verified, "artefact_missing", proof.Verified)
	}
	return out
}

// rateFinding judges the share of restores that passed, of those that ended in the
// stretch before the instant. It sweeps over the instants at which one enters or
// leaves that stretch, to know since when the share has been too low.
func (p Policy) rateFinding(service string, known []Restore, at time.Time) []Finding {
	type step struct {
		at       time.Time
		hits, of int
	}
	var steps []step
	for _, e := range known {
		hit := 0
		switch e.Outcome() {
		case Passed:
			hit = 1
		case Failed:
		default:
			continue
		}
		steps = append(steps, step{e.ended(), hit, 1})
		if gone := e.ended().Add(p.RateOver); !gone.After(at) {
			steps = append(steps, step{gone, -hit, -1})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	var share incident.Share
	var since time.Time
	low := false
	for i, s := range steps {
		share.Hits, share.Of = share.Hits+s.hits, share.Of+s.of
		if i+1 < len(steps) && steps[i+1].at.Equal(s.at) {
			continue
		}
		missed := share.Judge(p.SuccessRate) == incident.Missed
		if missed && !low {
			since = s.at
		}
		low = missed
	}
	if !low {
		return nil
	}
	f := Finding{Code: SuccessRateLow, Service: service, Since: since}
	return []Finding{f.saying(clause("success_rate_low", share.Hits, share.Of, p.RateOver, p.SuccessRate))}
}

// unmended returns the restores that failed since one passed that shows the same: a
// whole one mends all, a part only parts.
func unmended(known []Restore) (n int, first, last Restore) {
	parts := false
	for _, e := range slices.Backward(known) {
		switch o := e.Outcome(); {
		case o == Passed && e.whole():
			return n, first, last
		case o == Passed:
			parts = true
		case o == Failed && (e.whole() || !parts):
			if n++; n == 1 {
				last = e
			}
			first = e
		}
	}
	return n, first, last
}

// inARow says how many failed, if it was more than one.
func inARow(n int) []Clause {
	if n < 2 {
		return nil
	}
	return []Clause{clause("in_a_row", n)}
}
