package resilience_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/resilience"
)

// stub answers at once.
type stub struct{}

func (stub) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusAccepted, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: 20, Request: r,
		Body: io.NopCloser(bytes.NewReader([]byte(`{"status":"success"}`))),
	}, nil
}

func post(b *testing.B, ctx context.Context, client *http.Client) { //nolint:revive // the test comes first
	b.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://vendor.example/v2/enqueue", strings.NewReader(`{"a":1}`))
	if err != nil {
		b.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err != nil {
		b.Fatal(err)
	}
	_ = response.Body.Close()
}

func BenchmarkRoundTrip(b *testing.B) {
	b.Run("raw", func(b *testing.B) {
		b.ReportAllocs()
		client := &http.Client{Transport: stub{}}
		for b.Loop() {
			post(b, b.Context(), client)
		}
	})
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		transport, err := resilience.New(resilience.Config{Provider: "vendor", Base: stub{}})
		if err != nil {
			b.Fatal(err)
		}
		client := &http.Client{Transport: transport}
		op := resilience.Op{Name: "op", Repeatable: true, Buckets: []resilience.Bucket{{Name: "a", PerSecond: 1e9, Burst: 1e9}}}
		for b.Loop() {
			ctx, call := transport.Begin(b.Context(), op)
			post(b, ctx, client)
			if err := call.Err(nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
