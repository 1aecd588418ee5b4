package slo_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

func FuzzParsePercent(f *testing.F) {
	for _, s := range []string{"99.9", "100", "0.1%", "", "-5", "NaN", "99.99999999999999999", "1e9", "0x1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := slo.ParsePercent(text)
		if err != nil {
			if _, ok := errors.AsType[*slo.ParseError](err); !ok || target.IsSet() {
				t.Fatalf("ParsePercent(%q) = %s, %v", text, target, err)
			}
			return
		}
		if one := slo.NewRatio(1, 1); target.Ratio().Sign() <= 0 || target.Ratio().Compare(one) > 0 {
			t.Fatalf("ParsePercent(%q) = %s", text, target.Ratio())
		}
		if back, err := slo.ParsePercent(target.Percent()); err != nil || back != target {
			t.Fatalf("ParsePercent(%q) = %s, printed and read %s, %v", text, target, back, err)
		}
	})
}

func FuzzParseRatio(f *testing.F) {
	for _, s := range []string{"14.4", "14/15", "-1/2", "+Inf", "1/0", "", "1e9", "00.10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := slo.ParseRatio(text)
		if err != nil {
			return
		}
		if back, err := slo.ParseRatio(r.String()); err != nil || back.Compare(r) != 0 {
			t.Fatalf("ParseRatio(%q) = %s, printed and read %s, %v", text, r, back, err)
		}
		var json slo.Ratio
		if data, err := r.MarshalJSON(); err != nil || json.UnmarshalJSON(data) != nil || json.Compare(r) != 0 {
			t.Fatalf("%s as JSON is %s and back %s", r, data, json)
		}
	})
}

func FuzzParseValue(f *testing.F) {
	for _, s := range []string{"0", "18446744073709551615", "1.5e+06", "NaN", "-1", "+Inf", "0.1", "1e-400", "100e17"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := slo.ParseValue(text)
		if err != nil || v.IsGap() {
			return
		}
		if v.Ratio().Sign() < 0 || v.Ratio().IsInf(0) {
			t.Fatalf("ParseValue(%q) = %s", text, v)
		}
		// The digits of an inexact value may read as an exact one.
		if back, err := slo.ParseValue(v.String()); err != nil || back.Float64() != v.Float64() {
			t.Fatalf("ParseValue(%q) = %s, printed and read %s, %v", text, v, back, err)
		}
	})
}

func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"30d", "calendar_month", "4w", "1h30m", "", "calendar_", "P1M"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := slo.ParseWindow(text, nil)
		if err != nil {
			return
		}
		if w.Validate() != nil || w.Nominal() <= 0 {
			t.Fatalf("ParseWindow(%q) = %s, %v", text, w, w.Validate())
		}
		if p := w.Period(origin); p.IsEmpty() {
			t.Fatalf("ParseWindow(%q): Period = %s", text, p.Interval)
		}
	})
}

func FuzzLatencyBound(f *testing.F) {
	f.Add("0.25", "1")
	f.Add("5e-05", "1e+06")
	f.Add("+Inf", "NaN")
	f.Fuzz(func(t *testing.T, a, b string) {
		got, err := slo.LatencySLI([]slo.Bucket{{a, 1}, {b, 2}, {"+Inf", 3}}, slo.NewRatio(1, 2))
		if err == nil && (got.Good.Sign() < 0 || got.Good.Compare(slo.NewRatio(3, 1)) > 0) {
			t.Fatalf("bounds %q, %q: %+v", a, b, got)
		}
	})
}

// FuzzRestore changes snapshots and mends their checksum: whatever they hold, a
// tracker refuses them or answers without panic.
func FuzzRestore(f *testing.F) {
	kinds := trackerKinds()
	rows := randomRows(rand.New(rand.NewPCG(4, 4)), 60)
	for _, o := range kinds {
		for _, compact := range []bool{false, true} {
			tracker := mustTracker(f, o, &slo.TrackerOptions{MaxGap: time.Minute, Compact: compact})
			for _, row := range rows {
				if err := tracker.Observe(row.at, slo.Counts{Good: row.good, Total: row.total}); err != nil {
					f.Fatal(err)
				}
			}
			snapshot := tracker.Snapshot()
			f.Add(snapshot[:len(snapshot)-crc32.Size])
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		snapshot := binary.LittleEndian.AppendUint32(slices.Clip(body), crc32.ChecksumIEEE(body))
		for _, o := range kinds {
			for _, compact := range []bool{false, true} {
				restoreAny(t, mustTracker(t, o, &slo.TrackerOptions{Compact: compact}), snapshot)
			}
		}
	})
}

func restoreAny(t *testing.T, tracker *slo.Tracker, snapshot []byte) {
	t.Helper()
	if err := tracker.Restore(snapshot); err != nil {
		if !errors.Is(err, slo.ErrSnapshot) {
			t.Fatalf("Restore: %v, want ErrSnapshot", err)
		}
		return
	}
	if tracker.Now().IsZero() || tracker.Now().Year() > 2100 {
		return // only answers of real times
	}
	if _, err := tracker.Statuses(); err != nil {
		t.Logf("Statuses: %v", err)
	}
	if err := tracker.Advance(tracker.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}
