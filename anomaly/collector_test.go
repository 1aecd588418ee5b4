package anomaly_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly"
)

// Three nodes of different load together know what one that had seen all would: moments to
// rounding, quantiles to the sketch.
func TestCollectorsMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 51))
	rows := drawHealthy(r, 6000)
	for i, row := range rows {
		if i%10 == 0 {
			row[1] = math.NaN()
		}
		if i < 4000 {
			row[2] += 300 // a slow node
		}
	}
	want, err := anomaly.LearnBaselines(anomaly.History{Names: seedNames, Rows: rows}, nil)
	if err != nil {
		t.Fatal(err)
	}
	collect := func(rows [][]float64) *anomaly.Collector {
		c, err := anomaly.NewCollector(seedNames...)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if err := c.Add(row); err != nil {
				t.Fatal(err)
			}
		}
		data, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if c, err = anomaly.ParseCollector(data); err != nil {
			t.Fatal(err)
		}
		if again, err := c.AppendBinary(nil); err != nil || !bytes.Equal(again, data) {
			t.Errorf("other bytes the second time, %v", err)
		}
		return c
	}
	all := collect(nil)
	for _, part := range [][][]float64{rows[:4000], nil, rows[4000:4001], rows[4001:]} {
		if err := all.Merge(collect(part)); err != nil {
			t.Fatal(err)
		}
	}
	for j, got := range all.Baselines() {
		w := want[j]
		near := func(a, b, tol float64) bool { return math.Abs(a-b) <= tol }
		// Between the 24.5th and the 25.5th percentile and so on lies what half a percent of
		// the rank allows.
		if got.N != w.N || got.Missing != w.Missing || !near(got.Mean, w.Mean, 1e-9*math.Abs(w.Mean)) || !near(got.SD, w.SD, 1e-9*w.SD) ||
			!near(got.Q25, w.Q25, 0.02*w.SD) || !near(got.Median, w.Median, 0.05*w.SD) || !near(got.Q75, w.Q75, 0.02*w.SD) || !near(got.Q95, w.Q95, 0.04*w.SD) || !near(got.MAD, w.MAD, 0.05*w.SD) {
			t.Errorf("merged baseline = %+v\nwant %+v", got, w)
		}
	}
}

func TestCollectorErrors(t *testing.T) {
	a, err := anomaly.NewCollector("a", "b")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Add([]float64{1}); !errors.As(err, new(*anomaly.RowError)) {
		t.Errorf("a short row: %v", err)
	}
	if err := a.Add([]float64{1, math.Inf(1)}); !errors.As(err, new(*anomaly.ValueError)) || a.Baselines()[0].N != 0 {
		t.Errorf("an infinity: %v, %+v", err, a.Baselines())
	}
	b, err := anomaly.NewCollector("b", "c")
	if err != nil {
		t.Fatal(err)
	}
	var problem *anomaly.SchemaError
	if err := a.Merge(b); !errors.As(err, &problem) || !reflect.DeepEqual(problem, &anomaly.SchemaError{Missing: []string{"a"}, Unknown: []string{"c"}}) {
		t.Errorf("other names: %v", err)
	}
	if _, err := anomaly.NewCollector("a", "a"); !errors.As(err, new(*anomaly.SchemaError)) {
		t.Errorf("a name twice: %v", err)
	}
	// No value is null in JSON, and comes back as such.
	data, err := json.Marshal(a.Baselines())
	var back anomaly.Baselines
	if err != nil || !bytes.Contains(data, []byte(`"mean":null`)) || json.Unmarshal(data, &back) != nil || !math.IsNaN(back[0].Median) || back[0].N != 0 {
		t.Errorf("nothing learnt = %s, %v", data, err)
	}
	if _, ok := back.Expected("a", noon); ok {
		t.Error("a feature without a value is usual somewhere")
	}
	if _, err := anomaly.ParseCollector(nil); !errors.As(err, new(*anomaly.FormatError)) {
		t.Errorf("no bytes: %v", err)
	}
}

// What is read can be asked, merged and written.
func FuzzParseCollector(f *testing.F) {
	c, err := anomaly.NewCollector("a", "b")
	if err != nil {
		f.Fatal(err)
	}
	for i := range 20 {
		if err := c.Add([]float64{float64(i), math.NaN()}); err != nil {
			f.Fatal(err)
		}
	}
	data, err := c.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[16 : len(data)-4])
	f.Fuzz(func(t *testing.T, payload []byte) {
		b := append([]byte("EKAC\x01\x00\x00\x00"), binary.LittleEndian.AppendUint64(nil, uint64(len(payload)))...)
		b = append(b, payload...)
		c, err := anomaly.ParseCollector(binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))))
		if err != nil {
			if !errors.As(err, new(*anomaly.FormatError)) {
				t.Errorf("error %v is no *FormatError", err)
			}
			return
		}
		c.Baselines()
		data, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		other, err := anomaly.ParseCollector(data)
		if err != nil {
			t.Fatalf("read again: %v", err)
		}
		if err := c.Merge(other); err != nil {
			t.Errorf("merged with itself: %v", err)
		}
	})
}
