package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const committed = "../../../examples/quickstart/testdata/night"

func TestCommittedRecording(t *testing.T) {
	if err := Check(committed, newPace(1), Identity{}); err != nil {
		t.Errorf("Check(%q) = %v", committed, err)
	}
}

// A recording that was touched up no longer agrees with its faults.
func TestCheckRefuses(t *testing.T) {
	tests := []struct {
		name, file string
		change     func([]byte) []byte
		want       string
	}{
		{"outage missing", "checks.csv", replace("shop-db,down", "shop-db,up"), "shop-db down at"},
		{"page missing", "webhooks.jsonl", replace("platform.database_down", "platform.database_dim"), "0 runs of platform.database_down"},
		{"one processor alert less", "webhooks.jsonl", replace("infrastructure.cpu_high", "infrastructure.cpu_low"), "infrastructure.cpu_high does not fire"},
		{"short notice", "maintenance.csv", shortNotice, "want 72h at least"},
		{"machine name", "SOURCE.md", replace("Recorded by", "Recorded on build-7 by"), `holds "build-7"`},
		{"path", "SOURCE.md", replace("=prometheus.yml", "=/home/ann/prometheus.yml"), "absolute path"},
		{"more good than all", "sli.csv", func(b []byte) []byte { return append(b, "2026-01-01T00:00:00Z,shop-web,2,1\n"...) }, `good "2", total "1"`},
		{"too long", "rules.yml", func(b []byte) []byte { return append(b, bytes.Repeat([]byte("#"), maxFile)...) }, "want at most"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range names {
				data, err := os.ReadFile(filepath.Join(committed, name))
				if err != nil {
					t.Fatal(err)
				}
				if name == tt.file {
					data = tt.change(data)
				}
				if err := write(dir, name, data); err != nil {
					t.Fatal(err)
				}
			}
			err := Check(dir, newPace(1), Identity{Host: "build-7"})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Check = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func replace(before, after string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(before), []byte(after)) }
}

// shortNotice makes the announcement as late as the start of the window.
func shortNotice(b []byte) []byte {
	lines := strings.Split(string(b), "\n")
	f := strings.Split(lines[1], ",")
	f[4] = f[2]
	lines[1] = strings.Join(f, ",")
	return []byte(strings.Join(lines, "\n"))
}
