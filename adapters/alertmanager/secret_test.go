package alertmanager_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// TestSecretsStayHidden looks for credentials in all that can be printed: clients, their
// configurations, and errors about servers that fail, or repeat what they were sent.
func TestSecretsStayHidden(t *testing.T) {
	const canary = "canary-7f3a"
	secret := adapters.NewSecret(canary)
	packed := base64.StdEncoding.EncodeToString([]byte("u:" + canary))
	var all strings.Builder
	log := slog.New(slog.NewJSONHandler(&all, nil))
	show := func(x any) {
		fmt.Fprintf(&all, "%v %+v %#v %q\n", x, x, x, x)
		log.Info("shown", "it", x)
	}
	var sent atomic.Int64
	failed := 0
	for _, credential := range []resilience.Credential{
		resilience.Basic("u", secret), resilience.Bearer(secret), resilience.Header("X-Scope", secret),
	} {
		for _, answer := range []http.HandlerFunc{
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{")) },
			func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = fmt.Fprintf(w, `{"code":600,"message":"cannot read %s%s"}`, r.Header.Get("Authorization"), r.Header.Get("X-Scope"))
			},
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "https://elsewhere.example/"+r.Header.Get("Authorization")+r.Header.Get("X-Scope"))
				w.WriteHeader(http.StatusFound)
			},
		} {
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if seen := r.Header.Get("Authorization") + r.Header.Get("X-Scope"); strings.Contains(seen, canary) || strings.Contains(seen, packed) {
					sent.Add(1)
				}
				answer(w, r)
			})
			var config alertmanager.ClientConfig
			c := client(t, handler, func(with *alertmanager.ClientConfig) {
				with.Credential, with.Policy.Attempts = credential, 1
				config = *with
			})
			show(c)
			show(*c)
			show(config)
			_, err := c.Silences(t.Context())
			if err != nil {
				failed++
			}
			for ; err != nil; err = errors.Unwrap(err) {
				show(err)
			}
		}
	}
	if sent.Load() != 15 || failed != 15 {
		t.Errorf("%d of 15 requests were signed and %d failed, want all", sent.Load(), failed)
	}
	show(ingest.Bearer{secret})
	show(ingest.Basic{Name: "am", Passwords: []adapters.Secret{secret}})
	for _, url := range []string{"https://u:" + canary + "@am.example", "https://u:" + canary + "@am .example", "ftp://u:" + canary + "@am.example", "https://am.example?" + canary} {
		_, err := alertmanager.NewClient(alertmanager.ClientConfig{BaseURL: url})
		if err == nil {
			t.Errorf("NewClient with a secret in the URL: no error, want one")
		}
		show(err)
	}
	text := all.String()
	for _, hidden := range []string{canary, packed, strings.TrimRight(packed, "=")} {
		if at := strings.Index(text, hidden); at >= 0 {
			t.Errorf("a secret shows in %q", text[max(0, at-200):at+len(hidden)])
		}
	}
}
