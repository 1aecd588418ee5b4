package portal

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
)

// File is one of a static site.
type File struct {
	Name string // such as "t/acme/index.html"
	Body []byte
}

// Files makes the files of a static site, one after the other: t/<id>/ for each
// customer, from its value alone and so that the value may be forgotten before the next
// is asked for; ops/index.html, if anybody may see the dashboard; index.html, if the
// configuration asks for it; assets/ and openapi.json. The same values give the same
// files in the same order. It ends with the first error, be it of pages or its own.
func (p *Portal) Files(pages iter.Seq2[*page.Tenant, error]) iter.Seq2[File, error] {
	return p.now.Load().files(pages)
}

func (p *snapshot) files(pages iter.Seq2[*page.Tenant, error]) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		var public []entry
		ops := p.dashboard()
		ops.Tenants = nil
		for t, err := range pages {
			if err != nil {
				yield(File{}, err)
				return
			}
			known := p.tenants[t.ID]
			if known == nil {
				yield(File{}, fmt.Errorf("portal: no tenant %q", t.ID))
				return
			}
			for f, err := range tenantFiles(&known.Tenant, t, p.base) {
				if err != nil {
					err = fmt.Errorf("portal: tenant %s: %s: %w", t.ID, f.Name, err)
				}
				f.Name = "t/" + t.ID + "/" + f.Name
				if !yield(f, err) || err != nil {
					return
				}
			}
			if known.Public {
				public = append(public, entry{t.ID, t.Name})
			}
			if p.operated() {
				ops.Tenants = append(ops.Tenants, t.Brief())
			}
		}
		for f, err := range p.sharedFiles(ops, public) {
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// sharedFiles makes the files that belong to no customer.
func (p *snapshot) sharedFiles(ops *page.Ops, public []entry) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		if p.operated() {
			body, err := render(func(b *bytes.Buffer) error { return ops.Write(b, page.Options{Static: true}) })
			if !yield(File{"ops/index.html", body}, err) {
				return
			}
		}
		if p.config.Index {
			slices.SortFunc(public, entry.compare)
			if !yield(File{"index.html", indexPage(p.config.Brand, public, page.Options{Static: true})}, nil) {
				return
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.assets)) {
			if !yield(File{"assets/" + name, p.assets[name].body}, nil) {
				return
			}
		}
		yield(File{"openapi.json", p.openAPI}, nil)
	}
}

// WriteSite writes the files of a static site into a directory, which it makes. Who may
// read what is up to the web server, to which t/<id>/ and ops/ are the walls.
//
// Each file is written beside its place and moved there, so a reader sees the old file
// or the new one and never a part. Files of customers, pages and months that are no more
// stay. The first error ends the writing; what was written before it stays.
func (p *Portal) WriteSite(dir string, pages iter.Seq2[*page.Tenant, error]) error {
	for f, err := range p.Files(pages) {
		if err == nil {
			err = f.WriteTo(dir)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// WriteTo writes the file below a directory: beside its place, and then moved there. A
// name that leads out of the directory is an error, as months have labels of any text.
func (f File) WriteTo(dir string) (err error) {
	local, err := filepath.Localize(f.Name)
	if err != nil {
		return fmt.Errorf("portal: file %q: %w", f.Name, err)
	}
	name := filepath.Join(dir, local)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // a web server reads it
		return err
	}
	beside, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = beside.Write(f.Body)
	err = errors.Join(err, beside.Chmod(0o644), beside.Close())
	if err == nil {
		err = os.Rename(beside.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(beside.Name()))
	}
	return nil
}

// tenantFiles makes what a static site has of a customer, one after the other.
func tenantFiles(rules *Tenant, t *page.Tenant, base site) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		put := func(name string, write func(*bytes.Buffer) error) bool {
			body, err := render(write)
			if errors.Is(err, page.ErrNoPage) {
				return true
			}
			return yield(File{name, body}, err)
		}
		o := page.Options{Static: true, Without: rules.Disabled}
		for _, n := range t.Pages(o) {
			if !put(string(n)+".html", func(b *bytes.Buffer) error { return t.Write(b, n, o) }) {
				return
			}
		}
		for _, m := range t.Months {
			if !o.Has(page.Reports) {
				break
			}
			month := m.Report.Statement.Period.Label
			for _, form := range []string{"html", "pdf", "csv", "json"} {
				body, err := reportIn(t, month, form, o)
				if !yield(File{"report-" + month + "." + form, body}, err) {
					return
				}
			}
		}
		feeds := []struct {
			name  string
			page  page.Name
			write func(*bytes.Buffer) error
		}{
			{"maintenance.ics", page.Maintain, func(b *bytes.Buffer) error { return writeMaintenance(b, t, base) }},
			{"feed.atom", page.Incidents, func(b *bytes.Buffer) error { return writeFeed(b, t, base, ".html") }},
			{"badge.svg", page.SLO, func(b *bytes.Buffer) error { b.Write(badgeOf(t, badgeMetrics[0]).svg()); return nil }},
			{"status.json", page.Status, func(b *bytes.Buffer) error {
				body, err := encode(statusDocument(t, rules.Disabled))
				b.Write(body)
				return err
			}},
			{"key-dates.ics", page.Catalogue, func(b *bytes.Buffer) error {
				if len(rules.KeyDates) == 0 {
					return page.ErrNoPage
				}
				return writeKeyDates(b, t, rules.KeyDates, base)
			}},
		}
		for _, f := range feeds {
			if o.Has(f.page) && !put(f.name, f.write) {
				return
			}
		}
	}
}
