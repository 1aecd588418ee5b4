package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// row is a line that an area prints: figures in nanoseconds, in bytes, or of the error of
// forecasts (MASE). One of a single series has no bar; its verdict is better or worse.
type row struct {
	Name      string  `json:"name"`
	Ours      float64 `json:"ours_ns"`
	OursBytes float64 `json:"ours_bytes"`
	Peer      string  `json:"peer"`
	PeerNS    float64 `json:"peer_ns"`
	PeerBytes float64 `json:"peer_bytes"`
	OursMASE  float64 `json:"ours_mase"`
	PeerMASE  float64 `json:"peer_mase"`
	Ratio     float64 `json:"ratio"`
	Bar       float64 `json:"bar"`
	Verdict   string  `json:"verdict"`

	run int // of the machine lines, counted from 1
}

// outcome is a line of one side of a scenario: what became of calls to a server with faults.
type outcome struct {
	Side       string  `json:"side"`
	Calls      int     `json:"calls"`
	OK         int     `json:"ok"`
	Requests   int     `json:"requests"`
	Refused    *int    `json:"refused"` // 429
	Twice      *int    `json:"twice"`   // carried out more than once, or never
	Conns      int     `json:"conns"`
	RecoveryMS float64 `json:"recovery_ms"`

	row // its name and verdict
}

func (r *row) area() string { area, _, _ := strings.Cut(r.Name, "/"); return area }

// figures says both sides' figures.
func (r *row) figures() (ours, peer string) {
	switch {
	case r.OursBytes != 0:
		return bytes(r.OursBytes), bytes(r.PeerBytes)
	case r.OursMASE != 0:
		return "MASE " + digits(r.OursMASE), "MASE " + digits(r.PeerMASE)
	}
	return nanoseconds(r.Ours), nanoseconds(r.PeerNS)
}

// results are the lines of one or several runs. Of a pair that was measured again the last
// line counts.
type results struct {
	machines []machine
	rows     map[[2]string]row     // by name and peer
	outcomes map[[2]string]outcome // by name and side
}

// read takes lines of JSON: a machine, and the rows measured on it.
func read(in io.Reader) (*results, error) {
	r := &results{rows: map[[2]string]row{}, outcomes: map[[2]string]outcome{}}
	for decoder := json.NewDecoder(in); ; {
		var line struct {
			machine
			outcome
		}
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		switch {
		case line.At != "":
			r.machines = append(r.machines, line.machine)
		case line.Name == "" || line.Verdict == "" && line.Side == "":
			return nil, fmt.Errorf("a line is neither a machine nor a pair: %+v", line)
		case len(r.machines) == 0:
			return nil, fmt.Errorf("%s stands before the line that says on what machine it was measured", line.Name)
		case line.Side != "":
			r.outcomes[[2]string{line.Name, line.Side}] = line.outcome
		default:
			line.run = len(r.machines)
			r.rows[[2]string{line.Name, line.Peer}] = line.row
		}
	}
	if len(r.rows) == 0 {
		return nil, errors.New("no pair to show")
	}
	return r, nil
}

// writePage reads rows and writes the page and its drawing into a folder.
func writePage(in io.Reader, dir string) error {
	r, err := read(in)
	if err != nil {
		return err
	}
	programs, err := areas()
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "benchmarks.md"), []byte(r.page(programs)), 0o644),
		os.WriteFile(filepath.Join(dir, "growth.svg"), []byte(drawing(r.curves())), 0o644),
	)
}

const pageHead = `# Benchmarks

Written by ` + "`make benchmarks`" + `, which runs every pair and takes some hours; do it on a machine that does nothing else. One area: ` + "`cd internal/bench && go run . -only '^sla/'`" + `.

Both sides run in one process and in turns, on one processor; a figure is the median of the rounds, the ratio that of their ratios: **peer over ours, above 1 ours is
faster**. A peer "goal" is a figure that we set ourselves. A bar is what was to be reached, and a verdict is never rounded in our favour. The unit is one operation of
the pair, in processor time unless the area says otherwise; ` + "`internal/bench`" + ` has each pair's code.

`

// page says what was measured where, and which of the areas were not.
func (r *results) page(areas []string) string {
	var b strings.Builder
	b.WriteString(pageHead)
	used := map[int]int{}
	bars, met := 0, 0
	for _, row := range r.rows {
		used[row.run]++
		if row.Bar == 0 {
			continue
		}
		bars++
		if row.Verdict == "met" {
			met++
		}
	}
	b.WriteString("| measured | pairs | machine | Go | load at the start |\n|---|---|---|---|---|\n")
	for _, n := range slices.Sorted(maps.Keys(used)) {
		m := r.machines[n-1]
		fmt.Fprintf(&b, "| %s | %d | %s, %d processors, %s | %s | %s |\n", m.At, used[n], orUnknown(m.CPU), m.Processors, m.System, m.Go, orUnknown(m.Load))
	}
	for _, o := range r.outcomes {
		switch o.Verdict {
		case "":
			continue // of a peer
		case "met":
			met++
		}
		bars++
	}
	fmt.Fprintf(&b, "\n%d of %d bars are met.", met, bars)
	if slices.ContainsFunc(slices.Collect(maps.Keys(used)), func(n int) bool { return r.machines[n-1].busy() }) {
		b.WriteString(" **A machine was busy with other work: its figures are rough and nothing to quote.**")
	}
	if without := slices.DeleteFunc(slices.Clone(areas), r.measured); len(without) > 0 {
		fmt.Fprintf(&b, " Areas without a pair here: %s.", strings.Join(without, ", "))
	}
	b.WriteByte('\n')
	rows := slices.SortedFunc(maps.Values(r.rows), func(a, b row) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Peer, b.Peer))
	})
	r.section(&b, "Where the bar is missed", rows, func(x row) bool { return x.Verdict == "missed" })
	for i, x := range rows {
		if i == 0 || rows[i-1].area() != x.area() {
			r.section(&b, x.area(), rows, func(y row) bool { return y.area() == x.area() && y.factor() == 0 })
		}
	}
	r.faults(&b)
	r.growth(&b)
	return b.String()
}

func (r *results) measured(area string) bool {
	for _, x := range r.rows {
		if x.area() == area {
			return true
		}
	}
	return false
}

func (r *results) section(b *strings.Builder, title string, rows []row, in func(row) bool) {
	head := fmt.Sprintf("\n## %s\n\n| pair | ours | peer | its figure | ratio | bar | verdict |\n|---|---:|---|---:|---:|---:|---|\n", title)
	for _, x := range rows {
		if in(x) {
			ours, peer := x.figures()
			bar := ""
			if x.Bar != 0 {
				bar = digits(x.Bar)
			}
			fmt.Fprintf(b, "%s| %s | %s | %s | %s | %s | %s | %s |\n", head, x.Name, ours, x.Peer, peer, digits(x.Ratio), bar, x.Verdict)
			head = ""
		}
	}
}

// faults shows what became of calls to servers with faults, ours before those of peers.
func (r *results) faults(b *strings.Builder) {
	all := slices.SortedFunc(maps.Values(r.outcomes), func(x, y outcome) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(y.Verdict, x.Verdict), strings.Compare(x.Side, y.Side))
	})
	if len(all) == 0 {
		return
	}
	b.WriteString("\n## Under faults\n\nWhat became of calls to a server that refuses, resets, throttles or is down, the same for every side; `internal/bench/resilience` says how.\n\n" +
		"| scenario | side | calls | well ended | requests | refused (429) | done twice or never | connections | recovery | verdict |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---|\n")
	number := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	some := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	for _, o := range all {
		ended, recovery := "", ""
		if o.Calls > 0 {
			ended = strconv.Itoa(o.OK)
		}
		if o.RecoveryMS > 0 {
			recovery = nanoseconds(o.RecoveryMS * 1e6)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %d | %s | %s | %s | %s | %s |\n", o.Name, o.Side, some(o.Calls), ended, o.Requests, number(o.Refused), number(o.Twice), some(o.Conns), recovery, o.Verdict)
	}
}

// growth shows what an item costs in larger inputs.
func (r *results) growth(b *strings.Builder) {
	curves := r.curves()
	if len(curves) == 0 {
		return
	}
	b.WriteString("\n## Growth\n\nWhat an item costs in an input of ten and a hundred times the size, beside its cost in the small one. Up to 2.5 times is the bar: a sort takes twice as many\n" +
		"steps, and more of the data lies outside of the caches. What grows with the square would cost ten and a hundred times as much.\n\n" +
		"![The cost of an item in inputs of 1, 10 and 100 times the size](growth.svg)\n\n| pair | 1 × | an item | 10 × | 100 × |\n|---|---|---:|---:|---:|\n")
	for _, c := range curves {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", c.name, c.small, nanoseconds(c.item), orUnknown(digits(c.cost[0])), orUnknown(digits(c.cost[1])))
	}
}

// curve is what an item costs in inputs of 10 and 100 times the size, as a multiple of its
// cost in a small one; 0 is not measured.
type curve struct {
	name, small string
	item        float64 // ns in the small input
	cost        [2]float64
}

var grown = regexp.MustCompile(`_(10|100)x$`)

// factor is by how much the input of a pair of growth is larger, 0 for other pairs.
func (r *row) factor() int {
	if m := grown.FindStringSubmatch(r.Name); m != nil && strings.HasPrefix(r.Peer, "itself, ") {
		n, _ := strconv.Atoi(m[1]) // of digits
		return n
	}
	return 0
}

// curves are the pairs of growth by name.
func (r *results) curves() []curve {
	found := map[string]*curve{}
	byName := slices.SortedFunc(maps.Values(r.rows), func(a, b row) int { return strings.Compare(a.Name, b.Name) })
	for _, x := range byName { // _100x before _10x, whose small input stays
		n := x.factor()
		if n == 0 || x.Ratio == 0 {
			continue
		}
		base := grown.ReplaceAllString(x.Name, "")
		c := found[base]
		if c == nil {
			c = &curve{name: base}
			found[base] = c
		}
		_, c.small, _ = strings.Cut(x.Peer, " x ")
		c.item = x.PeerNS
		c.cost[n/100] = 1 / x.Ratio
	}
	var out []curve
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, *found[name])
	}
	return out
}

func orUnknown(text string) string {
	if text == "" || text == "0" {
		return "unknown"
	}
	return text
}

// digits keeps three significant ones, of numbers below 1000.
func digits(x float64) string {
	if x >= 1000 || x == math.Trunc(x) {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

func nanoseconds(x float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if x >= unit.size {
			return digits(x/unit.size) + " " + unit.name
		}
	}
	return digits(x) + " ns"
}

func bytes(x float64) string {
	if x >= 1e6 {
		return digits(x/1e6) + " MB"
	}
	return digits(x) + " bytes"
}
