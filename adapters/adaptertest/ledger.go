package adaptertest

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Ledger runs the conformance suite of ledgers. open makes an empty one and returns
// a function that opens it, as one process after the other would, or several at once;
// a ledger in memory may return itself each time.
func Ledger(t *testing.T, open func(t *testing.T) func() adapters.Ledger) {
	t.Helper()
	at := time.Date(2026, 11, 24, 17, 30, 0, 123456789, time.UTC)
	ref := adapters.Ref{Provider: "jira", Tenant: "acme", Type: "Bug", ID: "10001", Number: "OPS-1", URL: "https://jira.example.com/browse/OPS-1", Version: "7"}
	for name, test := range map[string]func(s *ledgerSuite){
		"the first is told so, once": func(s *ledgerSuite) {
			s.intend("acme", "k", at, true, adapters.Entry{Intended: at})
			s.intend("acme", "k", at.Add(time.Hour), false, adapters.Entry{Intended: at})
		},
		"the last try is known, until it is settled": func(s *ledgerSuite) {
			s.try("acme", "k", at) // nothing is intended
			s.look("acme", "k", false, adapters.Entry{})
			s.intend("acme", "k", at, true, adapters.Entry{Intended: at})
			s.try("acme", "k", at.Add(time.Minute))
			s.try("acme", "k", at.Add(time.Hour))
			s.try("globex", "k", at.Add(2*time.Hour)) // of somebody else
			s.try("acme", "other", at.Add(2*time.Hour))
			s.restart()
			s.intend("acme", "k", at.Add(2*time.Hour), false, adapters.Entry{Intended: at, Tried: at.Add(time.Hour)})
			s.settle("acme", "k", ref)
			s.try("acme", "k", at.Add(3*time.Hour))
			s.look("acme", "k", true, adapters.Entry{Intended: at, Tried: at.Add(time.Hour), Ref: ref})
			s.forget("acme", "k")
			s.intend("acme", "k", at.Add(4*time.Hour), true, adapters.Entry{Intended: at.Add(4 * time.Hour)})
		},
		"tenants and keys are apart": func(s *ledgerSuite) {
			for _, place := range [][2]string{{"acme", "k"}, {"globex", "k"}, {"acme", "k2"}, {"acmek", ""}, {"", "acmek"}, {"Acme", "K"}, {"ä", "'; --"}} {
				s.intend(place[0], place[1], at, true, adapters.Entry{Intended: at})
			}
		},
		"nothing is known of what was not intended": func(s *ledgerSuite) {
			s.look("acme", "k", false, adapters.Entry{})
		},
		"a crash after Intend is seen by the next process": func(s *ledgerSuite) {
			s.intend("acme", "k", at, true, adapters.Entry{Intended: at})
			s.restart() // whether the vendor was called is not known
			s.look("acme", "k", true, adapters.Entry{Intended: at})
			s.intend("acme", "k", at.Add(time.Minute), false, adapters.Entry{Intended: at})
			s.settle("acme", "k", ref) // found at the vendor
			s.restart()
			s.intend("acme", "k", at.Add(time.Hour), false, adapters.Entry{Intended: at, Ref: ref})
		},
		"what is settled comes back whole": func(s *ledgerSuite) {
			s.intend("acme", "k", at, true, adapters.Entry{Intended: at})
			s.settle("acme", "k", ref)
			s.look("acme", "k", true, adapters.Entry{Intended: at, Ref: ref})
			s.look("globex", "k", false, adapters.Entry{})
		},
		"settling again replaces": func(s *ledgerSuite) {
			s.intend("acme", "k", at, true, adapters.Entry{Intended: at})
			s.settle("acme", "k", adapters.Ref{Provider: "jira", ID: "0", Number: "OPS-0"})
			s.settle("acme", "k", ref)
			s.settle("globex", "k2", adapters.Ref{Provider: "jira", ID: "2"})
			s.look("acme", "k", true, adapters.Entry{Intended: at, Ref: ref})
			s.look("globex", "k2", true, adapters.Entry{Ref: adapters.Ref{Provider: "jira", ID: "2"}})
		},
		"settling what was never intended is kept": func(s *ledgerSuite) {
			s.settle("acme", "k", ref)
			s.look("acme", "k", true, adapters.Entry{Ref: ref})
			s.intend("acme", "k", at, false, adapters.Entry{Ref: ref})
		},
		"what is forgotten can be intended again": func(s *ledgerSuite) {
			s.intend("acme", "k", at, true, adapters.Entry{Intended: at})
			s.intend("globex", "k", at, true, adapters.Entry{Intended: at})
			s.forget("acme", "k")
			s.forget("acme", "k") // and nothing happens twice
			s.look("acme", "k", false, adapters.Entry{})
			s.intend("acme", "k", at.Add(time.Hour), true, adapters.Entry{Intended: at.Add(time.Hour)})
			s.look("globex", "k", true, adapters.Entry{Intended: at})
		},
		"of many one is the first": (*ledgerSuite).race,
	} {
		t.Run(name, func(t *testing.T) {
			again := open(t)
			test(&ledgerSuite{t, again, again()})
		})
	}
}

type ledgerSuite struct {
	*testing.T
	open   func() adapters.Ledger
	ledger adapters.Ledger
}

// restart goes on in another process.
func (s *ledgerSuite) restart() { s.ledger = s.open() }

func (s *ledgerSuite) intend(tenant, key string, at time.Time, first bool, want adapters.Entry) {
	s.Helper()
	e, isFirst, err := s.ledger.Intend(s.Context(), tenant, key, at)
	if err != nil || isFirst != first || !sameEntry(e, want) {
		s.Errorf("Intend(%q, %q) = %+v, %v, %v, want %+v, %v", tenant, key, e, isFirst, err, want, first)
	}
}

func (s *ledgerSuite) try(tenant, key string, at time.Time) {
	s.Helper()
	if err := s.ledger.Try(s.Context(), tenant, key, at); err != nil {
		s.Errorf("Try(%q, %q): %v", tenant, key, err)
	}
}

func (s *ledgerSuite) settle(tenant, key string, ref adapters.Ref) {
	s.Helper()
	if err := s.ledger.Settle(s.Context(), tenant, key, ref); err != nil {
		s.Errorf("Settle(%q, %q): %v", tenant, key, err)
	}
}

func (s *ledgerSuite) forget(tenant, key string) {
	s.Helper()
	if err := s.ledger.Forget(s.Context(), tenant, key); err != nil {
		s.Errorf("Forget(%q, %q): %v", tenant, key, err)
	}
}

func (s *ledgerSuite) look(tenant, key string, found bool, want adapters.Entry) {
	s.Helper()
	e, ok, err := s.ledger.Look(s.Context(), tenant, key)
	if err != nil || ok != found || !sameEntry(e, want) {
		s.Errorf("Look(%q, %q) = %+v, %v, %v, want %+v, %v", tenant, key, e, ok, err, want, found)
	}
}

func (s *ledgerSuite) race() {
	const workers, keys = 8, 10
	firsts := make([]int, keys) // guarded by mu
	var mu sync.Mutex
	var all sync.WaitGroup
	for range workers {
		ledger := s.open()
		all.Go(func() {
			for k := range keys {
				_, first, err := ledger.Intend(s.Context(), "acme", strconv.Itoa(k), time.Unix(1, 0))
				if err != nil {
					s.Errorf("Intend: %v", err)
				}
				if first {
					mu.Lock()
					firsts[k]++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	for k, n := range firsts {
		if n != 1 {
			s.Errorf("key %d: %d were the first, want one", k, n)
		}
	}
}

func sameEntry(a, b adapters.Entry) bool {
	return a.Ref == b.Ref && a.Intended.Equal(b.Intended) && a.Tried.Equal(b.Tried) && a.Settled() == b.Settled()
}
