package jira

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
)

// lookShares are when a search is made after an unknown outcome, counted from it, as
// shares of Config.FindFor. The index is seldom as late as the last one, so an issue
// whose answer was lost is mostly found by the first. What was refused by a status, not a
// gateway's, is hardly ever there; only the last look can say that it is not, so it is the
// only one.
//
// What that costs, if a share r = 0.20 of the requests is refused in a way that leaves open
// whether they were carried out and a share l = 0.05 of the answers is lost: a write takes
// 1/(1−r) = 1.25 tries, (r+l)/(1−r) of which end in doubt. Each doubt takes a look of
// 1/(1−r−l) tries, together 0.417, and a create after a refusal takes one for twins,
// r/(1−r) · 1/(1−r−l) = 0.333. Of k looks that are one search each costs a k-th:
//
//	1.25 + 0.75/k
//
// Together with vendors that have keys or that are asked anyway (PagerDuty 1.333 in the
// place of 1, ServiceNow 3.917 in that of 3), and with Slack at 1.667 in the place of 1, that
// is 8.92 requests in the place of 6 where one caller opens one issue after the other,
// k = 1, 1.49 times as many. It is 1.4 times as many at k = 3.2, which 8 to 16 callers have.
var lookShares = []float64{0.1, 0.3, 1}

// lookCompany is the part of its wait by which a look may be late to share a search with
// looks that are due by then.
const lookCompany = 3

// look is what one opening wants to know: the issues of a label.
type look struct {
	label string
	fresh adapters.Ref // an issue that the search is told to have; zero for none
	// due is when a search has to begin at the earliest to be believed if it finds
	// nothing; patience is how much later it may begin to have company.
	due      time.Time
	patience time.Duration

	answer chan lookAnswer // takes one
}

type lookAnswer struct {
	found []adapters.Ref
	err   error
}

// lookGroups make one search for all who wait for one, those of each tenant by
// themselves. Whoever is due makes it, and takes with it all others of the tenant who
// wait, as many as a search has room for. What it finds is an answer to each of them; that
// it finds nothing is one to those alone who were due before it began, and so is an error.
// While a search is under way those who become due wait for its end, and the next one is
// for all of them. Nobody who waits alone waits any longer for that, and no goroutine is
// started.
type lookGroups struct {
	mu sync.Mutex
	of map[string]*lookGroup // by tenant, those that have members; guarded by mu
}

// lookGroup are the looks of one tenant.
type lookGroup struct {
	turn chan struct{} // full while a member makes a search

	members int // guarded by lookGroups.mu, as is all below
	coming  int // of the members, those that will ask after a request that is under way
	waiting []*look
}

// await searches for the issues of a label at the looks that are left since an outcome
// became unknown, once at least. None without an error means that there are none.
func (c *Client) await(ctx context.Context, op, tenant, label string, since time.Time, shares []float64) ([]adapters.Ref, error) {
	for n, share := range shares {
		wait := time.Duration(share * float64(c.config.FindFor))
		left := since.Add(wait).Sub(c.config.Now())
		l := look{label: label, due: time.Now(), patience: wait / lookCompany} // the later clock, for no look is to be early
		switch {
		case left >= 0:
			l.due = l.due.Add(left)
		case n < len(shares)-1:
			continue
		default:
			l.patience = 0 // it has waited for long enough
		}
		found, err := c.looks.ask(ctx, c, op, tenant, l)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// ask returns the issues of a look, none if a search that began when it was due or later
// found none.
func (g *lookGroups) ask(ctx context.Context, c *Client, op, tenant string, l look) ([]adapters.Ref, error) {
	l.answer = make(chan lookAnswer, 1)
	group := g.join(tenant, &l)
	defer g.leave(tenant, group, &l)
	for {
		wait, turn := time.Until(g.start(group, &l)), group.turn
		var timer <-chan time.Time
		if wait > 0 {
			t := time.NewTimer(wait)
			defer t.Stop()
			timer, turn = t.C, nil
		}
		select {
		case a := <-l.answer:
			return a.found, a.err
		case <-ctx.Done():
			return nil, c.over(ctx, op, tenant)
		case <-timer:
		case turn <- struct{}{}:
			g.search(ctx, c, op, tenant, group, &l)
		}
	}
}

// start is when a look may search: when it is due, or when the last one is due for which
// it has the patience to wait.
func (g *lookGroups) start(group *lookGroup, l *look) time.Time {
	start := l.due
	if time.Now().Before(start) {
		return start // who is due by then is seen then
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	latest := l.due.Add(l.patience)
	if group.coming > 0 {
		return latest
	}
	for _, other := range group.waiting {
		if other.due.After(start) && !other.due.After(latest) {
			start = other.due
		}
	}
	return start
}

// search makes one search for those who wait, who is due longest first, and ends the turn.
// If it fails because of its caller, who gave up or has no time for the pause that Jira
// asks for, it is nobody else's failure.
func (g *lookGroups) search(ctx context.Context, c *Client, op, tenant string, group *lookGroup, by *look) {
	defer func() { <-group.turn }() // even if a transport panics: the others wait for it
	g.mu.Lock()
	asked := slices.Clone(group.waiting)
	g.mu.Unlock()
	if !slices.Contains(asked, by) {
		return // it was answered while it waited for its turn
	}
	slices.SortStableFunc(asked, func(a, b *look) int { return a.due.Compare(b.due) })
	asked = asked[:min(len(asked), maxIDs)]
	labels, fresh := make([]string, len(asked)), []adapters.Ref(nil)
	for i, l := range asked {
		labels[i] = l.label
		if !l.fresh.IsZero() {
			fresh = append(fresh, l.fresh)
		}
	}
	begun := time.Now()
	found, err := c.byLabel(ctx, op, tenant, labels, fresh...)
	kind := adapters.KindOf(err)
	deadline, hurried := ctx.Deadline() // it did not wait for what comes after that; others may
	own := ctx.Err() != nil || kind == adapters.Canceled || kind == adapters.Deadline || hurried && adapters.RetryAt(err).After(deadline)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range asked {
		due := !l.due.After(begun)
		switch {
		case err != nil && (l == by || due && !own), err == nil && (due || len(found[l.label]) > 0):
			if i := slices.Index(group.waiting, l); i >= 0 {
				group.waiting = slices.Delete(group.waiting, i, i+1)
				l.answer <- lookAnswer{found[l.label], err}
			}
		}
	}
}

// expect tells that somebody will look as soon as a request is answered; arrived is to be
// called then.
func (g *lookGroups) expect(tenant string) (arrived func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.enter(tenant)
	group.coming++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		group.coming--
		g.exit(tenant, group)
	}
}

func (g *lookGroups) join(tenant string, l *look) *lookGroup {
	g.mu.Lock()
	defer g.mu.Unlock()
	group := g.enter(tenant)
	group.waiting = append(group.waiting, l)
	return group
}

func (g *lookGroups) leave(tenant string, group *lookGroup, l *look) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group.waiting = slices.DeleteFunc(group.waiting, func(w *look) bool { return w == l })
	g.exit(tenant, group)
}

// enter makes somebody a member of a tenant's group. The caller holds mu, as that of exit does.
func (g *lookGroups) enter(tenant string) *lookGroup {
	group := g.of[tenant]
	if group == nil {
		if g.of == nil {
			g.of = map[string]*lookGroup{}
		}
		group = &lookGroup{turn: make(chan struct{}, 1)}
		g.of[tenant] = group
	}
	group.members++
	return group
}

func (g *lookGroups) exit(tenant string, group *lookGroup) {
	if group.members--; group.members == 0 {
		delete(g.of, tenant)
	}
}
