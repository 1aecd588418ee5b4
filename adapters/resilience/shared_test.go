package resilience_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// Two clients of one token have one allowance; one of another token, and one of
// another vendor with the same token, have their own.
func TestSharedAllowances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := resilience.NewAllowances(0)
		transport := func(provider, token string) *resilience.Transport {
			base := roundTrip(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Request: r, Header: http.Header{}, Body: http.NoBody}, nil
			})
			return newTransport(t, resilience.Config{
				Provider: provider, Base: base, Credential: resilience.Bearer(adapters.NewSecret(token)),
				Policy: resilience.Policy{Deadline: time.Hour, Allowances: shared},
			})
		}
		op := resilience.Op{Name: "send", Repeatable: true, Buckets: []resilience.Bucket{{Name: "rest", PerSecond: 10, Burst: 10}}}
		start := time.Now()
		took := map[string]time.Duration{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for name, tr := range map[string]*resilience.Transport{
			"first": transport("pagerduty", "a"), "second": transport("pagerduty", "a"), "other token": transport("pagerduty", "b"), "other vendor": transport("jira", "a"),
		} {
			wg.Go(func() {
				load(t, tr, op, 100)
				mu.Lock()
				defer mu.Unlock()
				took[name] = time.Since(start)
			})
		}
		wg.Wait()
		// 100 calls after a burst of 10 at 10 a second are 9 s, 200 of them 19 s.
		for name, want := range map[string]time.Duration{"other token": 9 * time.Second, "other vendor": 9 * time.Second} {
			if took[name] != want {
				t.Errorf("%s took %v, want %v", name, took[name], want)
			}
		}
		if last := max(took["first"], took["second"]); last != 19*time.Second {
			t.Errorf("both of one token took %v, want 19s", last)
		}
	})
}

// A call that waits for one of its allowances has taken one place of the other when
// it goes, however often it had to look again.
func TestOnePlaceOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scarce := true
		base := roundTrip(func(r *http.Request) (*http.Response, error) {
			h := http.Header{}
			if scarce { // what is left has to do for 10 s
				h = header("ratelimit-limit", "100", "ratelimit-remaining", "1", "ratelimit-reset", "10")
			}
			return &http.Response{StatusCode: http.StatusOK, Request: r, Header: h, Body: http.NoBody}, nil
		})
		transport := newTransport(t, resilience.Config{Base: base, Policy: resilience.Policy{Deadline: time.Hour}})
		slow, small := resilience.Bucket{Name: "slow", PerSecond: 1, Burst: 1}, resilience.Bucket{Name: "small", PerSecond: 1e-6, Burst: 3}
		call := func(buckets ...resilience.Bucket) time.Duration {
			t.Helper()
			start := time.Now()
			if _, err := request(t.Context(), transport, http.MethodPost, resilience.Op{Name: "send", Repeatable: true, Buckets: buckets}); err != nil {
				t.Fatal(err)
			}
			return time.Since(start)
		}
		call(slow)
		scarce = false
		var wg sync.WaitGroup
		wg.Go(func() { call(slow) }) // has the one place that is left
		synctest.Wait()
		if waited := call(small, slow); waited == 0 {
			t.Error("the call did not wait, so it shows nothing")
		}
		wg.Wait()
		// Two of three places of the small one are left.
		for n := range 2 {
			if waited := call(small); waited != 0 {
				t.Errorf("call %d waited %v, want a place at once", n+1, waited)
			}
		}
	})
}

// What a vendor says of a request may hold what it was signed with.
func TestEchoedCredential(t *testing.T) {
	const token = "canary-5e1f-of-a-token"
	for name, c := range map[string]struct {
		credential resilience.Credential
		echo       string
	}{
		"bearer": {resilience.Bearer(adapters.NewSecret(token)), "no such token: " + token},
		"header": {resilience.Header("Authorization", adapters.NewSecret("Token token="+token)), "bad header Token token=" + token},
		"basic":  {resilience.Basic("bot", adapters.NewSecret(token)), "no user with the password " + token},
		"base64": {resilience.Basic("bot", adapters.NewSecret(token)), "no user Ym90OmNhbmFyeS01ZTFmLW9mLWEtdG9rZW4="},
	} {
		t.Run(name, func(t *testing.T) {
			base := roundTrip(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusUnauthorized, Request: r, Header: http.Header{}, Body: http.NoBody}, nil
			})
			transport := newTransport(t, resilience.Config{Base: base, Credential: c.credential, Decode: func(e *adapters.Error, _ int, _ http.Header, _ []byte) {
				e.Message, e.Code, e.Details, e.RequestID = c.echo, c.echo, []string{c.echo}, c.echo
			}})
			_, err := request(t.Context(), transport, http.MethodPost, resilience.Op{Name: "send"})
			e, ok := err.(*adapters.Error) //nolint:errorlint // the error itself is looked at
			if !ok {
				t.Fatalf("error %v, want an *adapters.Error", err)
			}
			for _, text := range append([]string{e.Message, e.Code, e.RequestID, e.Error()}, e.Details...) {
				if strings.Contains(text, token) || strings.Contains(text, "Ym90OmNh") || !strings.Contains(text, "[redacted]") {
					t.Errorf("%q shows the credential", text)
				}
			}
		})
	}
}

// The same of the endpoint that gives tokens.
func TestEchoedClientSecret(t *testing.T) {
	const secret = "canary-5e1f-of-a-client"
	source, err := resilience.NewTokenSource(resilience.TokenSourceConfig{
		Provider: "vendor", TokenURL: "https://vendor.example/token", Grant: resilience.ClientCredentials, ClientID: "id", ClientSecret: adapters.NewSecret(secret),
		Base: roundTrip(func(r *http.Request) (*http.Response, error) {
			body := `{"error":"invalid_client","error_description":"` + secret + ` is not known"}`
			return &http.Response{StatusCode: http.StatusUnauthorized, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = source.Token(t.Context()); err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "is not known") {
		t.Errorf("error %v, want one without the secret", err)
	}
}
