package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sampleRows = `{"at":"2026-12-01 03:00 UTC","go":"go1.26.8","system":"linux/amd64","processors":2,"cpu":"Some CPU","load":"0.02"}
{"name":"sla/due","ours_ns":100,"ours_allocs":0,"peer":"cal v2.1.13","peer_ns":4500,"ratio":45,"bar":10,"verdict":"met"}
{"name":"sla/union_10x","ours_ns":20,"ours_allocs":0,"peer":"itself, 10 x 100 intervals","peer_ns":16,"ratio":0.8,"bar":0.4,"verdict":"met"}
{"name":"sla/union_100x","ours_ns":40,"ours_allocs":0,"peer":"itself, 100 x 100 intervals","peer_ns":10,"ratio":0.25,"bar":0.4,"verdict":"missed"}
{"name":"roi/other_10x","ours_ns":1,"peer":"1000 series","peer_ns":3,"ratio":3,"bar":1,"verdict":"met"}
{"name":"roi/memory","ours_bytes":512,"peer":"goal","peer_bytes":2500000,"ratio":4882.8,"bar":1,"verdict":"met"}
{"name":"roi/error/rain","ours_mase":0.732,"peer":"oracle v1","peer_mase":0.548,"ratio":0.749,"verdict":"worse"}
{"name":"roi/aside","ours_ns":5,"peer":"oracle v1","peer_ns":5,"ratio":1,"bar":0,"verdict":"met"}
{"name":"roi/outage","side":"a peer v1","requests":151,"recovery_ms":8.164}
{"name":"roi/outage","side":"ours","calls":9,"ok":8,"requests":29,"refused":0,"twice":1,"conns":2,"recovery_ms":38.2,"verdict":"missed"}
{"name":"sla/due","ours_ns":300,"peer":"goal","peer_ns":300,"ratio":1,"bar":1,"verdict":"met"}
{"at":"2026-12-01 09:00 UTC","go":"go1.26.8","system":"linux/arm64","processors":8}
{"name":"sla/due","ours_ns":200,"ours_allocs":0,"peer":"cal v2.1.13","peer_ns":1234567,"ratio":9.5,"bar":10,"verdict":"missed"}
`

func TestPage(t *testing.T) {
	r, err := read(strings.NewReader(sampleRows))
	if err != nil {
		t.Fatal(err)
	}
	page := r.page([]string{"roi", "sla", "slo"})
	for _, want := range []string{
		"| 2026-12-01 03:00 UTC | 7 | Some CPU, 2 processors, linux/amd64 | go1.26.8 | 0.02 |",
		"| 2026-12-01 09:00 UTC | 1 | unknown, 8 processors, linux/arm64 | go1.26.8 | unknown |",
		"\n4 of 7 bars are met. Areas without a pair here: slo.\n",
		"\n## Where the bar is missed\n\n| pair | ours | peer | its figure | ratio | bar | verdict |\n|---|---:|---|---:|---:|---:|---|\n| sla/due | 200 ns | cal v2.1.13 | 1.23 ms | 9.5 | 10 | missed |\n| sla/union_100x | 40 ns | itself, 100 x 100 intervals | 10 ns | 0.25 | 0.4 | missed |\n",
		"\n## roi\n", "| roi/other_10x | 1 ns | 1000 series | 3 ns | 3 | 1 | met |", "| roi/error/rain | MASE 0.732 | oracle v1 | MASE 0.548 | 0.749 |  | worse |", "| roi/memory | 512 bytes | goal | 2.5 MB | 4883 | 1 | met |",
		"| sla/due | 300 ns | goal | 300 ns | 1 | 1 | met |", // as many pairs of a name as it has peers
		"\n## Under faults\n", "|---|\n| roi/outage | ours | 9 | 8 | 29 | 0 | 1 | 2 | 38.2 ms | missed |\n| roi/outage | a peer v1 |  |  | 151 |  |  |  | 8.16 ms |  |\n",
		"| sla/union | 100 intervals | 16 ns | 1.25 | 4 |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	r.machines[0].Load = "1.5"
	if page := r.page(nil); !strings.Contains(page, " are met. **A machine was busy") || strings.Contains(page, "without") {
		t.Errorf("the page does not say that a machine was busy:\n%s", page)
	}
	if strings.Contains(page, "| 45 |") {
		t.Error("the page has a pair as it was before it was measured again")
	}
}

// The drawing is XML and has each curve with its numbers; four times the cost is cut at
// three, the top of the plot.
func TestDrawing(t *testing.T) {
	svg := drawing([]curve{{name: "sla/union & more", cost: [2]float64{1.25, 4}}, {name: "b", cost: [2]float64{0, 1}}})
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
	if strings.Contains(svg, "%!") {
		t.Errorf("a format is wrong in\n%s", svg)
	}
	// 1, 1.25 and 3 of 3 in a plot from 30 to 120.
	for _, want := range []string{"sla/union &amp; more", ">1.25</text>", ">4</text>", `d="M50 90.0L150 82.5L250 30.0"`, `d="M50 90.0L250 90.0"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("the drawing lacks %q:\n%s", want, svg)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "no pair",
		`{"name":"a","verdict":"met"}`:  "before the line",
		`{"at":"now"} {"other":"line"}`: "neither",
		`{"at":"now"} {"name":"a"`:      "unexpected EOF",
	} {
		if _, err := read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("read(%q) = %v, want %q", text, err, want)
		}
	}
}

// The page in docs is that of the rows beside it.
func TestPageIsOfItsRows(t *testing.T) {
	rows, err := os.Open(filepath.Join(docs, "benchmarks.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	dir := t.TempDir()
	if err := writePage(rows, dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"benchmarks.md", "growth.svg"} {
		got, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("docs/%s is not of docs/benchmarks.jsonl: cd internal/bench && go run . -page < ../../docs/benchmarks.jsonl", name)
		}
	}
}
