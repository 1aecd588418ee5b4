package anomaly_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/logs"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

func testLogs(t *testing.T) {
	testutil.OpenVectors(t, "anomaly", "log_templates.json").Run(t, testutil.Kinds{
		"drain_base": checkDrain,
		"grouping":   checkGrouping,
	})
}

// drainCase is one run of preset Drain.
type drainCase struct {
	Config struct {
		Depth       int
		Similarity  float64
		MaxChildren int      `json:"max_children"`
		MaxClusters *int     `json:"max_clusters"`
		Delimiters  []string `json:"extra_delimiters"`
		Numeric     bool     `json:"numeric_tokens_to_wildcard"`
	}
	Lines []string
	Want  struct {
		Steps, Final, Match [][]json.RawMessage
	}
}

func checkDrain(c testutil.Case) error {
	var in drainCase
	if err := c.Decode(&in); err != nil {
		return err
	}
	o := &logs.Options{
		Preset: logs.Drain, Depth: in.Config.Depth, Similarity: in.Config.Similarity, MaxChildren: in.Config.MaxChildren,
		Delimiters: in.Config.Delimiters, KeepNumeric: !in.Config.Numeric,
	}
	if n := in.Config.MaxClusters; n != nil {
		o.MaxTemplates = *n
	}
	m, err := logs.NewMiner(o)
	if err != nil {
		return err
	}
	if len(in.Want.Steps) != len(in.Lines) {
		return fmt.Errorf("%d steps for %d lines", len(in.Want.Steps), len(in.Lines))
	}
	for i, line := range in.Lines {
		r := m.Learn(time.Time{}, line)
		template, _ := m.Template(r.ID)
		if err := sameJSON(in.Want.Steps[i], r.ID, r.Update.String(), template.Text); err != nil {
			return fmt.Errorf("line %d, %q: %w", i, line, err)
		}
	}
	all := m.Templates()
	if len(all) != len(in.Want.Final) {
		return fmt.Errorf("%d templates at the end, want %d", len(all), len(in.Want.Final))
	}
	for i, want := range in.Want.Final {
		if err := sameJSON(want, all[i].ID, all[i].Count, all[i].Text); err != nil {
			return fmt.Errorf("template %d at the end: %w", i, err)
		}
	}
	for i, want := range in.Want.Match {
		var line, how string
		if err := json.Unmarshal(want[0], &line); err != nil {
			return err
		}
		if err := json.Unmarshal(want[1], &how); err != nil {
			return err
		}
		search := map[string]logs.Search{"never": logs.Never, "fallback": logs.Fallback, "always": logs.Always}
		var got any
		if id, ok := m.MatchSearch(line, search[how]); ok {
			got = id
		}
		if err := sameJSON(want, line, how, got); err != nil {
			return fmt.Errorf("match %d: %w", i, err)
		}
	}
	return nil
}

// sameJSON compares values with those of the file.
func sameJSON(want []json.RawMessage, got ...any) error {
	data, err := json.Marshal(got)
	if err != nil {
		return err
	}
	var g []any
	if err := json.Unmarshal(data, &g); err != nil {
		return err
	}
	w := make([]any, len(want))
	for i := range want {
		if err := json.Unmarshal(want[i], &w[i]); err != nil {
			return err
		}
	}
	if fmt.Sprint(g) != fmt.Sprint(w) {
		return fmt.Errorf("got %v, want %v", g, w)
	}
	return nil
}

func checkGrouping(c testutil.Case) error {
	var in struct {
		File             string
		Lines, Templates int
		Want             struct {
			Accuracy float64 `json:"grouping_accuracy_at_least"`
		}
		Reference struct {
			Drain3 float64 `json:"drain3_defaults"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	path, ok := c.Path(in.File)
	if !ok {
		return testutil.SkipCase(in.File + " is not here")
	}
	truth, lines, err := readCorpus(path)
	if err != nil {
		return err
	}
	if len(lines) != in.Lines {
		return fmt.Errorf("%d lines, want %d", len(lines), in.Lines)
	}
	got, err := accuracy(nil, truth, lines)
	if err != nil {
		return err
	}
	if got < in.Want.Accuracy {
		return fmt.Errorf("grouping accuracy %.4f, want at least %.2f", got, in.Want.Accuracy)
	}
	// The model of the other preset groups as well as the reference program does.
	got, err = accuracy(&logs.Options{Preset: logs.Drain}, truth, lines)
	if err != nil {
		return err
	}
	if math.Abs(got-in.Reference.Drain3) > 1e-9 {
		return fmt.Errorf("grouping accuracy of preset Drain %.4f, want %.4f", got, in.Reference.Drain3)
	}
	return nil
}

// accuracy is the grouping accuracy of a miner on lines in their order.
func accuracy(o *logs.Options, truth []int, lines []string) (float64, error) {
	m, err := logs.NewMiner(o)
	if err != nil {
		return 0, err
	}
	ids, groups := make([]logs.ID, len(lines)), make([]int, len(lines))
	for i, line := range lines {
		ids[i] = m.Learn(time.Time{}, line).ID
	}
	for i, id := range ids {
		now, ok := m.Resolve(id)
		if !ok {
			return 0, fmt.Errorf("line %d: template %d is gone", i, id)
		}
		groups[i] = int(now)
	}
	return groupingAccuracy(truth, groups), nil
}

// The order of the lines of a corpus is as good as any other, so that a figure on
// one may be luck: the median of many orders has to reach the goal too.
func TestGroupingInAnyOrder(t *testing.T) {
	const goal, orders = 0.93, 15
	for _, name := range []string{"service", "infra"} {
		truth, lines, err := readCorpus(testutil.Shared("data", "anomaly", "logs", name+".tsv.gz"))
		if err != nil {
			t.Skipf("corpus %s is not here: %v", name, err)
		}
		var all []float64
		for seed := range uint64(orders) {
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(lines), func(i, j int) {
				truth[i], truth[j] = truth[j], truth[i]
				lines[i], lines[j] = lines[j], lines[i]
			})
			got, err := accuracy(nil, truth, lines)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, got)
		}
		slices.Sort(all)
		if all[orders/2] < goal {
			t.Errorf("%s: median of the grouping accuracy %.4f, want at least %.2f; all %.3f", name, all[orders/2], goal, all)
		}
		t.Logf("%s: grouping accuracy from %.4f to %.4f, median %.4f", name, all[0], all[orders-1], all[orders/2])
	}
}

// groupingAccuracy is the share of lines whose group holds exactly the lines of
// their true template.
func groupingAccuracy(truth, groups []int) float64 {
	size, right, both := map[int]int{}, map[int]int{}, map[[2]int]int{} // by group, by true template, by both
	for i, g := range groups {
		size[g]++
		right[truth[i]]++
		both[[2]int{truth[i], g}]++
	}
	lines := 0
	for pair, n := range both {
		if right[pair[0]] == n && size[pair[1]] == n {
			lines += n
		}
	}
	return float64(lines) / float64(len(groups))
}

// readCorpus reads lines of number, tab and message.
func readCorpus(path string) (truth []int, lines []string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		return nil, nil, err
	}
	for s := bufio.NewScanner(r); s.Scan(); {
		number, message, _ := strings.Cut(s.Text(), "\t")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, nil, err
		}
		truth, lines = append(truth, n), append(lines, message)
	}
	return truth, lines, nil
}
