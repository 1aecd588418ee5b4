package sla

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/evenkeelops/evenkeel/sla/money"
)

// Revision is a statement as it was issued. An issued statement never changes:
// what has to be corrected is a new revision, with the difference that is still
// to be credited, or taken back where it is negative.
type Revision struct {
	// Number counts the revisions of a period from 1, which is [Original].
	Number int `json:"number"`

	// Of is the digest of the revision before; zero for the first. So a chain of
	// revisions holds together.
	Of     Digest `json:"of,omitzero"`
	Reason string `json:"reason,omitempty"` // why the one before was wrong

	Statement Statement `json:"statement"`

	// Terms lists the terms whose credit changed, before stacking and the cap of
	// the contract, Clauses the clauses whose share of the payable amount did.
	// The differences of Clauses add up to Difference.
	Terms   []CreditDifference `json:"terms,omitempty"`
	Clauses []CreditDifference `json:"clauses,omitempty"`

	// Difference is Payable less that of the revision before; the whole of it for
	// the first. Liability is the same for the payments for lost data, which stand
	// outside the cap.
	Difference money.Amount `json:"difference"`
	Liability  money.Amount `json:"liability,omitzero"`
}

// ErrOtherPeriod means that two statements are not about the same period.
var ErrOtherPeriod = errors.New("sla: statement of another period")

// ErrUnchanged means that a statement is the one that was issued already.
var ErrUnchanged = errors.New("sla: statement is issued already")

// Original returns the first revision of a period: the statement itself, all of
// which is still to be credited. Errors are those of package money.
func Original(s Statement) (Revision, error) {
	return revision(Revision{Number: 1, Statement: s}, Statement{})
}

// Revise returns the revision that follows a correction: the same contract, by
// its id, and the same period, evaluated anew from better evidence or terms.
// Neither argument is changed. Errors are [ErrOtherContract], [ErrOtherPeriod],
// [ErrUnchanged] for a statement with the same digest, a missing reason, and
// those of package money, such as for another currency.
func Revise(previous Revision, next Statement, reason string) (Revision, error) {
	s := previous.Statement
	switch {
	case previous.Number < 1:
		return Revision{}, fmt.Errorf("sla: revision of number %d: want one from Original or Revise", previous.Number)
	case next.Contract != s.Contract:
		return Revision{}, fmt.Errorf("%w: %q follows %q", ErrOtherContract, next.Contract, s.Contract)
	case !samePeriod(s, next):
		return Revision{}, fmt.Errorf("%w: %q %s follows %q %s", ErrOtherPeriod, next.asked().Label, next.asked().Interval, s.asked().Label, s.asked().Interval)
	case reason == "":
		return Revision{}, fmt.Errorf("sla: revision of %q %q without a reason", s.Contract, s.Period.Label)
	}
	before, err := s.Digest()
	if err != nil {
		return Revision{}, err
	}
	after, err := next.Digest()
	if err != nil {
		return Revision{}, err
	}
	if before == after {
		return Revision{}, fmt.Errorf("%w: revision %d of %q %q", ErrUnchanged, previous.Number, s.Contract, s.Period.Label)
	}
	of, err := previous.Digest()
	if err != nil {
		return Revision{}, err
	}
	return revision(Revision{Number: previous.Number + 1, Of: of, Reason: reason, Statement: next}, s)
}

// Digest returns the SHA-256 hash of the revision's JSON as [json.Marshal] writes
// it.
func (r Revision) Digest() (Digest, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return Digest{}, fmt.Errorf("sla: digest of revision %d of %q: %w", r.Number, r.Statement.Contract, err)
	}
	return sha256.Sum256(data), nil
}

// Key is [Statement.Key] for the difference of a revision: "#2" follows for the
// second revision, and so on.
func (r Revision) Key(term string) string {
	key := r.Statement.Key(term)
	if r.Number > 1 {
		key += fmt.Sprintf("#%d", r.Number)
	}
	return key
}

// samePeriod compares what was asked for; its label may have changed.
func samePeriod(a, b Statement) bool {
	p, q := a.asked(), b.asked()
	return p.Start.Equal(q.Start) && p.End.Equal(q.End)
}

// asked returns the period asked for, of a statement without inputs its own.
func (s Statement) asked() Period {
	if s.Inputs.Period.IsEmpty() {
		return s.Period
	}
	return s.Inputs.Period
}

// revision fills in what has changed; an empty statement has credited nothing.
func revision(r Revision, before Statement) (Revision, error) {
	payable, err := amountDifference(before.Payable, r.Statement.Payable)
	if err != nil {
		return Revision{}, err
	}
	owed, err := before.liability()
	if err != nil {
		return Revision{}, err
	}
	owes, err := r.Statement.liability()
	if err != nil {
		return Revision{}, err
	}
	liability, err := amountDifference(owed, owes)
	if err != nil {
		return Revision{}, err
	}
	r.Difference, r.Liability = payable.Difference, liability.Difference
	r.Terms, r.Clauses, err = creditDifferences(before, r.Statement)
	return r, err
}

// Key names the credit of a term in a statement, "" that of all terms together,
// so that it is issued once however often it is asked for:
//
//	contract@digest/term/start/end/evidence
//
// contract is the id, with the first 12 digits of its digest, start and end are
// those of the period asked for in UTC as RFC 3339, and evidence is its digest
// such as "sha256:…". Ids are escaped as in the query of a URL. The text is
// stable: the same inputs always give the same key, and others another. A contract
// without a digest is named by its id alone.
func (s Statement) Key(term string) string { return s.key(term, "") }

// Key names one line of a statement in the same way, with its ref after the term
// and, where a term has a line for each outage, the start of that outage:
//
//	contract@digest/term/ref/start/end/evidence
//	contract@digest/term/ref@outage/start/end/evidence
func (l Line) Key(of Statement) string {
	ref := url.QueryEscape(l.Ref)
	if !l.Stretch.Start.IsZero() {
		ref += "@" + keyTime(l.Stretch.Start)
	}
	return of.key(l.Term, ref+"/")
}

func (s Statement) key(term, ref string) string {
	contract := url.QueryEscape(s.Contract)
	if d := s.Inputs.Contract; !d.IsZero() {
		contract += "@" + d.String()[len(digestPrefix):len(digestPrefix)+12]
	}
	return contract + "/" + url.QueryEscape(term) + "/" + ref + keyTime(s.asked().Start) + "/" + keyTime(s.asked().End) + "/" + s.Inputs.Evidence.String()
}

func keyTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
