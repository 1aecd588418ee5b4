package promrules

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestScanSelector(t *testing.T) {
	type m struct{ label, op, value string }
	tests := []struct {
		text string
		name string
		want []m
	}{
		{"up", "up", nil},
		{"up ", "up", nil},
		{"job:up:sum", "job:up:sum", nil},
		{"up{}", "up", nil},
		{`up{job="api"}`, "up", []m{{"job", "=", "api"}}},
		{`up{job="api",}`, "up", []m{{"job", "=", "api"}}},
		{"up {\n\tjob = 'api' ,\r\n code!~`5..`\n}\n", "up", []m{{"job", "=", "api"}, {"code", "!~", "5.."}}},
		{`a{x=~"5..|429",y!="z"}`, "a", []m{{"x", "=~", "5..|429"}, {"y", "!=", "z"}}},
		{`a{x="say \"hi\"\n"}`, "a", []m{{"x", "=", "say \"hi\"\n"}}},
		{`a{x='it\'s'}`, "a", []m{{"x", "=", "it's"}}},
		{`a{x="\x41é\\"}`, "a", []m{{"x", "=", `Aé\`}}},
		{"a{x=`\\d`}", "a", []m{{"x", "=", `\d`}}},
		{"a{x=`two\nlines`}", "a", []m{{"x", "=", "two\nlines"}}},
		{`a{x="}",y="{"}`, "a", []m{{"x", "=", "}"}, {"y", "=", "{"}}},
		{`a{x="größe"}`, "a", []m{{"x", "=", "größe"}}},
		{`sum{by="x"}`, "sum", []m{{"by", "=", "x"}}}, // a metric where one is expected
	}
	for _, tt := range tests {
		var got selector
		n, err := scanSelector(tt.text, &got)
		if err != nil || tt.text[:n] != tt.name || got.name != tt.name {
			t.Errorf("scanSelector(%q) = %d, %v, name %q, want %q", tt.text, n, err, got.name, tt.name)
			continue
		}
		var matchers []m
		for _, x := range got.matchers {
			matchers = append(matchers, m{x.label, x.op, x.value})
		}
		if !slices.Equal(matchers, tt.want) {
			t.Errorf("scanSelector(%q): matchers %q, want %q", tt.text, matchers, tt.want)
		}
	}
}

func TestScanSelectorRefuses(t *testing.T) {
	tests := []struct {
		text   string
		offset int
		want   string
	}{
		{"", 0, "a metric name"},
		{`{job="api"}`, 0, "a metric name"},
		{" up", 0, "a metric name"},
		{"5xx", 0, "a metric name"},
		{"NaN", 0, "a metric name"}, // a number
		{`group_left{a="b"}`, 0, "a metric name"},
		{"up + up", 3, `"{" or the end; an expression needs $window`},
		{"up[5m]", 2, `"{" or the end; an expression needs $window`},
		{"sum(up)", 3, `"{" or the end; an expression needs $window`},
		{`up{a="b"}[5m]`, 9, "nothing after the selector; an expression needs $window"},
		{`up{a="b"} offset 5m`, 10, "nothing after the selector; an expression needs $window"},
		{"up{", 3, "a label name"},
		{"up{,}", 3, "a label name"},
		{`up{"utf.8"="x"}`, 3, "a label name"},
		{`up{a:b="x"}`, 4, "one of = != =~ !~"},
		{`up{__name__="x"}`, 3, "a label name other than __name__: the metric is named before the brace"},
		{`up{a=="b"}`, 5, "a quoted value"},
		{`up{a=b}`, 5, "a quoted value"},
		{`up{a=`, 5, "a quoted value"},
		{`up{a="b}`, 5, `a closing "`},
		{`up{a="b\`, 5, `a closing "`},
		{"up{a=\"b\nc\"}", 7, `a closing " or \n for a line break`},
		{`up{a="b" c="d"}`, 9, `"," or "}"`},
		{`up{a="b",`, 9, "a label name"},
		{`up{a="\q"}`, 6, "an escape sequence of Go"},
		{`up{a="ok\'"}`, 8, "an escape sequence of Go"}, // Prometheus escapes a quote only in its own kind
		{`up{a=~"5.)"}`, 6, "a regular expression: error parsing regexp: unexpected ): `5.)`"},
		{`up{a!~"*"}`, 6, "a regular expression: error parsing regexp: missing argument to repetition operator: `*`"},
		{`up{a=~"a)(b"}`, 6, "a regular expression: error parsing regexp: unexpected ): `a)(b`"},
		{"up{a=\"\x00\"}", 6, "printable characters of UTF-8; others can be written as escapes"},
		{"up{a=\"\xff\"}", 6, "printable characters of UTF-8; others can be written as escapes"},
		{"up{a=\"\u2028\"}", 6, "printable characters of UTF-8; others can be written as escapes"},
	}
	for _, tt := range tests {
		for _, into := range []*selector{nil, {}} {
			_, err := scanSelector(tt.text, into)
			got, ok := errors.AsType[*EventsError](err)
			if !ok || got.Text != tt.text || got.Offset != tt.offset || got.Want != tt.want {
				t.Errorf("scanSelector(%q) = %#v, want %q at %d", tt.text, err, tt.want, tt.offset)
			}
		}
	}
}

func TestIsPlainPattern(t *testing.T) {
	// Whatever is plain must be a sound regular expression; what is not is left to
	// the real parser.
	for pattern, want := range map[string]bool{
		"": true, "5..": true, "5..|429": true, "(5..|429)": true, ".+": true, "GET|POST": true, "a.*b?": true, "()*": true,
		"*": false, "a**": false, "a|*": false, "(": false, ")(": false, "(?i)x": false, `\d+`: false, "[a-z]": false, "a{2}": false, "^x$": false,
	} {
		if got := isPlainPattern(pattern); got != want {
			t.Errorf("isPlainPattern(%q) = %t, want %t", pattern, got, want)
		}
	}
}

func FuzzSelector(f *testing.F) {
	for _, s := range []string{
		"up", `up{job="api",code=~"(5..|429)"}`, "a{x=`\\d`,}", `a{x="\x41"}`, `a{x='\''}`, "a{", `a{b!~"("}`, "a{b=\"\xff\"}", "inf", "a{ }",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s selector
		n, err := scanSelector(text, &s)
		if quick, quickErr := scanSelector(text, nil); quick != n || (quickErr == nil) != (err == nil) {
			t.Fatalf("scanSelector(%q) = %d, %v; without patterns %d, %v", text, n, err, quick, quickErr)
		}
		if err != nil {
			got, ok := errors.AsType[*EventsError](err)
			if !ok || got.Text != text || got.Offset < 0 || got.Offset > len(text) || n != 0 {
				t.Fatalf("scanSelector(%q) = %d, %#v", text, n, err)
			}
			return
		}
		// One more matcher keeps it a selector and the others as they are.
		var more selector
		longer := suffixed(text, "_bucket", `le="1"`)
		if _, err := scanSelector(longer, &more); err != nil || more.name != s.name+"_bucket" || len(more.matchers) != len(s.matchers)+1 {
			t.Fatalf("suffixed(%q) = %q, %v", text, longer, err)
		}
		for i, m := range s.matchers {
			if got := more.matchers[i]; got.label != m.label || got.op != m.op || got.value != m.value {
				t.Fatalf("suffixed(%q) = %q: matcher %d is %v, was %v", text, longer, i, got, m)
			}
		}
		if found, ok := example([]selector{s}, nil); ok {
			mustMatch(t, found, s, true)
		}
	})
}

// mustMatch fails unless a series is selected, or is not.
func mustMatch(t *testing.T, s series, by selector, want bool) {
	t.Helper()
	got := s.name == by.name
	for _, m := range by.matchers {
		value := ""
		for _, l := range s.labels {
			if l.Name == m.label {
				value = l.Value
			}
		}
		got = got && m.matches(value)
	}
	if got != want {
		t.Fatalf("%s selected by %v: %t, want %t", s, by, got, want)
	}
}

func TestExample(t *testing.T) {
	tests := []struct {
		name    string
		match   []string
		without string
		want    string // "" for none
	}{
		{"name only", []string{"up"}, "", "up{}"},
		{"equal", []string{`up{job="api",dc="x"}`}, "", `up{dc="x",job="api"}`},
		{"pattern", []string{`r{code=~"5..|429"}`}, "", `r{code="500"}`},
		{"classes and repeats", []string{`r{a=~"[b-d]+x?[^0-9]{2}"}`}, "", `r{a="baa"}`},
		{"all but those", []string{`r{job="a"}`}, `r{job="a",code=~"5.."}`, `r{code="200",job="a"}`},
		{"both", []string{`r{code=~"5..|429"}`, `r{job="a"}`}, "", `r{code="500",job="a"}`},
		{"negative", []string{`r{code!~"2..|x"}`}, "", `r{code="500"}`},
		{"absent label", []string{`r{code=""}`}, "", "r{}"},
		{"every series of it is excluded", []string{`r{job="a"}`}, `r{job="a"}`, ""},
		{"contradiction", []string{`r{job="a"}`, `r{job="b"}`}, "", ""},
		{"two metrics", []string{"a", "b"}, "", ""},
		{"another metric needs no difference", []string{"a"}, "b", "a{}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var match []selector
			for _, text := range tt.match {
				match = append(match, mustScan(t, text))
			}
			var without *selector
			if tt.without != "" {
				s := mustScan(t, tt.without)
				without = &s
			}
			got, ok := example(match, without)
			if ok != (tt.want != "") || ok && got.String() != tt.want {
				t.Errorf("example(%q, %q) = %s, %t, want %q", tt.match, tt.without, got, ok, tt.want)
			}
		})
	}
}

func mustScan(t *testing.T, text string) selector {
	t.Helper()
	var s selector
	if _, err := scanSelector(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Whatever series is found, all the selectors take it and the excluded one does
// not.
func TestExampleMatches(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	some := func() selector {
		var text strings.Builder
		text.WriteString("r{")
		for range random.IntN(4) {
			op := pick([]string{"=", "!=", "=~", "!~"})
			value := pick([]string{"", "200", "500", "x", "ab"})
			if strings.HasSuffix(op, "~") {
				value = pick([]string{"", ".*", ".+", "5..", "2..|5..", "[a-c]+", "(x|y)z?", "[^x]", "a{2,3}b", "(?i:AB)", "^5..$", `\\bx`})
			}
			text.WriteString(pick([]string{"a", "b", "c"}) + op + `"` + value + `",`)
		}
		return mustScan(t, text.String()+"}")
	}
	found := map[bool]int{}
	for range 20_000 {
		match := []selector{some(), some()}
		without := some()
		s, ok := example(match, &without)
		found[ok]++
		if !ok {
			continue
		}
		mustMatch(t, s, match[0], true)
		mustMatch(t, s, match[1], true)
		mustMatch(t, s, without, false)
	}
	if found[true] < 2000 || found[false] == 0 {
		t.Errorf("found %v: the draw says nothing", found)
	}
}
