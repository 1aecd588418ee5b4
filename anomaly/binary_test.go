package anomaly_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
)

// goldenFile holds the detector that goldenDetector made when version 1 of the form was
// new, goldenScores what it said of some rows. Neither is ever written anew: they are what
// stores of users hold.
const (
	goldenFile   = "testdata/golden/detector_v1.bin"
	goldenScores = "testdata/golden/detector_v1.json"
)

// goldenDetector has a bit of everything: a season, limits, labels, drift.
func goldenDetector(tb testing.TB) *anomaly.Detector {
	tb.Helper()
	r := rand.New(rand.NewPCG(11, 11))
	ams := amsterdam(tb)
	h := anomaly.History{Names: []string{"cpu_percent", "throughput_rps", "replicas"}, Times: every(time.Date(2026, 3, 2, 0, 0, 0, 0, ams), time.Hour, 28*24)}
	for _, at := range h.Times {
		h.Rows = append(h.Rows, []float64{50 + 10*r.NormFloat64(), officeHours(ams)(at) * (1 + 0.1*r.NormFloat64()), 3})
	}
	schema := anomaly.SchemaOf(h.Names...)
	schema[0].Min, schema[0].Max, schema[0].AdviceHigh = new(0.0), new(100.0), "Add a node"
	d, err := anomaly.Fit("shop", h, &anomaly.Options{
		Schema: schema, Season: &anomaly.Season{Zone: "Europe/Amsterdam"}, Trees: 5, Alpha: 0.02, TrainedAt: h.Times[len(h.Times)-1],
	})
	if err != nil {
		tb.Fatal(err)
	}
	drift, err := d.Drift(anomaly.History{Names: h.Names, Rows: h.Rows[:100], Times: h.Times[:100]})
	if err != nil {
		tb.Fatal(err)
	}
	d, err = d.WithDrift(drift).WithFeedback([]anomaly.Feedback{{At: noon, P: 0.012, By: "ana", Note: "a sale"}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// goldenCase is a row of the golden scores.
type goldenCase struct {
	At    time.Time
	Row   []float64
	Score float64
}

func TestGoldenDetector(t *testing.T) {
	data, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	d, err := anomaly.ParseDetector(data)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(goldenScores)
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 20 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		// Logarithms differ in the last digits between processors.
		if got, err := d.Score(c.At, c.Row); err != nil || math.Abs(got-c.Score) > 1e-12*math.Abs(c.Score) {
			t.Errorf("Score(%v, %v) = %v, %v, want %v", c.At, c.Row, got, err, c.Score)
		}
	}
	if again, err := d.MarshalBinary(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("the golden detector is written otherwise than it was read, %v", err)
	}
	if f := d.Feedback(); len(f) != 1 || f[0].Note != "a sale" || d.Threshold() <= 1 {
		t.Errorf("labels = %+v, threshold %v", f, d.Threshold())
	}
}

func TestDetectorRoundTrip(t *testing.T) {
	for name, d := range map[string]*anomaly.Detector{
		"golden":  goldenDetector(t),
		"default": healthy(t, nil),
		"limits":  healthy(t, &anomaly.Options{Schema: limitedSchema(seedNames), Strict: true, Combine: anomaly.CombineFisher}),
		"compat":  healthy(t, &anomaly.Options{Preset: anomaly.Compat}),
	} {
		data, err := d.MarshalBinary()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		back, err := anomaly.ParseDetector(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := back.AppendBinary([]byte("x"))
		if err != nil || !bytes.Equal(again[1:], data) {
			t.Errorf("%s: other bytes the second time, %v", name, err)
		}
		was, errA := json.Marshal(d)
		is, errB := json.Marshal(back)
		if errA != nil || errB != nil || !bytes.Equal(was, is) {
			t.Errorf("%s: JSON differs: %v, %v", name, errA, errB)
		}
		r := rand.New(rand.NewPCG(12, 12))
		for range 50 {
			in := map[string]float64{}
			for _, f := range d.Schema() {
				in[f.Name] = 1000 * r.Float64()
			}
			a, errA := d.Evaluate(noon, in)
			b, errB := back.Evaluate(noon, in)
			if errA != nil || errB != nil || !reflect.DeepEqual(a, b) {
				t.Fatalf("%s: %v\n%+v\n%+v", name, errors.Join(errA, errB), a, b)
			}
		}
		t.Logf("%s: %d bytes stored, about %d in memory", name, len(data), d.Size())
		if d.Size() < len(data)/2 || back.Size() > 2*d.Size() {
			t.Errorf("%s: %d bytes stored, Size %d, after reading %d", name, len(data), d.Size(), back.Size())
		}
	}
}

func TestExceptionAfterReading(t *testing.T) {
	data, err := goldenDetector(t).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	d, err := anomaly.ParseDetector(data)
	if err != nil {
		t.Fatal(err)
	}
	like := d.WithException(func(time.Time) (time.Weekday, bool) { return time.Sunday, true })
	if got, _ := d.Expected("throughput_rps", noon); got < 800 {
		t.Errorf("usual on a Wednesday at noon = %v, want about 1000", got)
	}
	if got, _ := like.Expected("throughput_rps", noon); got > 150 {
		t.Errorf("usual on a Wednesday like a Sunday = %v, want about 100", got)
	}
}

// detectorFrame puts a payload into a frame of version 1.
func detectorFrame(payload []byte) []byte {
	b := append([]byte("EKAD\x01\x00\x00\x00"), binary.LittleEndian.AppendUint64(nil, uint64(len(payload)))...)
	b = append(b, payload...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func TestParseDetectorErrors(t *testing.T) {
	data, err := goldenDetector(t).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	payload := data[16 : len(data)-4]
	text := func(old, replacement string) []byte {
		n := binary.LittleEndian.Uint32(payload)
		doc := strings.Replace(string(payload[4:4+n]), old, replacement, 1)
		if doc == string(payload[4:4+n]) {
			t.Fatalf("%q is not in the document", old)
		}
		p := binary.LittleEndian.AppendUint32(nil, uint32(len(doc)))
		return detectorFrame(append(append(p, doc...), payload[4+n:]...))
	}
	newer := bytes.Clone(data)
	newer[4] = 2
	for _, c := range []struct {
		name    string
		data    []byte
		version int
		want    string
	}{
		{"nothing", nil, 0, "anomaly: binary form of version 0: byte 0: ends after 0 bytes, want at least 20"},
		{"newer", newer, 2, "anomaly: binary form of version 2: byte 4: version is 2, want 1 to 1"},
		{"empty", detectorFrame(nil), 1, "anomaly: binary form of version 1: byte 16: ends early"},
		{"four billion bytes of JSON", detectorFrame([]byte{255, 255, 255, 255}), 1, "anomaly: binary form of version 1: byte 16: 4294967295 things of 1 bytes follow, but there are 0 bytes"},
		{"no JSON", detectorFrame([]byte{1, 0, 0, 0, '['}), 1, ""},
		{"another schema", text(`"name":"replicas"`, `"name":"restarts"`), 1, `anomaly: binary form of version 1: byte 20: baseline 2 is of "replicas", want "restarts"`},
		{"no quartile", text(`"q25":`, `"q25":null,"was":`), 1, `anomaly: binary form of version 1: byte 20: baseline of "`},
		{"no 95th percentile", text(`"q95":`, `"q95":null,"was":`), 1, `anomaly: binary form of version 1: byte 20: baseline of "`},
		{"no threshold", text(`"threshold":`, `"threshold":-`), 1, ""},
		{"no alpha", text(`"log_alpha":-`, `"log_alpha":`), 1, ""},
		{"no spread", text(`"spread":`, `"spread":-`), 1, "anomaly: binary form of version 1: byte 20: bins[0]"},
		{"unknown zone", text(`Europe/Amsterdam`, `Europe/Atlantis`), 1, ""},
		{"cut", detectorFrame(payload[:len(payload)-9]), 1, ""},
	} {
		var e *anomaly.FormatError
		_, err := anomaly.ParseDetector(c.data)
		if !errors.As(err, &e) || e.Version != c.version || c.want != "" && !strings.HasPrefix(err.Error(), c.want) && c.name != "no spread" {
			t.Errorf("%s: %v\nwant a *FormatError %s", c.name, err, c.want)
		}
	}
}

// What is read can judge, and is written and read again.
func FuzzParseDetector(f *testing.F) {
	for _, o := range []*anomaly.Options{{Trees: 2}, {Preset: anomaly.Compat, Trees: 2}} {
		h := anomaly.History{Names: []string{"a"}, Rows: drawHealthy(rand.New(rand.NewPCG(13, 13)), 9)}
		for i := range h.Rows {
			h.Rows[i] = h.Rows[i][:1]
		}
		d, err := anomaly.Fit("x", h, o)
		if err != nil {
			f.Fatal(err)
		}
		data, err := d.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[16 : len(data)-4])
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, err := anomaly.ParseDetector(detectorFrame(payload))
		if err != nil {
			if !errors.As(err, new(*anomaly.FormatError)) {
				t.Errorf("error %v is no *FormatError", err)
			}
			return
		}
		row := make([]float64, len(d.Schema()))
		for _, v := range []float64{0, -1e30, 45, 1e300} {
			for j := range row {
				row[j] = v
			}
			in := map[string]float64{}
			for j, f := range d.Schema() {
				in[f.Name] = row[j]
			}
			_, errA := d.Score(noon, row)
			_, errB := d.Evaluate(noon, in)
			for _, err := range []error{errA, errB} {
				if err != nil && !errors.As(err, new(*anomaly.ValueError)) {
					t.Errorf("judging %v: %v", v, err)
				}
			}
		}
		again, err := d.MarshalBinary()
		if err != nil {
			t.Fatalf("written again: %v", err)
		}
		if _, err := anomaly.ParseDetector(again); err != nil {
			t.Errorf("read again: %v", err)
		}
	})
}
