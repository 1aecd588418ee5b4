package promrules

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/slo"
)

func TestRefused(t *testing.T) {
	long := func() SLO { return withDefaults(t, 30, Events{Bad: "b", Total: "t"}) }
	with := func(change func(*SLO)) []SLO {
		s := long()
		change(&s)
		return []SLO{s}
	}
	counted := func(e Events) []SLO { return with(func(s *SLO) { s.Events = e }) }
	other := func(id, service string) SLO {
		s := long()
		s.ID, s.Service = id, service
		return s
	}
	const oneWay = `promrules: objective "o": events : want one way to count: two of bad, good and total, or latency, or up, or error_ratio`
	half := slo.NewRatio(1, 2)
	tests := []struct {
		name string
		slos []SLO
		o    Options
		want string
	}{
		{"the objective", with(func(s *SLO) { s.ID = "" }), Options{}, `objective "": id not set`},
		{
			"100 %", with(func(s *SLO) { s.Target, s.Policy.Rules = slo.MustPercent("100"), nil }),
			Options{},
			`promrules: objective "o": want a target below 100 %: without a budget every error would page`,
		},
		// 14.4 · 0.1 = 1.44 and 6 · 0.1 = 0.6.
		{
			"unreachable", with(func(s *SLO) { s.Target = slo.MustPercent("90") }),
			Options{},
			`promrules: objective "o": rule "page-fast": want a threshold below 1, not 1.44: it can never fire`,
		},
		{
			"alpha", with(func(s *SLO) { s.Policy.Rules[1].Alpha = slo.NewRatio(1, 100) }),
			Options{},
			`promrules: objective "o": rule "page-slow": want no alpha: PromQL has no binomial distribution; min_events and min_bad can be written`,
		},
		{
			"counts of a ratio", with(func(s *SLO) { s.Events, s.Policy.Rules[0].MinBad = Events{ErrorRatio: "x($window)"}, 1 }),
			Options{},
			`promrules: objective "o": rule "page-fast": want no min_events and min_bad: an error ratio tells no counts`,
		},
		{
			"two of a name",
			[]SLO{other("x", "s"), other("x", "s")},
			Options{},
			`promrules: objective "x": want series of its own: another objective has the same "s-x"`,
		},
		{
			"two of a sloth_id",
			[]SLO{other("b-c", "a"), other("c", "a-b")},
			Options{},
			`promrules: objective "c": want series of its own: another objective has the same "a-b-c"`,
		},
		{
			"no service",
			[]SLO{other("a", ""), other("a", "a")},
			Options{},
			`promrules: objective "a": want series of its own: another objective has the same "a-a"`,
		},
		{
			"two of an id, which is all that Pyrra has",
			[]SLO{other("x", "s"), other("x", "t")},
			Options{Names: Pyrra},
			`promrules: objective "x": want series of its own: another objective has the same "x"`,
		},

		{
			"silence of each region",
			with(func(s *SLO) {
				s.Events.By = []string{"region"}
				s.Policy.Rules = []slo.Rule{{Name: "silent", Severity: slo.Ticket, Kind: slo.Silence, Long: time.Hour}}
			}),
			Options{},
			`promrules: objective "o": rule "silent": want no silence beside labels to judge apart: absent() sees only that all of them are silent`,
		},
		{
			"another variable", counted(Events{Bad: "x[$windows]", Total: "t"}),
			Options{},
			`promrules: objective "o": events bad: "x[$windows]" at byte 1: want "{" or the end; an expression needs $window`,
		},
		{
			"another variable beside the window", counted(Events{Bad: "x[$window] + y[$windows]", Total: "t"}),
			Options{},
			`promrules: objective "o": events bad: "x[$window] + y[$windows]" at byte 15: want no variable but $window`,
		},
		{"no events", counted(Events{}), Options{}, oneWay},
		{"two ways", counted(Events{Bad: "b", Total: "t", Up: "up"}), Options{}, oneWay},
		{"half a ratio", counted(Events{Bad: "b"}), Options{}, `promrules: objective "o": events : want two of bad, good and total`},
		{"all three", counted(Events{Bad: "b", Good: "g", Total: "t"}), Options{}, `promrules: objective "o": events : want two of bad, good and total`},
		{
			"selector", counted(Events{Bad: "b", Total: "rate(t)"}),
			Options{},
			`promrules: objective "o": events total: "rate(t)" at byte 4: want "{" or the end; an expression needs $window`,
		},
		{
			"expression", counted(Events{Bad: "b", Total: "x($window)\x01"}),
			Options{},
			`promrules: objective "o": events total: "x($window)\x01" at byte 10: want printable characters of UTF-8`,
		},
		{
			"gauge as expression", counted(Events{Up: "x($window)"}),
			Options{},
			`promrules: objective "o": events up: "x($window)" at byte 1: want "{" or the end; an expression needs $window`,
		},
		{
			"ratio without a window", counted(Events{ErrorRatio: "errors:ratio5m"}),
			Options{},
			`promrules: objective "o": events error_ratio: want an expression with $window in it`,
		},
		{
			"no histogram", counted(Events{Latency: &Latency{Limit: half}}),
			Options{},
			`promrules: objective "o": events latency.histogram: want the selector of a histogram`,
		},
		{
			"no limit", counted(Events{Latency: &Latency{Histogram: "h"}}),
			Options{},
			`promrules: objective "o": events latency.limit: want a number of seconds above 0`,
		},
		{
			"infinite limit", counted(Events{Latency: &Latency{Histogram: "h", Limit: slo.Inf(1)}}),
			Options{},
			`promrules: objective "o": events latency.limit: want a number of seconds above 0`,
		},
		{
			"a bucket as histogram", counted(Events{Latency: &Latency{Histogram: `h_bucket{a="b"}`, Limit: half}}),
			Options{},
			`promrules: objective "o": events latency.histogram: "h_bucket{a=\"b\"}" at byte 1: want the base name without _bucket`,
		},
		{
			"by", counted(Events{Bad: "b", Total: "t", By: []string{"region "}}),
			Options{},
			`promrules: objective "o": events by: "region " at byte 6: want a label name`,
		},
		{
			"by our own label", counted(Events{Bad: "b", Total: "t", By: []string{"sloth_window"}}),
			Options{},
			`promrules: objective "o": events by: "sloth_window" at byte 0: want a name that the rules do not set themselves`,
		},
		{
			"by a fixed label", with(func(s *SLO) { s.Events.By, s.Labels = []string{"team"}, map[string]string{"team": "x"} }),
			Options{},
			`promrules: objective "o": events by: "team" at byte 0: want a label that is not set for all series`,
		},

		{
			"labels", with(func(s *SLO) { s.Labels = map[string]string{"ä": "", "__x": "", "severity": "", "ok": "\xff"} }),
			Options{},
			`promrules: objective "o": events labels.ok: "\xff" at byte 0: want text in UTF-8
promrules: objective "o": events labels: "__x" at byte 3: want a label name
promrules: objective "o": events labels: "severity" at byte 0: want a name that the rules do not set themselves
promrules: objective "o": events labels: "ä" at byte 0: want a label name`,
		},
		{
			"annotations", with(func(s *SLO) { s.Annotations = map[string]string{"summary": "", "a-b": ""} }),
			Options{},
			`promrules: objective "o": events annotations: "a-b" at byte 1: want a label name
promrules: objective "o": events annotations: "summary" at byte 0: want a name that the rules do not set themselves`,
		},
		{
			"not UTF-8", with(func(s *SLO) { s.Service, s.Policy.Rules[0].Severity = "\xff", "\xfe" }),
			Options{},
			`promrules: objective "o": want text in UTF-8, not "\xff"
promrules: objective "o": rule "page-fast": want text in UTF-8`,
		},

		{
			"coverage of raw samples", with(func(s *SLO) { s.Policy.MinCoverage = half }),
			Options{Scrape: time.Second, Direct: true},
			`promrules: objective "o": rule "page-fast": want no min_coverage: what is counted are the stages in the long window, and there are none`,
		},
		{
			"slices of a ratio", with(func(s *SLO) {
				s.Events, s.Slices = Events{ErrorRatio: "x($window)"}, &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("99")}
			}),
			Options{Scrape: time.Second},
			`promrules: objective "o": want for slices of 1m0s counted events, a scrape interval up to it and an evaluation interval that divides it`,
		},
		{
			"slices between evaluations", with(func(s *SLO) { s.Slices = &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("99")} }),
			Options{Scrape: time.Second, Evaluation: 45 * time.Second},
			`promrules: objective "o": want for slices of 1m0s counted events, a scrape interval up to it and an evaluation interval that divides it`,
		},
		{
			"slices longer than a window", with(func(s *SLO) { s.Slices = &slo.Slicing{Length: 10 * time.Minute, Target: slo.MustPercent("99")} }),
			Options{Scrape: time.Second},
			`promrules: objective "o": rule "page-fast": want no window shorter than a slice of 10m0s`,
		},
		{
			"slices without data, apart", with(func(s *SLO) {
				s.Events.By, s.Slices = []string{"x"}, &slo.Slicing{Length: time.Minute, Target: slo.MustPercent("99"), NoData: slo.BadNoData}
			}),
			Options{Scrape: time.Second},
			`promrules: objective "o": want no labels to judge apart where slices without data count: nobody knows which are missing`,
		},

		{
			"options", nil,
			Options{Scrape: 5 * time.Minute, Evaluation: 7 * time.Minute, Names: 7, Alert: "\xff"},
			`promrules: scrape interval 5m0s: want whole milliseconds, below the 5m0s after which Prometheus forgets a sample
promrules: evaluation interval 7m0s: want whole milliseconds, below the 5m0s after which Prometheus forgets a sample
promrules: alert "\xff": want text in UTF-8
promrules: names 7: want Sloth or Pyrra`,
		},
		{"negative", nil, Options{Scrape: -1}, `promrules: scrape interval -1ns: want whole milliseconds, below the 5m0s after which Prometheus forgets a sample`},
		{
			"all at once",
			[]SLO{other("x", "s"), counted(Events{})[0], other("x", "s")},
			Options{},
			oneWay + "\n" + `promrules: objective "x": want series of its own: another objective has the same "s-x"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Generate(tt.slos, tt.o)
			if f != nil || err == nil || err.Error() != tt.want {
				t.Errorf("Generate = %v, error\n%v\nwant\n%s", f, err, tt.want)
			}
			if text, err := AppendTests(nil, "r", tt.slos, tt.o); text != nil || err == nil || err.Error() != tt.want {
				t.Errorf("AppendTests = %q, error\n%v\nwant\n%s", text, err, tt.want)
			}
		})
	}
}

// Whoever asks for the type gets the place.
func TestErrorTypes(t *testing.T) {
	s := withDefaults(t, 30, Events{Bad: "b", Total: `t{a="b"`})
	s.Policy.Rules[2].Alpha = slo.NewRatio(1, 2)
	err := s.Validate()
	if e, ok := errors.AsType[*EventsError](err); !ok || e.Objective != "o" || e.Field != "total" || e.Offset != 7 {
		t.Errorf("%v: %+v", err, e)
	}
	if e, ok := errors.AsType[*RuleError](err); !ok || e.Objective != "o" || e.Rule != "ticket-fast" || !strings.HasPrefix(e.Want, "no alpha") {
		t.Errorf("%v: %+v", err, e)
	}
}

func TestTestsNeedScrape(t *testing.T) {
	_, err := AppendTests(nil, "r", []SLO{withDefaults(t, 30, Events{Bad: "b", Total: "t"})}, Options{})
	if want := "promrules: tests need to know the scrape interval"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// The default policy of a day has a short window of 10 s. With a scrape a minute
// page-fast would come and go at every evaluation of 30 s.
func TestRefusesBlindWindows(t *testing.T) {
	s := withDefaults(t, 1, Events{Bad: "b", Total: "t"})
	_, err := Generate([]SLO{s}, Options{Scrape: time.Minute})
	var refused *RuleError
	if !errors.As(err, &refused) || refused.Rule != "page-fast" || strings.Contains(err.Error(), "page-slow") {
		t.Errorf("Generate = %v, want page-fast refused", err)
	}
	s.Policy = s.Policy.WithShort(time.Minute)
	if _, err := Generate([]SLO{s}, Options{Scrape: time.Minute}); err != nil {
		t.Error(err)
	}
}
