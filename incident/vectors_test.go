package incident_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
	"github.com/evenkeelops/evenkeel/incident/playbook"
	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// fraction is an expected exact number: {"num","den","float"}, or null.
type fraction struct{ Num, Den int64 }

func (f *fraction) rat() *big.Rat {
	if f == nil {
		return nil
	}
	return big.NewRat(f.Num, f.Den)
}

func same(what string, got, want *big.Rat) error {
	if (got == nil) != (want == nil) || got != nil && got.Cmp(want) != 0 {
		return fmt.Errorf("%s = %v, want %v", what, got, want)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// setRow is one incident of the shared list of the file.
type setRow struct {
	ID                                      string
	Sev                                     incident.Severity
	Start, Detected, Created, Ack, Resolved *time.Time
	FirstContact                            bool `json:"first_contact"`
	Escalations                             int
	Cost                                    string
}

func (row setRow) record(t *testing.T) incident.Record {
	t.Helper()
	at := func(p *time.Time) time.Time {
		if p == nil {
			return time.Time{}
		}
		return *p
	}
	cost, err := money.ParseDecimal(row.Cost, "EUR")
	if err != nil {
		t.Fatal(err)
	}
	return incident.Record{
		ID: row.ID, Severity: row.Sev, FirstContact: row.FirstContact, Escalations: row.Escalations, Cost: cost,
		Times: incident.Times{
			Started: at(row.Start), Detected: at(row.Detected), Created: at(row.Created),
			Acknowledged: at(row.Ack), Resolved: at(row.Resolved),
		},
	}
}

func milestone(name string) incident.Milestone {
	return map[string]incident.Milestone{
		"start": incident.StartTime, "detected": incident.DetectedTime, "created": incident.CreatedTime,
		"ack": incident.AcknowledgedTime, "resolved": incident.ResolvedTime,
	}[name]
}

func intervals(pairs [][2]time.Time) []calendar.Interval {
	out := make([]calendar.Interval, len(pairs))
	for i, p := range pairs {
		out[i] = calendar.Interval{Start: p[0], End: p[1]}
	}
	return out
}

func target(text string) incident.Target {
	t, err := incident.ParseTarget(text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestVectors(t *testing.T) {
	f := testutil.OpenVectors(t, "incident", "kpi.json")
	var sets map[string][]setRow
	f.Fixture("incident_sets", &sets)
	records := func(set string, sev *incident.Severity) []incident.Record {
		var out []incident.Record
		for _, row := range sets[set] {
			if sev == nil || row.Sev == *sev {
				out = append(out, row.record(t))
			}
		}
		return out
	}

	durations := func(c testutil.Case) error {
		var in struct {
			Input struct {
				Incidents, From, To string
				Severity            *incident.Severity
			}
			Expect struct {
				N      int
				Mean   *fraction `json:"mean_seconds"`
				Median *fraction `json:"median_seconds"`
				P90    *fraction `json:"p90_linear"`
				Rank   *fraction `json:"p90_nearest_rank"`
				Max    int64
			}
		}
		if err := c.Decode(&in); err != nil {
			return err
		}
		want := in.Expect
		d := incident.Measured(records(in.Input.Incidents, in.Input.Severity), incident.Between(milestone(in.Input.From), milestone(in.Input.To)))
		if d.N != want.N {
			return fmt.Errorf("n = %d, want %d", d.N, want.N)
		}
		if longest, ok := d.Max(); !ok || longest != time.Duration(want.Max)*time.Second {
			return fmt.Errorf("max = %v, want %d s", longest, want.Max)
		}
		p90 := big.NewRat(9, 10)
		err := firstError(same("mean", d.Mean(), want.Mean.rat()), same("median", d.Median(), want.Median.rat()),
			same("p90", d.Percentile(p90, incident.Linear), want.P90.rat()))
		if err != nil || want.Rank == nil {
			return err
		}
		return same("p90 nearest rank", d.Percentile(p90, incident.NearestRank), want.Rank.rat())
	}

	share := func(text string, of func(in map[string]int) incident.Share) func(testutil.Case) error {
		return func(c testutil.Case) error {
			var in struct {
				Input  map[string]int
				Expect map[string]json.RawMessage
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			return checkShare(of(in.Input), text, in.Expect)
		}
	}

	f.Run(t, testutil.Kinds{
		"mttd": durations,
		"mtta": durations,
		"mttr": durations,
		"target_strict": func(c testutil.Case) error {
			var in struct {
				Input struct {
					Seconds int64
					Target  string
				}
				Expect struct{ Met bool }
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			got := target(in.Input.Target).JudgeDuration(time.Duration(in.Input.Seconds) * time.Second)
			if (got == incident.Met) != in.Expect.Met || got == incident.Undecided {
				return fmt.Errorf("verdict %v, want met %v", got, in.Expect.Met)
			}
			return nil
		},
		"availability": func(c testutil.Case) error {
			var in struct {
				Input struct {
					Period   [2]time.Time
					Downtime [][2]time.Time
					Excluded [][2]time.Time `json:"excluded_maintenance"`
					Mode     string
				}
				Expect struct {
					Down         *int64 `json:"down_seconds"`
					Hours        *int64 `json:"period_hours"`
					Availability *fraction
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			mode := incident.MaintenanceIsUp
			if in.Input.Mode == "excluded leaves the denominator" {
				mode = incident.MaintenanceNotCounted
			}
			period := calendar.Interval{Start: in.Input.Period[0], End: in.Input.Period[1]}
			u, err := incident.UptimeOf(period, intervals(in.Input.Downtime), intervals(in.Input.Excluded), mode)
			if err != nil {
				return err
			}
			if down := in.Expect.Down; down != nil && u.Down != time.Duration(*down)*time.Second {
				return fmt.Errorf("down = %v, want %d s", u.Down, *down)
			}
			if h := in.Expect.Hours; h != nil && period.Duration() != time.Duration(*h)*time.Hour {
				return fmt.Errorf("period = %v, want %d h", period.Duration(), *h)
			}
			return same("availability", u.Ratio(), in.Expect.Availability.rat())
		},
		"allowed_downtime": func(c testutil.Case) error {
			var in struct {
				Input struct {
					SLO   []string
					Hours int64 `json:"period_hours"`
				}
				Expect struct{ Seconds []string }
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			for i, slo := range in.Input.SLO {
				got, err := incident.AllowedDowntime(time.Duration(in.Input.Hours)*time.Hour, slo)
				if err != nil {
					return err
				}
				want, _ := new(big.Rat).SetString(in.Expect.Seconds[i])
				if err := same(slo, got, want); err != nil {
					return err
				}
			}
			return nil
		},
		"mtbf": reliability,
		"mttf": reliability,
		"fcr": share("> 60%", func(in map[string]int) incident.Share {
			return incident.Share{Hits: in["first_contact"], Of: in["resolved"]}
		}),
		"escalation_rate": func(c testutil.Case) error {
			var in struct {
				Input  struct{ Incidents string }
				Expect map[string]json.RawMessage
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			return checkShare(incident.Escalated(records(in.Input.Incidents, nil)), "< 20%", in.Expect)
		},
		"change_success": share("> 95%", func(in map[string]int) incident.Share {
			return incident.Changes{Succeeded: in["successful"], Failed: in["failed"], Emergency: in["emergency"]}.SuccessRate()
		}),
		"backup_success": share("> 99%", func(in map[string]int) incident.Share {
			return incident.Share{Hits: in["ok"], Of: in["ok"] + in["failed"]}
		}),
		"problem_resolution": share("", func(in map[string]int) incident.Share {
			return incident.Share{Hits: in["closed"], Of: in["identified"]}
		}),
		"cost_per_ticket": func(c testutil.Case) error {
			var in struct {
				Input  struct{ Costs []string }
				Expect struct {
					Total   string
					Mean    *fraction
					Rounded string `json:"rounded_half_even_2dp"`
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			amounts := make([]money.Amount, len(in.Input.Costs))
			for i, text := range in.Input.Costs {
				a, err := money.ParseDecimal(text, "EUR")
				if err != nil {
					return err
				}
				amounts[i] = a
			}
			cost, err := incident.CostOf(amounts)
			if err != nil {
				return err
			}
			each, err := cost.Each(money.HalfEven)
			if err != nil {
				return err
			}
			if each.Decimal() != in.Expect.Rounded {
				return fmt.Errorf("rounded = %s, want %s", each.Decimal(), in.Expect.Rounded)
			}
			total, _ := new(big.Rat).SetString(in.Expect.Total)
			return firstError(same("total", big.NewRat(cost.Total.Minor(), 100), total), same("mean", cost.Mean(), in.Expect.Mean.rat()))
		},
		"csat": func(c testutil.Case) error {
			var in struct {
				Input  struct{ Scores []int }
				Expect struct {
					Mean *fraction
					Meet bool `json:"meets_gt_4_5"`
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			mean := incident.MeanScore(in.Input.Scores)
			if got := target("> 4.5/5").Judge(mean); (got == incident.Met) != in.Expect.Meet {
				return fmt.Errorf("verdict %v, want met %v", got, in.Expect.Meet)
			}
			return same("mean", mean, in.Expect.Mean.rat())
		},
		"sla_compliance": func(c testutil.Case) error {
			var in struct {
				Input  struct{ Met []bool }
				Expect struct{ Ratio *fraction }
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			got := incident.Counted(in.Input.Met, func(met bool) bool { return met })
			return same("ratio", got.Ratio(), in.Expect.Ratio.rat())
		},
		"utilisation": func(c testutil.Case) error {
			var in struct {
				Input  struct{ Used, Capacity string }
				Expect struct{ Ratio *fraction }
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			got, err := incident.Utilisation(in.Input.Used, in.Input.Capacity)
			return firstError(err, same("ratio", got, in.Expect.Ratio.rat()))
		},
		"reopen": func(c testutil.Case) error {
			var in struct {
				Input  struct{ Segments [][2]time.Time }
				Expect struct {
					Impact  int64 `json:"impact_seconds"`
					Elapsed int64 `json:"elapsed_first_to_last_seconds"`
					Reopens int   `json:"reopen_count"`
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			s, err := reopened(in.Input.Segments)
			if err != nil {
				return err
			}
			impact, elapsed := s.Record().Downtime(time.Time{})
			if impact != time.Duration(in.Expect.Impact)*time.Second || elapsed != time.Duration(in.Expect.Elapsed)*time.Second || s.Reopens != in.Expect.Reopens {
				return fmt.Errorf("impact %v, elapsed %v, reopens %d, want %+v", impact, elapsed, s.Reopens, in.Expect)
			}
			return nil
		},
		"pause": func(c testutil.Case) error {
			var in struct {
				Input struct {
					Created, Resolved time.Time
					Pending           [][2]time.Time `json:"pending_customer"`
				}
				Expect struct {
					Net int64 `json:"resolution_seconds_net"`
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			r := incident.Record{
				Times: incident.Times{Created: in.Input.Created, Resolved: in.Input.Resolved},
				Waits: intervals(in.Input.Pending),
			}
			if l, ok := r.Lapse(incident.TimeToResolve); !ok || l.Duration != time.Duration(in.Expect.Net)*time.Second {
				return fmt.Errorf("net = %v %v, want %d s", l.Duration, ok, in.Expect.Net)
			}
			return nil
		},
		"clock_skew": func(c testutil.Case) error {
			var in struct {
				Input  struct{ Created, Ack time.Time }
				Expect struct {
					Seconds int64
					Raw     int64 `json:"raw_seconds"`
					Flag    string
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			r := incident.Record{Times: incident.Times{Created: in.Input.Created, Acknowledged: in.Input.Ack}}
			l, ok := r.Lapse(incident.MTTA)
			if !ok || l.Duration != time.Duration(in.Expect.Seconds)*time.Second || l.Raw != time.Duration(in.Expect.Raw)*time.Second ||
				l.Clamped != (in.Expect.Flag == "negative_clamped") {
				return fmt.Errorf("lapse = %+v %v, want %+v", l, ok, in.Expect)
			}
			return nil
		},
		"percentile": percentile,
		"mttr_target_compliance": func(c testutil.Case) error {
			var in struct {
				Input struct {
					Incidents, From, To string
					Targets             map[incident.Severity]int64 `json:"targets_seconds"`
				}
				Expect struct {
					Per   map[string]bool `json:"per_incident"`
					Ratio *fraction
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			targets := incident.Targets{}
			for sev, seconds := range in.Input.Targets {
				targets[sev] = target(fmt.Sprintf("< %d seconds", seconds))
			}
			span := incident.Between(milestone(in.Input.From), milestone(in.Input.To))
			got := incident.ComplianceOf(records(in.Input.Incidents, nil), span, targets, time.Time{})
			for _, j := range got.Judgements {
				want, judged := in.Expect.Per[j.ID]
				if judged != (j.Verdict != incident.Undecided) || judged && want != (j.Verdict == incident.Met) {
					return fmt.Errorf("%s: %v, want %v (judged: %v)", j.ID, j.Verdict, want, judged)
				}
			}
			return same("ratio", got.Kept.Ratio(), in.Expect.Ratio.rat())
		},
		"escalation_timeline": func(c testutil.Case) error {
			var in struct {
				Input struct {
					Severity incident.Severity
					Created  time.Time
				}
				Expect map[string]time.Time
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			for i, step := range escalation.DefaultMatrix()[in.Input.Severity].Steps {
				level := fmt.Sprintf("level_%d", i+1)
				if got, want := in.Input.Created.Add(time.Duration(step.Minutes)*time.Minute), in.Expect[level]; !got.Equal(want) {
					return fmt.Errorf("%s = %v, want %v", level, got, want)
				}
				delete(in.Expect, level)
			}
			if len(in.Expect) > 0 {
				return fmt.Errorf("no level for %v", in.Expect)
			}
			return nil
		},
		"update_cadence": func(c testutil.Case) error {
			var in struct {
				Input struct {
					Severity incident.Severity
					Last     time.Time `json:"last_update"`
				}
				Expect struct {
					Due time.Time `json:"next_due"`
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			plan, err := comms.New(comms.Config{})
			if err != nil {
				return err
			}
			if got := plan.NextUpdate(in.Input.Severity, in.Input.Last); !got.Equal(in.Expect.Due) {
				return fmt.Errorf("next = %v, want %v", got, in.Expect.Due)
			}
			return nil
		},
		"retry_backoff": func(c testutil.Case) error {
			var in struct {
				Input struct {
					playbook.RetryPolicy
					Initial    int `json:"initial_seconds"`
					Multiplier int `json:"multiplier"`
				}
				Expect struct {
					Delays []int64 `json:"delays_seconds"`
				}
			}
			if err := c.Decode(&in); err != nil {
				return err
			}
			policy := in.Input.RetryPolicy
			policy.InitialBackoffSeconds, policy.BackoffMultiplier = in.Input.Initial, in.Input.Multiplier
			got := []int64{}
			for n := 1; ; n++ {
				wait, ok := policy.Delay(n)
				if !ok {
					break
				}
				got = append(got, int64(wait/time.Second))
			}
			if !slices.Equal(got, in.Expect.Delays) {
				return fmt.Errorf("delays = %v, want %v", got, in.Expect.Delays)
			}
			return nil
		},
	})
}

// checkShare compares a share with the expected ratio and, where the case has
// one, the verdict on a target ("meets_...").
func checkShare(got incident.Share, text string, expect map[string]json.RawMessage) error {
	var want *fraction
	if err := json.Unmarshal(expect["ratio"], &want); err != nil {
		return err
	}
	if err := same("ratio", got.Ratio(), want.rat()); err != nil {
		return err
	}
	for key, raw := range expect {
		var meets bool
		if key == "ratio" {
			continue
		}
		if err := json.Unmarshal(raw, &meets); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if verdict := got.Judge(target(text)); (verdict == incident.Met) != meets {
			return fmt.Errorf("%s: %v, want %v", key, verdict, meets)
		}
	}
	return nil
}

func reliability(c testutil.Case) error {
	var in struct {
		Input struct {
			Period   [2]time.Time
			Failures [][2]time.Time
			Method   string
		}
		Expect struct {
			N       int
			Seconds *fraction
			Bound   *int64 `json:"lower_bound_seconds"`
		}
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	failures := intervals(in.Input.Failures)
	var got incident.Reliability
	var err error
	switch in.Input.Method {
	case "uptime/failures":
		got, err = incident.MTBF(calendar.Interval{Start: in.Input.Period[0], End: in.Input.Period[1]}, failures)
	case "start-to-start":
		got, err = incident.MTBFStarts(failures)
	case "restore-to-next-start":
		got, err = incident.MTTF(failures)
	default:
		err = fmt.Errorf("unknown method %q", in.Input.Method)
	}
	if err != nil {
		return err
	}
	if got.N != in.Expect.N {
		return fmt.Errorf("n = %d, want %d", got.N, in.Expect.N)
	}
	var bound *big.Rat
	if in.Expect.Bound != nil {
		bound = big.NewRat(*in.Expect.Bound, 1)
	}
	return firstError(same("mean", got.Mean, in.Expect.Seconds.rat()), same("bound", got.LowerBound, bound))
}

func percentile(c testutil.Case) error {
	var in struct {
		Input struct {
			Values json.RawMessage
			P      string
		}
		Expect map[incident.Method]*fraction
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	var values []int64
	if string(in.Input.Values) == `"1..100"` {
		for i := range int64(100) {
			values = append(values, i+1)
		}
	} else if err := json.Unmarshal(in.Input.Values, &values); err != nil {
		return err
	}
	sample := make([]time.Duration, len(values))
	for i, v := range values {
		sample[i] = time.Duration(v) * time.Second
	}
	slices.Sort(sample)
	p, ok := new(big.Rat).SetString(in.Input.P)
	if !ok {
		return fmt.Errorf("p %q", in.Input.P)
	}
	for method, want := range in.Expect {
		got, err := incident.Percentile(sample, p, method)
		if err := firstError(err, same(method.String(), got, want.rat())); err != nil {
			return err
		}
	}
	return nil
}

// reopened drives an incident through stretches of impact.
func reopened(stretches [][2]time.Time) (incident.State, error) {
	inc, err := incident.New("", "INC-1", incident.Options{})
	if err != nil {
		return incident.State{}, err
	}
	for i, s := range stretches {
		begin := incident.Event{
			Kind: incident.Declare, At: s[0], Actor: "monitor", Key: fmt.Sprint("begin", i),
			Details: incident.Details{Severity: incident.P3, Title: "down", Started: s[0]},
		}
		if i > 0 {
			begin.Kind, begin.Text = incident.Reopen, "down again"
		}
		end := incident.Event{
			Kind: incident.Resolve, At: s[1], Actor: "ann", Key: fmt.Sprint("end", i),
			Details: incident.Details{Text: "restarted"},
		}
		for _, e := range []incident.Event{begin, end} {
			if _, err := inc.Apply(e); err != nil {
				return incident.State{}, err
			}
		}
	}
	return inc.State(), nil
}
