package page

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/incident/continuity"
)

// Words that stand for values of others are looked up by a prefix.
var prefixes = []string{
	"severity.", "basis.", "cause.", "clause.", "credit.state.", "finding.", "measure.", "request.wrong.", "rule.", "unit.", "window.", "page.", "download.", "stage.", "says.", "scenario.", "task.",
}

// Every key that the code asks for has words, and all words are asked for. That the
// languages have the same keys and places is a law of the catalogue, which does not
// load otherwise.
func TestWords(t *testing.T) {
	var source strings.Builder
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "templates/page.html") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	keys := catalogue().Keys()
	asked := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:v\.[tn]\(|words\.Text\(|Text\(|\{\{[tn] )"([a-z_.0-9-]+)"`).FindAllStringSubmatch(source.String(), -1) {
		asked[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`v\.columns\(([^)]*)\)`).FindAllStringSubmatch(source.String(), -1) {
		for _, key := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(m[1], -1) {
			asked[strings.TrimPrefix(key[1], ">")] = true
		}
	}
	for key := range asked {
		if !slices.Contains(keys, key) && !strings.HasSuffix(key, ".") {
			t.Errorf("no words for %q", key)
		}
	}
	for _, key := range keys {
		if !asked[key] && !strings.Contains(source.String(), `"`+key+`"`) && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nobody asks for %q", key)
		}
	}
	if len(asked) < 300 {
		t.Errorf("found %d keys in the source, want hundreds", len(asked))
	}
}

// Languages differ: a text that is the same in all is a name.
func TestTranslated(t *testing.T) {
	same := 0
	for _, key := range catalogue().Keys() {
		en := catalogue().In("en").Text(key)
		if len(strings.Fields(en)) < 3 {
			continue
		}
		for _, tag := range []string{"de", "nl", "fr"} {
			if catalogue().In(tag).Text(key) == en && catalogue().In(tag).Has(key) {
				same++
				t.Errorf("%s: %q is English: %q", tag, key, en)
			}
		}
	}
}

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"https://wiki.example.com/pm/1": "https://wiki.example.com/pm/1",
		"pm/INC-1.html":                 "pm/INC-1.html",
		"mailto:desk@example.com":       "mailto:desk@example.com",
		"javascript:alert(1)":           "",
		"JAVASCRIPT:alert(1)":           "",
		"\tjavascript:alert(1)":         "",
		"java\tscript:alert(1)":         "",
		"data:text/html,x":              "",
		"vbscript:x":                    "",
		"//evil.example/x":              "",
		`\\evil.example\x`:              "",
		"https:evil":                    "",
		"":                              "",
	} {
		if got := address(text); got != want {
			t.Errorf("address(%q) = %q, want %q", text, got, want)
		}
	}
}

// What XML 1.0 cannot hold is replaced, everything else stays.
func TestWellFormed(t *testing.T) {
	for text, want := range map[string]string{
		"a é € 𝄞\t\n": "a é € 𝄞\t\n",
		"a\x00b\x0bc": "a\ufffdb\ufffdc",
		"\xff":        "\ufffd",
		"\ufffe":      "\ufffd",
		"\ufffd":      "\ufffd",
	} {
		if got := string(wellFormed([]byte(text))); got != want {
			t.Errorf("wellFormed(%q) = %q, want %q", text, got, want)
		}
	}
}

// English returns texts that no page of another language may hold: those of the table
// of three words or more, and parts of formulas and findings.
func English() []string {
	list := []string{" carries ", "expected ", "no data when", "of the time on call", "the runbook was ", "there is no "}
	for _, key := range catalogue().Keys() {
		if text := catalogue().In("en").Text(key); len(strings.Fields(text)) >= 3 && !strings.Contains(text, "{") {
			list = append(list, text)
		}
	}
	return list
}

// Every form of a finding has words, with a place for each of its arguments; that the
// other languages have the same is a law of the catalogue.
func TestForms(t *testing.T) {
	forms := continuity.Forms()
	said := 0
	for _, key := range catalogue().Keys() {
		if form, ok := strings.CutPrefix(key, "says."); ok {
			said++
			if !slices.Contains(forms, form) {
				t.Errorf("no finding has the form %q", form)
			}
		}
	}
	if said != len(forms) || said < 40 {
		t.Errorf("%d forms have words, want %d", said, len(forms))
	}
	for _, form := range forms {
		const many = 9
		args := make([]any, many)
		for i := range args {
			args[i] = "<" + strconv.Itoa(i) + ">"
		}
		english := continuity.Clause{Form: form, Args: args}.String()
		english, _, _ = strings.Cut(english, "%!(EXTRA") // what fmt says of those without a place
		english = strings.ReplaceAll(english, "%!d(string=", "")
		text := catalogue().In("en").Text("says."+form, args...)
		for i := range many {
			place := "<" + strconv.Itoa(i) + ">"
			if strings.Contains(english, place) != strings.Contains(text, place) {
				t.Errorf("%s: %q, want the places of %q", form, text, english)
			}
		}
	}
}
