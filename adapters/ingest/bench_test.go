package ingest_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

// BenchmarkHandler receives a body of 1.5 KB that is new each time; the same with
// encoding/json is in internal/bench/ingest.
func BenchmarkHandler(b *testing.B) {
	body := []byte(`{"text":"` + strings.Repeat("x", 1500) + `"}`)
	signature := ingest.Generic(secrets("key")...)
	n := 0
	h, err := ingest.New(ingest.Config{
		Name: "bench", Verifier: signature,
		Keys: func(*http.Request, []byte) ([]string, error) {
			n++
			return []string{"a" + strconv.Itoa(n), "b" + strconv.Itoa(n), "c" + strconv.Itoa(n)}, nil
		},
		Accept: func(context.Context, ingest.Delivery) error { return nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	sign := signature.Sign(body)
	b.ReportAllocs()
	for b.Loop() {
		r := request(string(body), map[string]string{ingest.SignatureHeader: sign})
		h.ServeHTTP(discard{}, r)
	}
	if s := h.Stats(); s.Accepted != uint64(n) || n == 0 {
		b.Fatalf("%+v of %d", s, n)
	}
}

// discard drops the answer.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}
