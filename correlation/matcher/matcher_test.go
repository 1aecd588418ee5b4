package matcher_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/evenkeelops/evenkeel/correlation/matcher"
)

// The cases are those of pkg/labels/parse_test.go, matcher/parse/parse_test.go and
// matcher/compat/parse_test.go of Alertmanager 0.34.2, and of its documentation.
func TestParseList(t *testing.T) {
	const fails = "fails"
	for _, c := range []struct {
		text                    string
		fallback, utf8, classic string
	}{
		{``, `{}`, `{}`, `{}`},
		{`{}`, `{}`, `{}`, `{}`},
		{`foo=bar`, `{foo="bar"}`, `{foo="bar"}`, `{foo="bar"}`},
		{`{foo="bar"}`, `{foo="bar"}`, `{foo="bar"}`, `{foo="bar"}`},
		{`{foo="bar",}`, `{foo="bar"}`, `{foo="bar"}`, `{foo="bar"}`},
		{`{ foo = bar, dings !~ "bums.*" }`, `{foo="bar",dings!~"bums.*"}`, `{foo="bar",dings!~"bums.*"}`, `{foo="bar",dings!~"bums.*"}`},
		{`foo=~"a,b",bar!=x`, `{foo=~"a,b",bar!="x"}`, `{foo=~"a,b",bar!="x"}`, `{foo=~"a,b",bar!="x"}`},
		{`foo=`, `{foo=""}`, fails, `{foo=""}`},
		{`foo=bar baz`, `{foo="bar baz"}`, fails, `{foo="bar baz"}`},
		{`foo={bar}`, `{foo="{bar"}`, fails, `{foo="{bar"}`}, // classic drops a brace at either end
		{`foo="{bar}"`, `{foo="{bar}"}`, `{foo="{bar}"}`, `{foo="{bar}"}`},
		{`foo!=bar!`, `{foo!="bar!"}`, fails, `{foo!="bar!"}`},
		{`foo=~\d+`, `{foo=~"\\d+"}`, fails, `{foo=~"\\d+"}`},
		{`foo=~"\d+"`, `{foo=~"\\d+"}`, fails, `{foo=~"\\d+"}`},
		{`foo="\n"`, `{foo="\n"}`, `{foo="\n"}`, `{foo="\n"}`},
		{`foo="\t"`, `{foo="\\t"}`, "{foo=\"\t\"}", `{foo="\\t"}`}, // the two disagree, and classic wins
		{`foo="\x"`, `{foo="\\x"}`, fails, `{foo="\\x"}`},
		{`foo="say \"hi\""`, `{foo="say \"hi\""}`, `{foo="say \"hi\""}`, `{foo="say \"hi\""}`},
		{`foo=bar\`, `{foo="bar\\"}`, fails, `{foo="bar\\"}`},
		{`foo🙂=bar`, `{foo🙂="bar"}`, `{foo🙂="bar"}`, fails},
		{`"foo bar"="baz"`, `{"foo bar"="baz"}`, `{"foo bar"="baz"}`, fails},
		{`1foo=bar`, `{1foo="bar"}`, `{1foo="bar"}`, fails},
		{`foo:bar=1`, `{foo:bar="1"}`, `{foo:bar="1"}`, `{foo:bar="1"}`},
		{`""=x`, `{="x"}`, `{="x"}`, fails},
		{`foo`, fails, fails, fails},
		{`foo="bar`, fails, fails, fails},
		{`foo=bar"`, fails, fails, fails},
		{`foo="bar"x"`, fails, fails, fails},
		{`="bar"`, fails, fails, fails},
		{`foo~"bar"`, fails, fails, fails},
		{`foo!bar`, fails, fails, fails},
		{`foo=bar,,`, fails, fails, fails},
		{`,foo=bar`, fails, fails, fails},
		{`{foo=bar`, `{foo="bar"}`, fails, `{foo="bar"}`},
		{`foo=bar}`, `{foo="bar"}`, fails, `{foo="bar"}`},
		{`}`, `{}`, fails, `{}`},
		{`foo=~"("`, fails, fails, fails},
		{`foo=~")("`, fails, fails, fails}, // ours alone: it would get out of the anchors
	} {
		for mode, want := range []string{matcher.Fallback: c.fallback, matcher.UTF8: c.utf8, matcher.Classic: c.classic} {
			list, err := matcher.ParseListMode(c.text, matcher.Mode(mode))
			got := matcher.Format(list)
			if err != nil {
				got = fails
				if _, ok := errors.AsType[*matcher.SyntaxError](err); !ok {
					t.Errorf("ParseListMode(%s, %v) = %T, want a SyntaxError", c.text, matcher.Mode(mode), err)
				}
			}
			if got != want {
				t.Errorf("ParseListMode(%s, %v) = %s, %v, want %s", c.text, matcher.Mode(mode), got, err, want)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`a="b"`, `a="b"`},
		{` a != "" `, `a!=""`},
		{`a=~"x|y"`, `a=~"x|y"`},
		{`a !~ "x.*"`, `a!~"x.*"`},
		{`a=b`, `a="b"`},
		{`a="say \"hi\""`, `a="say \"hi\""`},
		{`a=`, `a=""`},
		{`a=b c`, `a="b c"`},
		{`a=b,c=d`, `a="b,c=d"`}, // classic knows no commas here
		{`"a b"=c`, `"a b"="c"`},
	} {
		m, err := matcher.Parse(c.text)
		if err != nil || m.String() != c.want {
			t.Errorf("Parse(%q) = %v, %v, want %s", c.text, m, err, c.want)
		}
	}
	for _, text := range []string{"", "a", `="b"`, `a~"b"`, `a="b`, `a=~"("`, `a=~")("`, `a!b`, `{a=b}`, `"a"=b,"c"=d`} {
		if m, err := matcher.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, m)
		}
	}
	if _, err := matcher.ParseMode(`a=b c`, matcher.UTF8); err == nil {
		t.Error("a value with a blank and no quotes is read as UTF8, want an error")
	}
}

// The error says where it is.
func TestErrorPlace(t *testing.T) {
	for text, want := range map[string]int{`{é="x", b}`: 10, `a="b`: 5, `a!b`: 2, "a='b'": 3, `"\q"=1`: 1, `a="b" c="d"`: 7, `é=1, b=~"("`: 6} {
		_, err := matcher.ParseListMode(text, matcher.UTF8)
		if wrong, ok := errors.AsType[*matcher.SyntaxError](err); !ok || wrong.Column != want {
			t.Errorf("ParseListMode(%s) = %v, want an error at character %d", text, err, want)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		text   string
		labels map[string]string
		want   bool
	}{
		{`a=""`, nil, true}, // missing is empty
		{`a!=""`, nil, false},
		{`a!="x"`, nil, true},
		{`a=~"x?"`, nil, true},
		{`a=~"x"`, map[string]string{"a": "xx"}, false}, // the whole value
		{`a=~"x|xx"`, map[string]string{"a": "xx"}, true},
		{`a=~"."`, map[string]string{"a": "\n"}, false},
		{`a!~"x.*"`, map[string]string{"a": "xy"}, false},
		{`a!~"x.*"`, map[string]string{"a": "yx"}, true},
	} {
		m, err := matcher.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Matches(c.labels); got != c.want {
			t.Errorf("%s on %v = %v, want %v", c.text, c.labels, got, c.want)
		}
	}
	if (matcher.Matcher{}).Matches(nil) {
		t.Error("the zero Matcher holds, want it not to")
	}
}

func TestOrder(t *testing.T) {
	list, err := matcher.ParseList(`b="1",a!~"2",a=~"2",a!="2",a="2",a="1"`)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list, matcher.Compare)
	if got, want := matcher.Format(list), `{a="1",a="2",a!="2",a=~"2",a!~"2",b="1"}`; got != want {
		t.Errorf("sorted = %s, want %s", got, want)
	}
	labels := map[string]string{"a": "1", "b": "1"}
	if got := matcher.Failing(list, labels); got != 1 {
		t.Errorf("Failing = %d, want 1", got)
	}
	if matcher.All(list, labels) || !matcher.All(nil, labels) {
		t.Error("All = true for a matcher that fails, or false for none")
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string][2]bool{"a_1": {true, true}, "1a": {true, false}, "": {false, false}, "é": {true, false}, "\xff": {false, false}, "a:b": {true, false}} {
		if got := [2]bool{matcher.ValidName(name, matcher.Fallback), matcher.ValidName(name, matcher.Classic)}; got != want {
			t.Errorf("ValidName(%q) = %v, want %v", name, got, want)
		}
	}
}

// 1000 levels are the most that package regexp takes; the anchors are one more.
func TestDeepExpression(t *testing.T) {
	for depth := 990; depth <= 1010; depth++ {
		value := strings.Repeat("(", depth) + "x" + strings.Repeat(")", depth)
		if m, err := matcher.New("a", matcher.Match, value); err == nil && !m.Matches(map[string]string{"a": "x"}) {
			t.Errorf("%d levels: no match", depth)
		}
	}
}

// What is printed reads the same again in each mode that can say it.
func FuzzParseList(f *testing.F) {
	for _, s := range []string{`a="b"`, `{a!~"x.*",}`, `a=b c`, `"é b"="\n"`, `=~`, `a="\`, `a=b,c!~d}`} {
		f.Add(s, 0)
		f.Add(s, 1)
		f.Add(s, 2)
	}
	f.Fuzz(func(t *testing.T, text string, n int) {
		mode := matcher.Mode(uint(n) % 3)
		list, err := matcher.ParseListMode(text, mode)
		if err != nil {
			if len(list) > 0 {
				t.Fatalf("ParseListMode(%q) = %v and %v, want one of them", text, list, err)
			}
			return
		}
		for _, m := range list {
			if m.Name() == "" || !utf8.ValidString(m.Name()) || !utf8.ValidString(m.Value()) {
				return // Alertmanager prints what cannot be read
			}
		}
		printed := matcher.Format(list)
		again, err := matcher.ParseListMode(printed, mode)
		if err != nil || matcher.Format(again) != printed {
			t.Fatalf("ParseListMode(%q) = %s, read again %v, %v", text, printed, again, err)
		}
	})
}

// AllOf answers as All does.
func TestAllOf(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{{`a="1"`, true}, {`a="1",b="2"`, false}, {`b=""`, true}, {`a!="1"`, false}, {`a=~"[12]",b!~".+"`, true}, {``, true}} {
		list, err := matcher.ParseList(c.text)
		if err != nil {
			t.Fatal(err)
		}
		labels := map[string]string{"a": "1"}
		if got := matcher.AllOf(list, func(name string) string { return labels[name] }); got != c.want || matcher.All(list, labels) != c.want {
			t.Errorf("AllOf(%s) = %t, want %t", c.text, got, c.want)
		}
	}
}
