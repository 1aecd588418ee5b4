package rootcause_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/rootcause"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

var start = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

func sec(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }

func ranker(tb testing.TB, t *correlation.Topology, o rootcause.Options) *rootcause.Ranker {
	tb.Helper()
	g, err := correlation.NewGraph(t)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := rootcause.New(g, o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func shop() *correlation.Topology {
	return &correlation.Topology{
		Edges: []correlation.Edge{{Dependent: "web", Dependency: "api"}, {Dependent: "api", Dependency: "db"}, {Dependent: "mail", Dependency: "db"}},
		Parts: map[string][]string{"api": {"api-1", "api-2", "api-3", "api-4"}, "db": {"db-1", "db-2"}, "web": {"web-1"}},
	}
}

func TestRank(t *testing.T) {
	for _, c := range []struct {
		name     string
		symptoms string // entity/signal@second
		want     string // entity score = rarity + topology + lift, since
	}{
		{"nothing", "", ""},
		{"rare beats common", "x/cpu@0 y/cpu@0 y/oom@9", "y 1.5=1.5+0+0@0; x 0.5=0.5+0+0@0"},
		{"twice is once, from the first", "x/cpu@9 x/cpu@3 y/cpu@4", "x 0.5=0.5+0+0@3; y 0.5=0.5+0+0@4"},
		{"without names", "/cpu@0 x/@0", ""},
		// One point for slow: web, api and db have a third each; db explains the other two.
		{"dependents", "web/slow@0 api/slow@1 db/slow@2", "db 1=0.333+0.667+0@2; web 0=0+0+0@0; api 0=0+0+0@1"},
		{"another signal explains nothing", "web/slow@0 db/oom@2", "web 1=1+0+0@0; db 1=1+0+0@2"},
		{"over a healthy one", "web/slow@0 mail/slow@1 db/slow@2", "db 1=0.333+0.667+0@2; web 0=0+0+0@0; mail 0=0+0+0@1"},
		// Three of four are the quorum: each has a quarter, the whole 3/4 in all.
		{"three of four parts", "api-1/cpu@3 api-2/cpu@1 api-3/cpu@2 x/cpu@0", "api 0.75=0+0+0.75@1; x 0.25=0.25+0+0@0; api-2 0.25=0.25+0+0@1; api-3 0.25=0.25+0+0@2; api-1 0.25=0.25+0+0@3"},
		{"two of four are too few", "api-1/cpu@0 api-2/cpu@0", "api-1 0.5=0.5+0+0@0; api-2 0.5=0.5+0+0@0"},
		{"two of two", "db-1/cpu@0 db-2/cpu@0", "db 1=0+0+1@0; db-1 0.5=0.5+0+0@0; db-2 0.5=0.5+0+0@0"},
		{"a single part is not lifted", "web-1/cpu@0", "web-1 1=1+0+0@0"},
		{"a whole that shows it too", "db-1/cpu@5 db-2/cpu@5 db/cpu@7", "db 1=0.333+0+0.667@5; db-1 0.333=0.333+0+0@5; db-2 0.333=0.333+0+0@5"},
		// Three thirds are one: the tie goes to the first.
		{"sums are exact", "a/p@1 b/p@1 c/p@1 a/q@1 b/q@1 c/q@1 a/r@1 b/r@1 c/r@1 z/s@0", "z 1=1+0+0@0; a 1=1+0+0@1; b 1=1+0+0@1; c 1=1+0+0@1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var symptoms []rootcause.Symptom
			for item := range strings.FieldsSeq(c.symptoms) {
				what, at, _ := strings.Cut(item, "@")
				entity, signal, _ := strings.Cut(what, "/")
				symptoms = append(symptoms, rootcause.Symptom{Entity: entity, Signal: signal, Since: sec(int(at[0] - '0'))})
			}
			r := ranker(t, shop(), rootcause.Options{})
			var got []string
			causes := r.Rank(symptoms)
			for _, x := range causes {
				short := func(v float64) float64 { return math.Round(v*1000) / 1000 }
				got = append(got, fmt.Sprintf("%s %v=%v+%v+%v@%v", x.Entity, short(x.Score), short(x.Rarity), short(x.Topology), short(x.Lift), x.Since.Sub(start).Seconds()))
			}
			if text := strings.Join(got, "; "); text != c.want {
				t.Errorf("Rank(%s) = %s, want %s", c.symptoms, text, c.want)
			}
			slices.Reverse(symptoms)
			if again := r.Rank(symptoms); !reflect.DeepEqual(again, causes) {
				t.Errorf("Rank in another order = %v, want %v", again, causes)
			}
		})
	}
}

func TestReasons(t *testing.T) {
	r := ranker(t, shop(), rootcause.Options{})
	causes := r.Rank([]rootcause.Symptom{
		{Entity: "web", Signal: "slow"},
		{Entity: "api", Signal: "slow"},
		{Entity: "db", Signal: "slow"},
		{Entity: "db", Signal: "oom"},
		{Entity: "db-1", Signal: "cpu"},
		{Entity: "db-2", Signal: "cpu"},
		{Entity: "x", Signal: "cpu"},
	})
	var got []string
	for _, c := range causes {
		for _, reason := range c.Reasons {
			got = append(got, c.Entity+": "+reason.String())
		}
	}
	want := []string{
		"db: oom nowhere else (+1.00)",
		"db: cpu on 2 of its 2 parts (+0.67)",
		"db: slow on 2 that depend on it (+0.67)",
		"db: slow here and on 2 more (+0.33)",
		"db-1: cpu here and on 2 more (+0.33)",
		"db-2: cpu here and on 2 more (+0.33)",
		"x: cpu here and on 2 more (+0.33)",
		"api: slow is explained by db",
		"web: slow is explained by db",
	}
	if !slices.Equal(got, want) {
		t.Errorf("reasons are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	data, err := json.Marshal(causes)
	var again []rootcause.Cause
	if err == nil {
		err = json.Unmarshal(data, &again)
	}
	if err != nil || !reflect.DeepEqual(again, causes) {
		t.Errorf("from JSON = %v, %v, want %v", again, err, causes)
	}
	for _, bad := range []rootcause.Kind{0, 9} {
		if _, err := bad.MarshalText(); err == nil {
			t.Errorf("MarshalText of %v = nil error, want one", bad)
		}
	}
	if err := new(rootcause.Kind).UnmarshalText([]byte("guesses")); err == nil {
		t.Error("UnmarshalText of guesses = nil error, want one")
	}
}

func TestQuorum(t *testing.T) {
	parts := make([]string, 5)
	var symptoms []rootcause.Symptom
	for i := range parts {
		parts[i] = fmt.Sprintf("p%d", i)
	}
	for _, c := range []struct {
		quorum float64
		need   int // of five
	}{{0, 4}, {0.6, 3}, {0.61, 4}, {0.01, 2}, {1, 5}} {
		r := ranker(t, &correlation.Topology{Parts: map[string][]string{"whole": parts}}, rootcause.Options{Quorum: c.quorum})
		symptoms = symptoms[:0]
		for k := range parts {
			symptoms = append(symptoms, rootcause.Symptom{Entity: parts[k], Signal: "s"})
			lifted := slices.ContainsFunc(r.Rank(symptoms), func(x rootcause.Cause) bool { return x.Entity == "whole" })
			if lifted != (k+1 >= c.need) {
				t.Errorf("quorum %v, %d of 5 parts: lifted %v, want it from %d on", c.quorum, k+1, lifted, c.need)
			}
		}
	}
	g, err := correlation.NewGraph(&correlation.Topology{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		_, err := rootcause.New(g, rootcause.Options{Quorum: bad})
		if o, ok := errors.AsType[*correlation.OptionError](err); !ok || o.Option != "Quorum" {
			t.Errorf("New with quorum %v = %v, want an *OptionError of Quorum", bad, err)
		}
	}
}

// Every signal is worth one point before lift, whoever shows it.
func TestPointsAreKept(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2))
		names := []string{"a", "b", "c", "d", "e", "f"}
		topology := &correlation.Topology{}
		for range r.IntN(9) {
			topology.Edges = append(topology.Edges, correlation.Edge{Dependent: names[r.IntN(6)], Dependency: names[r.IntN(6)]})
		}
		var symptoms []rootcause.Symptom
		signals := map[string]bool{}
		for range r.IntN(20) {
			s := rootcause.Symptom{Entity: names[r.IntN(6)], Signal: string(rune('p' + r.IntN(4))), Since: sec(r.IntN(9))}
			signals[s.Signal] = true
			symptoms = append(symptoms, s)
		}
		points := 0.0
		for _, c := range ranker(t, topology, rootcause.Options{}).Rank(symptoms) {
			points += c.Rarity + c.Topology
			if c.Lift != 0 {
				t.Fatalf("seed %d: %s is lifted without parts", seed, c.Entity)
			}
		}
		if math.Abs(points-float64(len(signals))) > 1e-9 {
			t.Fatalf("seed %d: %v points in all, want one for each of %d signals", seed, points, len(signals))
		}
	}
}

func TestSymptoms(t *testing.T) {
	e, err := correlation.New([]correlation.Rule{{Name: "r", Logic: `IF platform.db_slow THEN CREATE composite_alert: "x"`, By: []string{"service"}}}, correlation.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n, ev := range []correlation.Event{
		{Alert: "platform.db_slow", Labels: map[string]string{"service": "db"}, Status: correlation.Firing},
		{Alert: "platform.disk", Labels: map[string]string{"service": "db"}, Status: correlation.Resolved},
		{Alert: "platform.lost", Status: correlation.Firing},
	} {
		ev.Time = sec(n)
		if _, err := e.Apply(sec(n), ev); err != nil {
			t.Fatal(err)
		}
	}
	alerts := e.Alerts()
	for _, c := range e.Composites() {
		alerts = append(alerts, correlation.Alert{Name: "composite." + c.Rule, Labels: correlation.LabelsOf(map[string]string{"service": "db"}), Active: true})
	}
	got := rootcause.Symptoms(correlation.DefaultEntityLabel, alerts)
	if want := []rootcause.Symptom{{Entity: "db", Signal: "platform.db_slow", Since: sec(0)}}; !reflect.DeepEqual(got, want) {
		t.Errorf("Symptoms = %v, want %v", got, want)
	}
}

// fault is one of 70 that were injected into a web shop.
type fault struct {
	entity   string
	symptoms []rootcause.Symptom
}

// boutique reads the data set; skips if it is not there.
func boutique(tb testing.TB) (*correlation.Topology, []fault) {
	tb.Helper()
	data, err := os.ReadFile(testutil.SharedFile(tb, "data", "correlation", "rootcause-boutique-1", "graph.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var in struct{ Edges [][3]string }
	if err := json.Unmarshal(data, &in); err != nil {
		tb.Fatal(err)
	}
	t := &correlation.Topology{Parts: map[string][]string{}}
	for _, e := range in.Edges {
		switch e[1] {
		case "has_instance":
			t.Parts[e[0]] = append(t.Parts[e[0]], e[2])
		case "control_flow", "data_flow":
			t.Edges = append(t.Edges, correlation.Edge{Dependent: e[0], Dependency: e[2]})
		}
	}
	packed, err := os.ReadFile(testutil.SharedFile(tb, "data", "correlation", "rootcause-boutique-1", "faults.jsonl.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		tb.Fatal(err)
	}
	var faults []fault
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var x struct {
			Entity string
			Metric [][5]any
		}
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			tb.Fatal(err)
		}
		f := fault{entity: x.Entity}
		for _, m := range x.Metric {
			f.symptoms = append(f.symptoms, rootcause.Symptom{Entity: m[1].(string), Signal: m[3].(string), Since: time.UnixMilli(int64(m[0].(float64))).UTC()})
		}
		faults = append(faults, f)
	}
	if err := lines.Err(); err != nil || len(faults) != 70 {
		tb.Fatalf("%d faults, %v, want 70", len(faults), err)
	}
	return t, faults
}

// The bars are those of the data set's reference ranker. They hold for any
// sensible quorum, so the constant has not been chosen by these answers.
func TestBoutique(t *testing.T) {
	topology, faults := boutique(t)
	for _, quorum := range []float64{0, 0.6, 0.7, 0.8, 1} {
		r := ranker(t, topology, rootcause.Options{Quorum: quorum})
		var top1, top3, top5 int
		for _, f := range faults {
			switch place := slices.IndexFunc(r.Rank(f.symptoms), func(c rootcause.Cause) bool { return c.Entity == f.entity }); {
			case place < 0:
			case place < 1:
				top1++
				fallthrough
			case place < 3:
				top3++
				fallthrough
			case place < 5:
				top5++
			}
		}
		share := func(n int) float64 { return float64(n) / float64(len(faults)) }
		t.Logf("quorum %v: top-1 %d/70 = %.3f, top-3 %d/70 = %.3f, top-5 %d/70 = %.3f", quorum, top1, share(top1), top3, share(top3), top5, share(top5))
		if share(top1) < 0.51 || share(top3) < 0.72 {
			t.Errorf("quorum %v: top-1 %.3f, top-3 %.3f, want 0.51 and 0.72", quorum, share(top1), share(top3))
		}
	}
}

// A fault must take less than 100 us.
func BenchmarkBoutique(b *testing.B) {
	topology, faults := boutique(b)
	r := ranker(b, topology, rootcause.Options{})
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range faults {
			r.Rank(f.symptoms)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(faults)), "ns/fault")
}

// Time per symptom must stay about the same from 1x to 100x.
func BenchmarkRank(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		topology := &correlation.Topology{Parts: map[string][]string{}}
		var symptoms []rootcause.Symptom
		for i := range n / 4 {
			service := fmt.Sprintf("s%d", i)
			if i > 0 {
				topology.Edges = append(topology.Edges, correlation.Edge{Dependent: service, Dependency: fmt.Sprintf("s%d", i/2)})
			}
			for k := range 3 {
				part := fmt.Sprintf("s%d-%d", i, k)
				topology.Parts[service] = append(topology.Parts[service], part)
				symptoms = append(symptoms, rootcause.Symptom{Entity: part, Signal: fmt.Sprintf("m%d", i%20), Since: sec(i)})
			}
			symptoms = append(symptoms, rootcause.Symptom{Entity: service, Signal: "latency", Since: sec(i)})
		}
		r := ranker(b, topology, rootcause.Options{})
		b.Run(fmt.Sprintf("symptoms=%d", len(symptoms)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Rank(symptoms)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(symptoms)), "ns/symptom")
		})
	}
}
