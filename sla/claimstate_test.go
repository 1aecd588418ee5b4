package sla_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/money"
)

var (
	claimStart  = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	claimBefore = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	claimLevels = sla.ReviewLevels{
		{From: euro(100), By: "team lead"}, {From: euro(5_000), By: "service manager"}, {From: euro(20_000), By: "director"},
	}
	claimStatement = sla.Digest{1}
)

// claimDay is the n-th day after the start of a claim.
func claimDay(n int) time.Time { return claimStart.AddDate(0, 0, n) }

func TestClaim(t *testing.T) {
	detected := sla.ClaimEvent{At: claimDay(0), To: sla.ClaimDetected}
	estimated := func(n int64) sla.ClaimEvent {
		return sla.ClaimEvent{At: claimDay(1), To: sla.ClaimEstimated, Amount: euro(n), Statement: claimStatement}
	}
	review := sla.ClaimEvent{At: claimDay(2), To: sla.ClaimInReview, By: "acme"}
	approved := func(level string) sla.ClaimEvent {
		return sla.ClaimEvent{At: claimDay(3), To: sla.ClaimApproved, By: "anna", Level: level}
	}
	rejected := sla.ClaimEvent{At: claimDay(3), To: sla.ClaimRejected, By: "anna", Note: "excluded by 4.2"}
	issued := sla.ClaimEvent{At: claimDay(4), To: sla.ClaimIssued}
	expired := sla.ClaimEvent{At: claimBefore, To: sla.ClaimExpired}
	running := sla.ClaimEvent{At: claimDay(0), To: sla.ClaimEstimated, Amount: euro(10)}
	at := func(e sla.ClaimEvent, at time.Time) sla.ClaimEvent { e.At = at; return e }
	anonymous := approved("director")
	anonymous.By = ""
	silent := rejected
	silent.Note = ""
	dollars := estimated(1)
	dollars.Amount = money.Must(money.Parse("1.00 USD"))
	minus := estimated(-1)

	for _, c := range []struct {
		name   string
		events []sla.ClaimEvent
		state  sla.ClaimState
		want   string // of the error for the last event; "" for none
		is     error
	}{
		{"approved by the level", []sla.ClaimEvent{detected, estimated(5_000), review, approved("service manager"), issued}, sla.ClaimIssued, "", nil},
		{"approved by a higher level", []sla.ClaimEvent{detected, estimated(4_999), review, approved("director"), issued}, sla.ClaimIssued, "", nil},
		{"too little for any level", []sla.ClaimEvent{detected, estimated(99), review, approved("")}, sla.ClaimApproved, "", nil},
		{"rejected", []sla.ClaimEvent{detected, estimated(5_000), review, rejected}, sla.ClaimRejected, "", nil},
		{"expired without an estimate", []sla.ClaimEvent{detected, expired}, sla.ClaimExpired, "", nil},
		{"expired with an estimate", []sla.ClaimEvent{detected, estimated(1), expired}, sla.ClaimExpired, "", nil},
		{"estimated again", []sla.ClaimEvent{detected, running, estimated(5_000), review, at(estimated(99), claimDay(2)), at(review, claimDay(2)), approved("")}, sla.ClaimApproved, "", nil},
		{"claimed in the last instant", []sla.ClaimEvent{detected, estimated(1), at(review, claimBefore.Add(-1))}, sla.ClaimInReview, "", nil},
		{"approved after the window", []sla.ClaimEvent{detected, estimated(1), review, at(approved(""), claimBefore)}, sla.ClaimApproved, "", nil},

		{
			"above the level",
			[]sla.ClaimEvent{detected, estimated(5_000), review, approved("team lead")},
			sla.ClaimInReview,
			`want "service manager" or above for 5000.00 EUR, not "team lead"`, sla.ErrReviewLevel,
		},
		{"no level", []sla.ClaimEvent{detected, estimated(100), review, approved("")}, sla.ClaimInReview, `want "team lead" or above`, sla.ErrReviewLevel},
		{"an unknown level", []sla.ClaimEvent{detected, estimated(1), review, approved("king")}, sla.ClaimInReview, `not "king"`, sla.ErrReviewLevel},
		{"claimed too late", []sla.ClaimEvent{detected, estimated(1), at(review, claimBefore)}, sla.ClaimEstimated, "want an instant before 2026-12-01T00:00:00Z", sla.ErrClaimWindow},
		{"expired too early", []sla.ClaimEvent{detected, at(expired, claimBefore.Add(-1))}, sla.ClaimDetected, "want an instant from 2026-12-01T00:00:00Z on", sla.ErrClaimWindow},
		{"claimed, so it does not expire", []sla.ClaimEvent{detected, estimated(1), review, expired}, sla.ClaimInReview, "want estimated or approved or rejected", nil},
		{"not detected", []sla.ClaimEvent{estimated(1)}, "", "(none to estimated at 2026-11-02T00:00:00Z): want detected", nil},
		{"not estimated", []sla.ClaimEvent{detected, review}, sla.ClaimDetected, "want estimated or expired", nil},
		{"not reviewed", []sla.ClaimEvent{detected, estimated(1), approved("")}, sla.ClaimEstimated, "want estimated or in_review or expired", nil},
		{"issued unapproved", []sla.ClaimEvent{detected, estimated(1), review, issued}, sla.ClaimInReview, "want estimated or approved or rejected", nil},
		{"issued twice", []sla.ClaimEvent{detected, estimated(1), review, approved(""), issued, issued}, sla.ClaimIssued, "want nothing to follow", nil},
		{"changed after the approval", []sla.ClaimEvent{detected, estimated(1), review, approved(""), at(estimated(2), claimDay(3))}, sla.ClaimApproved, "want issued", nil},
		{"nothing to claim", []sla.ClaimEvent{detected, estimated(0), review}, sla.ClaimEstimated, "want an estimate above 0", nil},
		{"approved without a statement", []sla.ClaimEvent{detected, running, review, approved("")}, sla.ClaimInReview, "want an amount from a statement", nil},
		{"approved by nobody", []sla.ClaimEvent{detected, estimated(1), review, anonymous}, sla.ClaimInReview, "want who approves it", nil},
		{"rejected without a reason", []sla.ClaimEvent{detected, estimated(1), review, silent}, sla.ClaimInReview, "want who rejects it, and why", nil},
		{"back in time", []sla.ClaimEvent{detected, at(estimated(1), claimStart.Add(-1))}, sla.ClaimDetected, "want an instant not before the last event", nil},
		{"at no time", []sla.ClaimEvent{{To: sla.ClaimDetected}}, "", "want an instant", nil},
		{"a negative amount", []sla.ClaimEvent{detected, minus}, sla.ClaimDetected, "want an amount of 0 or more", nil},
		{"another currency", []sla.ClaimEvent{detected, dollars}, sla.ClaimDetected, "in the currency of the review levels", money.ErrCurrency},
	} {
		claim := sla.Claim{Key: "k", ClaimBefore: claimBefore, Levels: claimLevels}
		for i, e := range c.events {
			before := claim
			before.History = slices.Clone(claim.History)
			err := claim.Apply(e)
			if c.want == "" || i < len(c.events)-1 {
				noError(t, err)
				continue
			}
			var refused *sla.ClaimError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%s: Apply = %v, want %q", c.name, err, c.want)
				continue
			}
			if refused.Index != i || refused.From != before.State || !reflect.DeepEqual(claim, before) {
				t.Errorf("%s: the refused event %d changed the claim: %+v", c.name, i, claim)
			}
		}
		equalText(t, c.name, claim.State, c.state)
	}
}

func TestClaimIsWhatWasApplied(t *testing.T) {
	claim := sla.Claim{Key: "k", ClaimBefore: claimBefore, Levels: claimLevels}
	for _, e := range []sla.ClaimEvent{
		{At: claimDay(0), To: sla.ClaimDetected, Note: "checkout is down"},
		{At: claimDay(1), To: sla.ClaimEstimated, Amount: euro(7_500), Statement: claimStatement},
		{At: claimDay(2), To: sla.ClaimInReview, By: "acme"},
		{At: claimDay(3), To: sla.ClaimApproved, By: "anna", Level: "service manager"},
		{At: claimDay(4), To: sla.ClaimIssued, By: "billing"},
	} {
		noError(t, claim.Apply(e))
	}
	equalText(t, "claim", []any{claim.State, claim.Amount, claim.Statement, claim.Approver, len(claim.History)}, []any{"issued", "7500.00 EUR", claimStatement, "anna", 5})

	data, err := json.Marshal(claim)
	noError(t, err)
	var back sla.Claim
	noError(t, json.Unmarshal(data, &back))
	if !reflect.DeepEqual(claim, back) {
		t.Errorf("claim changes on the way through JSON:\n%+v\n%+v", claim, back)
	}
	replayed := sla.Claim{Key: back.Key, ClaimBefore: back.ClaimBefore, Levels: back.Levels}
	for _, e := range back.History {
		noError(t, replayed.Apply(e))
	}
	if !reflect.DeepEqual(claim, replayed) {
		t.Errorf("replay gives another claim:\n%+v\n%+v", claim, replayed)
	}
	// A copy and its original do not share their histories.
	copied := back
	copied.State, copied.History = sla.ClaimApproved, back.History[:4]
	noError(t, copied.Apply(sla.ClaimEvent{At: claimDay(9), To: sla.ClaimIssued}))
	equalText(t, "the original's last event", back.History[4].At, claimDay(4))
}

func TestStatementClaim(t *testing.T) {
	a, e := acme(t)
	contract := a.Contract()
	contract.Claim = sla.ClaimRule{Kind: sla.DaysAfterPeriodEnd, Days: 30}
	s, err := sla.Evaluate(contract, month(t, a, "2026-10"), e)
	noError(t, err)
	claim := s.Claim(claimLevels)
	noError(t, claim.Apply(sla.ClaimEvent{At: claimDay(0), To: sla.ClaimDetected}))
	estimate, err := s.Estimate(claimDay(1))
	noError(t, err)
	noError(t, claim.Apply(estimate))
	equalText(t, "claim", []any{claim.Key, claim.Amount, claim.Statement}, []any{s.Key(""), "22000.00 EUR", digest(t, s)})
	// The 30th day after 31 October is 30 November; midnight in Amsterdam is 23:00.
	equalText(t, "window", claim.ClaimBefore, time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC))
	level, ok, err := claim.Levels.For(claim.Amount)
	equalText(t, "level", []any{level.By, ok, err}, "[director true <nil>]")
}

func TestReviewLevels(t *testing.T) {
	for _, c := range []struct {
		name   string
		levels sla.ReviewLevels
		want   string
	}{
		{"rising", claimLevels, ""},
		{"none", nil, ""},
		{"from nothing", sla.ReviewLevels{{From: euro(0), By: "a"}}, ""},
		{"falling", sla.ReviewLevels{{From: euro(2), By: "a"}, {From: euro(1), By: "b"}}, `review level 1 from "1.00 EUR": want more than "2.00 EUR"`},
		{"equal", sla.ReviewLevels{{From: euro(1), By: "a"}, {From: euro(1), By: "b"}}, "review level 1"},
		{"two currencies", sla.ReviewLevels{{From: euro(1), By: "a"}, {From: money.Must(money.Parse("5 JPY")), By: "b"}}, "currencies"},
		{"no amount", sla.ReviewLevels{{By: "a"}}, `review level 0 from "": want an amount`},
		{"a negative amount", sla.ReviewLevels{{From: euro(-1), By: "a"}}, "want an amount of 0 or more"},
		{"no name", sla.ReviewLevels{{From: euro(1)}}, "want a name"},
		{"one name", sla.ReviewLevels{{From: euro(1), By: "a"}, {From: euro(2), By: "a"}}, "review level 1"},
	} {
		err := c.levels.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Validate = %v, want %q", c.name, err, c.want)
		}
		claim := sla.Claim{Levels: c.levels}
		if err := claim.Apply(sla.ClaimEvent{At: claimDay(0), To: sla.ClaimDetected}); (err == nil) != (c.want == "") {
			t.Errorf("%s: a claim is detected with %v", c.name, err)
		}
	}
	if _, _, err := claimLevels.For(money.Must(money.Parse("5 JPY"))); !errors.Is(err, money.ErrCurrency) {
		t.Errorf("For of another currency = %v", err)
	}
}

// Whatever is thrown at a claim, nothing is issued that was not approved by a
// level that may.
func TestClaimLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	states := []sla.ClaimState{
		sla.ClaimDetected, sla.ClaimEstimated, sla.ClaimInReview, sla.ClaimApproved, sla.ClaimRejected, sla.ClaimIssued, sla.ClaimExpired, "nonsense",
	}
	issued := 0
	for range 3000 {
		claim := sla.Claim{ClaimBefore: claimBefore, Levels: claimLevels}
		at := claimStart
		for range 20 {
			at = at.Add(time.Duration(r.IntN(100)) * time.Hour)
			e := sla.ClaimEvent{At: at, To: states[r.IntN(len(states))], By: "x", Note: "y", Amount: euro(r.Int64N(30_000)), Statement: claimStatement}
			e.Level = []string{"", "team lead", "service manager", "director"}[r.IntN(4)]
			_ = claim.Apply(e) // refused or not
		}
		if claim.State != sla.ClaimIssued {
			continue
		}
		issued++
		approval := claim.History[len(claim.History)-2]
		need := map[string]int64{"": 100, "team lead": 5_000, "service manager": 20_000, "director": 1 << 40}[approval.Level]
		if approval.To != sla.ClaimApproved || claim.Amount.Minor() >= need*100 {
			t.Fatalf("issued %s after %+v", claim.Amount, approval)
		}
	}
	if issued < 50 {
		t.Errorf("only %d of 3000 claims were issued", issued)
	}
}
