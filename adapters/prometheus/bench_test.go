package prometheus_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/prometheus"
)

// BenchmarkQueryRange decodes 20 series of 5 000 ratios, 3.3 MB.
func BenchmarkQueryRange(b *testing.B) {
	body := []byte(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for i := range 20 {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"metric":{"__name__":"x","instance":"10.0.0.%d:9100","job":"node"},"values":[`, i)
		for j := range 5000 {
			if j > 0 {
				body = append(body, ',')
			}
			body = fmt.Appendf(body, `[%d,"%v"]`, 1_795_326_000+30*j, 1/float64(i+j+3))
		}
		body = append(body, "]}"...)
	}
	body = append(body, "]}}"...)
	c, err := prometheus.New(prometheus.Config{BaseURL: "http://prometheus.example", Transport: wire(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(body))}, nil
	})})
	if err != nil {
		b.Fatal(err)
	}
	from := time.Unix(1_795_326_000, 0)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := c.QueryRange(b.Context(), "x", from, from.Add(4999*30*time.Second), 30*time.Second)
		if err != nil || len(r.Series) != 20 {
			b.Fatalf("%d series, %v, want 20", len(r.Series), err)
		}
	}
}
