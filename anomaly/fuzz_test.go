package anomaly_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
)

// Any table is refused with an error or learnt from, and then any reading is refused or
// judged: nothing panics, scores are the same twice, and verdicts and detectors can be written.
func FuzzFit(f *testing.F) {
	r := rand.New(rand.NewPCG(101, 101))
	bits := func(values ...float64) []byte {
		var b []byte
		for _, v := range values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		return b
	}
	var clean, odd []float64
	for i := range 60 {
		clean = append(clean, r.NormFloat64())
		odd = append(odd, []float64{0, math.NaN(), 1e149, -1e149, 5e-324, 1, 1, 1}[i%8])
	}
	f.Add(uint8(2), uint8(0), uint8(0), bits(clean...))
	f.Add(uint8(1), uint8(1), uint8(2), bits(odd...))
	f.Add(uint8(3), uint8(2), uint8(1), bits(append(odd, clean...)...))
	f.Add(uint8(1), uint8(3), uint8(0), bits(math.Inf(1), math.MaxFloat64))
	names := []string{"cpu", "error_rate", "rps", "x"}
	f.Fuzz(func(t *testing.T, width, mode, harm uint8, data []byte) {
		h := anomaly.History{Names: names[:1+width%4]}
		for len(data) >= 8*len(h.Names) && len(h.Rows) < 200 {
			var row []float64
			for range h.Names {
				row = append(row, math.Float64frombits(binary.LittleEndian.Uint64(data)))
				data = data[8:]
			}
			h.Rows = append(h.Rows, row)
		}
		o := &anomaly.Options{Trees: 3}
		switch mode % 5 {
		case 1:
			o.Season = &anomaly.Season{}
			h.Times = every(noon, 7*time.Hour, len(h.Rows))
		case 2:
			o.Preset = anomaly.Compat
		case 3:
			o.Combine = anomaly.CombineStouffer
		case 4:
			o.Combine = anomaly.CombineCauchy
		}
		if o.Preset == anomaly.Default {
			o.Schema = anomaly.SchemaOf(h.Names...)
			o.Schema[0].Harm = anomaly.Side(harm % 3)
			if harm%2 == 1 {
				o.Schema[0].Min = new(-1.0)
			}
		}
		d, err := anomaly.Fit("fuzz", h, o)
		if err != nil {
			return
		}
		for i := range min(len(h.Rows), 5) {
			in := map[string]float64{}
			for j, name := range h.Names {
				in[name] = 3 * h.Rows[i][j]
			}
			v, err := d.Evaluate(noon, in)
			if err != nil {
				continue
			}
			if _, err := json.Marshal(v); err != nil {
				t.Errorf("verdict %+v: %v", v, err)
			}
			share := 0.0
			for _, c := range v.Contributions {
				share += c.Share
			}
			if len(v.Contributions) > 0 && (math.Abs(share-1) > 1e-9 || !(v.Score >= 0)) {
				t.Errorf("score %v, shares %v of %+v", v.Score, share, v)
			}
			v.WhyNot()
			if _, err := json.Marshal(v.Signals(nil)); err != nil {
				t.Errorf("signals: %v", err)
			}
		}
		for _, name := range h.Names {
			if low, high := d.Limits(name, noon); math.IsNaN(low) || math.IsNaN(high) || low > high {
				t.Errorf("limits of %s are %v and %v", name, low, high)
			}
		}
		data, err = d.MarshalBinary()
		if err != nil {
			t.Fatalf("detector: %v", err)
		}
		if _, err := anomaly.ParseDetector(data); err != nil {
			t.Errorf("detector read again: %v", err)
		}
	})
}
