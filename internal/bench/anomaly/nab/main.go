// Command nab runs the bank of streaming detectors on the files of the Numenta Anomaly
// Benchmark and scores it as the benchmark does:
//
//	go run ./anomaly/nab [-data folder] [-published file]
//
// One configuration and one threshold serve all files. It prints a row for each file and
// profile, the totals with the best single threshold and with that of the options, and beside
// them what others are published with, read from the notes that lie with the data.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/evenkeelops/evenkeel/anomaly/stream"
	"github.com/evenkeelops/evenkeel/internal/nab"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func main() {
	data := flag.String("data", testutil.Shared("data", "anomaly", "nab"), "folder of the files, that of the data here or a checkout of the benchmark")
	published := flag.String("published", testutil.Shared("data", "anomaly", "README.md"), "notes with published figures; none if empty")
	flag.Parse()
	if err := run(*data, *published); err != nil {
		fmt.Fprintln(os.Stderr, "nab:", err)
		os.Exit(1)
	}
}

func run(data, published string) error {
	corpus, err := nab.ReadCorpus(data)
	if err != nil {
		return err
	}
	var files []nab.File
	size := 0
	for _, s := range corpus {
		scores, bytes, err := score(&s)
		if err != nil {
			return err
		}
		files = append(files, nab.File{Scores: scores, Windows: s.Windows})
		size = max(size, bytes)
	}
	type total struct{ best, fixed float64 }
	var totals []total
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, p := range nab.Profiles {
		best := nab.Best(files, p)
		fmt.Fprintf(w, "%s, threshold %.3f\twindows\tfound\tfalse\tscore\t\n", p.Name, best.Threshold*full)
		for i, s := range corpus {
			r := nab.ScoreAt(files[i:i+1], p, best.Threshold)
			text := fmt.Sprintf("%.2f", r.Score)
			if len(s.Windows) == 0 {
				text = fmt.Sprintf("(%.2f)", r.Raw) // what it takes off the total
			}
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t\n", s.Name, len(s.Windows), r.Detected, r.FalsePositives, text)
		}
		fmt.Fprintf(w, "all\t%d\t%d\t%d\t%.2f\t\n", best.Detected+best.Missed, best.Detected, best.FalsePositives, best.Score)
		fixed := nab.ScoreAt(files, p, 1/full)
		totals = append(totals, total{best.Score, fixed.Score})
		fmt.Fprintf(w, "all, threshold of the options\t%d\t%d\t%d\t%.2f\t\n\n", fixed.Detected+fixed.Missed, fixed.Detected, fixed.FalsePositives, fixed.Score)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("%d bytes a series at most\n", size)
	if published == "" {
		return nil
	}
	notes, err := os.ReadFile(published)
	if err != nil {
		return err
	}
	for i, t := range publishedTables(string(notes)) {
		fmt.Printf("\n%s\n", t.heading)
		if i == 0 {
			fmt.Printf("  evenkeel %.1f / %.1f\n", totals[0].best, totals[0].fixed)
		} else {
			fmt.Printf("  evenkeel, on the files above, %.2f/%.2f\n", totals[1].best, totals[2].best)
		}
		for _, entry := range t.entries {
			fmt.Println("  " + entry)
		}
	}
	return nil
}

// full is more than any score of a bank, to bring scores below 1: two signals of 1e-50
// each against the default threshold of 1e-5.
const full = 25.0

// score runs a bank over a series. What is not fresh does not fire.
func score(s *nab.Series) (scores []float64, bytes int, err error) {
	b, err := stream.NewBank(nil)
	if err != nil {
		return nil, 0, err
	}
	scores = make([]float64, len(s.Values))
	for i, x := range s.Values {
		if v := b.Update(s.At[i], x); v.Fresh {
			scores[i] = v.Score / full
		}
	}
	return scores, b.Size(), nil
}

// table is a list of scores that the notes give.
type table struct {
	heading string
	entries []string
}

var figure = regexp.MustCompile(`\d+\.\d`)

// publishedTables finds the lines of the notes that list scores of detectors, the first of
// the standard profile. The heading stands before a colon or on the line before.
func publishedTables(notes string) []table {
	var tables []table
	lines := strings.Split(notes, "\n")
	for i, line := range lines {
		if !strings.Contains(line, "ARTime") || len(figure.FindAllString(line, -1)) < 5 {
			continue
		}
		heading, list, ok := strings.Cut(line, ": ")
		if !ok && i > 0 {
			heading, list = lines[i-1], line
		}
		separator := ", "
		if strings.Contains(list, " · ") {
			separator = " · "
		}
		t := table{heading: strings.TrimSuffix(heading, ":") + ":"}
		for entry := range strings.SplitSeq(list, separator) {
			t.entries = append(t.entries, strings.TrimSuffix(entry, "."))
		}
		tables = append(tables, t)
	}
	return tables
}
