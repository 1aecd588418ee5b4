package playbook_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/incident/playbook"
)

// noon is a Monday, 14:00 in Amsterdam.
var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

func minute(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Minute))) }

func vocabulary(tb testing.TB, more ...playbook.FactSpec) *playbook.Vocabulary {
	tb.Helper()
	v, err := playbook.NewVocabulary(append(playbook.DefaultFacts(), more...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// The 16 different conditions of the operations guide: 3 triggers, 7 conditions
// of actions, 6 of the safety checks.
var guideConditions = []string{
	"cpu_utilization > 85% for 5 minutes", "db_connections > 90% of pool for 3 minutes", "error_rate > 5% for 2 minutes",
	"auto_scaling_enabled", "load_balancer_healthy", "idle_connections > 20", "memory_available", "circuit_breaker_available",
	"healthy_instances > 1", "recent_deployment < 2 hours",
	"action.risk_level == 'high'", "current_time in business_hours", "action.type == 'scaling'",
	"available_capacity > required_capacity", "action.affects_traffic_routing", "all_dependencies.health_status == 'healthy'",
}

func TestGuideConditions(t *testing.T) {
	v := vocabulary(t)
	for _, text := range guideConditions {
		c, err := playbook.Compile(text, v)
		if err != nil {
			t.Errorf("Compile(%q) = %v", text, err)
			continue
		}
		if got := c.Eval(v.NewFacts(), noon); got != playbook.Unknown {
			t.Errorf("%q over nothing = %v, want unknown", text, got)
		}
	}
}

func TestConditions(t *testing.T) {
	v := vocabulary(t,
		playbook.FactSpec{Name: "latency", Type: playbook.NumberFact, Unit: "ms"},
		playbook.FactSpec{Name: "share", Type: playbook.NumberFact, Unit: "ratio"},
		playbook.FactSpec{Name: "state", Type: playbook.TextFact},
		playbook.FactSpec{Name: "kept", Type: playbook.BoolFact, Staleness: -1},
		playbook.FactSpec{Name: "nothing", Type: playbook.NumberFact})
	f := v.NewFacts()
	for name, value := range map[string]playbook.Value{
		"cpu_utilization": playbook.Number(85), "db_connections": playbook.Number(91), "pool": playbook.Number(100),
		"error_rate": playbook.Number(5.01), "auto_scaling_enabled": playbook.Bool(true), "memory_available": playbook.Bool(false),
		"healthy_instances": playbook.Number(2), "available_capacity": playbook.Number(4), "required_capacity": playbook.Number(4),
		"recent_deployment": playbook.Since(minute(-119)), "latency": playbook.Number(250), "share": playbook.Number(0.29),
		"state": playbook.Text("up"), "all_dependencies.health_status": playbook.Texts("healthy", "healthy"), "nothing": playbook.Number(math.NaN()),
	} {
		if err := f.Set(name, value, noon); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]playbook.Truth{
		"cpu_utilization > 85%":                                    playbook.False, // strict
		"cpu_utilization >= 85%":                                   playbook.True,
		"cpu_utilization > 84.9 %":                                 playbook.True,
		"error_rate > 5%":                                          playbook.True,
		"share > 29%":                                              playbook.False, // 0.29 is exactly 29 %
		"share >= 29%":                                             playbook.True,
		"share == 0.29 ratio":                                      playbook.True,
		"latency > 0.2 seconds":                                    playbook.True,
		"latency > 0.25 s":                                         playbook.False,
		"healthy_instances > 1":                                    playbook.True,
		"healthy_instances > 1 instances":                          playbook.True,
		"db_connections > 90% of pool":                             playbook.True,
		"db_connections > 91% of pool":                             playbook.False,
		"db_connections > 90% of nothing":                          playbook.Unknown,
		"available_capacity > required_capacity":                   playbook.False,
		"available_capacity >= required_capacity":                  playbook.True,
		"recent_deployment < 2 hours":                              playbook.True,
		"recent_deployment < 119 minutes":                          playbook.False,
		"state == 'up'":                                            playbook.True,
		"state != 'up'":                                            playbook.False,
		"all_dependencies.health_status == 'healthy'":              playbook.True,
		"all_dependencies.health_status != 'healthy'":              playbook.False,
		"auto_scaling_enabled":                                     playbook.True,
		"not auto_scaling_enabled":                                 playbook.False,
		"memory_available":                                         playbook.False,
		"load_balancer_healthy":                                    playbook.Unknown,
		"NOT load_balancer_healthy":                                playbook.Unknown,
		"nothing > 1":                                              playbook.Unknown,
		"nothing > required_capacity":                              playbook.Unknown,
		"memory_available AND load_balancer_healthy":               playbook.False,
		"auto_scaling_enabled and load_balancer_healthy":           playbook.Unknown,
		"auto_scaling_enabled OR load_balancer_healthy":            playbook.True,
		"memory_available or load_balancer_healthy":                playbook.Unknown,
		"auto_scaling_enabled OR memory_available AND nothing > 1": playbook.True, // AND binds closer
		"(auto_scaling_enabled OR memory_available) AND nothing>1": playbook.Unknown,
		"NOT (memory_available OR cpu_utilization > 85%)":          playbook.True,
		"cpu_utilization > 85% for 5 minutes":                      playbook.Unknown, // without a history
		"action.type == 'scaling'":                                 playbook.Unknown,
		"current_time in business_hours":                           playbook.Unknown,
	} {
		c, err := playbook.Compile(text, v)
		if err != nil {
			t.Errorf("Compile(%q) = %v", text, err)
			continue
		}
		if got := c.Eval(f, noon); got != want {
			t.Errorf("%q = %v, want %v", text, got, want)
		}
		if got := c.Eval(f, minute(5)); got != want && !strings.Contains(text, "recent_deployment") {
			t.Errorf("%q after exactly 5 minutes = %v, want %v", text, got, want)
		}
		if got := c.Eval(f, minute(5).Add(1)); got != playbook.Unknown {
			t.Errorf("%q after more than 5 minutes = %v, want unknown", text, got)
		}
	}
	if err := f.Set("kept", playbook.Bool(true), noon); err != nil {
		t.Fatal(err)
	}
	if c, err := playbook.Compile("kept", v); err != nil || c.Eval(f, minute(1e6)) != playbook.True {
		t.Error("a fact without staleness went stale")
	}
}

func TestNeverAndGroups(t *testing.T) {
	v := vocabulary(t)
	for _, tt := range []struct {
		fact, text string
		value      playbook.Value
		want       playbook.Truth
	}{
		{"recent_deployment", "recent_deployment < 2 hours", playbook.Never(), playbook.False},
		{"recent_deployment", "NOT recent_deployment < 2 hours", playbook.Never(), playbook.True},
		{"recent_deployment", "recent_deployment < 2 hours", playbook.Value{}, playbook.Unknown},
		{"all_dependencies.health_status", "all_dependencies.health_status == 'healthy'", playbook.Texts(), playbook.True},
		{"all_dependencies.health_status", "all_dependencies.health_status == 'healthy'", playbook.Texts("healthy", ""), playbook.Unknown},
		{"all_dependencies.health_status", "all_dependencies.health_status == 'healthy'", playbook.Texts("down", ""), playbook.False},
		{"all_dependencies.health_status", "all_dependencies.health_status == 'healthy'", playbook.Value{}, playbook.Unknown},
	} {
		c, err := playbook.Compile(tt.text, v)
		if err != nil {
			t.Fatal(err)
		}
		f := v.NewFacts()
		if err := f.Set(tt.fact, tt.value, noon); err != nil {
			t.Fatal(err)
		}
		if got := c.Eval(f, noon); got != tt.want {
			t.Errorf("%q with %v = %v, want %v", tt.text, tt.value, got, tt.want)
		}
	}
}

func TestConditionErrors(t *testing.T) {
	v := vocabulary(t, playbook.FactSpec{Name: "state", Type: playbook.TextFact}, playbook.FactSpec{Name: "latency", Type: playbook.NumberFact, Unit: "ms"})
	for text, column := range map[string]int{
		"":                                       1,
		"   ":                                    4,
		"cpu":                                    1, // not registered
		"cpu_utilization":                        16,
		"cpu_utilization > ":                     19,
		"cpu_utilization => 5":                   17,
		"cpu_utilization > 85% for":              26,
		"cpu_utilization > 85% for 5 lightyears": 29,
		"cpu_utilization > 85 ms":                1, // another family
		"idle_connections > 5%":                  1,
		"latency > 5%":                           1,
		"latency > pool":                         11, // another unit
		"cpu_utilization > 85% of nowhere":       1,
		"cpu_utilization > 85% of state":         1,
		"auto_scaling_enabled > 5":               22,
		"auto_scaling_enabled == 'yes'":          25,
		"state > 'up'":                           7,
		"state == up":                            7,
		"state == 'up":                           10,
		"state == ''":                            10,
		"state":                                  6,
		"recent_deployment < 2 hours for 5m":     1,
		"current_time":                           13,
		"current_time in lunch":                  17,
		"action.colour == 'red'":                 1,
		"action.type":                            12,
		"action.type > 'scaling'":                13,
		"auto_scaling_enabled memory_available":  22,
		"auto_scaling_enabled AND":               25,
		"(auto_scaling_enabled":                  22,
		"auto_scaling_enabled)":                  21,
		"NOT":                                    4,
		"AND":                                    1,
		"memory_available AND é":                 22,
		"fmt.Println(1)":                         1, // not the host language
		strings.Repeat("(", 200) + "auto_scaling_enabled": 102,
	} {
		_, err := playbook.Compile(text, v)
		var bad *playbook.ConditionError
		if !errors.As(err, &bad) || bad.Column != column {
			t.Errorf("Compile(%.40q) = %v, want an error in column %d", text, err, column)
		}
	}
}

func TestVocabularyErrors(t *testing.T) {
	for name, spec := range map[string]playbook.FactSpec{
		"no name":     {Type: playbook.BoolFact},
		"digit first": {Name: "5xx", Type: playbook.BoolFact},
		"space":       {Name: "a b", Type: playbook.BoolFact},
		"keyword":     {Name: "And", Type: playbook.BoolFact},
		"reserved":    {Name: "action.type", Type: playbook.TextFact},
		"now":         {Name: "current_time", Type: playbook.TextFact},
		"type":        {Name: "x", Type: "colour"},
		"unit":        {Name: "x", Type: playbook.BoolFact, Unit: "%"},
		"twice":       {Name: "pool", Type: playbook.NumberFact},
	} {
		if _, err := playbook.NewVocabulary(append(playbook.DefaultFacts(), spec)...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	f := vocabulary(t).NewFacts()
	if err := f.Set("colour", playbook.Bool(true), noon); !errors.Is(err, playbook.ErrUnknownFact) {
		t.Errorf("Set of an unknown fact = %v", err)
	}
	if f.Set("pool", playbook.Bool(true), noon) == nil || f.Set("pool", playbook.Number(math.Inf(1)), noon) == nil {
		t.Error("a value of another type, or infinite, was taken")
	}
}

// TestKleene holds the operators against their tables.
func TestKleene(t *testing.T) {
	v := vocabulary(t)
	values := map[playbook.Truth]playbook.Value{playbook.Unknown: {}, playbook.False: playbook.Bool(false), playbook.True: playbook.Bool(true)}
	order := map[playbook.Truth]int{playbook.False: 0, playbook.Unknown: 1, playbook.True: 2}
	for a, av := range values {
		for b, bv := range values {
			f := v.NewFacts()
			for name, value := range map[string]playbook.Value{"memory_available": av, "load_balancer_healthy": bv} {
				if err := f.Set(name, value, noon); err != nil {
					t.Fatal(err)
				}
			}
			eval := func(text string) playbook.Truth {
				c, err := playbook.Compile(text, v)
				if err != nil {
					t.Fatal(err)
				}
				return c.Eval(f, noon)
			}
			and, or := eval("memory_available AND load_balancer_healthy"), eval("memory_available OR load_balancer_healthy")
			if order[and] != min(order[a], order[b]) || order[or] != max(order[a], order[b]) {
				t.Errorf("%v, %v: AND %v, OR %v", a, b, and, or)
			}
			// De Morgan
			if got := eval("NOT (NOT memory_available OR NOT load_balancer_healthy)"); got != and {
				t.Errorf("%v, %v: NOT (NOT a OR NOT b) = %v, want %v", a, b, got, and)
			}
		}
		text, err := a.MarshalText()
		var again playbook.Truth
		if err != nil || again.UnmarshalText(text) != nil || again != a {
			t.Errorf("%v: %s, %v", a, text, err)
		}
	}
}

func TestTrueDoesNotAllocate(t *testing.T) {
	v := vocabulary(t)
	c, err := playbook.Compile("cpu_utilization > 85% AND error_rate > 5% AND idle_connections > 20 AND healthy_instances > 1", v)
	if err != nil {
		t.Fatal(err)
	}
	f := v.NewFacts()
	for i, name := range []string{"cpu_utilization", "error_rate", "idle_connections", "healthy_instances"} {
		if err := f.Set(name, playbook.Number(float64(90+i)), noon); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		if c.Eval(f, noon) != playbook.True {
			t.Error("not true")
		}
	}); n != 0 {
		t.Errorf("Eval allocates %v times, want 0", n)
	}
	if got := fmt.Sprint(playbook.Truth(9)); got != "Truth(9)" {
		t.Errorf("Truth(9) = %q", got)
	}
}

// TestNearTheThreshold compares conditions with exact fractions where a float is on
// the threshold or a hair beside it, in several units. A float is read as its shortest
// decimal text, as people write it.
func TestNearTheThreshold(t *testing.T) {
	for _, tt := range []struct {
		unit, limit string
		bound       *big.Rat // in the unit of the fact
	}{
		{"%", "5%", big.NewRat(5, 1)},
		{"ratio", "5%", big.NewRat(5, 100)},
		{"ms", "2 s", big.NewRat(2000, 1)},
		{"s", "250 ms", big.NewRat(1, 4)},
		{"MiB", "1.5 GiB", big.NewRat(1536, 1)},
		{"", "0", new(big.Rat)},
		{"", "20", big.NewRat(20, 1)},
	} {
		v, err := playbook.NewVocabulary(playbook.FactSpec{Name: "x", Type: playbook.NumberFact, Unit: tt.unit}, playbook.FactSpec{Name: "y", Type: playbook.BoolFact})
		if err != nil {
			t.Fatal(err)
		}
		bound, _ := tt.bound.Float64()
		values := []float64{0, bound, -bound, math.Nextafter(bound, 0), math.Nextafter(bound, math.Inf(1)), 1e300, -1e300, math.SmallestNonzeroFloat64}
		for _, hair := range []float64{1e-15, 1e-12, 1e-10, 1e-9, 2.9e-9, 3.1e-9, 1e-8, 1e-3} {
			values = append(values, bound*(1+hair), bound*(1-hair))
		}
		for op, holds := range map[string]func(int) bool{
			">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 }, "<": func(c int) bool { return c < 0 },
			"<=": func(c int) bool { return c <= 0 }, "==": func(c int) bool { return c == 0 }, "!=": func(c int) bool { return c != 0 },
		} {
			plain, err := playbook.Compile(fmt.Sprintf("x %s %s AND y", op, tt.limit), v) // by a glance, if that is enough
			if err != nil {
				t.Fatal(err)
			}
			deep, err := playbook.Compile(fmt.Sprintf("NOT (NOT x %s %s OR NOT y)", op, tt.limit), v) // by the tree
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range values {
				exact, ok := new(big.Rat).SetString(strconv.FormatFloat(x, 'g', -1, 64))
				f := v.NewFacts()
				if err := errors.Join(f.Set("x", playbook.Number(x), noon), f.Set("y", playbook.Bool(true), noon)); err != nil || !ok {
					t.Fatal(err)
				}
				want := playbook.False
				if holds(exact.Cmp(tt.bound)) {
					want = playbook.True
				}
				for _, c := range []*playbook.Condition{plain, deep} {
					if got := c.Eval(f, noon); got != want {
						t.Errorf("%s over x = %v %s: %v, want %v", c, x, tt.unit, got, want)
					}
				}
			}
		}
	}
}
