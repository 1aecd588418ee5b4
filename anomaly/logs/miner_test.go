package logs_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/logs"
	"github.com/evenkeelops/evenkeel/internal/testutil"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newMiner(tb testing.TB, o *logs.Options) *logs.Miner {
	tb.Helper()
	m, err := logs.NewMiner(o)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// learn teaches lines a second apart and returns their ids.
func learn(m *logs.Miner, lines ...string) []logs.ID {
	ids := make([]logs.ID, len(lines))
	for i, line := range lines {
		ids[i] = m.Learn(start.Add(time.Duration(m.Lines())*time.Second), line).ID
	}
	return ids
}

// texts are the templates by id.
func texts(m *logs.Miner) []string {
	var all []string
	for _, t := range m.Templates() {
		all = append(all, t.Text)
	}
	return all
}

func TestTemplates(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"values differ", []string{"took 5 ms", "took 1.5s"}, []string{"took <num>"}},
		{"kinds of values differ", []string{"peer 10.0.0.1 is up", "peer db1.local is up"}, []string{"peer <*> is up"}},
		{"one word of five", []string{"user bob logged in from 10.0.0.1", "user eve logged in from 10.0.0.2"}, []string{"user <*> logged in from <ip>"}},
		{"one word of two", []string{"start job", "start task"}, []string{"start job", "start task"}},
		{"codes stay while they are equal", []string{"eth0 is up", "eth0 is up"}, []string{"eth0 is up"}},
		{"codes vary", []string{"eth0 is up", "eth1 is up"}, []string{"<*> is up"}},
		{
			"a family of one gap",
			[]string{"alert cartDown resolved", "alert mailDown resolved", "alert authDown resolved", "alert diskDown resolved"},
			[]string{"alert <*> resolved"},
		},
		{
			"a family of different lengths",
			[]string{"health check failed: EOF", "health check passed", "health check failed: i/o timeout", "health check failed: no route to host", "health check failed: connection refused"},
			[]string{"health check failed: <*>", "health check passed"},
		},
		{
			"a family whose gap comes first",
			[]string{"auth responded in 5ms", "cart responded in 5ms", "mail responded in 5ms", "search api responded in 5ms"},
			[]string{"<*> responded in <num>"},
		},
		{
			"three contents are no family",
			[]string{"alert cartDown resolved", "alert mailDown resolved", "alert authDown resolved"},
			[]string{"alert cartDown resolved", "alert mailDown resolved", "alert authDown resolved"},
		},
		{
			"one shared word is no family",
			[]string{"start job", "start task", "start run", "start all", "start now"},
			[]string{"start job", "start task", "start run", "start all", "start now"},
		},
		{
			"JSON by message",
			[]string{`{"level":"info","msg":"user bob in","n":1}`, `{"level":"info","msg":"user bob in","n":22}`, `{"level":"error","msg":"user bob in","n":1}`},
			[]string{`{level:info msg:user bob in n:<num>}`, `{level:error msg:user bob in n:<num>}`},
		},
		{
			"short messages of JSON are no family",
			[]string{`{"level":"info","msg":"started"}`, `{"level":"info","msg":"stopped"}`, `{"level":"info","msg":"ready"}`, `{"level":"info","msg":"done"}`},
			[]string{`{level:info msg:started}`, `{level:info msg:stopped}`, `{level:info msg:ready}`, `{level:info msg:done}`},
		},
		{
			"other keys are another template",
			[]string{`{"msg":"user bob in now","a":1}`, `{"msg":"user bob in now","b":1}`},
			[]string{`{msg:user bob in now a:<num>}`, `{msg:user bob in now b:<num>}`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMiner(t, nil)
			learn(m, tt.lines...)
			if got := texts(m); !slices.Equal(got, tt.want) {
				t.Errorf("templates of %q\n got %q\nwant %q", tt.lines, got, tt.want)
			}
		})
	}
}

// What other miners of templates get wrong, one by one.
func TestDefectsOfOthers(t *testing.T) {
	t.Run("a learned line matches after its template changed (Drain3 48)", func(t *testing.T) {
		lines := []string{"training4Model start", "loadModel start", "loadModel stop"}
		m := newMiner(t, nil)
		learn(m, lines...)
		for _, line := range lines {
			if _, ok := m.Match(line); !ok {
				t.Errorf("Match(%q) finds nothing", line)
			}
		}
	})
	t.Run("the number of words does not split an event (Drain3 66, 67)", func(t *testing.T) {
		m := newMiner(t, nil)
		ids := learn(m, "order 1 placed by customer Ann total 5", "order 2 placed by customer Ann Lee total 5",
			"order 3 placed by customer Wei total 5", "order 4 placed by customer Bo van der total 5", "order 5 placed by customer Mo Li Sun total 5")
		if m.Len() != 1 {
			t.Errorf("templates %q, want one", texts(m))
		}
		for _, id := range ids {
			if now, ok := m.Resolve(id); !ok || now != 1 {
				t.Errorf("Resolve(%d) = %d, %v, want 1", id, now, ok)
			}
		}
	})
	t.Run("levels are never merged (Drain3 45)", func(t *testing.T) {
		m := newMiner(t, nil)
		for _, level := range []string{"INFO", "ERROR", "WARN", "DEBUG", "FATAL"} {
			for range 3 {
				learn(m, "2026-01-01 00:00:00 "+level+" cannot reach the store of the cart today")
			}
		}
		if got := m.Len(); got != 5 {
			t.Errorf("%d templates %q, want one a level", got, texts(m))
		}
	})
	t.Run("a match prefers the template with most constants (Drain3 68, 111)", func(t *testing.T) {
		m := newMiner(t, nil)
		learn(m, "circuit of auth is open", "circuit of cart is open")
		learn(m, "circuit of auth is open again", "circuit of auth is open again")
		general, _ := m.Match("circuit of mail is open")
		special := newMiner(t, &logs.Options{Similarity: 1})
		learn(special, "a b c d e")
		if id, ok := special.Match("a b c d e"); !ok || id != 1 {
			t.Errorf("Match = %d, %v, want 1", id, ok)
		}
		if template, _ := m.Template(general); template.Text != "circuit of <*> is open" {
			t.Errorf("Match finds %q", template.Text)
		}
	})
	t.Run("earlier results learn of later changes (Drain3 32)", func(t *testing.T) {
		m := newMiner(t, nil)
		id := learn(m, "user bob logged in from 10.0.0.1")[0]
		before, since, _ := m.Since(id)
		if !since.Equal(start) {
			t.Errorf("Since = %v, want the instant of the line, %v", since, start)
		}
		revision := m.Revision()
		learn(m, "user bob logged in from 10.0.0.9")
		if now, _, _ := m.Since(id); now != before || len(m.ChangedAfter(revision)) != 0 {
			t.Errorf("a line that fits moves Since from %d to %d", before, now)
		}
		learn(m, "user eve logged in from 10.0.0.1")
		now, since, ok := m.Since(id)
		if !ok || now <= before || !since.Equal(start.Add(2*time.Second)) {
			t.Errorf("Since = %d, %v, %v, want more than %d and the instant of the third line", now, since, ok, before)
		}
		if changed := m.ChangedAfter(revision); len(changed) != 1 || changed[0].ID != id {
			t.Errorf("ChangedAfter(%d) = %v, want template %d", revision, changed, id)
		}
	})
	t.Run("a merged template is found under its old id", func(t *testing.T) {
		m := newMiner(t, nil)
		var r logs.Result
		for _, name := range []string{"cart", "mail", "auth", "disk"} {
			r = m.Learn(start, "alert "+name+" resolved")
		}
		if r.ID != 1 || r.Update != logs.Merged || !slices.Equal(r.Merged, []logs.ID{2, 3, 4}) {
			t.Errorf("the last line gives %+v, want template 1, merged from 2, 3 and 4", r)
		}
		template, ok := m.Template(3)
		if !ok || template.ID != 1 || template.Count != 4 || !slices.Equal(template.Aliases, []logs.ID{2, 3, 4}) {
			t.Errorf("Template(3) = %+v, %v", template, ok)
		}
	})
	t.Run("at the limit the least used template goes, not the line (axiomhq/drain3)", func(t *testing.T) {
		m := newMiner(t, &logs.Options{MaxTemplates: 2})
		learn(m, "alpha is here", "beta was there", "alpha is here")
		r := m.Learn(start, "gamma will come")
		if r.Update != logs.Created || !slices.Equal(r.Evicted, []logs.ID{2}) {
			t.Errorf("the third template gives %+v, want template 2 evicted", r)
		}
		if _, ok := m.Match("gamma will come"); !ok {
			t.Error("the line at the limit is not known")
		}
		if _, ok := m.Resolve(2); ok {
			t.Error("an evicted template resolves")
		}
	})
	t.Run("short and long lines are lines (Loki skips below 4 and above 80 tokens)", func(t *testing.T) {
		m := newMiner(t, nil)
		long := strings.Repeat("word ", 200)
		for _, line := range []string{"", "a", "a b", long} {
			m.Learn(start, line)
			if _, ok := m.Match(line); !ok {
				t.Errorf("a line of %d bytes does not match", len(line))
			}
		}
		if m.Len() != 4 {
			t.Errorf("%d templates, want 4", m.Len())
		}
	})
	t.Run("counts add up (Loki 21195)", func(t *testing.T) {
		m := newMiner(t, &logs.Options{MaxTemplates: 20})
		for _, line := range randomLines(5, 3000) {
			m.Learn(start, line)
		}
		sum := m.EvictedLines()
		for _, template := range m.Templates() {
			sum += template.Count
		}
		if sum != m.Lines() || m.Lines() != 3000 {
			t.Errorf("templates and evicted have %d lines, the miner %d, want 3000", sum, m.Lines())
		}
	})
	t.Run("compact JSON is one template, not one a line (tsouza/cerberus 2080)", func(t *testing.T) {
		m := newMiner(t, nil)
		for i := range 100 {
			learn(m, fmt.Sprintf(`{"ts":%d,"level":"info","msg":"request done","path":"/a/%d","user":"u%d"}`, i, i, i))
		}
		if m.Len() != 1 {
			t.Errorf("%d templates %q, want 1", m.Len(), texts(m))
		}
	})
}

// randomLines draws lines of a small language, so that templates, families and
// evictions come up.
func randomLines(seed uint64, n int) []string {
	r := rand.New(rand.NewPCG(seed, seed))
	words := strings.Fields("user node disk alert cart mail auth is was failed open closed : ready by from to the EOF timeout ERROR INFO ( ) [ ] = ,")
	lines := make([]string, n)
	for i := range lines {
		var b strings.Builder
		for range r.IntN(9) {
			switch r.IntN(8) {
			case 0:
				fmt.Fprintf(&b, "%d ", r.IntN(1000))
			case 1:
				fmt.Fprintf(&b, "10.0.0.%d ", r.IntN(256))
			case 2:
				fmt.Fprintf(&b, "eth%d ", r.IntN(3))
			default:
				b.WriteString(words[min(r.IntN(len(words)), r.IntN(len(words)))] + " ")
			}
		}
		switch r.IntN(10) {
		case 0:
			lines[i] = fmt.Sprintf(`{"level":"info","msg":%q,"n":%d}`, b.String(), i)
		case 1:
			lines[i] = fmt.Sprintf(`level=warn msg=%q n=%d`, b.String(), i)
		default:
			lines[i] = b.String()
		}
	}
	return lines
}

// corpora are lines from several sources, by name.
func corpora(tb testing.TB) map[string][]string {
	tb.Helper()
	all := map[string][]string{"random": randomLines(1, 4000)}
	for _, name := range []string{"service", "infra"} {
		lines, ok := corpus(tb, name)
		if !ok {
			tb.Logf("corpus %s is not here", name)
			continue
		}
		all[name] = lines
	}
	return all
}

// corpus reads the messages of a corpus of the shared data, if it is there.
func corpus(tb testing.TB, name string) (lines []string, ok bool) {
	tb.Helper()
	file, err := os.Open(testutil.Shared("data", "anomaly", "logs", name+".tsv.gz"))
	if err != nil {
		return nil, false
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatal(err)
	}
	for s := bufio.NewScanner(r); s.Scan(); {
		_, message, _ := strings.Cut(s.Text(), "\t")
		lines = append(lines, message)
	}
	return lines, true
}

func TestEveryLearnedLineMatches(t *testing.T) {
	for name, lines := range corpora(t) {
		m := newMiner(t, &logs.Options{MaxTemplates: -1, MaxPerKey: 1 << 20})
		ids := make([]logs.ID, len(lines))
		for i, line := range lines {
			r := m.Learn(start, line)
			ids[i] = r.ID
			if id, ok := m.Match(line); !ok || id != r.ID {
				t.Fatalf("%s: line %d %q was learned as %d and matches %d, %v", name, i, line, r.ID, id, ok)
			}
		}
		for i, line := range lines {
			if _, ok := m.Match(line); !ok {
				t.Fatalf("%s: line %d %q no longer matches", name, i, line)
			}
			now, ok := m.Resolve(ids[i])
			if !ok {
				t.Fatalf("%s: line %d: template %d is gone", name, i, ids[i])
			}
			// Its own template stands for it too, also if a closer one answers.
			if template, _ := m.Template(now); !stands(&template, line) {
				t.Fatalf("%s: line %d %q has template %q", name, i, line, template.Text)
			}
		}
	}
}

// stands is a slow check that the constants of a template occur in the line in
// their order.
func stands(template *logs.Template, line string) bool {
	for _, e := range template.Elements {
		if e.Text == "" {
			continue
		}
		i := strings.Index(line, e.Text)
		if i < 0 {
			return false
		}
		line = line[i+len(e.Text):]
	}
	return true
}

func TestReplaysAreEqual(t *testing.T) {
	for name, lines := range corpora(t) {
		a, b := newMiner(t, nil), newMiner(t, nil)
		idsA, idsB := learn(a, lines...), learn(b, lines...)
		if !slices.Equal(idsA, idsB) || !bytes.Equal(a.Snapshot(), b.Snapshot()) {
			t.Errorf("%s: two runs differ", name)
		}
		before := texts(a)
		again := learn(a, lines...)
		if !slices.Equal(before, texts(a)) && name != "random" {
			t.Errorf("%s: a second pass changes templates", name)
		}
		for i, id := range idsA {
			now, _ := a.Resolve(id)
			if then, _ := a.Resolve(again[i]); name != "random" && then != now {
				first, _ := a.Template(now)
				second, _ := a.Template(then)
				// A line may find a template of more constants that came after it.
				if constants(&second) < constants(&first) {
					t.Errorf("%s: line %d %q was %q and is now %q", name, i, lines[i], first.Text, second.Text)
				}
			}
		}
	}
}

func constants(template *logs.Template) (n int) {
	for _, e := range template.Elements {
		if e.Text != "" {
			n++
		}
	}
	return n
}

// Lines whose templates have nothing to do with each other give the same
// templates in any order of the kinds, as long as lines of a kind keep theirs.
func TestOrderOfIndependentLines(t *testing.T) {
	kinds := [][]string{
		{"user bob logged in from 10.0.0.1", "user eve logged in from 10.0.0.2", "user bob logged in from 10.0.0.3"},
		{"alert cart resolved", "alert mail resolved", "alert auth resolved", "alert disk resolved"},
		{"checkpoint complete: wrote 5 buffers", "checkpoint complete: wrote 50 buffers"},
		{`{"msg":"scrape done","n":1}`, `{"msg":"scrape done","n":2}`},
		{"replication lag 5ms on db1", "replication lag 7ms on db2"},
	}
	var want []string
	r := rand.New(rand.NewPCG(3, 3))
	for round := range 200 {
		var order []int
		for k := range kinds {
			for range kinds[k] {
				order = append(order, k)
			}
		}
		if round > 0 {
			r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		m, next := newMiner(t, nil), map[int]int{}
		for _, k := range order {
			learn(m, kinds[k][next[k]])
			next[k]++
		}
		got := slices.Sorted(slices.Values(texts(m)))
		if round == 0 {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Fatalf("order %v gives %q, want %q", order, got, want)
		}
	}
	if len(want) != len(kinds) {
		t.Errorf("%q, want one template a kind", want)
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	for _, o := range []logs.Options{
		{},
		{Values: logs.AllValues, MaxTemplates: 30},
		{MaxBytes: 20_000, MaxPerKey: 3},
		{Preset: logs.Drain},
		{Preset: logs.Drain, MaxTemplates: 25, Depth: 5, MaxChildren: 6, Similarity: 0.6, Delimiters: []string{"="}},
	} {
		for name, lines := range corpora(t) {
			lines = lines[:1500]
			whole := newMiner(t, &o)
			learn(whole, lines...)
			for _, cut := range []int{0, 1, 400, 1499} {
				part := newMiner(t, &o)
				learn(part, lines[:cut]...)
				restored, err := logs.RestoreMiner(part.Snapshot())
				if err != nil {
					t.Fatalf("%s %+v: %v", name, o, err)
				}
				if !bytes.Equal(restored.Snapshot(), part.Snapshot()) {
					t.Fatalf("%s %+v: a restored miner has another snapshot at line %d", name, o, cut)
				}
				learn(restored, lines[cut:]...)
				if !bytes.Equal(restored.Snapshot(), whole.Snapshot()) {
					t.Fatalf("%s %+v: cut at %d, the rest goes another way", name, o, cut)
				}
			}
		}
	}
}

func TestDamagedSnapshots(t *testing.T) {
	m := newMiner(t, &logs.Options{Values: logs.AllValues})
	learn(m, randomLines(2, 200)...)
	data := m.Snapshot()
	for i := range data {
		if _, err := logs.RestoreMiner(data[:i]); err == nil {
			t.Fatalf("the first %d bytes of %d restore", i, len(data))
		}
		bad := bytes.Clone(data)
		bad[i] ^= 0x10
		_, err := logs.RestoreMiner(bad)
		if format, ok := errors.AsType[*logs.FormatError](err); !ok || format.Problem == "" {
			t.Fatalf("byte %d changed: %v, want a FormatError", i, err)
		}
	}
	bad := bytes.Clone(data)
	bad[4] = 9
	_, err := logs.RestoreMiner(bad)
	if format, ok := errors.AsType[*logs.FormatError](err); !ok || format.Version != 9 || format.Offset != 4 {
		t.Errorf("version 9: %v, want a FormatError with it", err)
	}
}

func TestKnownLinesAllocateNothing(t *testing.T) {
	lines := append(randomLines(4, 500), `{"level":"info","msg":"user bob in","n":1}`, `level=info msg="user bob in" n=1`, "")
	for _, o := range []logs.Options{{}, {Values: logs.AllValues}, {Preset: logs.Drain}} {
		m := newMiner(t, &o)
		for range 3 {
			learn(m, lines...)
		}
		w, err := logs.NewWatch(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			w.Add(start, m.Learn(start, line))
		}
		if n := testing.AllocsPerRun(10, func() {
			for _, line := range lines {
				m.Match(line)
				w.Add(start, m.Learn(start, line))
			}
		}); n != 0 {
			t.Errorf("%+v: %v allocations in %d known lines, want 0", o, n, len(lines))
		}
	}
}

func TestHostileLinesStayWithinLimits(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, o := range []logs.Options{
		{MaxTemplates: 100},
		{MaxTemplates: -1, MaxBytes: 200_000},
		{MaxTemplates: 1000, MaxPerKey: 8},
		{Preset: logs.Drain, MaxTemplates: 100},
	} {
		m := newMiner(t, &o)
		for i := range 5000 {
			var b strings.Builder
			if i%2 == 0 {
				b.WriteString("same first word ")
			}
			for range 1 + r.IntN(10) {
				for range 1 + r.IntN(12) {
					b.WriteByte(byte('a' + r.IntN(26)))
				}
				b.WriteByte(' ')
			}
			m.Learn(start, b.String())
			if o.MaxTemplates > 0 && m.Len() > o.MaxTemplates || o.MaxBytes > 0 && m.Size() > o.MaxBytes {
				t.Fatalf("%+v: %d templates of %d bytes after %d lines", o, m.Len(), m.Size(), i+1)
			}
		}
	}
	m := newMiner(t, nil)
	huge := strings.Repeat("x7 y ", 200_000)
	m.Learn(start, huge)
	if _, ok := m.Match(huge); !ok || m.Size() > 100_000 {
		t.Errorf("a line of %d bytes: known %v, %d bytes kept", len(huge), ok, m.Size())
	}
}

func TestDefine(t *testing.T) {
	m := newMiner(t, &logs.Options{MaxTemplates: 8})
	ids := learn(m, "disk sda1 state of raid is clean", "disk sda1 state of raid is dirty", "disk sdb1 state of raid is clean")
	// The states were merged, being one word of seven.
	if m.Len() != 1 {
		t.Fatalf("templates %q, want one", texts(m))
	}
	clean, err := m.Define(start, "disk <code> state of raid is clean")
	if err != nil || clean.Update != logs.Created {
		t.Fatalf("Define = %+v, %v", clean, err)
	}
	learn(m, "disk sdc1 state of raid is clean")
	if template, _ := m.Template(clean.ID); template.Count != 1 || !template.Defined || template.Text != "disk <*> state of raid is clean" {
		t.Errorf("defined template %+v, want one line", template)
	}
	// One that stands for all that another stands for takes it over.
	all, err := m.Define(start, "disk <*> state of raid is <gap>")
	if err != nil || all.Update != logs.Merged || !slices.Equal(all.Merged, ids[:1]) {
		t.Errorf("Define = %+v, %v, want template %d merged", all, err, ids[0])
	}
	if template, _ := m.Template(ids[0]); template.ID != all.ID || template.Count != 3 {
		t.Errorf("the merged template is %+v", template)
	}
	// Only the end is sure here.
	end, err := m.Define(start, "<*> responded within <num>")
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := m.Match("cart responded within 5 ms"); !ok || id != end.ID {
		t.Errorf("Match = %d, %v, want %d", id, ok, end.ID)
	}
	// It neither changes nor goes.
	data := m.Snapshot()
	for _, miner := range []*logs.Miner{m, restore(t, data)} {
		learn(miner, randomLines(11, 2000)...)
		learn(miner, "disk sdc1 state of raid is quite unclear to me", "cart responded within 5 ms", "disk sdz9 state of raid was clean")
		for id, want := range map[logs.ID]string{
			clean.ID: "disk <*> state of raid is clean", all.ID: "disk <*> state of raid is <*>", end.ID: "<*> responded within <num>",
		} {
			if template, ok := miner.Template(id); !ok || template.Text != want || template.ID != id {
				t.Errorf("template %d is %q, %v, want %q", id, template.Text, ok, want)
			}
		}
	}
	for text, o := range map[string]logs.Options{
		"":                        {},
		"<*> <num>":               {},
		"<*> is <gap>":            {},
		"a <gap> b <gap>":         {},
		`{"msg":"<*>"}`:           {},
		"level=info msg=<*>":      {},
		"disk <*> is <num> clean": {Preset: logs.Drain},
	} {
		_, err := newMiner(t, &o).Define(start, text)
		if wrong, ok := errors.AsType[*logs.TemplateError](err); !ok || wrong.Text != text {
			t.Errorf("Define(%q) = %v, want a TemplateError", text, err)
		}
	}
}

func restore(t *testing.T, data []byte) *logs.Miner {
	t.Helper()
	m, err := logs.RestoreMiner(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Lines that have nothing of a usual one are learned and known like others.
func TestOddLines(t *testing.T) {
	odd := []string{
		"", " ", "\x00", "a\x00b \x00", "\xff\xfe", "caf\xe9 5", "5", "5 6 7", "10.0.0.1 10.0.0.2", "\"a\" [1] 0x5f", "<*>", "<num> <ip>", "= = =", "((((", "]]]]",
		strings.Repeat("\"", 5000), strings.Repeat("'a ", 5000), strings.Repeat("[1,", 5000), strings.Repeat("{\"a\":", 5000), strings.Repeat("1.", 5000),
		strings.Repeat(":", 5000), strings.Repeat("a=b ", 5000), strings.Repeat("x", 1<<20), strings.Repeat("\x00", 1<<20), strings.Repeat("/a", 1<<19), "\u0663\u2003\u00b2",
	}
	m := newMiner(t, nil)
	for range 2 {
		for _, line := range odd {
			r := m.Learn(start, line)
			if id, ok := m.Match(line); !ok || id != r.ID {
				t.Errorf("%.20q of %d bytes was learned as %d and matches %d, %v", line, len(line), r.ID, id, ok)
			}
			logs.Redact(line)
		}
	}
	if m.Lines() != int64(2*len(odd)) {
		t.Errorf("%d lines, want %d", m.Lines(), 2*len(odd))
	}
	// A text that looks like a mask is a word: it stands for nothing else.
	m = newMiner(t, nil)
	learn(m, "took <num> of <*>")
	if id, ok := m.Match("took 5 of x"); ok {
		t.Errorf("a literal mask matches a number, as template %d", id)
	}
}

func TestLinesAreNotRetained(t *testing.T) {
	m := newMiner(t, nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 2000 {
		m.Learn(start, fmt.Sprintf("word%c%c%c begins %q", 'a'+i%26, 'a'+i/26%26, 'a'+i/676, strings.Repeat("x", 10_000)))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 5<<20 {
		t.Errorf("%d templates of short words take %d bytes, want less than a quarter of the lines", m.Len(), grown)
	}
	learn(m, "user bob logged in from 10.0.0.1")
	id, _ := m.Match("user bob logged in from 10.0.0.2")
	template, _ := m.Template(id)
	// A copy that is given out is the caller's.
	template.Elements[0].Text = "changed"
	if again, _ := m.Template(id); again.Text != "user bob logged in from <ip>" {
		t.Errorf("a caller changed the template to %q", again.Text)
	}
}

func TestInstants(t *testing.T) {
	m := newMiner(t, nil)
	for _, at := range []time.Time{start.Add(time.Hour), start, start.Add(2 * time.Hour), start.Add(time.Minute)} {
		m.Learn(at.In(time.FixedZone("", 3600)), "ping")
	}
	template, _ := m.Template(1)
	if !template.First.Equal(start) || !template.Last.Equal(start.Add(2*time.Hour)) || template.First.Location() != time.UTC {
		t.Errorf("first %v, last %v, want %v and two hours later in UTC", template.First, template.Last, start)
	}
}

func TestValues(t *testing.T) {
	m := newMiner(t, &logs.Options{Values: logs.AllValues})
	for i := range 1000 {
		learn(m, fmt.Sprintf("user u%d took %dms for a call from %s", i%200, i%10, []string{"cart", "mail"}[i%4/3]))
	}
	template, _ := m.Template(1)
	if template.Text != "user <*> took <num> for a call from <*>" || m.Len() != 1 {
		t.Fatalf("templates %q", texts(m))
	}
	values := m.Values(1)
	if len(values) != 3 {
		t.Fatalf("values at %d places, want 3: %+v", len(values), values)
	}
	took := values[1].Numbers
	if took == nil || took.Count != 1000 || values[1].Seen != 1000 || values[1].Distinct != 10 || took.Unit != "s" || took.Min != 0 ||
		took.Max < 0.0089 || took.Max > 0.0091 || took.Mean < 0.00449 || took.Mean > 0.00451 {
		t.Errorf("durations %+v, %+v, want 10 values from 0 to 9 ms of 4.5 ms on average", values[1], took)
	}
	if users := values[0]; users.Numbers != nil || users.Distinct < 185 || users.Distinct > 215 || len(users.Top) != 8 {
		t.Errorf("users %+v, want about 200 and 8 on top", users)
	}
	for i, v := range values[2].Top {
		// The wildcard came with line 3, the first from mail, which was the first value.
		want := []logs.TopValue{{Text: "cart", Count: 748}, {Text: "mail", Count: 250}}[i]
		if v.Text != want.Text || v.Count < want.Count-2 || v.Count > want.Count+2 {
			t.Errorf("source %d = %+v, want about %+v", i, v, want)
		}
	}
	numbers := newMiner(t, &logs.Options{Values: logs.NumberValues})
	learn(numbers, "token abc1 took 5s", "token abd2 took 6s")
	for _, v := range numbers.Values(1) {
		if len(v.Top) > 0 {
			t.Errorf("texts are kept: %+v", v)
		}
	}
	if none := newMiner(t, nil); learn(none, "took 5s")[0] != 1 || none.Values(1) != nil {
		t.Errorf("values without the option: %+v", none.Values(1))
	}
}

func TestOptions(t *testing.T) {
	for want, o := range map[string]logs.Options{
		"Preset":       {Preset: 9},
		"Values":       {Values: 9},
		"Similarity":   {Similarity: 1.1},
		"MaxTemplates": {MaxTemplates: -2},
		"MaxBytes":     {MaxBytes: -2},
		"MaxPerKey":    {MaxPerKey: -1},
		"MaxLine":      {MaxLine: -1},
		"MaxTokens":    {MaxTokens: -1},
		"Depth":        {Depth: 2},
		"MaxChildren":  {MaxChildren: -1},
		"Delimiters":   {Delimiters: []string{""}},
	} {
		_, err := logs.NewMiner(&o)
		if option, ok := errors.AsType[*logs.OptionError](err); !ok || option.Option != want {
			t.Errorf("%+v: %v, want an OptionError for %s", o, err, want)
		}
	}
	for value, want := range map[fmt.Stringer]string{
		logs.Default: "default", logs.Drain: "drain", logs.Same: "same", logs.Created: "created", logs.Changed: "changed",
		logs.Merged: "merged", logs.Update(9): "update(9)", logs.Word: "word", logs.Gap: "gap", logs.Kind(99): "kind(99)", logs.Surge: "surge", logs.AllValues: "all", logs.Fallback: "fallback",
	} {
		if got := value.String(); got != want {
			t.Errorf("String of %T = %q, want %q", value, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	texts := map[string]encoding.TextUnmarshaler{
		"gap": new(logs.Kind), "merged": new(logs.Update), "drain": new(logs.Preset), "numbers": new(logs.Values),
		"gone": new(logs.FindingKind), "always": new(logs.Search),
	}
	for text, v := range texts {
		if err := v.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("UnmarshalText(%q) of %T: %v", text, v, err)
		}
		if back, err := v.(encoding.TextMarshaler).MarshalText(); err != nil || string(back) != text {
			t.Errorf("MarshalText of %T = %q, %v, want %q", v, back, err, text)
		}
		for _, wrong := range []string{"", "?", "Gap"} {
			if err := v.UnmarshalText([]byte(wrong)); err == nil {
				t.Errorf("UnmarshalText(%q) of %T succeeds", wrong, v)
			}
		}
	}
	if _, err := logs.FindingKind(0).MarshalText(); err == nil {
		t.Error("a finding of no kind has a text")
	}
}
