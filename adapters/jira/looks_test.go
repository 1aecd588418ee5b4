package jira

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/adaptertest"
)

// sent is a request that a line has carried.
type sent struct {
	begun     time.Time
	create    bool
	labels    []string // that it creates or asks for
	reconcile bool     // a look for twins
	lost      bool     // nobody has seen an answer that tells what became of it
}

// line carries requests to a fake and notes creates and searches. before is asked what
// goes wrong on the way there, after whether the answer is lost; both may be nil, and may
// take their time.
type line struct {
	fake   *adaptertest.Jira
	before func(s sent) (status int, err error)
	after  func(s sent) bool

	mu  sync.Mutex
	all []sent
}

var quoted = regexp.MustCompile(`"([^"]+)"`)

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	s := sent{begun: time.Now(), create: strings.HasSuffix(r.URL.Path, "/issue")}
	if !s.create && !strings.HasSuffix(r.URL.Path, "/search/jql") {
		return l.fake.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var read struct {
		JQL       string
		Reconcile []int `json:"reconcileIssues"`
		Fields    json.RawMessage
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return nil, err
	}
	s.reconcile = len(read.Reconcile) > 0
	if s.create {
		var fields struct{ Labels []string }
		if err := json.Unmarshal(read.Fields, &fields); err != nil {
			return nil, err
		}
		s.labels = fields.Labels[:1]
	}
	for _, m := range quoted.FindAllStringSubmatch(read.JQL, -1) {
		s.labels = append(s.labels, m[1])
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := l.carry(r, s)
	s.lost = err != nil || answer.StatusCode >= http.StatusInternalServerError
	l.mu.Lock()
	l.all = append(l.all, s)
	l.mu.Unlock()
	return answer, err
}

func (l *line) carry(r *http.Request, s sent) (*http.Response, error) {
	if l.before != nil {
		status, err := l.before(s)
		if err != nil {
			return nil, err
		}
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		if status != 0 {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
	}
	w := httptest.NewRecorder()
	l.fake.ServeHTTP(w, r)
	if l.after != nil && l.after(s) {
		return nil, syscall.ECONNRESET
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// searches are those that were made so far, those for twins or the others.
func (l *line) searches(twins bool) (all []sent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.all {
		if !s.create && s.reconcile == twins {
			all = append(all, s)
		}
	}
	return all
}

// online makes a client of a fake at the end of a line.
func online(t *testing.T, lag time.Duration) (*Client, *line) {
	t.Helper()
	l := &line{}
	c, fake := with(t, adaptertest.JiraOptions{Lag: lag}, func(c *Config) {
		c.Transport = l
		c.Policy.Breaker.Consecutive, c.Policy.Breaker.MinRequests = 1<<30, 1<<30
	})
	l.fake = fake
	return c, l
}

// refuseFirst answers 503 to the first create of each label.
func refuseFirst() func(sent) (int, error) {
	var mu sync.Mutex
	tried := map[string]bool{}
	return func(s sent) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if s.create && !tried[s.labels[0]] {
			tried[s.labels[0]] = true
			return http.StatusServiceUnavailable, nil
		}
		return 0, nil
	}
}

// Creates that are refused at about the same time share a look, which begins when the last
// of them is due that is due within a third of FindFor; one that is due later has its own.
func TestLooksTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 0)
		l.before = refuseFirst()
		start := time.Now()
		var all sync.WaitGroup
		for n, at := range []time.Duration{0, 0, time.Second, 3 * time.Second, 9 * time.Second} {
			all.Go(func() {
				time.Sleep(at)
				if _, err := c.Open(t.Context(), sample(fmt.Sprint("k", n))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got := []string{}
		for _, s := range l.searches(false) {
			due := 0
			for n, at := range []time.Duration{0, 0, time.Second, 3 * time.Second, 9 * time.Second} {
				if slices.Contains(s.labels, label("acme", fmt.Sprint("k", n))) && !start.Add(at+10*time.Second).After(s.begun) {
					due++
				}
			}
			got = append(got, fmt.Sprint(s.begun.Sub(start), " ", due))
		}
		if want := []string{"13s 4", "19s 1"}; !slices.Equal(got, want) {
			t.Errorf("looks %q, want %q", got, want)
		}
		if n := len(l.fake.Issues()); n != 5 {
			t.Errorf("%d issues, want 5", n)
		}
	})
}

// Who waits alone looks as soon as a search may be believed, and for twins at once.
func TestLookAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 0)
		l.before = refuseFirst()
		start := time.Now()
		mustOpen(t, c, "k")
		if took := time.Since(start); took != 10*time.Second || len(l.searches(false)) != 1 || len(l.searches(true)) != 1 {
			t.Errorf("took %v and %d looks, %d for twins; want 10s and one of each", took, len(l.searches(false)), len(l.searches(true)))
		}
		if len(c.looks.of) != 0 {
			t.Errorf("%d groups are left", len(c.looks.of))
		}
	})
}

// A search has room for 50 labels, and the next one is for the rest.
func TestLooksMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 0)
		refuse := refuseFirst()
		l.before = func(s sent) (int, error) {
			time.Sleep(50 * time.Millisecond) // so that all are under way at once
			return refuse(s)
		}
		var all sync.WaitGroup
		for n := range 120 {
			all.Go(func() {
				if _, err := c.Open(t.Context(), sample(fmt.Sprint("k", n))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		first := l.searches(false)[:2]
		if len(first[0].labels) != 50 || len(first[1].labels) != 50 {
			t.Errorf("looks for %d and %d labels, want 50 each", len(first[0].labels), len(first[1].labels))
		}
		all50 := append(l.searches(false), l.searches(true)...)
		for _, s := range all50 {
			if len(s.labels) > 50 {
				t.Errorf("a search for %d labels", len(s.labels))
			}
		}
		if n := len(l.fake.Issues()); n != 120 || len(all50) > 12 {
			t.Errorf("%d issues and %d searches, want 120 and one for each 50 at a time", n, len(all50))
		}
	})
}

// No search is for two tenants.
func TestLooksOfTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 0)
		l.before = refuseFirst()
		of := map[string]string{}
		var all sync.WaitGroup
		for n := range 8 {
			ticket := sample(fmt.Sprint("k", n/2))
			ticket.Tenant = []string{"acme", "globex"}[n%2]
			of[label(ticket.Tenant, ticket.Key)] = ticket.Tenant
			all.Go(func() {
				if ref, err := c.Open(t.Context(), ticket); err != nil || ref.Tenant != ticket.Tenant {
					t.Errorf("%v, %v", ref, err)
				}
			})
		}
		all.Wait()
		searches := append(l.searches(false), l.searches(true)...)
		for _, s := range searches {
			for _, name := range s.labels {
				if of[name] != of[s.labels[0]] {
					t.Errorf("a search for %s and %s", of[name], of[s.labels[0]])
				}
			}
		}
		if len(searches) < 4 || len(l.fake.Issues()) != 8 {
			t.Errorf("%d searches, %d issues; want two of each tenant, and 8", len(searches), len(l.fake.Issues()))
		}
	})
}

// The one that makes the search gives up while it is under way: the others are not told
// that, and one of them makes it again.
func TestLookCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 0)
		refuse := refuseFirst()
		l.before = func(s sent) (int, error) {
			if !s.create {
				time.Sleep(time.Second)
			}
			return refuse(s)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+500*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() { // is due first, and has nobody to wait for
			_, err := c.Open(ctx, sample("k0"))
			if !errors.Is(err, context.DeadlineExceeded) || adapters.KindOf(err) != adapters.OutcomeUnknown {
				t.Errorf("error %v, want an unknown outcome and the deadline", err)
			}
		})
		for n := 1; n < 4; n++ {
			all.Go(func() {
				time.Sleep(4 * time.Second)
				if _, err := c.Open(t.Context(), sample(fmt.Sprint("k", n))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(l.fake.Issues()); n != 3 {
			t.Errorf("%d issues, want 3", n)
		}
	})
}

// The transport of the one that makes the search panics: the others do not wait for it.
func TestLookPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 0)
		refuse, first := refuseFirst(), true
		l.before = func(s sent) (int, error) {
			if !s.create && first {
				first = false
				panic("broken")
			}
			return refuse(s)
		}
		var all sync.WaitGroup
		panics := make(chan any, 2)
		for n := range 2 {
			all.Go(func() {
				defer func() { panics <- recover() }()
				if _, err := c.Open(t.Context(), sample(fmt.Sprint("k", n))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if one, two := <-panics, <-panics; (one == nil) == (two == nil) {
			t.Errorf("panics %v and %v, want one", one, two)
		}
		if n := len(l.fake.Issues()); n != 1 || len(c.looks.of) != 0 {
			t.Errorf("%d issues and %d groups, want that of the other and none", n, len(c.looks.of))
		}
	})
}

// A search that is refused is refused to all who were due, and to nobody else.
func TestLookRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 0)
		refuse, forbid := refuseFirst(), true
		l.before = func(s sent) (int, error) {
			if !s.create && forbid {
				forbid = false
				return http.StatusForbidden, nil
			}
			return refuse(s)
		}
		var all sync.WaitGroup
		for n := range 4 {
			all.Go(func() {
				time.Sleep(time.Duration(n) * 2 * time.Second) // due at 10, 12, 14 and 16 s; the first waits for the second
				_, err := c.Open(t.Context(), sample(fmt.Sprint("k", n)))
				if refused := errors.Is(err, adapters.Forbidden); refused != (n < 2) || !refused && err != nil {
					t.Errorf("ticket %d: %v", n, err)
				}
			})
		}
		all.Wait()
		for n := range 4 {
			mustOpen(t, c, fmt.Sprint("k", n))
		}
		if n := len(l.fake.Issues()); n != 4 {
			t.Errorf("%d issues, want 4", n)
		}
	})
}

// A try that ends with its caller's deadline is waited for as well as the first one, of
// which the ledger tells: the next create is 10 s behind it.
func TestOpenAfterDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 9*time.Second)
		n := 0
		l.before = func(s sent) (int, error) {
			if n++; s.create && n == 1 {
				return http.StatusServiceUnavailable, nil
			}
			return 0, nil
		}
		l.after = func(s sent) bool { return s.create }
		for _, patience := range []time.Duration{8 * time.Second, 8 * time.Second, time.Minute} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			_, err := c.Open(ctx, sample("k"))
			cancel()
			if patience == time.Minute {
				must(t, err)
			}
			time.Sleep(time.Second)
		}
		if n := len(l.fake.Issues()); n != 1 {
			t.Errorf("%d issues, want 1", n)
		}
	})
}

// Who is found by a property is found by it among several, on Data Center too, where what
// is found comes without properties; people have taken the labels off.
func TestLooksByProperty(t *testing.T) {
	for name, o := range both {
		t.Run(name, func(t *testing.T) {
			c, _ := with(t, o, func(c *Config) { c.FindBy = ByProperty })
			var labels []string
			want := map[string]adapters.Ref{}
			for n := range 3 {
				key := fmt.Sprint("k", n)
				ref := mustOpen(t, c, key)
				_, err := c.do(t.Context(), request{
					op: "test", tenant: "acme", method: http.MethodPut, route: "rest/api/2/issue/{issue}", args: []string{ref.ID}, body: map[string]any{"fields": map[string]any{"labels": []string{}}},
				})
				must(t, err)
				labels = append(labels, label("acme", key))
				want[label("acme", key)] = ref
			}
			found, err := c.byLabel(t.Context(), "test", "acme", labels)
			must(t, err)
			for l, ref := range want {
				if len(found[l]) != 1 || !found[l][0].Same(ref) {
					t.Errorf("found %v, want %v", found[l], ref)
				}
			}
		})
	}
}

// Whatever gets lost, is refused, takes its time or is given up, each key has one issue,
// and no create follows one in doubt without a search that began FindFor after it. The
// index is behind by any time below that.
func TestLooksLaw(t *testing.T) {
	const findFor = 10 * time.Second
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			draw := rand.New(rand.NewPCG(seed, 7))
			chance := func(n int) int {
				mu.Lock()
				defer mu.Unlock()
				return draw.IntN(n)
			}
			lag := time.Duration(chance(int(findFor)))
			c, l := online(t, lag)
			pause := func() { time.Sleep(time.Duration(chance(int(400 * time.Millisecond)))) }
			l.before = func(sent) (int, error) {
				pause()
				switch n := chance(100); {
				case n < 25:
					return http.StatusServiceUnavailable, nil
				case n < 30:
					return 0, syscall.ECONNRESET
				}
				return 0, nil
			}
			l.after = func(sent) bool {
				pause()
				return chance(100) < 15
			}
			const keys, workers = 24, 12
			var all sync.WaitGroup
			for w := range workers {
				all.Go(func() {
					for n := w; n < keys; n += workers {
						ticket := sample(fmt.Sprint("k", n))
						ticket.Tenant = []string{"acme", "globex"}[n%2]
						for {
							ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+chance(30))*time.Second)
							_, err := c.Open(ctx, ticket)
							cancel()
							if err == nil {
								break
							}
							time.Sleep(time.Duration(chance(int(3 * time.Second))))
						}
					}
				})
			}
			all.Wait()
			if n := len(l.fake.Issues()); n != keys {
				t.Errorf("seed %d, lag %v: %d issues, want %d", seed, lag, n, keys)
			}
			for _, s := range l.all {
				if !s.create {
					continue
				}
				for _, before := range l.all {
					if !before.create || !before.lost || before.labels[0] != s.labels[0] || !before.begun.Before(s.begun) {
						continue
					}
					if !slices.ContainsFunc(l.all, func(look sent) bool {
						return !look.create && !look.lost && slices.Contains(look.labels, s.labels[0]) && !look.begun.Before(before.begun.Add(findFor)) && look.begun.Before(s.begun)
					}) {
						t.Errorf("seed %d: a create %v after one in doubt without a look", seed, s.begun.Sub(before.begun))
					}
				}
			}
			if len(c.looks.of) != 0 {
				t.Errorf("seed %d: %d groups are left", seed, len(c.looks.of))
			}
		})
	}
}

// The one that makes the search has no time for the pause that a 429 asks for: those who
// have are not told that, and one of them makes it afterwards.
func TestLookLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 0)
		inner, limited := c.config.Transport, false
		refuse := refuseFirst()
		l.before = refuse
		c, _ = with(t, adaptertest.JiraOptions{}, func(c *Config) {
			c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/search/jql") && !limited {
					limited = true
					return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"30"}}, Body: http.NoBody, Request: r}, nil
				}
				return inner.RoundTrip(r)
			})
		})
		var all sync.WaitGroup
		start := time.Now()
		// The first waits until 10.1 s for the second, who would wait until 13.4 s for the third.
		for n, at := range []time.Duration{0, 100 * time.Millisecond, 3400 * time.Millisecond} {
			all.Go(func() {
				time.Sleep(at)
				ctx := t.Context()
				if n == 0 {
					short, cancel := context.WithTimeout(ctx, 20*time.Second)
					defer cancel()
					ctx = short
				}
				_, err := c.Open(ctx, sample(fmt.Sprint("k", n)))
				if want := n == 0; errors.Is(err, adapters.RateLimited) != want || !want && err != nil {
					t.Errorf("ticket %d: %v after %v", n, err, time.Since(start))
				}
				if want := []time.Duration{10100, 40100, 40100}[n] * time.Millisecond; time.Since(start) != want {
					t.Errorf("ticket %d took %v, want %v", n, time.Since(start), want)
				}
			})
		}
		all.Wait()
		if n := len(l.fake.Issues()); n != 2 || len(c.looks.of) != 0 {
			t.Errorf("%d issues and %d groups, want 2 and none", n, len(c.looks.of))
		}
	})
}

// The transport panics with a create that others wait for: they do not wait for it ever
// after.
func TestCreatePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 0)
		creates := 0
		l.before = func(s sent) (int, error) {
			if s.create {
				if creates++; creates == 2 {
					panic("broken")
				}
				return http.StatusServiceUnavailable, nil
			}
			return 0, nil
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _ = c.Open(t.Context(), sample("k"))
		}()
		if len(c.looks.of) != 0 {
			t.Errorf("%d groups are left", len(c.looks.of))
		}
	})
}

// The end of a twin fails, and the index shows the older issue alone when it is opened
// again: the younger one is known all the same, and ends.
func TestOpenAfterTwinStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := online(t, 11*time.Second)
		creates := 0
		l.before = func(s sent) (int, error) {
			if s.create {
				time.Sleep(1500 * time.Millisecond)
			}
			return 0, nil
		}
		l.after = func(s sent) bool {
			if s.create {
				creates++
			}
			return s.create && creates == 1
		}
		refused := false
		inner := c.config.Transport
		c, _ = with(t, adaptertest.JiraOptions{}, func(c *Config) {
			c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/issueLink") && !refused {
					refused = true
					return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
				}
				return inner.RoundTrip(r)
			})
		})
		ref, err := c.Open(t.Context(), sample("k"))
		if !errors.Is(err, adapters.Forbidden) || ref.IsZero() || len(l.fake.Issues()) != 2 {
			t.Fatalf("%v, %v with %d issues; want the older of two and that it is forbidden", ref, err, len(l.fake.Issues()))
		}
		again := mustOpen(t, c, "k")
		if i := l.fake.Issues(); len(i) != 2 || !again.Same(ref) || i[0].Resolution != "" || i[1].Resolution != "Duplicate" {
			t.Errorf("%v and %+v, want that the younger one has ended", again, i)
		}
		if again = mustOpen(t, c, "k"); !again.Same(ref) || len(c.doubts) != 0 {
			t.Errorf("%v, want %v", again, ref)
		}
	})
}
