package slo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"testing"
	"time"
	_ "time/tzdata" // the cases name zones; the machine may have none

	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/sla/calendar"
	"github.com/evenkeelops/evenkeel/slo"
	"github.com/evenkeelops/evenkeel/slo/openslo"
)

// wanted is a rational of the case files: {"exact": "num/den"}, "+Inf", "-Inf"
// or null.
type wanted struct{ slo.Ratio }

func (w *wanted) UnmarshalJSON(data []byte) error {
	var parts struct{ Exact string }
	if json.Unmarshal(data, &parts) == nil && parts.Exact != "" {
		return w.UnmarshalText([]byte(parts.Exact))
	}
	return w.Ratio.UnmarshalJSON(data) // not the method of wanted
}

// misses collects what differs in one case.
type misses []error

func (m *misses) ratio(name string, got slo.Ratio, want *wanted) {
	if want != nil && got.Compare(want.Ratio) != 0 {
		*m = append(*m, fmt.Errorf("%s = %s, want %s", name, got, want.Ratio))
	}
}

func (m *misses) equal(name string, got, want any) {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		*m = append(*m, fmt.Errorf("%s = %s, want %s", name, g, w))
	}
}

func (m *misses) err() error {
	if len(*m) == 0 {
		return nil
	}
	return fmt.Errorf("%v", []error(*m))
}

// check adapts a typed check: absent fields of the expectation stay zero, and a
// field that the check does not know is a miss.
func check[In, Want any](f func(In, Want) error) func(testutil.Case) error {
	return func(c testutil.Case) error {
		var parts struct {
			ID, Kind, Note, Source string
			Input                  In
			Expect                 Want
		}
		d := json.NewDecoder(bytes.NewReader(c.Raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&parts); err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		return f(parts.Input, parts.Expect)
	}
}

func secs(n int64) time.Duration { return time.Duration(n) * time.Second }

// window is a stretch of seconds from an arbitrary instant.
func stretch(from, to int64) calendar.Interval {
	start := time.Unix(1_700_000_000, 0).UTC()
	return calendar.Interval{Start: start.Add(secs(from)), End: start.Add(secs(to))}
}

func stretches(list [][2]int64) []calendar.Interval {
	all := make([]calendar.Interval, len(list))
	for i, s := range list {
		all[i] = stretch(s[0], s[1])
	}
	return all
}

type periodWant struct {
	Start   string             `json:"start_utc"`
	End     string             `json:"end_utc"`
	Elapsed *int64             `json:"elapsed_seconds"`
	Length  int64              `json:"length_seconds"`
	Part    *wanted            `json:"elapsed_fraction"`
	Index   *int               `json:"index"`
	Allowed *wanted            `json:"allowed_seconds_99_9"`
	ByText  map[string]*wanted `json:"allowed_seconds"`
}

func checkPeriod(p slo.Period, at time.Time, want periodWant) error {
	var m misses
	m.equal("start", p.Start.Format(time.RFC3339Nano), want.Start)
	m.equal("end", p.End.Format(time.RFC3339Nano), want.End)
	m.equal("length", p.Duration(), secs(want.Length))
	if want.Elapsed != nil {
		m.equal("elapsed", at.Sub(p.Start), secs(*want.Elapsed))
	}
	if want.Index != nil {
		m.equal("index", p.Index, *want.Index)
	}
	m.ratio("elapsed fraction", slo.NewRatio(int64(at.Sub(p.Start)), int64(p.Duration())), want.Part)
	m.ratio("allowed", slo.MustPercent("99.9").AllowedDowntime(p.Duration()), want.Allowed)
	for percent, allowed := range want.ByText {
		m.ratio("allowed at "+percent, slo.MustPercent(percent).AllowedDowntime(p.Duration()), allowed)
	}
	return m.err()
}

func countsOf(bad, total string) (slo.Counts, error) {
	var parts [2]uint64
	for i, text := range []string{bad, total} {
		v, err := slo.ParseValue(text)
		if err != nil {
			return slo.Counts{}, err
		}
		n, exact := v.Uint64()
		if !exact {
			return slo.Counts{}, fmt.Errorf("count %q: want a whole number", text)
		}
		parts[i] = n
	}
	return slo.FromBad(parts[0], parts[1])
}

// ratioCounts turns an error ratio into events.
func ratioCounts(e slo.Ratio) slo.Counts {
	if !e.IsSet() {
		return slo.Counts{}
	}
	r := e.Rat()
	return slo.Counts{Good: r.Denom().Uint64() - r.Num().Uint64(), Total: r.Denom().Uint64()}
}

func TestVectors(t *testing.T) {
	f := testutil.OpenVectors(t, "slo", "slo.json")
	f.Run(t, testutil.Kinds{
		"allowed_downtime_rolling": check(func(in struct {
			Target slo.Target `json:"target_percent"`
			Window int64      `json:"window_seconds"`
		}, want struct {
			Allowed *wanted `json:"allowed_seconds"`
		},
		) error {
			var m misses
			m.ratio("allowed", in.Target.AllowedDowntime(secs(in.Window)), want.Allowed)
			return m.err()
		}),
		"calendar_month": check(func(in struct {
			Year, Month int
			TZ          string
		}, want periodWant,
		) error {
			zone, err := time.LoadLocation(in.TZ)
			if err != nil {
				return err
			}
			at := time.Date(in.Year, time.Month(in.Month), 15, 12, 0, 0, 0, time.UTC)
			return checkPeriod(slo.Calendar(slo.Month, zone).Period(at), at, want)
		}),
		"calendar_locate": check(func(in struct {
			Instant time.Time
			TZ      string
			Unit    slo.Unit
		}, want periodWant,
		) error {
			zone, err := time.LoadLocation(in.TZ)
			if err != nil {
				return err
			}
			return checkPeriod(slo.Calendar(in.Unit, zone).Period(in.Instant), in.Instant, want)
		}),
		"calendar_anchor": check(func(in struct {
			Anchor  string `json:"anchor_local"`
			TZ      string
			Months  int
			Instant time.Time
		}, want periodWant,
		) error {
			zone, err := time.LoadLocation(in.TZ)
			if err != nil {
				return err
			}
			anchor, err := time.Parse("2006-01-02T15:04:05", in.Anchor)
			if err != nil {
				return err
			}
			return checkPeriod(slo.Anchored(anchor, in.Months, slo.Month, zone).Period(in.Instant), in.Instant, want)
		}),
		"occurrences_budget":    check(checkOccurrences),
		"low_traffic":           check(checkLowTraffic),
		"mwmbr_policy":          check(checkPolicy),
		"mwmbr_decision":        check(checkDecision),
		"detection_time":        check(checkDetection),
		"critical_weighting":    check(checkWeighting),
		"composite":             check(checkComposite),
		"counter_increase":      check(checkCounter),
		"time_slices":           check(checkSlices),
		"latency_histogram":     check(checkHistogram),
		"threshold_text":        check(checkThresholdText),
		"maintenance_exclusion": check(checkMaintenance),
		"alert_reachable": check(func(in struct {
			Percent slo.Target `json:"target_percent"`
			Exact   slo.Ratio  `json:"target_exact"`
			Factor  wanted
		}, want struct {
			Threshold *wanted `json:"threshold_ratio"`
			Reachable bool
		},
		) error {
			target := in.Percent
			if in.Exact.IsSet() {
				var err error
				if target, err = slo.NewTarget(in.Exact); err != nil {
					return err
				}
			}
			rule := slo.Rule{Factor: in.Factor.Ratio}
			var m misses
			m.ratio("threshold", rule.Threshold(target), want.Threshold)
			m.equal("reachable", rule.Reachable(target), want.Reachable)
			return m.err()
		}),
		"time_to_exhaustion": check(func(in struct {
			Window   int64 `json:"window_seconds"`
			Consumed slo.Ratio
			Burn     slo.Ratio `json:"burn_rate"`
		}, want struct {
			Seconds   *wanted
			Exhausted bool
		},
		) error {
			var m misses
			m.ratio("seconds", slo.TimeToExhaustion(secs(in.Window), in.Consumed, in.Burn), want.Seconds)
			m.equal("exhausted", in.Consumed.Compare(slo.NewRatio(1, 1)) >= 0, want.Exhausted)
			return m.err()
		}),
		"calendar_forecast": check(func(in struct {
			Start, End, Now time.Time
			Consumed        slo.Ratio
			Burn            slo.Ratio `json:"burn_rate"`
		}, want struct {
			Projected *wanted   `json:"projected_consumed_at_end"`
			Seconds   *wanted   `json:"seconds_to_exhaustion"`
			BeforeEnd bool      `json:"exhausts_before_end"`
			At        time.Time `json:"exhaustion_utc"`
			Max       *wanted   `json:"max_sustainable_burn"`
		},
		) error {
			got, err := slo.Project(calendar.Interval{Start: in.Start, End: in.End}, in.Now, in.Consumed, in.Burn)
			if err != nil {
				return err
			}
			var m misses
			m.ratio("projected", got.Projected, want.Projected)
			m.ratio("seconds", got.Seconds, want.Seconds)
			m.equal("before end", got.BeforeEnd, want.BeforeEnd)
			m.equal("at", got.ExhaustsAt, want.At)
			m.ratio("max sustainable", got.MaxSustainable, want.Max)
			return m.err()
		}),
		"time_slices_allowance": check(func(in struct {
			Window int64      `json:"window_seconds"`
			Slice  int64      `json:"slice_seconds"`
			Target slo.Target `json:"target_percent"`
		}, want struct {
			Total   uint64  `json:"total_slices"`
			Allowed *wanted `json:"allowed_bad_slices"`
			Seconds *wanted `json:"allowed_seconds"`
		},
		) error {
			got, err := slo.Slicing{Length: secs(in.Slice)}.Allowance(in.Target, secs(in.Window))
			if err != nil {
				return err
			}
			var m misses
			m.equal("slices", got.Slices, want.Total)
			m.ratio("allowed", got.Allowed, want.Allowed)
			m.ratio("seconds", got.Seconds, want.Seconds)
			return m.err()
		}),
		"ratio_time_slices": check(func(in struct {
			Slices [][2]uint64 `json:"slices_good_total"`
		}, want struct {
			SLI         *wanted
			Occurrences *wanted `json:"occurrences_sli"`
		},
		) error {
			got, err := slo.MeanOfSlices(goodTotal(in.Slices))
			if err != nil {
				return err
			}
			var m misses
			m.ratio("sli", got.SLI, want.SLI)
			m.ratio("occurrences", got.Occurrences, want.Occurrences)
			return m.err()
		}),
		"ratio_time_slices_exhaustion": check(func(in struct {
			Window   int64      `json:"window_seconds"`
			Target   slo.Target `json:"target_percent"`
			Base     slo.Ratio  `json:"base_error_ratio"`
			Incident slo.Ratio  `json:"incident_error_ratio"`
		}, want struct {
			Seconds *wanted `json:"incident_seconds_to_exhaust"`
		},
		) error {
			var m misses
			m.ratio("seconds", slo.ExhaustingIncident(in.Target, secs(in.Window), in.Base, in.Incident), want.Seconds)
			return m.err()
		}),
		"binomial_tail": check(func(in struct {
			N, Bad uint64
			P      slo.Ratio
		}, want struct {
			P float64 `json:"p_value"`
		},
		) error {
			if got := slo.BinomialTail(in.N, in.Bad, in.P); math.Abs(got-want.P) > 1e-12 {
				return fmt.Errorf("p value = %.17g, want %.17g", got, want.P)
			}
			return nil
		}),
		"ratio_of_sums_vs_mean_of_ratios": check(func(in struct {
			Slices [][2]uint64 `json:"slices_bad_total"`
			Target slo.Target  `json:"target_percent"`
		}, want struct {
			Sums          *wanted `json:"ratio_of_sums"`
			Mean          *wanted `json:"mean_of_ratios"`
			RemainingTrue *wanted `json:"remaining_true"`
			RemainingMean *wanted `json:"remaining_mean"`
		},
		) error {
			slices := make([]slo.Counts, len(in.Slices))
			var all slo.Counts
			for i, s := range in.Slices {
				slices[i] = slo.Counts{Good: s[1] - s[0], Total: s[1]}
				all.Good += slices[i].Good
				all.Total += slices[i].Total
			}
			status, err := slo.Evaluate(in.Target, slo.Evidence{Counts: all})
			if err != nil {
				return err
			}
			mean, err := slo.MeanOfSlices(slices)
			if err != nil {
				return err
			}
			lost := minus(slo.NewRatio(1, 1), mean.SLI)
			var m misses
			m.ratio("ratio of sums", status.ErrorRatio, want.Sums)
			m.ratio("mean of ratios", lost, want.Mean)
			m.ratio("remaining", status.Remaining, want.RemainingTrue)
			m.ratio("remaining of the mean", minus(slo.NewRatio(1, 1), in.Target.Burn(lost)), want.RemainingMean)
			return m.err()
		}),
		"openslo_duration": check(func(in struct{ Text string }, want struct {
			Error    bool
			Seconds  int64
			Calendar string
		},
		) error {
			d, err := openslo.ParseDuration(in.Text)
			if want.Error != (err != nil) {
				return fmt.Errorf("ParseDuration(%q) = %v, %w, want an error: %v", in.Text, d, err, want.Error)
			}
			length, _ := d.Length()
			var months string
			if unit, ok := d.Calendar(); ok {
				months = fmt.Sprintf("%d months", d.Count*map[slo.Unit]int{slo.Month: 1, slo.Quarter: 3, slo.Year: 12}[unit])
			}
			var m misses
			m.equal("length", length, secs(want.Seconds))
			m.equal("months", months, want.Calendar)
			return m.err()
		}),
	})
}

func minus(a, b slo.Ratio) slo.Ratio {
	r, err := slo.ParseRatio(new(big.Rat).Sub(a.Rat(), b.Rat()).String())
	if err != nil {
		panic(err)
	}
	return r
}

func goodTotal(pairs [][2]uint64) []slo.Counts {
	all := make([]slo.Counts, len(pairs))
	for i, p := range pairs {
		all[i] = slo.Counts{Good: p[0], Total: p[1]}
	}
	return all
}

func checkOccurrences(in struct {
	Target     string `json:"target_percent"`
	Bad, Total string
}, want struct {
	Error      json.RawMessage
	ErrorRatio wanted  `json:"error_ratio"`
	Allowed    *wanted `json:"allowed_bad_events"`
	Burn       *wanted `json:"burn_rate"`
	Consumed   *wanted
	Remaining  *wanted
	Left       *wanted `json:"remaining_bad_events"`
	State      slo.State
},
) error {
	got, err := func() (slo.Status, error) {
		target, err := slo.ParsePercent(in.Target)
		if err != nil {
			return slo.Status{}, err
		}
		counts, err := countsOf(in.Bad, in.Total)
		if err != nil {
			return slo.Status{}, err
		}
		return slo.Evaluate(target, slo.Evidence{Counts: counts})
	}()
	if want.Error != nil {
		if err == nil {
			return fmt.Errorf("no error, want %s", want.Error)
		}
		return nil
	}
	if err != nil {
		return err
	}
	var m misses
	m.ratio("error ratio", got.ErrorRatio, &want.ErrorRatio)
	m.ratio("allowed", got.Allowed, want.Allowed)
	m.ratio("burn", got.Burn, want.Burn)
	m.ratio("consumed", got.Consumed, want.Consumed)
	m.ratio("remaining", got.Remaining, want.Remaining)
	m.ratio("left", got.Left, want.Left)
	m.equal("state", got.State, want.State)
	return m.err()
}

func checkLowTraffic(in struct {
	Target  slo.Target `json:"target_percent"`
	PerHour uint64     `json:"requests_per_hour"`
	Failed  uint64     `json:"failed_in_hour"`
	Period  int64      `json:"period_seconds"`
}, want struct {
	Hour     *wanted `json:"hour_error_ratio"`
	Burn     *wanted `json:"hour_burn_rate"`
	Requests uint64  `json:"period_requests"`
	Allowed  *wanted `json:"allowed_failures"`
	ByOne    *wanted `json:"budget_consumed_by_one_failure"`
},
) error {
	hour, err := slo.Evaluate(in.Target, slo.Evidence{Counts: slo.Counts{Good: in.PerHour - in.Failed, Total: in.PerHour}})
	if err != nil {
		return err
	}
	requests := in.PerHour * uint64(in.Period/3600)
	period, err := slo.Evaluate(in.Target, slo.Evidence{Counts: slo.Counts{Good: requests - 1, Total: requests}})
	if err != nil {
		return err
	}
	var m misses
	m.ratio("error ratio", hour.ErrorRatio, want.Hour)
	m.ratio("burn", hour.Burn, want.Burn)
	m.equal("requests", period.Total, want.Requests)
	m.ratio("allowed", period.Allowed, want.Allowed)
	m.ratio("consumed by one", period.Consumed, want.ByOne)
	return m.err()
}

func checkPolicy(in struct {
	Period  int64 `json:"period_seconds"`
	Scheme  slo.Scheme
	Shares  []slo.Ratio `json:"budget_fractions"`
	Windows [][2]int64  `json:"base_windows_seconds"`
}, want struct {
	Rules []struct {
		Severity, Speed string
		Factor          *wanted
		Long            *wanted `json:"long_seconds"`
		Short           *wanted `json:"short_seconds"`
		Consumed        *wanted `json:"budget_consumed_at_detection"`
	}
},
) error {
	tiers := slo.DefaultTiers()
	for i := range tiers {
		tiers[i].Share = in.Shares[i]
		tiers[i].Long, tiers[i].Short = secs(in.Windows[i][0]), secs(in.Windows[i][1])
	}
	policy, err := slo.NewPolicy(in.Scheme, secs(in.Period), tiers)
	if err != nil {
		return err
	}
	detections, err := policy.Detections(slo.MustPercent("99.9"), slo.Surroundings{Period: secs(in.Period)}, slo.NewRatio(1, 1))
	if err != nil {
		return err
	}
	var m misses
	m.equal("rules", len(policy.Rules), len(want.Rules))
	for i, w := range want.Rules {
		r := policy.Rules[i]
		m.equal("name", r.Name, w.Severity+"-"+w.Speed)
		m.equal("severity", r.Severity, w.Severity)
		m.ratio("factor", r.Factor, w.Factor)
		m.ratio("long", slo.NewRatio(int64(r.Long), 1e9), w.Long)
		m.ratio("short", slo.NewRatio(int64(r.Short), 1e9), w.Short)
		m.ratio("consumed", detections[i].Consumed, w.Consumed)
	}
	return m.err()
}

func checkDecision(in struct {
	Target slo.Target `json:"target_percent"`
	Period int64      `json:"period_seconds"`
	Scheme slo.Scheme
	Ratios map[string]slo.Ratio `json:"error_ratio_by_window_seconds"`
}, want struct {
	Page, Ticket bool
	Rules        []string
},
) error {
	policy, err := slo.NewPolicy(in.Scheme, secs(in.Period), nil)
	if err != nil {
		return err
	}
	decisions, err := policy.Decide(in.Target, func(w time.Duration) slo.Counts {
		return ratioCounts(in.Ratios[strconv.Itoa(int(w/time.Second))])
	})
	if err != nil {
		return err
	}
	holding := []string{}
	fires := map[slo.Severity]bool{}
	for _, d := range decisions {
		if d.Holds {
			holding = append(holding, d.Rule)
			fires[d.Severity] = true
		}
	}
	var m misses
	m.equal("rules", holding, want.Rules)
	m.equal("page", fires[slo.Page], want.Page)
	m.equal("ticket", fires[slo.Ticket], want.Ticket)
	return m.err()
}

func checkDetection(in struct {
	Target slo.Target `json:"target_percent"`
	Period int64      `json:"period_seconds"`
	E      slo.Ratio  `json:"error_ratio"`
}, want struct {
	Rules []struct {
		Rule     string
		Fires    bool
		After    *wanted `json:"detection_seconds"`
		Consumed *wanted `json:"budget_consumed"`
		Reset    *wanted `json:"reset_seconds_after_recovery"`
	}
	First      *string
	Exhaustion *wanted `json:"time_to_exhaustion_seconds"`
},
) error {
	policy, err := slo.NewPolicy(slo.ConstantBudget, secs(in.Period), nil)
	if err != nil {
		return err
	}
	got, err := policy.Detections(in.Target, slo.Surroundings{Period: secs(in.Period)}, in.E)
	if err != nil {
		return err
	}
	var m misses
	m.equal("rules", len(got), len(want.Rules))
	for i, w := range want.Rules {
		m.equal("rule", got[i].Rule, w.Rule)
		m.equal(w.Rule+" fires", got[i].Fires, w.Fires)
		m.ratio(w.Rule+" after", got[i].After, w.After)
		m.ratio(w.Rule+" consumed", got[i].Consumed, w.Consumed)
		m.ratio(w.Rule+" reset", got[i].Reset, w.Reset)
	}
	first, ok := slo.Earliest(got)
	m.equal("some first", ok, want.First != nil)
	if want.First != nil {
		m.equal("first", first.Rule, *want.First)
	}
	m.ratio("exhaustion", slo.TimeToExhaustion(secs(in.Period), slo.NewRatio(0, 1), in.Target.Burn(in.E)), want.Exhaustion)
	return m.err()
}

func checkCounter(in struct {
	Samples [][2]json.RawMessage
	Born    bool `json:"series_born_in_window"`
}, want struct {
	Error    json.RawMessage
	Increase *wanted
	Resets   int
	Gaps     int
},
) error {
	readings := make([]slo.Reading, len(in.Samples))
	for i, s := range in.Samples {
		var at int64
		var text string
		if err := json.Unmarshal(s[0], &at); err != nil {
			return err
		}
		if err := json.Unmarshal(s[1], &text); err != nil {
			return err
		}
		v, err := slo.ParseValue(text)
		if err != nil {
			return err
		}
		readings[i] = slo.Reading{At: time.Unix(at, 0), Value: v}
	}
	got, err := slo.CounterIncrease(readings, in.Born)
	if want.Error != nil {
		if err == nil {
			return fmt.Errorf("no error, want %s", want.Error)
		}
		return nil
	}
	if err != nil {
		return err
	}
	var m misses
	m.ratio("increase", got.Value.Ratio(), want.Increase)
	m.equal("resets", got.Resets, want.Resets)
	m.equal("gaps", got.Gaps, want.Gaps)
	m.equal("exact", got.Exact, true)
	return m.err()
}

func checkSlices(in struct {
	Slices [][2]uint64      `json:"slices_good_total"`
	Slice  slo.Ratio        `json:"slice_target"`
	Target slo.Target       `json:"target_percent"`
	NoData slo.NoDataPolicy `json:"no_data"`
}, want struct {
	Good, Bad uint64
	NoData    uint64 `json:"no_data"`
	SLI       wanted
	Burn      *wanted `json:"burn_rate"`
	Remaining *wanted
},
) error {
	target, err := slo.NewTarget(in.Slice)
	if err != nil {
		return err
	}
	n, err := slo.Slicing{Target: target, NoData: in.NoData}.Count(goodTotal(in.Slices))
	if err != nil {
		return err
	}
	got, err := slo.Evaluate(in.Target, slo.Evidence{Counts: n.Counts(), Measure: slo.Slices})
	if err != nil {
		return err
	}
	var m misses
	m.equal("good, bad, no data", n, slo.SliceCounts{Good: want.Good, Bad: want.Bad, NoData: want.NoData})
	m.ratio("sli", got.SLI, &want.SLI)
	m.ratio("burn", got.Burn, want.Burn)
	m.ratio("remaining", got.Remaining, want.Remaining)
	return m.err()
}

func checkComposite(in struct {
	Method slo.Method
	Parts  []slo.Part
}, want struct {
	SLI *wanted
	Max *wanted `json:"burn_rate_max"`
	Sum *wanted `json:"burn_rate_sum"`
},
) error {
	got, err := slo.Composite(in.Method, in.Parts, 0)
	if err != nil {
		return err
	}
	var m misses
	m.ratio("sli", got.SLI, want.SLI)
	m.ratio("burn max", got.BurnMax, want.Max)
	m.ratio("burn sum", got.BurnSum, want.Sum)
	return m.err()
}

func checkHistogram(in struct {
	Buckets   [][2]json.RawMessage `json:"buckets_le_cumulative"`
	Threshold slo.Ratio
	Total     uint64
}, want struct {
	Good, SLI  *wanted
	OnBoundary bool `json:"on_boundary"`
},
) error {
	buckets := make([]slo.Bucket, len(in.Buckets))
	for i, b := range in.Buckets {
		if err := json.Unmarshal(b[0], &buckets[i].LE); err != nil {
			return err
		}
		if err := json.Unmarshal(b[1], &buckets[i].Count); err != nil {
			return err
		}
	}
	got, err := slo.LatencySLI(buckets, in.Threshold)
	if err != nil {
		return err
	}
	var m misses
	m.ratio("good", got.Good, want.Good)
	m.ratio("sli", got.SLI, want.SLI)
	m.equal("total", got.Total, in.Total)
	m.equal("on boundary", !got.Interpolated && !got.LowerBound, want.OnBoundary)
	return m.err()
}

func checkThresholdText(in struct {
	Target slo.Target `json:"target_percent"`
	Factor slo.Ratio
}, want struct {
	Threshold *wanted
	Text      string
	Objective string `json:"objective_text"`
	Budget    string `json:"budget_text"`
},
) error {
	threshold := slo.Rule{Factor: in.Factor}.Threshold(in.Target)
	var m misses
	m.ratio("threshold", threshold, want.Threshold)
	m.equal("text", threshold.Decimal(), want.Text)
	m.equal("objective", in.Target.Ratio().Decimal(), want.Objective)
	m.equal("budget", in.Target.Budget().Decimal(), want.Budget)
	return m.err()
}

func checkMaintenance(in struct {
	Target     slo.Target `json:"target_percent"`
	Window     int64      `json:"window_seconds"`
	Exclusions [][2]int64
	Downtime   [][2]int64
}, want struct {
	Effective    int64   `json:"effective_window_seconds"`
	Excluded     int64   `json:"excluded_seconds"`
	Down         int64   `json:"counted_downtime_seconds"`
	Allowed      *wanted `json:"allowed_seconds"`
	Availability wanted
	Remaining    *wanted
	State        *slo.State
},
) error {
	d := slo.Downtime{Window: stretch(0, in.Window), Down: stretches(in.Downtime)}
	for _, x := range stretches(in.Exclusions) {
		d.Exclusions = append(d.Exclusions, slo.Exclusion{Interval: x})
	}
	got, err := slo.EvaluateDowntime(in.Target, d)
	if err != nil {
		return err
	}
	var m misses
	m.equal("effective", got.Total, uint64(secs(want.Effective)))
	m.equal("excluded", got.Excluded, secs(want.Excluded))
	m.equal("downtime", got.Bad, uint64(secs(want.Down)))
	m.ratio("allowed", in.Target.AllowedDowntime(time.Duration(got.Total)), want.Allowed)
	m.ratio("availability", got.SLI, &want.Availability)
	m.ratio("remaining", got.Remaining, want.Remaining)
	if want.State != nil {
		m.equal("state", got.State, *want.State)
	}
	return m.err()
}

func checkWeighting(in struct {
	Window   int64 `json:"window_seconds"`
	Marks    [][3]json.RawMessage
	Downtime [][2]int64
	Target   slo.Target `json:"target_percent"`
}, want struct {
	Total *wanted `json:"weighted_total_seconds"`
	Bad   *wanted `json:"weighted_bad_seconds"`
	Plain *wanted `json:"plain_error_ratio"`
	Error wanted  `json:"error_ratio"`
	Burn  *wanted `json:"burn_rate"`
	State *slo.State
},
) error {
	d := slo.Downtime{Window: stretch(0, in.Window), Down: stretches(in.Downtime)}
	for _, raw := range in.Marks {
		var from, to int64
		var weight slo.Ratio
		for i, v := range []any{&from, &to, &weight} {
			if err := json.Unmarshal(raw[i], v); err != nil {
				return err
			}
		}
		d.Marks = append(d.Marks, slo.Mark{Interval: stretch(from, to), Weight: weight})
	}
	got, err := slo.EvaluateDowntime(in.Target, d)
	if err != nil {
		return err
	}
	var m misses
	m.ratio("total", got.Weighted.Total, want.Total)
	m.ratio("bad", got.Weighted.Bad, want.Bad)
	m.ratio("plain", got.ErrorRatio, want.Plain)
	m.ratio("error ratio", got.Weighted.ErrorRatio, &want.Error)
	m.ratio("burn", got.Weighted.Burn, want.Burn)
	if want.State != nil {
		m.equal("state", got.Weighted.State, *want.State)
	}
	return m.err()
}
