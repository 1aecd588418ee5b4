package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/probe"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla"
)

// run is a line of a file of journeys: the result of a probe, with the service that its
// journey is of where one is meant.
type run struct {
	probe.Result

	Service string `json:"service"`
}

const (
	over    = 30 * 24 * time.Hour // of the share of runs that worked
	kept    = 90                  // runs in the history
	maxLine = 1 << 20             // bytes of a result
)

// journeys reads what probes found. Runs after now are not known yet.
func (r *reading) journeys() ([]page.Journey, error) {
	if r.tenant.Journeys == "" {
		return nil, nil
	}
	name := r.tenant.Journeys
	f, err := r.open(name)
	if err != nil {
		return nil, program.Exit(program.Input, fmt.Errorf("tenant %s: %w", r.tenant.ID, err))
	}
	defer f.Close()
	data, err := program.ReadAll(name, f)
	if err != nil {
		return nil, program.Exit(program.Input, fmt.Errorf("tenant %s: %w", r.tenant.ID, err))
	}
	runs := map[string][]run{}
	var order []string
	count := 0
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxLine)
	at := 0
	for lines.Scan() {
		at++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		x, err := parseRun(line)
		if err != nil {
			return nil, program.Exit(program.Input, fmt.Errorf("%s:%d: %w", name, at, err))
		}
		count++
		if x.At.Add(x.Took).After(r.now) {
			continue
		}
		if runs[x.Journey] == nil {
			order = append(order, x.Journey)
		}
		runs[x.Journey] = append(runs[x.Journey], x)
	}
	if err := lines.Err(); err != nil {
		return nil, program.Exit(program.Input, fmt.Errorf("%s:%d: want lines of at most a mebibyte: %w", name, at+1, err))
	}
	r.own.Sources = append(r.own.Sources, program.NewSource(filepath.Base(name), data, count))
	var list []page.Journey
	for _, id := range order {
		list = append(list, journey(runs[id], r.now, r.contract.Location()))
	}
	return list, nil
}

func parseRun(line []byte) (run, error) {
	var x run
	if err := json.Unmarshal(line, &x); err != nil {
		return x, fmt.Errorf("want the result of a probe: %w", err)
	}
	switch {
	case x.Journey == "":
		return x, errors.New("journey: missing")
	case x.At.IsZero():
		return x, errors.New("at: missing, want a time with a zone")
	case x.State != probe.Up && x.State != probe.Down && x.State != probe.NoData:
		return x, fmt.Errorf("state: %q, want one of up, down, no_data", x.State)
	case x.Took < 0:
		return x, fmt.Errorf("took_ns: %d, want 0 or more", x.Took)
	}
	return x, nil
}

var states = map[probe.State]report.State{probe.Up: report.Good, probe.Down: report.Bad, probe.NoData: report.NoData, probe.Skipped: report.NoData}

// journey sums up the runs of one. Shares and times are those of the last 30 days; runs
// of which nothing is known are in neither.
func journey(runs []run, now time.Time, zone *time.Location) page.Journey {
	slices.SortStableFunc(runs, func(a, b run) int { return a.At.Compare(b.At) })
	last := runs[len(runs)-1]
	j := page.Journey{ID: last.Journey, Name: last.Journey, At: last.At, State: states[last.State], Since: last.At, Over: over}
	for i := len(runs) - 1; i >= 0 && runs[i].State == last.State; i-- {
		j.Since = runs[i].At
	}
	var took []time.Duration
	for _, x := range runs {
		j.Service = cmp.Or(x.Service, j.Service)
		if x.At.Before(now.Add(-over)) || x.State == probe.NoData {
			continue
		}
		if j.Runs++; x.State == probe.Up {
			took = append(took, x.Took)
		}
	}
	if j.Runs > 0 {
		j.Share, _ = sla.NewFraction(uint64(len(took)), uint64(j.Runs)) //nolint:gosec // counts, the first not above the second
	}
	slices.Sort(took)
	j.P50, j.P95 = rank(took, 50), rank(took, 95)
	for _, s := range last.Steps {
		j.Steps = append(j.Steps, page.JourneyStep{Name: s.Name, State: states[s.State], Took: s.Timing.Total, Text: s.Reason})
	}
	for _, x := range runs[max(0, len(runs)-kept):] {
		j.History = append(j.History, report.Bar{Label: x.At.In(zone).Format("2006-01-02 15:04 MST"), Value: math.NaN(), State: states[x.State], Text: x.Reason})
	}
	return j
}

// rank is the nearest rank of sorted times: the least that p percent do not exceed; 0
// without any.
func rank(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}
