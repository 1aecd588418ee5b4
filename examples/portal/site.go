package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/sla/money"
)

// result is a static site: who is in it, its files, and what is wrong with them.
type result struct {
	in        *inputs
	now       time.Time
	customers []summary
	files     []listed
	links     int
	problems  []string

	targets []target // that are to be there, until all files are known
}

// target is a file to which another one links.
type target struct{ from, link, to string }

// summary is a customer in the result.
type summary struct {
	ID           string        `json:"id"`
	Public       bool          `json:"public"`
	State        string        `json:"state"` // as in status/v1
	Month        string        `json:"month"`
	Availability report.Number `json:"availability_percent"`
	Payable      *money.Amount `json:"payable"`
	Open         int           `json:"incidents_open"`
}

// listed is a file in the result.
type listed struct {
	Name   string `json:"name"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// site makes the files of the static site and writes them into a folder, unless it is
// "". The result is checked as a browser would see it.
func (in *inputs) site(env *program.Env, dir string) (*result, error) {
	customers, err := in.briefs(env.Context)
	if err != nil {
		return nil, err
	}
	p, err := portal.New(in.configuration(env, customers))
	if err != nil {
		return nil, program.Exit(program.Usage, err)
	}
	dashboard, err := in.operations(env.Context, customers)
	if err != nil {
		return nil, program.Exit(program.Input, err)
	}
	p.Dashboard(dashboard)
	r := &result{in: in, now: in.now()}
	for f, err := range p.Files(in.each(env.Context)) {
		if err == nil && dir != "" {
			err = f.WriteTo(dir)
		}
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(f.Body)
		r.files = append(r.files, listed{f.Name, len(f.Body), hex.EncodeToString(sum[:])})
		r.check(f)
	}
	slices.SortFunc(r.files, func(a, b listed) int { return cmp.Compare(a.Name, b.Name) })
	r.follow()
	for _, c := range customers {
		r.customers = append(r.customers, summarize(c))
	}
	return r, nil
}

// each reads the customers once more, one after the other, and hands out their pages:
// all of them at once are more than a site of many should need.
func (in *inputs) each(ctx context.Context) iter.Seq2[*page.Tenant, error] {
	return func(yield func(*page.Tenant, error) bool) {
		for _, t := range in.portal.Tenants {
			c, err := in.customer(ctx, t)
			if !yield(c.page, err) || err != nil {
				return
			}
		}
	}
}

func summarize(c customer) summary {
	s := summary{ID: c.rules.ID, Public: c.rules.Public, State: string(portal.StateOf(c.page))}
	for _, in := range c.page.Incidents {
		if in.OpenAt(c.page.At) {
			s.Open++
		}
	}
	if len(c.page.Months) == 0 {
		return s
	}
	d := c.page.Months[len(c.page.Months)-1].Data()
	s.Month, s.Payable = d.Period.Label, &d.Credits.Payable
	if d.Overall != nil {
		s.Availability = d.Overall.Percent
	}
	return s
}

// check looks for what a strict content security policy would stop, and notes where the
// links of a page lead. The page itself is not kept: a site of many customers is larger
// than memory.
func (r *result) check(f portal.File) {
	if path.Ext(f.Name) != ".html" {
		return
	}
	never := func(what []byte) { r.problems = append(r.problems, fmt.Sprintf("%s holds %q", f.Name, what)) }
	for _, what := range [][]byte{[]byte("<script"), []byte("<style"), []byte("url(http:"), []byte("url(https:"), []byte("url(//")} {
		if bytes.Contains(f.Body, what) {
			never(what)
		}
	}
	seen := map[string]bool{}
	for name, value := range attributes(f.Body) {
		to := string(value)
		elsewhere := strings.HasPrefix(to, "//") || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://")
		switch {
		case name == "style", strings.HasPrefix(name, "on"), elsewhere && (name == "src" || name == "action"):
			never([]byte(name + `="` + to))
		case name == "href" || name == "src":
			if to, _, _ = strings.Cut(to, "#"); to != "" {
				to, _, _ = strings.Cut(to, "?")
			}
			if to == "" || elsewhere || strings.Contains(to, ":") {
				continue // the page itself, or somewhere else
			}
			r.links++
			if !seen[to] {
				seen[to] = true
				r.targets = append(r.targets, target{f.Name, to, path.Join(path.Dir(f.Name), to)})
			}
		}
	}
}

// attributes are those of all elements of a page, in which every text is escaped: a
// quote that follows an equals sign is one of them.
func attributes(body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for at := 0; ; {
			k := bytes.Index(body[at:], []byte(`="`))
			if k < 0 {
				return
			}
			k += at
			begin := k
			for begin > at && (body[begin-1]|32-'a' < 26 || body[begin-1] == '-') {
				begin--
			}
			value := body[k+2:]
			end := bytes.IndexByte(value, '"')
			if end < 0 || !yield(strings.ToLower(string(body[begin:k])), value[:end]) {
				return
			}
			at = k + 2 + end + 1
		}
	}
}

// follow looks for links that lead nowhere, when all files are known by name.
func (r *result) follow() {
	there := map[string]bool{}
	for _, f := range r.files {
		there[f.Name] = true
	}
	for _, t := range r.targets {
		if !there[t.to] && !there[path.Join(t.to, "index.html")] {
			r.problems = append(r.problems, fmt.Sprintf("%s links to %s, which is not there", t.from, t.link))
		}
	}
	slices.Sort(r.problems)
}

// conditions tells which conditions of -fail-on hold.
func (r *result) conditions(env *program.Env) {
	for _, c := range r.customers {
		if c.State == string(portal.Out) {
			env.Holds("outage")
		}
	}
	if len(r.problems) > 0 {
		env.Fails()
	}
}

// document is the JSON result.
type document struct {
	program.Envelope
	Customers []summary `json:"customers"`
	Files     []listed  `json:"files"` // by name
	Links     int       `json:"links"` // inside the site
	Problems  []string  `json:"problems"`
}

func (r *result) write(env *program.Env) error {
	for _, n := range r.in.Notices {
		env.Log.Warn(n.Message, "code", n.Code)
	}
	if env.Format == "json" {
		return env.JSON(document{
			program.Envelope{Schema: "portal-site/v1", Now: r.now, Sample: r.in.Sample, Inputs: r.in.Sources, Warnings: r.in.Notices},
			r.customers, r.files, r.links, append([]string{}, r.problems...),
		})
	}
	if r.in.Sample {
		fmt.Fprint(env.Out, "The embedded sample; name your own file with -config, write the site with -static, serve it with -listen.\n\n")
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "Customer\tSeen by\tState\tMonth\tAvailability\tCredit\tOpen incidents")
	for _, c := range r.customers {
		seen, availability, credit := "token", "no data", "no data"
		if c.Public {
			seen = "everybody"
		}
		if c.Availability != "" {
			availability = string(c.Availability) + " %"
		}
		if c.Payable != nil {
			credit = c.Payable.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", c.ID, seen, strings.ReplaceAll(c.State, "_", " "), c.Month, availability, credit, c.Open)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s\nFiles:\n", b.String())
	for _, f := range r.files {
		fmt.Fprintln(env.Out, f.Name)
	}
	fmt.Fprintf(env.Out, "\nChecked: no script, no inline style, nothing from elsewhere; %d links inside the site. Problems: %d\n", r.links, len(r.problems))
	for _, p := range r.problems {
		fmt.Fprintln(env.Out, p)
	}
	return nil
}
