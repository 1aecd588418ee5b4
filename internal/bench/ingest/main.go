// Command ingest measures the receiver of webhooks: a body of 1.5 KB with three alerts
// is verified (HMAC), decoded, looked up among 100,000 known keys and handed on, beside
// encoding/json alone for the same struct, and a goal of 20,000 a second on a core.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

func main() {
	measure.Main([]measure.Pair{
		{
			// At most 1.15 times as long.
			Name: "ingest/webhook", Peer: "encoding/json", Bar: 1 / 1.15, Ops: bodies,
			Setup: func() (ours, theirs func(), err error) {
				all := webhooks()
				ours, err = receive(all)
				return ours, func() {
					for _, body := range all {
						must(json.Unmarshal(body, new(alertmanager.Webhook)))
					}
				}, err
			},
		},
		{
			Name: "ingest/webhook_rate", Peer: "goal", Bar: 1, Ops: bodies, Goal: time.Second / 20_000,
			Setup: func() (ours, theirs func(), err error) {
				ours, err = receive(webhooks())
				return ours, nil, err
			},
		},
	})
}

const bodies = 200

// webhooks returns bodies of about 1.5 KB, each about other alerts.
func webhooks() [][]byte {
	var all [][]byte
	for i := range bodies {
		w := alertmanager.Webhook{
			Receiver: "evenkeel", Status: "firing", Version: "4", ExternalURL: "http://alertmanager.example:9093",
			GroupKey:    `{}:{alertname="HighLatency", tenant="acme"}`,
			GroupLabels: map[string]string{"alertname": "HighLatency", "tenant": "acme"},
			CommonLabels: map[string]string{
				"alertname": "HighLatency", "severity": "critical", "service": "user_api", "tenant": "acme",
			},
			CommonAnnotations: map[string]string{"summary": "p99 above 500 ms for 5 minutes"}, RouteLabels: map[string]string{},
		}
		for j := range 3 {
			labels := map[string]string{
				"alertname": "HighLatency", "instance": fmt.Sprintf("10.%d.0.%d:9100", i, j), "severity": "critical", "service": "user_api", "tenant": "acme",
			}
			w.Alerts = append(w.Alerts, alertmanager.Alert{
				Status: "firing", Labels: labels, Annotations: map[string]string{"summary": "p99 above 500 ms for 5 minutes"},
				StartsAt:     time.Date(2026, 11, 22, 5, 33, 25, 755769460, time.UTC),
				GeneratorURL: "http://prometheus.example:9090/graph?g0.expr=up", Fingerprint: alertmanager.Fingerprint(labels),
			})
		}
		body, err := json.Marshal(w)
		must(err)
		all = append(all, body)
	}
	return all
}

// receive hands all bodies to a handler, which knows none of them.
func receive(all [][]byte) (func(), error) {
	signature := ingest.Generic(adapters.NewSecret("whsec-0001"))
	accepted := 0
	window := ingest.NewWindow(0)
	round := 0
	handler, err := ingest.New(ingest.Config{
		Name: "bench", Verifier: signature, Seen: window,
		Read: func(_ *http.Request, body []byte) ([]string, any, error) {
			w, err := alertmanager.ParseWebhook(body)
			if err != nil {
				return nil, nil, err
			}
			keys := w.Keys()
			keys[0] += strconv.Itoa(round) // known of the last round are two of three
			return keys, w, nil
		},
		Accept: func(context.Context, ingest.Delivery) error { accepted++; return nil },
	})
	if err != nil {
		return nil, err
	}
	if n := len(all[0]); n < 1400 || n > 1800 {
		return nil, fmt.Errorf("body of %d bytes, want about 1.5 KB", n)
	}
	requests := make([]*http.Request, len(all))
	readers := make([]*bytes.Reader, len(all))
	for i, body := range all {
		readers[i] = bytes.NewReader(body)
		requests[i] = &http.Request{
			Method: http.MethodPost, URL: &url.URL{Path: "/"}, ContentLength: int64(len(body)), Body: io.NopCloser(readers[i]),
			Header: http.Header{ingest.SignatureHeader: {signature.Sign(body)}, "Content-Type": {"application/json"}, "User-Agent": {"Alertmanager/0.25.0"}},
		}
	}
	run := func() {
		round++
		for i, r := range requests {
			readers[i].Reset(all[i])
			handler.ServeHTTP(nowhere{}, r)
		}
	}
	run()
	if accepted != len(all) || strings.Count(string(all[0]), "fingerprint") != 3 {
		return nil, errors.New("not all were accepted")
	}
	return run, nil
}

// nowhere drops the answer.
type nowhere struct{}

// Header returns a header that nobody sends.
func (nowhere) Header() http.Header { return http.Header{} }

// Write drops b.
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader drops the status.
func (nowhere) WriteHeader(int) {}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
