package locale_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/evenkeelops/evenkeel/internal/locale"
)

func files(en, de, nl, fr string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for tag, text := range map[string]string{"en": en, "de": de, "nl": nl, "fr": fr} {
		fsys["words/"+tag+".json"] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func good() fstest.MapFS {
	return files(
		`{"title": "Report for {0}", "plain": "Credits", "days#one": "one day of {0}", "days#other": "{n} days of {0}"}`,
		`{"title": "Bericht für {0}", "plain": "Gutschriften", "days#one": "ein Tag von {0}", "days#other": "{n} Tage von {0}"}`,
		`{"title": "Rapport voor {0}", "plain": "Tegoeden", "days#one": "één dag van {0}", "days#other": "{n} dagen van {0}"}`,
		`{"title": "Rapport pour {0}", "plain": "Avoirs", "days#one": "{n} jour de {0}", "days#other": "{n} jours de {0}"}`)
}

func TestCatalogue(t *testing.T) {
	c, err := locale.Load(good(), "words")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Keys(); !slices.Equal(got, []string{"days", "plain", "title"}) {
		t.Errorf("Keys() = %v", got)
	}
	de, fr := c.In("de"), c.In("fr-BE")
	for _, row := range []struct{ got, want string }{
		{de.Text("title", "Acme {1}"), "Bericht für Acme {1}"},
		{de.Text("plain"), "Gutschriften"},
		{de.Text("title", 12345), "Bericht für 12.345"},
		{de.Text("title", 'x'), "Bericht für 120"},
		{de.Text("title"), "Bericht für "},
		{de.Text("nothing", 1), "nothing"},
		{de.Text("days"), "days"},
		{de.Count("days", 1, "x"), "ein Tag von x"},
		{de.Count("days", 0, "x"), "0 Tage von x"},
		{de.Count("days", 1234, "x"), "1.234 Tage von x"},
		{de.Count("title", 1), "title"},
		{fr.Count("days", 0, "x"), "0 jour de x"}, // CLDR: i = 0,1 is "one"
		{fr.Count("days", 1, "x"), "1 jour de x"},
		{fr.Count("days", 2, "x"), "2 jours de x"},
		{fr.Count("days", -1, "x"), "-1 jour de x"},
		{de.Count("days", -1, "x"), "ein Tag von x"},
		{c.In("da").Text("plain"), "Credits"},
		{locale.Words{}.Text("plain"), "plain"},
		{locale.Words{}.Count("days", 1), "days"},
		{locale.Words{}.Locale().Tag() + de.Locale().Tag(), "ende"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
	if !de.Has("plain") || de.Has("days") || de.Has("nothing") {
		t.Error("Has is wrong")
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       []string
	}{
		"missing key":        {"de", `{"title": "Bericht für {0}", "days#one": "ein Tag von {0}", "days#other": "{n} Tage von {0}"}`, []string{`words/de.json: "plain": missing`}},
		"extra key":          {"fr", strings.Replace(string(good()["words/fr.json"].Data), `"plain"`, `"more": "x", "plain"`, 1), []string{`words/en.json: "more": missing`, `words/nl.json: "more": missing`}},
		"places":             {"nl", strings.Replace(string(good()["words/nl.json"].Data), "voor {0}", "voor {1}", 1), []string{`words/nl.json: "title": places [{1}], want [{0}]`}},
		"count in a text":    {"en", strings.Replace(string(good()["words/en.json"].Data), "Credits", "{n}", 1), []string{`words/en.json: "plain": {n} is for texts with plural forms`}},
		"no plural form":     {"en", strings.Replace(string(good()["words/en.json"].Data), `"days#one": "one day of {0}", `, "", 1), []string{`words/en.json: "days#one": missing`, `words/en.json: "days#other": plural form "one" is missing`}},
		"unknown form":       {"en", strings.Replace(string(good()["words/en.json"].Data), `days#one`, "days#few", 1), []string{`"days#few": plural form "few", want one or other`}},
		"no count in other":  {"en", strings.Replace(string(good()["words/en.json"].Data), "{n} days", "days", 1), []string{`"days#other": places`}},
		"both":               {"en", strings.Replace(string(good()["words/en.json"].Data), `"plain"`, `"days": "x", "plain"`, 1), []string{`with plural forms and without`}},
		"open place":         {"en", `{"plain": "{0"}`, []string{`words/en.json: "plain": place {0, want`}},
		"closed only":        {"en", `{"plain": "0}"}`, []string{`} without {`}},
		"named place":        {"en", `{"plain": "{name}"}`, []string{`place {name}`}},
		"repeated":           {"en", `{"plain": "a", "plain": "b"}`, []string{`"plain": key is repeated`}},
		"empty":              {"en", `{"plain": " "}`, []string{`"plain": text is empty`}},
		"no text":            {"en", `{"plain": 5}`, []string{`"plain": json`}},
		"no object":          {"en", `[]`, []string{`want an object`}},
		"nothing":            {"en", ``, []string{`want an object`}},
		"not closed":         {"en", `{"plain": "a"`, []string{`words/en.json: `}},
		"something behind":   {"en", `{"plain": "a"} {}`, []string{`text behind the object`}},
		"broken in the next": {"en", `{"plain": "a", 5}`, []string{`words/en.json: `}},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := good()
			fsys["words/"+c.file+".json"] = &fstest.MapFile{Data: []byte(c.text)}
			got, err := locale.Load(fsys, "words")
			if err == nil {
				t.Fatalf("Load: no error, want %q", c.want)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Load: %v\nwant %q", err, want)
				}
			}
			if len(got.Keys()) > 0 {
				t.Error("a broken catalogue has keys")
			}
		})
	}
	fsys := good()
	delete(fsys, "words/nl.json")
	if _, err := locale.Load(fsys, "words"); err == nil || !strings.Contains(err.Error(), "nl.json") {
		t.Errorf("without a file: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(`{"title": "Report for {0}", "days#one": "one day", "days#other": "{n} days"}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := locale.Load(files(text, text, text, text), "words")
		if err != nil {
			return
		}
		for _, key := range c.Keys() {
			w := c.In("fr")
			if w.Has(key) {
				w.Text(key, "a")
			} else if got := w.Count(key, 2); got == "" {
				t.Errorf("%q is empty", key)
			}
		}
	})
}

func ExampleLoad() {
	c, err := locale.Load(good(), "words")
	if err != nil {
		fmt.Println(err)
		return
	}
	w := c.In("nl")
	fmt.Println(w.Text("title", "Acme"))
	fmt.Println(w.Count("days", 3, "october"))
	// Output:
	// Rapport voor Acme
	// 3 dagen van october
}

func BenchmarkWords(b *testing.B) {
	c, err := locale.Load(good(), "words")
	if err != nil {
		b.Fatal(err)
	}
	w := c.In("de")
	b.ReportAllocs()
	for b.Loop() {
		w.Text("title", "Acme")
	}
}
