package iforest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/iforest"
)

// framed puts a payload into a frame of version 1.
func framed(payload []byte) []byte {
	b := append([]byte("EKIF\x01\x00\x00\x00"), binary.LittleEndian.AppendUint64(nil, uint64(len(payload)))...)
	b = append(b, payload...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func normalTable(r *rand.Rand, n, d int) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, d)
		for j := range rows[i] {
			rows[i][j] = r.NormFloat64()
		}
	}
	return rows
}

// Scores and attributions are the same to the last bit after a round trip, whatever the
// shape of the forest.
func TestBinaryRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		n, d int
		o    iforest.Options
	}{
		{1, 1, iforest.Options{}},
		{2, 1, iforest.Options{Trees: 3}},
		{300, 5, iforest.Options{Contamination: 0.1}},
		{300, 70, iforest.Options{Trees: 9, FeatureShare: 0.3}}, // rows of any width
		{1000, 3, iforest.Options{Draws: iforest.FastDraws, MaxSamples: 512}},
	} {
		rows := normalTable(r, c.n, c.d)
		f, err := iforest.Fit(rows, &c.o)
		if err != nil {
			t.Fatal(err)
		}
		data, err := f.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		back, err := iforest.ParseForest(data)
		if err != nil {
			t.Fatalf("%d x %d: %v", c.n, c.d, err)
		}
		if back.Offset() != f.Offset() || back.MaxSamples() != f.MaxSamples() || back.Trees() != f.Trees() || back.Features() != f.Features() {
			t.Errorf("%d x %d: %v, want %v", c.n, c.d, back, f)
		}
		was, is := make([]float64, c.d), make([]float64, c.d)
		for _, row := range normalTable(r, 50, c.d) {
			a, errA := f.Score(row)
			b, errB := back.Score(row)
			if a != b || errA != nil || errB != nil {
				t.Fatalf("%d x %d: score = %v, %v, was %v, %v", c.n, c.d, b, errB, a, errA)
			}
			if err := errors.Join(f.Attribute(was, row), back.Attribute(is, row)); err != nil || !equal(was, is) {
				t.Fatalf("%d x %d: credit = %v, was %v, %v", c.n, c.d, is, was, err)
			}
		}
		if again, err := back.AppendBinary([]byte("x")); err != nil || !bytes.Equal(again[1:], data) {
			t.Errorf("%d x %d: other bytes the second time, %v", c.n, c.d, err)
		}
	}
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestBinaryErrors(t *testing.T) {
	f, err := iforest.Fit(normalTable(rand.New(rand.NewPCG(2, 2)), 20, 2), &iforest.Options{Trees: 2})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := f.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	payload := whole[16 : len(whole)-4]
	put := func(at int, v uint32) []byte {
		p := bytes.Clone(payload)
		binary.LittleEndian.PutUint32(p[at:], v)
		return framed(p)
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "iforest: model: binary[0]: ends after 0 bytes, want at least 20"},
		{"another file", bytes.Repeat([]byte("%PDF"), 9), `iforest: model: binary[0]: starts with "%PDF", want "EKIF"`},
		{"no payload", framed(nil), "iforest: model: binary: ends early or has a number too large for its length"},
		{"no columns", put(0, 0), "iforest: model: columns: is 0, want at least 1"},
		{"no rows", put(4, 0), "iforest: model: max_samples: is 0, want at least 1"},
		{"offset", put(12, 0x7ff80000), "iforest: model: offset: is NaN, want a finite number"},
		{"no trees", put(16, 0), "iforest: model: trees: is empty, want at least one tree"},
		{"four billion trees", put(16, 1<<32-1), "iforest: model: binary: ends early or has a number too large for its length"},
		{"a tree less", put(16, 1), ""},
		{"a tree more", put(16, 3), ""},
		{"cut", framed(payload[:len(payload)-8]), ""},
	} {
		_, err := iforest.ParseForest(c.data)
		if !errors.As(err, new(*iforest.FormatError)) || c.want != "" && err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
	}
}

// What is read can be walked: no row leaves a tree, and equal bytes come out.
func FuzzParseForest(f *testing.F) {
	for _, d := range []int{1, 3} {
		forest, err := iforest.Fit(normalTable(rand.New(rand.NewPCG(3, 3)), 9, d), &iforest.Options{Trees: 2})
		if err != nil {
			f.Fatal(err)
		}
		data, err := forest.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[16 : len(data)-4])
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		data := framed(payload)
		forest, err := iforest.ParseForest(data)
		if err != nil {
			if !errors.As(err, new(*iforest.FormatError)) {
				t.Errorf("error %v is no *FormatError", err)
			}
			return
		}
		row := make([]float64, forest.Features())
		for _, v := range []float64{0, -1e30, 1e30, 0.3} {
			for j := range row {
				row[j] = v
			}
			if _, err := forest.Score(row); err != nil {
				t.Errorf("score: %v", err)
			}
		}
		if again, err := forest.MarshalBinary(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("other bytes come out than went in, %v", err)
		}
	})
}
