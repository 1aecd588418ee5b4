package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

const (
	// poll is how often files and the store are looked at.
	poll = 5 * time.Second

	// stale is how old pages become that somebody looks at, or on which something is going
	// on: figures of the month go on while nothing is written.
	stale = time.Minute

	// idle is how old all others become.
	idle = time.Hour
)

// watch reads again what has changed: a customer when one of its files does, when an
// incident of it is written to the store, or when time changes what it shows; all of it
// when the file of the portal does, or by SIGHUP. What cannot be read leaves the last
// good state, which says so. It belongs to one goroutine.
type watch struct {
	in        *inputs
	latest    atomic.Pointer[inputs] // in, for other goroutines, which read what the file says
	env       *program.Env
	portal    *portal.Portal
	customers []customer // in the order of the file
	glance
	refused error     // why the newest file of the portal is not served
	looked  time.Time // when the dashboard was made
	reads   int       // of customers, for tests
}

// glance is what files looked like before they were read, so that what changes while
// they are is a change.
type glance struct {
	own  map[string]stamp
	seen map[string]map[string]stamp // by customer, "" for the operations, then file
}

// stamp is what a file looks like from outside.
type stamp struct {
	size int64
	at   time.Time
}

// newWatch shows customers. The glance is from before they were read.
func newWatch(in *inputs, env *program.Env, p *portal.Portal, customers []customer, before glance) *watch {
	w := &watch{in: in, env: env, portal: p, customers: customers, glance: before}
	w.latest.Store(in)
	for _, c := range customers {
		w.show(c)
	}
	return w
}

// glance looks at all files, and at where the store is, before customers are read.
func (in *inputs) glance(ctx context.Context) (glance, error) {
	g := glance{in.look(in.own()), map[string]map[string]stamp{"": in.look(in.ofOperations())}}
	for _, t := range in.portal.Tenants {
		g.seen[t.ID] = in.look(filesOf(t))
	}
	if in.live == nil {
		return g, nil
	}
	_, err := in.live.changed(ctx)
	return g, err
}

// run looks every five seconds, and at once after a hangup.
func (w *watch) run(ctx context.Context, hangup <-chan os.Signal) error {
	every := time.NewTicker(poll)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			w.reconfigure(ctx, true)
		case <-every.C:
			w.again(ctx)
		}
	}
}

// again reads what has changed.
func (w *watch) again(ctx context.Context) {
	if own := w.in.look(w.in.own()); !maps.Equal(own, w.own) {
		w.reconfigure(ctx, false)
	}
	written, err := map[string]bool{}, error(nil)
	if w.in.live != nil {
		if written, err = w.in.live.changed(ctx); err != nil && ctx.Err() == nil {
			w.env.Log.Error("the store cannot be read", "error", err)
		}
	}
	before := w.reads
	for i, t := range w.in.portal.Tenants {
		if ctx.Err() != nil {
			return
		}
		files := w.in.look(filesOf(t))
		changed := !maps.Equal(files, w.seen[t.ID])
		if !changed && !written[t.ID] && !w.due(i) {
			continue
		}
		w.seen[t.ID] = files
		w.customers[i] = w.read(ctx, w.in, t, &w.customers[i], changed)
		w.show(w.customers[i])
	}
	if staff := w.staff(); !staff && before == w.reads && time.Since(w.looked) < stale && !w.in.news() {
		return
	}
	if err := w.dashboard(ctx); err != nil {
		w.env.Log.Error("the last dashboard stays", "error", err)
	}
}

// due reports whether time alone has changed what a customer shows.
func (w *watch) due(i int) bool {
	p, at, now := w.customers[i].page, w.customers[i].at, w.in.now()
	age := now.Sub(at)
	switch {
	case age <= 0:
		return false
	case age > idle+time.Duration(i%60)*time.Minute: // not all at once
		return true
	case p == nil:
		return false
	case age > stale && (running(p) || w.portal.Asked(p.ID)):
		return true
	}
	return turns(p, at, now)
}

// running reports whether something is going on that has no end yet.
func running(p *page.Tenant) bool {
	for i := range p.Incidents {
		if p.Incidents[i].OpenAt(p.At) {
			return true
		}
	}
	for _, o := range p.Evidence.Outages {
		if o.End.IsZero() {
			return true
		}
	}
	return false
}

// turns reports whether a day has begun since an instant, or work began or ended.
func turns(p *page.Tenant, last, now time.Time) bool {
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	if last.In(zone).Format(time.DateOnly) != now.In(zone).Format(time.DateOnly) {
		return true
	}
	since := func(at time.Time) bool { return at.After(last) && !at.After(now) }
	for _, m := range p.Maintenance {
		if since(m.Start) || since(m.End) {
			return true
		}
	}
	return false
}

// read reads a customer. Where that cannot be done it stays as it was, and says so; nil
// is one that was not there.
func (w *watch) read(ctx context.Context, in *inputs, t config.Tenant, last *customer, changed bool) customer {
	w.reads++
	c, err := in.customer(ctx, t)
	if err == nil {
		if last != nil && !reflect.DeepEqual(c.rules.KeyDates, last.rules.KeyDates) {
			w.rules(in, t.ID, c) //nolint:contextcheck // requests have contexts of their own, also below
		}
		return c
	}
	if changed {
		w.portal.ReloadFailed()
		w.env.Log.Error("the last good state stays", "tenant", t.ID, "error", err)
	}
	c.page = nil
	if last != nil && last.page != nil {
		old := *last.page
		old.Stale = "data as of " + old.At.UTC().Format(time.RFC3339) + ": newer files cannot be read"
		c.page, c.rules.KeyDates = &old, last.rules.KeyDates
	}
	return c
}

// rules puts new key dates of a customer in their place.
func (w *watch) rules(in *inputs, tenant string, c customer) {
	if in != w.in {
		return // all rules are being replaced
	}
	for i := range w.customers {
		if w.customers[i].rules.ID == tenant {
			w.customers[i] = c
		}
	}
	if err := w.portal.Reload(in.configuration(w.env, w.customers), c.page); err != nil {
		w.env.Log.Error("the last key dates stay", "tenant", tenant, "error", err)
	} else if w.refused != nil { // which that has not mended
		w.portal.ReloadRefused(w.refused)
	}
}

// reconfigure reads the file of the portal, and then the customers that it changes; all
// of them after a hangup. Rules are replaced in one step together with the pages: nobody
// sees a page by an older rule. A file that cannot be read changes nothing.
func (w *watch) reconfigure(ctx context.Context, all bool) {
	w.own = w.in.look(w.in.own())
	staff := w.in.look(w.in.ofOperations())
	refuse := func(err error) {
		w.refused = err
		w.portal.ReloadRefused(err)
		w.env.Log.Error("the last good configuration stays", "error", err)
	}
	next, err := w.in.again(w.env)
	if err != nil {
		refuse(err)
		return
	}
	for _, moved := range []struct{ key, from, to string }{
		{"listen", w.in.portal.Listen, next.portal.Listen}, {"admin_listen", w.in.portal.AdminListen, next.portal.AdminListen},
	} {
		if moved.from != moved.to {
			w.env.Log.Warn("another address is used after a restart", "key", moved.key, "now", moved.from, "then", moved.to)
		}
	}
	if w.in.requests != "" && !reflect.DeepEqual(w.in.portal.Requests, next.portal.Requests) {
		w.env.Log.Warn("requests go elsewhere after a restart", "key", "requests")
	}
	if w.in.reports != "" && !reflect.DeepEqual(w.in.portal.Mail, next.portal.Mail) {
		w.env.Log.Warn("another mail server is used after a restart", "key", "mail")
	}
	// What runs stays what it is, so that the next change is held against it.
	next.portal.Listen, next.portal.AdminListen = w.in.portal.Listen, w.in.portal.AdminListen
	next.portal.Requests, next.portal.Mail = w.in.portal.Requests, w.in.portal.Mail
	all = all || !reflect.DeepEqual(w.in.portal.Brand, next.portal.Brand)
	was := map[string]int{}
	for i, t := range w.in.portal.Tenants {
		was[t.ID] = i
	}
	after := glance{next.earlier(w.own, next.own()), map[string]map[string]stamp{"": next.earlier(staff, next.ofOperations())}}
	customers := make([]customer, len(next.portal.Tenants))
	var pages []*page.Tenant
	for i, t := range next.portal.Tenants {
		if ctx.Err() != nil {
			return
		}
		k, known := was[t.ID]
		if known && !all && reflect.DeepEqual(w.in.portal.Tenants[k], t) {
			customers[i], after.seen[t.ID] = w.customers[k], w.seen[t.ID]
			continue
		}
		var last *customer
		if known {
			last = &w.customers[k]
		}
		after.seen[t.ID] = next.look(filesOf(t))
		customers[i] = w.read(ctx, next, t, last, true)
		if customers[i].page != nil {
			pages = append(pages, customers[i].page)
		}
	}
	if err := w.portal.Reload(next.configuration(w.env, customers), pages...); err != nil { //nolint:contextcheck // as above
		refuse(err)
		return
	}
	w.in, w.customers, w.glance, w.refused = next, customers, after, nil
	w.latest.Store(next)
	w.looked = time.Time{} // the dashboard is made anew
	w.env.Log.Info("the configuration was read again", "customers", len(customers))
	if err := w.dashboard(ctx); err != nil {
		w.env.Log.Error("the last dashboard stays", "error", err)
	}
}

// staff reads the files of the operations again when one of them has changed, and
// reports whether it did.
func (w *watch) staff() bool {
	files := w.in.look(w.in.ofOperations())
	if maps.Equal(files, w.seen[""]) {
		return false
	}
	w.seen[""] = files
	s, err := w.in.staff()
	if err != nil {
		w.portal.ReloadFailed()
		w.env.Log.Error("the last team and costs stay", "error", err)
		return false
	}
	w.in.staffed = s
	return true
}

func (w *watch) dashboard(ctx context.Context) error {
	o, err := w.in.operations(ctx, w.customers)
	if err == nil {
		w.looked = time.Now()
		w.portal.Dashboard(o)
	}
	return err
}

func (w *watch) show(c customer) {
	if c.page == nil {
		return
	}
	if err := w.portal.Update(c.page); err != nil {
		w.env.Log.Error("not shown", "tenant", c.rules.ID, "error", err)
	}
}

// own are the files that say who is shown what.
func (in *inputs) own() []string {
	if in.file == "stdin" {
		return nil // read once
	}
	return []string{filepath.Base(in.file), in.portal.Brand.Logo}
}

// filesOf are the files of a customer, "" for one that it does not have.
func filesOf(t config.Tenant) []string {
	return []string{t.Contract, t.Outages, t.Checks, t.Incidents, t.Maintenance, t.Changes, t.SLO, t.SLI, t.Catalogue, t.Restores, t.Articles, t.Journeys, t.Outlook}
}

// ofOperations are the files of the operations.
func (in *inputs) ofOperations() []string {
	if in.portal.Ops == nil {
		return nil
	}
	return []string{in.portal.Ops.Team, in.portal.Ops.Costs}
}

// earlier returns the stamps of files as they were before, and of others as they are.
func (in *inputs) earlier(before map[string]stamp, names []string) map[string]stamp {
	stamps := in.look(names)
	for name := range stamps {
		if s, ok := before[name]; ok {
			stamps[name] = s
		}
	}
	return stamps
}

// look returns the stamps of files.
func (in *inputs) look(names []string) map[string]stamp {
	stamps := map[string]stamp{}
	for _, name := range names {
		if name == "" || in.Sample {
			continue
		}
		s := stamp{size: -1} // not there
		info, err := os.Stat(in.beside(name))
		if err == nil {
			s = stamp{info.Size(), info.ModTime()}
		} else if !errors.Is(err, os.ErrNotExist) {
			s.size = -2 // not to be read
		}
		stamps[name] = s
	}
	return stamps
}
