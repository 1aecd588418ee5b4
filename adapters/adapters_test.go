package adapters_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

func TestErrorIs(t *testing.T) {
	e := &adapters.Error{Provider: "jira", Op: "open", Kind: adapters.Canceled, Err: fmt.Errorf("post: %w", context.Canceled)}
	err := fmt.Errorf("sync: %w", e)
	for _, target := range []error{adapters.Canceled, context.Canceled, e} {
		if !errors.Is(err, target) {
			t.Errorf("is not %v", target)
		}
	}
	for _, target := range []error{adapters.NotFound, context.DeadlineExceeded, adapters.Kind(0)} {
		if errors.Is(err, target) {
			t.Errorf("is %v", target)
		}
	}
	if adapters.KindOf(err) != adapters.Canceled || adapters.KindOf(errors.New("x")) != 0 || adapters.KindOf(nil) != 0 {
		t.Error("kind differs")
	}
}

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err  *adapters.Error
		want string
	}{
		{
			&adapters.Error{Provider: "jira", Op: "open", Kind: adapters.Invalid, Status: 400, Code: "E1", Message: "bad field", Details: []string{"summary: too long"}},
			"jira open invalid (status 400, code E1): bad field: summary: too long",
		},
		{&adapters.Error{Provider: "pagerduty", Kind: adapters.RateLimited, Status: 429}, "pagerduty rate_limited (status 429)"},
		{&adapters.Error{Op: "read", Kind: adapters.Unavailable, Err: errors.New("no route")}, "read unavailable: no route"},
		{&adapters.Error{Op: "read", Kind: adapters.BadResponse, Code: "x"}, "read bad_response (code x)"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// What may be tried again is the table of kinds: the vendor was away, slow or busy.
func TestRetryable(t *testing.T) {
	retryable := map[adapters.Kind]bool{adapters.Unavailable: true, adapters.Timeout: true, adapters.RateLimited: true, adapters.BreakerOpen: true}
	at := time.Unix(9, 0)
	for k := adapters.Unavailable; k <= adapters.Unsupported; k++ {
		err := error(&adapters.Error{Kind: k, RetryAt: at})
		if adapters.Retryable(err) != retryable[k] {
			t.Errorf("%v is retryable: %v", k, !retryable[k])
		}
		if !adapters.RetryAt(err).Equal(at) {
			t.Errorf("%v loses when", k)
		}
		text, err := k.MarshalText()
		if err != nil || len(text) == 0 {
			t.Errorf("%d has no name: %v", k, err)
		}
		var back adapters.Kind
		if err := back.UnmarshalText(text); err != nil || back != k {
			t.Errorf("%s reads as %v: %v", text, back, err)
		}
	}
	if adapters.Retryable(nil) || adapters.Retryable(errors.New("x")) || !adapters.RetryAt(errors.New("x")).IsZero() {
		t.Error("errors of others are retryable")
	}
	var k adapters.Kind
	if err := k.UnmarshalText([]byte("nonsense")); err == nil {
		t.Error("nonsense is a kind")
	}
}

// The digest was computed by another program: SHA-256 over each text behind its
// length in eight bytes, the round in eight bytes after the incident.
func TestKey(t *testing.T) {
	k := adapters.Key{Tenant: "acme", Incident: "INC-1", Round: 2, Step: "open", Target: "jira"}
	const want = "096dbc966b7a5f7131a29f87e31926870a5cc977db2adc37cd7c3399a105a6ac"
	if got := k.String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	seen := map[string]adapters.Key{}
	for _, k := range []adapters.Key{
		{},
		{Tenant: "a"},
		{Incident: "a"},
		{Step: "a"},
		{Target: "a"},
		{Round: 1},
		{Tenant: "ab", Incident: "c"},
		{Tenant: "a", Incident: "bc"},
		{Step: "ab", Target: "c"},
		{Step: "a", Target: "bc"},
	} {
		if other, ok := seen[k.String()]; ok {
			t.Errorf("%+v and %+v have one key", k, other)
		}
		seen[k.String()] = k
	}
}

func TestNames(t *testing.T) {
	n := adapters.Names[incident.Severity, string]{{incident.P1, "Highest"}, {incident.P4, "Low"}, {incident.P4, "Lowest"}}
	if got, err := n.Theirs(incident.P4); got != "Low" || err != nil {
		t.Errorf("P4 is written %q, %v", got, err)
	}
	if got, err := n.Ours("Lowest"); got != incident.P4 || err != nil {
		t.Errorf("Lowest reads as %v, %v", got, err)
	}
	if _, err := n.Theirs(incident.P2); err == nil {
		t.Error("P2 has a name")
	}
	if _, err := n.Ours("Trivial"); err == nil {
		t.Error("Trivial has a severity")
	}
}

func TestStateRank(t *testing.T) {
	for i, want := range []int{0, 1, 1, 2, 3, 3} {
		s := adapters.States[i]
		if s.Rank() != want || s.Ended() != (want >= 2) {
			t.Errorf("%s has rank %d, ended %v", s, s.Rank(), s.Ended())
		}
	}
	if adapters.State("bogus").Rank() != -1 || adapters.State("").Ended() {
		t.Error("what is no state has a rank or has ended")
	}
}

func TestSecret(t *testing.T) {
	const canary = "hunter2"
	s := adapters.NewSecret(canary)
	holder := struct{ Token adapters.Secret }{s}
	hidden := &struct{ token adapters.Secret }{s}
	text, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "h", holder)
	for _, shown := range []string{
		string(text), fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s), fmt.Sprintf("%+v %#v", holder, holder), log.String(),
		fmt.Sprintf("%v %#v", &holder, &s), fmt.Sprintf("%v %+v %#v", hidden, hidden, hidden),
	} {
		if strings.Contains(shown, canary) || strings.Contains(shown, fmt.Sprintf("%x", canary)) {
			t.Errorf("shown in %q", shown)
		}
	}
	if s.Reveal() != canary || s.IsZero() || !(adapters.Secret{}).IsZero() {
		t.Error("the secret is not kept")
	}
}

func TestMemoryLedger(t *testing.T) {
	ctx := context.Background()
	var m adapters.MemoryLedger
	at := time.Unix(5, 0)
	e, first, err := m.Intend(ctx, "acme", "k", at)
	if err != nil || !first || e.Settled() {
		t.Fatal(e, first, err)
	}
	if e, first, _ = m.Intend(ctx, "acme", "k", at.Add(1)); first || !e.Intended.Equal(at) {
		t.Error("a second intention is the first", e)
	}
	if _, first, _ = m.Intend(ctx, "other", "k", at); !first {
		t.Error("a tenant sees the key of another")
	}
	ref := adapters.Ref{Provider: "jira", ID: "10001"}
	if err := m.Settle(ctx, "acme", "k", ref); err != nil {
		t.Fatal(err)
	}
	if e, ok, _ := m.Look(ctx, "acme", "k"); !ok || e.Ref != ref || !e.Settled() {
		t.Error("not settled", e)
	}
	if err := m.Forget(ctx, "acme", "k"); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := m.Look(ctx, "acme", "k"); ok {
		t.Error("not forgotten")
	}
}

func TestCapabilities(t *testing.T) {
	c := adapters.Capabilities{adapters.CanOpen, adapters.CanRead}
	if !c.Has() || !c.Has(adapters.CanRead, adapters.CanOpen) || c.Has(adapters.CanOpen, adapters.CanMerge) {
		t.Error("wrong answer")
	}
}

func ExampleNames() {
	priorities := adapters.Names[incident.Severity, string]{
		{incident.P1, "Highest"},
		{incident.P2, "High"},
		{incident.P3, "Medium"},
		{incident.P4, "Low"},
		{incident.P4, "Lowest"}, // read as P4, never written
	}
	name, _ := priorities.Theirs(incident.P4)
	severity, _ := priorities.Ours("Lowest")
	_, err := priorities.Ours("Blocker")
	fmt.Println(name, severity, err)
	// Output: Low P4 no name of ours for Blocker of the vendor
}

func TestRetryAtOfJoined(t *testing.T) {
	first := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	soon, late := &adapters.Error{Kind: adapters.RateLimited, RetryAt: first}, &adapters.Error{Kind: adapters.RateLimited, RetryAt: first.Add(time.Minute)}
	for name, err := range map[string]error{
		"the latest first": errors.Join(late, soon),
		"the latest last":  errors.Join(errors.New("x"), soon, fmt.Errorf("jira: %w", late)),
		"within others":    fmt.Errorf("all: %w", errors.Join(soon, errors.Join(late, nil))),
	} {
		if got := adapters.RetryAt(err); !got.Equal(late.RetryAt) {
			t.Errorf("%s: %v, want %v", name, got, late.RetryAt)
		}
	}
}

func TestCutAtCharacters(t *testing.T) {
	text := strings.Repeat("é", 200)
	short, lost := adapters.Cut(text, 160)
	if utf8.RuneCountInString(short) != 160 || !utf8.ValidString(short) || !strings.HasSuffix(short, adapters.CutMark) || lost != 200-160+utf8.RuneCountInString(adapters.CutMark) {
		t.Errorf("cut to %d characters, %d lost: %q", utf8.RuneCountInString(short), lost, short)
	}
	if short, lost := adapters.Cut("as it is", 160); short != "as it is" || lost != 0 {
		t.Errorf("short text became %q", short)
	}
	for most, want := range map[int]string{0: "aébc", 4: "aébc", 3: "… [", 1: "…"} {
		if got, _ := adapters.Cut("aébc", most); got != want {
			t.Errorf("cut to %d: %q, want %q", most, got, want)
		}
	}
	if got, _ := adapters.Cut("a\xffb", 5); got != "a\uFFFDb" {
		t.Errorf("%q is no UTF-8", got)
	}
}
