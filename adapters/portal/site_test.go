package portal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
)

// list hands out customers.
func list(all ...*page.Tenant) iter.Seq2[*page.Tenant, error] {
	return func(yield func(*page.Tenant, error) bool) {
		for _, t := range all {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// tree reads all files below a folder.
func tree(tb testing.TB, dir string) map[string][]byte {
	tb.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(name)
		relative, errName := filepath.Rel(dir, name)
		files[filepath.ToSlash(relative)] = body
		return errors.Join(err, errName)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

func TestWriteSite(t *testing.T) {
	p := site(t, func(c *portal.Config) { c.Index = false })
	dir := t.TempDir()
	write := func(dir string) map[string][]byte {
		if err := p.WriteSite(dir, list(marked()["acme"], marked()["beta"], marked()["open"])); err != nil {
			t.Fatal(err)
		}
		return tree(t, dir)
	}
	files := write(dir)
	for _, name := range []string{
		"index.html", "slo.html", "incidents.html", "maintenance.html", "credits.html", "catalogue.html", "report-2026-09.html", "report-2026-09.pdf", "report-2026-09.csv",
		"report-2026-09.json", "maintenance.ics", "feed.atom", "badge.svg", "status.json",
	} {
		if files["t/acme/"+name] == nil {
			t.Errorf("t/acme/%s is missing", name)
		}
	}
	for _, name := range []string{"ops/index.html", "openapi.json", "assets/portal.css"} {
		if files[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	if files["index.html"] != nil || files["t/acme/help.html"] != nil || files["t/acme/search.html"] != nil || files["t/empty/index.html"] != nil {
		t.Errorf("files that should not be there: %q", slices.Sorted(maps.Keys(files)))
	}
	marks := map[string]string{"acme": acmeMark, "beta": betaMark, "open": openMark}
	own := map[string]int{}
	for name, body := range files {
		for tenant, mark := range marks {
			if !bytes.Contains(body, []byte(mark)) || strings.HasPrefix(name, "ops/") {
				continue
			}
			if own[tenant]++; !strings.HasPrefix(name, "t/"+tenant+"/") {
				t.Errorf("%s shows %s, of %s", name, mark, tenant)
			}
		}
		if strings.Contains(name, ".new-") {
			t.Errorf("%s was left behind", name)
		}
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	for tenant := range marks {
		if own[tenant] < 10 {
			t.Errorf("only %d files of %s show its mark", own[tenant], tenant)
		}
	}
	again := write(dir) // over the first, byte for byte
	elsewhere := write(t.TempDir())
	for name, body := range files {
		if !bytes.Equal(body, again[name]) || !bytes.Equal(body, elsewhere[name]) {
			t.Errorf("%s differs from run to run", name)
		}
	}
	if len(again) != len(files) {
		t.Errorf("%d files, then %d", len(files), len(again))
	}
}

// A static site is closed: what its pages link to is there, under the policy of the
// live one.
func TestStaticLinks(t *testing.T) {
	p := site(t, func(c *portal.Config) { whole(c) })
	dir := t.TempDir()
	if err := p.WriteSite(dir, list(marked()["acme"], marked()["open"])); err != nil {
		t.Fatal(err)
	}
	files, links := tree(t, dir), 0
	forbidden := regexp.MustCompile(`<script|<style|\sstyle="|\son[a-z]+="|url\(https?:|src="https?:|<form`)
	for name, body := range files {
		if filepath.Ext(name) != ".html" {
			continue
		}
		if at := forbidden.Find(body); at != nil {
			t.Errorf("%s holds %q", name, at)
		}
		for _, m := range link.FindAllSubmatch(body, -1) {
			to, _, _ := strings.Cut(string(m[1]), "#")
			if to == "" || strings.Contains(to, ":") {
				continue
			}
			links++
			if target := filepath.ToSlash(filepath.Join(filepath.Dir(name), to)); files[target] == nil && files[target+"/index.html"] == nil {
				t.Errorf("%s links to %s, which is not there", name, to)
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links", links)
	}
}

func TestWriteSiteFails(t *testing.T) {
	p := site(t, nil)
	broken := errors.New("broken")
	failing := func(yield func(*page.Tenant, error) bool) { _ = yield(marked()["acme"], nil) && yield(nil, broken) }
	if err := p.WriteSite(t.TempDir(), failing); !errors.Is(err, broken) {
		t.Errorf("an error of the customers: %v", err)
	}
	if err := p.WriteSite(t.TempDir(), list(&page.Tenant{ID: "../../etc"})); err == nil {
		t.Error("a customer that the configuration does not name is written")
	}
	dir := t.TempDir()
	for _, name := range []string{"../outside", "t/acme/report-../../../outside.html", "/outside", "", "t/\x00"} {
		if err := (portal.File{Name: name, Body: []byte("x")}).WriteTo(filepath.Join(dir, "site")); err == nil {
			t.Errorf("a file %q is written", name)
		}
	}
	if files := tree(t, dir); len(files) > 0 {
		t.Errorf("files outside of the site: %q", slices.Sorted(maps.Keys(files)))
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteSite(file, list(marked()["acme"])); err == nil {
		t.Error("a folder that is a file is written to")
	}
}

// Five hundred customers within a minute and 200 MB: with EVENKEEL_SOAK, as it is the
// time of the whole machine. Fifty otherwise, of which the memory counts.
func TestManyCustomers(t *testing.T) {
	n, most := 50, time.Hour
	if os.Getenv("EVENKEEL_SOAK") != "" {
		n, most = 500, time.Minute
	}
	c := config()
	c.Tenants = nil
	for i := range n {
		c.Tenants = append(c.Tenants, portal.Tenant{ID: fmt.Sprintf("c%d", i), Token: portal.TokenHashOf("t")})
	}
	p, err := portal.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var peak uint64
	began, dir := time.Now(), t.TempDir()
	err = p.WriteSite(dir, func(yield func(*page.Tenant, error) bool) {
		for i := range n {
			if i%10 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.Sys-m.HeapReleased)
			}
			id := fmt.Sprintf("c%d", i)
			if !yield(customer(t, id, id), nil) {
				return
			}
		}
	})
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d customers in %v, at most %d MB", n, took.Round(time.Millisecond), peak>>20)
	if took > most || peak > 200<<20 {
		t.Errorf("%d customers took %v and %d MB, want at most %v and 200 MB", n, took, peak>>20, most)
	}
}
