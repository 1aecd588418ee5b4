package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

// A policy of "style-src 'self'" forbids style elements, style attributes and styles
// from other origins; see Content Security Policy Level 3, section 6.1.11.
func TestLinkedStyle(t *testing.T) {
	var b, inline bytes.Buffer
	d := sample(t)
	if err := d.HTMLWith(&b, report.HTMLOptions{Stylesheet: `assets/a.css?v=1&"x`}); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if !strings.Contains(page, `<link rel="stylesheet" href="assets/a.css?v=1&amp;&#34;x">`) {
		t.Errorf("no link to the style sheet:\n%s", page)
	}
	if found := regexp.MustCompile(`<style|\sstyle=|<script|javascript:`).FindString(page); found != "" {
		t.Errorf("the page has %q", found)
	}
	if err := d.HTML(&inline); err != nil {
		t.Fatal(err)
	}
	_, linkedBody, _ := strings.Cut(page, "<body>")
	_, inlineBody, _ := strings.Cut(inline.String(), "<body>")
	if linkedBody != inlineBody || linkedBody == "" {
		t.Error("the page differs from that with inline style in more than its head")
	}
	if !bytes.Contains(inline.Bytes(), report.Stylesheet()) {
		t.Error("Stylesheet is not what the page has inline")
	}
}

func TestFragment(t *testing.T) {
	var b, page bytes.Buffer
	d := sample(t)
	if err := d.Fragment(&b); err != nil {
		t.Fatal(err)
	}
	if err := d.HTML(&page); err != nil {
		t.Fatal(err)
	}
	fragment := b.String()
	if !strings.Contains(page.String(), "<main>\n"+fragment+"</main>") {
		t.Error("the fragment is not the main part of the page")
	}
	if !strings.HasPrefix(fragment, `<section id="summary">`) || strings.Contains(fragment, "<h1") || strings.Contains(fragment, "<footer") {
		t.Errorf("want sections alone:\n%s", fragment)
	}
	if err := (report.Document{Locale: "?"}).Fragment(&b); err == nil {
		t.Error("a document that is not valid was written")
	}
}

func ExampleDocument_Fragment() {
	d := report.Document{Sections: []report.Section{{ID: "note", Title: "Note", Blocks: []report.Block{report.Text("a < b")}}}}
	var b strings.Builder
	if err := d.Fragment(&b); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b.String())
	// Output:
	// <section id="note">
	// <h2>Note</h2>
	// <p>a &lt; b</p>
	// </section>
}
