package logs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/logs"
)

// word makes a word of four letters for a number.
func word(n int) string {
	n = n * 7919 % (26 * 26 * 26 * 26)
	return string([]byte{byte('g' + n%20), byte('a' + n/20%26), byte('a' + n/520%26), byte('a' + n/13520%26)})
}

// kinds writes n kinds of lines of about 40 bytes that are no family, 8 lines of
// each.
func kinds(n int) []string {
	var lines []string
	for i := range 8 {
		for k := range n {
			lines = append(lines, fmt.Sprintf("%s %s took %dms for %d %s of 10.0.%d.%d", word(k), word(k+7), i*37, k, word(k+3), i, k%256))
		}
	}
	return lines
}

// trained is a miner that knows the kinds.
func trained(b *testing.B, preset logs.Preset, n int) (*logs.Miner, []string) {
	b.Helper()
	m, lines := newMiner(b, &logs.Options{Preset: preset}), kinds(n)
	learn(m, lines...)
	if m.Len() != n && preset == logs.Default {
		b.Fatalf("%d templates, want %d", m.Len(), n)
	}
	return m, lines
}

func BenchmarkLearn(b *testing.B) {
	for _, preset := range []logs.Preset{logs.Default, logs.Drain} {
		for _, n := range []int{50, 500, 5000} {
			b.Run(fmt.Sprintf("%v/templates=%d", preset, n), func(b *testing.B) {
				m, lines := trained(b, preset, n)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					m.Learn(start, lines[i%len(lines)])
					i++
				}
			})
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{50, 500, 5000} {
		b.Run(fmt.Sprintf("templates=%d", n), func(b *testing.B) {
			m, lines := trained(b, logs.Default, n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				m.Match(lines[i%len(lines)])
				i++
			}
		})
	}
}

func BenchmarkLines(b *testing.B) {
	for name, line := range map[string]string{
		"text":    "failed password for bob from 10.199.184.136 port 58579",
		"logfmt":  `ts=2026-03-01T12:00:00Z level=info msg="user bob logged in" ip=10.0.0.1 took=5ms`,
		"json":    `{"ts":"2026-03-01T12:00:00Z","level":"info","msg":"user bob logged in","ip":"10.0.0.1","took":5}`,
		"long":    fmt.Sprintf("%01000d %01000x", 7, 7),
		"unknown": "",
	} {
		b.Run(name, func(b *testing.B) {
			m := newMiner(b, &logs.Options{MaxTemplates: 1000})
			learn(m, line)
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			i := 0
			for b.Loop() {
				if name == "unknown" {
					line = word(i) + " was " + word(i+1) + " for " + word(i+2) + word(i+3)
				}
				m.Learn(start, line)
				i++
			}
		})
	}
}

func BenchmarkRedact(b *testing.B) {
	line := "failed password for bob from 10.199.184.136 port 58579"
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = logs.AppendRedacted(dst[:0], line)
	}
}

func BenchmarkWatch(b *testing.B) {
	for _, n := range []int{50, 500, 5000} {
		w := newWatch(b, nil)
		for i := range n {
			w.Add(start, logs.Result{ID: logs.ID(i + 1)})
		}
		b.Run(fmt.Sprintf("add/templates=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				w.Add(start, logs.Result{ID: logs.ID(i%n + 1)})
				i++
			}
		})
		b.Run(fmt.Sprintf("window/templates=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			at := start
			for b.Loop() {
				at = at.Add(5 * time.Minute)
				for i := range n {
					w.Add(at, logs.Result{ID: logs.ID(i + 1)})
				}
			}
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	m, _ := trained(b, logs.Default, 5000)
	data := m.Snapshot()
	b.Run("save", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			m.Snapshot()
		}
	})
	b.Run("restore", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := logs.RestoreMiner(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
