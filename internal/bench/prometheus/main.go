// Command prometheus compares the decoding of range queries with client_golang:
// 20 series of 5 000 points, 3.2 MB, over a transport in memory. Both sides build
// the request, read the answer and hold all of its points.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/evenkeelops/evenkeel/adapters/prometheus"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const (
	series = 20
	points = 5000
	peer   = "client_golang v1.25.0"
	start  = 1_795_326_000
	step   = 30
)

func main() {
	measure.Main([]measure.Pair{
		decode("prometheus/range_decode", fraction),
		decode("prometheus/range_decode_whole", whole),
	})
}

// fraction writes 17 digits, as most ratios have; whole writes a counter.
func fraction(r *rand.Rand, _ int) string {
	return strconv.FormatFloat(r.Float64(), 'f', -1, 64)
}

func whole(r *rand.Rand, i int) string { return strconv.Itoa(1_000_000 + 100*i + r.IntN(100)) }

func decode(name string, value func(*rand.Rand, int) string) measure.Pair {
	return measure.Pair{
		Name: name, Peer: peer, Bar: 6,
		Setup: func() (ours, theirs func(), err error) {
			body := answer(value)
			client, err := prometheus.New(prometheus.Config{BaseURL: "http://prometheus.example", Transport: memory(body)})
			if err != nil {
				return nil, nil, err
			}
			other, err := api.NewClient(api.Config{Address: "http://prometheus.example", RoundTripper: memory(body)})
			if err != nil {
				return nil, nil, err
			}
			ctx := context.Background()
			from, until := time.Unix(start, 0), time.Unix(start+step*(points-1), 0)
			read := func() (prometheus.Result, error) { return client.QueryRange(ctx, "x", from, until, step*time.Second) }
			api := v1.NewAPI(other)
			readOther := func() (model.Value, error) {
				v, _, _, err := api.QueryRange(ctx, "x", v1.Range{Start: from, End: until, Step: step * time.Second})
				return v, err
			}
			if err := compare(read, readOther); err != nil {
				return nil, nil, err
			}
			return func() { must(read()) }, func() { must(readOther()) }, nil
		},
	}
}

// compare wants the same labels, instants and bits from both.
func compare(read func() (prometheus.Result, error), readOther func() (model.Value, error)) error {
	a, err := read()
	if err != nil {
		return err
	}
	v, err := readOther()
	if err != nil {
		return err
	}
	b, ok := v.(model.Matrix)
	if !ok || len(a.Series) != series || len(b) != series {
		return fmt.Errorf("%d and %d series of %T, want %d", len(a.Series), len(b), v, series)
	}
	for i, s := range a.Series {
		if len(s.Points) != points || len(b[i].Values) != points || len(s.Labels) != len(b[i].Metric) {
			return fmt.Errorf("series %d: %d and %d points, want %d", i, len(s.Points), len(b[i].Values), points)
		}
		for k, want := range b[i].Metric {
			if s.Labels[string(k)] != string(want) {
				return fmt.Errorf("series %d: label %s = %q, want %q", i, k, s.Labels[string(k)], want)
			}
		}
		for j, p := range s.Points {
			if w := b[i].Values[j]; p.UnixMilli != int64(w.Timestamp) || math.Float64bits(p.Value) != math.Float64bits(float64(w.Value)) {
				return fmt.Errorf("series %d point %d: %v and %v", i, j, p, w)
			}
		}
	}
	return nil
}

// answer is the body of a range query as Prometheus writes it.
func answer(value func(*rand.Rand, int) string) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := []byte(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for i := range series {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"metric":{"__name__":"x","instance":"10.0.0.%d:9100","job":"node","code":"200"},"values":[`, i)
		for j := range points {
			if j > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `[%d,%q]`, start+step*j, value(r, j))
		}
		b = append(b, "]}"...)
	}
	return append(b, "]}}"...)
}

// memory answers every request with the same body.
type memory []byte

// RoundTrip answers with the body and status 200.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(m)), Body: io.NopCloser(bytes.NewReader(m)),
	}, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
