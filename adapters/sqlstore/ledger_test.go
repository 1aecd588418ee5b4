package sqlstore_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/sqlstore"
)

// reopened returns a function that opens one database again, as other processes would.
func reopened(t *testing.T) func() *sqlstore.Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.db")
	return func() *sqlstore.Store {
		s, err := sqlstore.Open(t.Context(), databaseAt(t, file), nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestLedger(t *testing.T) {
	adaptertest.Ledger(t, func(t *testing.T) func() adapters.Ledger {
		t.Helper()
		store := reopened(t)
		return func() adapters.Ledger { return store().Ledger() }
	})
}

func TestSeen(t *testing.T) {
	adaptertest.Seen(t, func(t *testing.T) func() ingest.Seen {
		t.Helper()
		store := reopened(t)
		return func() ingest.Seen { return store().Seen("pagerduty") }
	})
}

// vendor keeps tickets and has no keys of its own, but a label to look by.
type vendor struct{ tickets []string }

// create is what an adapter does for a key: it looks if somebody may have been there
// before. dies is where the process ends.
func (v *vendor) create(ctx context.Context, l adapters.Ledger, key, dies string) error {
	died := errors.New("died " + dies)
	e, first, err := l.Intend(ctx, "acme", key, at)
	switch {
	case err != nil || e.Settled():
		return err
	case dies == "before the call":
		return died
	case first || !slices.Contains(v.tickets, key):
		v.tickets = append(v.tickets, key)
	}
	if dies == "after the call" {
		return died
	}
	return l.Settle(ctx, "acme", key, adapters.Ref{Provider: "vendor", ID: key})
}

// TestLedgerCrash: wherever a process ends, the next one makes one ticket of it.
func TestLedgerCrash(t *testing.T) {
	for _, dies := range []string{"before the call", "after the call"} {
		store, v := reopened(t), &vendor{}
		if err := v.create(t.Context(), store().Ledger(), "k", dies); err == nil {
			t.Fatal("the process did not die")
		}
		for range 2 {
			if err := v.create(t.Context(), store().Ledger(), "k", ""); err != nil {
				t.Fatal(err)
			}
		}
		if len(v.tickets) != 1 {
			t.Errorf("died %s: tickets %q, want one", dies, v.tickets)
		}
	}
}

func TestSeenReceivers(t *testing.T) {
	store, c := open(t)
	pagerduty, jira := store.Seen("pagerduty"), store.Seen("jira")
	if err := pagerduty.Add(t.Context(), []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if known, err := jira.Has(t.Context(), "a"); known || err != nil {
		t.Errorf("jira has seen a delivery of pagerduty: %v, %v", known, err)
	}
	c.advance(time.Hour)
	if err := pagerduty.Add(t.Context(), []string{"b", "c"}); err != nil { // b is as old as when it first came
		t.Fatal(err)
	}
	if n, err := pagerduty.Prune(t.Context(), time.Hour); n != 0 || err != nil {
		t.Errorf("Prune = %d, %v, want 0: an hour is not more than an hour", n, err)
	}
	if n, err := pagerduty.Prune(t.Context(), time.Hour-1); n != 2 || err != nil {
		t.Errorf("Prune = %d, %v, want 2", n, err)
	}
	if known, err := pagerduty.Has(t.Context(), "c"); !known || err != nil {
		t.Errorf("the young key is gone: %v, %v", known, err)
	}
}

func TestLedgerErrors(t *testing.T) {
	store, _ := open(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	l, seen := store.Ledger(), store.Seen("jira")
	_, _, intend := l.Intend(over, "acme", "k", at)
	_, _, look := l.Look(over, "acme", "k")
	_, has := seen.Has(over, "k")
	_, prune := seen.Prune(over, 0)
	for op, err := range map[string]error{
		"intend": intend, "look": look, "settle": l.Settle(over, "acme", "k", adapters.Ref{}), "forget": l.Forget(over, "acme", "k"),
		"seen": has, "add": seen.Add(over, []string{"k"}), "prune": prune,
	} {
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), op) {
			t.Errorf("%s: %v, want context.Canceled", op, err)
		}
	}
}
