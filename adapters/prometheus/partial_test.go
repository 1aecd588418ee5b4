package prometheus_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/prometheus"
)

// breaking answers every step of a range and every second of raw samples with 1, and
// the third request with 422. asked are the parts by their ends.
type breaking struct {
	t     *testing.T
	asked []string
}

func (b *breaking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	end, step := milli(b.t, r.FormValue("end")+r.FormValue("time")), int64(1000)
	start := end - 9_999 // of raw samples, ten seconds a part
	if r.FormValue("start") != "" {
		start, step = milli(b.t, r.FormValue("start")), milli(b.t, r.FormValue("step"))
	}
	b.asked = append(b.asked, fmt.Sprint(start/1000, "-", end/1000))
	if len(b.asked) == 3 {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write([]byte(`{"status":"error","errorType":"execution","error":"too many samples"}`))
		return
	}
	var points []string
	for at := (start + 999) / 1000 * 1000; at <= end; at += step {
		points = append(points, fmt.Sprintf(`[%d,"1"]`, at/1000))
	}
	_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[` + strings.Join(points, ",") + `]}]}}`))
}

// A range that broke in the middle keeps what came, says how far, and goes on there
// without asking again for what it has.
func TestPartial(t *testing.T) {
	from := time.Unix(1000, 0).UTC()
	wantPartial := func(t *testing.T, err error, until int64) time.Time {
		t.Helper()
		partial, ok := errors.AsType[*prometheus.PartialError](err)
		if !ok || !partial.Until.Equal(time.Unix(until, 0)) || !errors.Is(err, adapters.Invalid) {
			t.Fatalf("error %v, want what is whole until %d, and invalid", err, until)
		}
		return partial.Until
	}
	begin := func(t *testing.T) (*breaking, *prometheus.Client) {
		t.Helper()
		b := &breaking{t: t}
		server := httptest.NewServer(b)
		t.Cleanup(server.Close)
		return b, client(t, prometheus.Config{BaseURL: server.URL, MaxPoints: 10, MaxRange: 10 * time.Second})
	}
	t.Run("range", func(t *testing.T) {
		b, c := begin(t)
		until := from.Add(45 * 30 * time.Second) // 46 points in five parts
		r, err := c.QueryRange(t.Context(), "x", from, until, 30*time.Second)
		next := wantPartial(t, err, 1600)
		if len(r.Series) != 1 || len(r.Series[0].Points) != 20 {
			t.Fatalf("%v, want the 20 points of two parts", r)
		}
		rest, err := c.QueryRange(t.Context(), "x", next, until, 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Append(rest); err != nil {
			t.Fatal(err)
		}
		for i, p := range r.Series[0].Points {
			if p.UnixMilli != 1_000_000+30_000*int64(i) {
				t.Fatalf("point %d at %v", i, p.At())
			}
		}
		if n := len(r.Series[0].Points); n != 46 {
			t.Errorf("%d points, want 46", n)
		}
		if want := []string{"1000-1270", "1300-1570", "1600-1870", "1600-1870", "1900-2170", "2200-2350"}; !slices.Equal(b.asked, want) {
			t.Errorf("asked %v, want %v", b.asked, want)
		}
		if err := r.Append(rest); err == nil || len(r.Series[0].Points) != 46 {
			t.Errorf("the same again: %v, %d points; want an error and 46", err, len(r.Series[0].Points))
		}
		if err := r.Append(prometheus.Result{Type: prometheus.Vector}); err == nil {
			t.Error("a vector was appended")
		}
	})
	t.Run("availability", func(t *testing.T) {
		b, c := begin(t)
		until := from.Add(46 * 30 * time.Second)
		a, err := c.Availability(t.Context(), "up", from, until, 0)
		next := wantPartial(t, err, 1600)
		if a.Good != 20 || a.Total != 20 || len(a.NoData) != 0 {
			t.Errorf("%+v, want 20 of 20", a)
		}
		if a, err = c.Availability(t.Context(), "up", next, until, 0); err != nil || a.Total != 26 {
			t.Errorf("the rest: %+v, %v; want 26", a, err)
		}
		if len(b.asked) != 6 {
			t.Errorf("asked %v, want six parts", b.asked)
		}
	})
	t.Run("samples", func(t *testing.T) {
		b, c := begin(t)
		var seen []int64
		read := func(from time.Time) (failed error) {
			for s, err := range c.Samples(t.Context(), "x", from, time.Unix(1045, 0)) {
				if err != nil {
					return err
				}
				seen = append(seen, s.At.Unix())
			}
			return nil
		}
		next := wantPartial(t, read(from), 1020)
		if err := read(next); err != nil {
			t.Fatal(err)
		}
		for i, at := range seen {
			if at != 1000+int64(i) {
				t.Fatalf("sample %d at %d", i, at)
			}
		}
		if len(seen) != 45 || len(b.asked) != 6 {
			t.Errorf("%d samples in %v, want 45 in six parts", len(seen), b.asked)
		}
	})
	t.Run("nothing came", func(t *testing.T) {
		b, c := begin(t)
		b.asked = []string{"", ""}
		_, err := c.QueryRange(t.Context(), "x", from, from.Add(time.Hour), 30*time.Second)
		if _, ok := errors.AsType[*prometheus.PartialError](err); ok || !errors.Is(err, adapters.Invalid) {
			t.Errorf("error %v, want one that is not partial", err)
		}
	})
}
