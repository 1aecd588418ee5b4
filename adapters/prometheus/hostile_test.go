package prometheus_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
)

// TestGzipBomb asks servers whose answers unpack to a thousand times what is sent, 2 GiB
// in all: in blanks, in texts that never end, and in an error. Each is given up at
// MaxBytes or before, and none is held in memory.
func TestGzipBomb(t *testing.T) {
	const maxBytes = 4 << 20
	packed := func(text string) []byte { // as one member of a stream of several
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(text))
		_ = z.Close()
		return b.Bytes()
	}
	for _, c := range []struct {
		name, begin, fill string
		status            int
		want              error
	}{
		{"blanks", `{"status":"success","data":{`, " ", http.StatusOK, prometheus.ErrTooLarge},
		{"a name", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"`, "a", http.StatusOK, adapters.BadResponse},
		{"an unknown field", `{"status":"success","other":["`, "a", http.StatusOK, adapters.BadResponse},
		{"an error", `{"status":"error","error":"`, "a", http.StatusBadRequest, adapters.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			begin, fill := packed(c.begin), packed(strings.Repeat(c.fill, 1<<20))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, err := w.Write(begin)
				for n := 0; n < 2<<10 && err == nil; n++ {
					_, err = w.Write(fill)
				}
			}))
			defer server.Close()
			p := client(t, prometheus.Config{BaseURL: server.URL, MaxBytes: maxBytes})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, err := p.Query(t.Context(), "up", time.Unix(1, 0))
			runtime.ReadMemStats(&after)
			if e, ok := errors.AsType[*adapters.Error](err); !ok || !errors.Is(err, c.want) || e.Attempts != 1 || len(r.Series) > 0 {
				t.Errorf("got %+v, %v, want an Error of one attempt that is %v", r, err, c.want)
			}
			// A text is kept until it is too long, in a buffer that doubles; the server has its own pieces.
			if got := after.TotalAlloc - before.TotalAlloc; got > 8*maxBytes {
				t.Errorf("allocated %d bytes, want at most %d", got, 8*maxBytes)
			}
		})
	}
}
