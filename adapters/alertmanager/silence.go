package alertmanager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/resilience"
	"github.com/evenkeelops/evenkeel/correlation/matcher"
	"github.com/evenkeelops/evenkeel/correlation/silence"
)

// Silence is a silence as it stands in an Alertmanager. Its ID is that of
// Alertmanager. Its Tenant is the value of the one matcher that compares the tenant
// label for equality, which is not among its Matchers; a silence without one is of no
// tenant and holds for all.
type Silence struct {
	silence.Silence

	State   silence.State // silence.Pending, Active or Expired
	Updated time.Time
}

// apiSilence is a silence as the API has it.
type apiSilence struct {
	ID        string       `json:"id,omitempty"`
	Matchers  []apiMatcher `json:"matchers"`
	StartsAt  time.Time    `json:"startsAt"`
	EndsAt    time.Time    `json:"endsAt"`
	CreatedBy string       `json:"createdBy"`
	Comment   string       `json:"comment"`

	UpdatedAt time.Time `json:"updatedAt,omitzero"`
	Status    *struct {
		State silence.State `json:"state"`
	} `json:"status,omitempty"`
}

type apiMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual *bool  `json:"isEqual,omitempty"` // missing: true
}

func (m apiMatcher) op() matcher.Op {
	equal := m.IsEqual == nil || *m.IsEqual
	switch {
	case m.IsRegex && equal:
		return matcher.Match
	case m.IsRegex:
		return matcher.NotMatch
	case equal:
		return matcher.Equal
	}
	return matcher.NotEqual
}

// toAPI makes what is sent of a silence.
func (c *Client) toAPI(s silence.Silence) (apiSilence, error) {
	if err := s.Validate(); err != nil {
		return apiSilence{}, err
	}
	if s.Hours != nil || s.End.IsZero() {
		return apiSilence{}, errors.New("silences of Alertmanager have an end and no hours")
	}
	a := apiSilence{ID: s.ID, StartsAt: s.Start, EndsAt: s.End, CreatedBy: s.CreatedBy, Comment: s.Comment}
	if a.StartsAt.IsZero() {
		a.StartsAt = c.config.Now()
	}
	add := func(m matcher.Matcher) {
		equal := m.Op() == matcher.Equal || m.Op() == matcher.Match
		a.Matchers = append(a.Matchers, apiMatcher{m.Name(), m.Value(), m.Op() == matcher.Match || m.Op() == matcher.NotMatch, &equal})
	}
	if s.Tenant != "" {
		m, err := matcher.New(c.config.TenantLabel, matcher.Equal, s.Tenant)
		if err != nil {
			return a, err
		}
		add(m)
	}
	for _, text := range s.Matchers {
		list, err := matcher.ParseList(text)
		if err != nil {
			return a, err
		}
		for _, m := range list {
			add(m)
		}
	}
	return a, nil
}

// fromAPI makes a silence of what was read.
func (c *Client) fromAPI(a apiSilence) (Silence, error) {
	s := Silence{Updated: a.UpdatedAt, Silence: silence.Silence{
		ID: a.ID, Start: a.StartsAt, End: a.EndsAt, CreatedBy: a.CreatedBy, Comment: a.Comment,
	}}
	if a.Status != nil {
		s.State = a.Status.State
	}
	for _, from := range a.Matchers {
		m, err := matcher.New(from.Name, from.op(), from.Value)
		if err != nil {
			return s, fmt.Errorf("silence %s: %w", a.ID, err)
		}
		if m.Name() == c.config.TenantLabel && m.Op() == matcher.Equal && m.Value() != "" && s.Tenant == "" {
			s.Tenant = m.Value()
			continue
		}
		s.Matchers = append(s.Matchers, m.String())
	}
	return s, nil
}

// Silences lists silences, those that are over included, by start and ID. Those are
// listed that have matchers of the same text, as Alertmanager filters them; see
// [AlertFilter].
func (c *Client) Silences(ctx context.Context, matchers ...string) ([]Silence, error) {
	const op = "silences"
	query := url.Values{}
	if err := addMatchers(query, matchers); err != nil {
		return nil, invalid(op, err)
	}
	var listed []apiSilence
	if err := c.do(ctx, resilience.Op{Name: op, Repeatable: true}, http.MethodGet, "/silences", query, nil, &listed); err != nil {
		return nil, err
	}
	list := make([]Silence, len(listed))
	for i, a := range listed {
		var err error
		if list[i], err = c.fromAPI(a); err != nil {
			return nil, &adapters.Error{Provider: provider, Op: op, Kind: adapters.BadResponse, Message: err.Error(), Err: err}
		}
	}
	slices.SortFunc(list, func(a, b Silence) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

// Silence reads one.
func (c *Client) Silence(ctx context.Context, id string) (Silence, error) {
	const op = "silence"
	var a apiSilence
	if err := c.do(ctx, resilience.Op{Name: op, Repeatable: true}, http.MethodGet, "/silence/"+url.PathEscape(id), nil, nil, &a); err != nil {
		return Silence{}, err
	}
	s, err := c.fromAPI(a)
	if err != nil {
		return s, &adapters.Error{Provider: provider, Op: op, Kind: adapters.BadResponse, Message: err.Error(), Err: err}
	}
	return s, nil
}

// SetSilence creates a silence, or changes the one of its ID, and returns the ID,
// which a change may have replaced. A Start in the past becomes the present. Silences
// with Hours or without End are refused: Alertmanager has none.
//
// A silence without ID whose creation was not answered may be there
// ([adapters.OutcomeUnknown]): list before trying again, or use [Client.KeepSilences].
func (c *Client) SetSilence(ctx context.Context, s silence.Silence) (id string, err error) {
	const op = "set silence"
	checked := s
	checked.ID = cmp.Or(s.ID, "new") // the ID is Alertmanager's to give
	a, err := c.toAPI(checked)
	if err != nil {
		return "", invalid(op, err)
	}
	a.ID = s.ID
	var answer struct {
		ID string `json:"silenceID"`
	}
	err = c.do(ctx, resilience.Op{Name: op, Tenant: s.Tenant}, http.MethodPost, "/silences", nil, a, &answer)
	if err == nil && answer.ID == "" {
		err = &adapters.Error{Provider: provider, Op: op, Tenant: s.Tenant, Kind: adapters.BadResponse, Message: "no silenceID in the answer", MayHaveApplied: true}
	}
	return answer.ID, err
}

// ExpireSilence ends a silence now. Ending what is over is no error.
func (c *Client) ExpireSilence(ctx context.Context, id string) error {
	return c.do(ctx, resilience.Op{Name: "expire silence", Repeatable: true}, http.MethodDelete, "/silence/"+url.PathEscape(id), nil, nil, nil)
}

// SilenceChanges are the IDs, those of the caller, of what [Client.KeepSilences] did.
type SilenceChanges struct {
	Created, Changed, Expired []string
	// Kept were as they should be.
	Kept []string
}

// KeepSilences makes the silences of a tenant in Alertmanager equal to a list, such as
// the maintenance windows of a calendar: it creates those that are missing, changes
// those that differ and expires those that are not wanted any more. It may be called
// again at any time; after an error it goes on where it stopped. Windows that are over
// are left out.
//
// It looks after its own silences alone: they are by [ClientConfig].CreatedBy, and the ID
// of the caller stands at the end of their comment. CreatedBy of the list is not sent.
// The first error ends it, with what was done until then.
func (c *Client) KeepSilences(ctx context.Context, tenant string, want []silence.Silence) (SilenceChanges, error) {
	var done SilenceChanges
	now := c.config.Now()
	planned := map[string]apiSilence{}
	var order []string
	for _, s := range want {
		if !s.End.IsZero() && !s.End.After(now) {
			continue
		}
		if s.Tenant != tenant {
			return done, invalid("sync silences", fmt.Errorf("silence %q is of tenant %q, not %q", s.ID, s.Tenant, tenant))
		}
		if _, twice := planned[s.ID]; twice || s.ID == "" {
			return done, invalid("sync silences", fmt.Errorf("silence %q: want an ID of its own", s.ID))
		}
		s.CreatedBy = c.config.CreatedBy
		a, err := c.toAPI(s)
		if err != nil {
			return done, invalid("sync silences", err)
		}
		a.Comment += mark(s.ID)
		planned[s.ID], order = a, append(order, s.ID)
	}
	there, err := c.Silences(ctx)
	if err != nil {
		return done, err
	}
	found := map[string]bool{}
	for _, s := range there {
		id, ours := c.marked(s)
		if !ours || s.Tenant != tenant || s.State == silence.Expired {
			continue
		}
		a, wanted := planned[id]
		if !wanted || found[id] { // one too many after an answer that was lost
			if err := c.ExpireSilence(ctx, s.ID); err != nil {
				return done, err
			}
			done.Expired = append(done.Expired, id)
			continue
		}
		found[id] = true
		if c.same(s, a) {
			done.Kept = append(done.Kept, id)
			continue
		}
		if err := c.put(ctx, tenant, a, s.ID); err != nil {
			return done, err
		}
		done.Changed = append(done.Changed, id)
	}
	for _, id := range order {
		if found[id] {
			continue
		}
		if err := c.put(ctx, tenant, planned[id], ""); err != nil {
			return done, err
		}
		done.Created = append(done.Created, id)
	}
	return done, nil
}

// put sends a silence, in the place of another if id is not empty.
func (c *Client) put(ctx context.Context, tenant string, a apiSilence, id string) error {
	a.ID = id
	return c.do(ctx, resilience.Op{Name: "set silence", Tenant: tenant}, http.MethodPost, "/silences", nil, a, nil)
}

// same reports whether a silence is as planned. The start of one that is in force is
// what Alertmanager made of it.
func (c *Client) same(s Silence, a apiSilence) bool {
	b, err := c.fromAPI(a)
	if err != nil {
		return false
	}
	started := s.State == silence.Active && !a.StartsAt.After(c.config.Now())
	sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	return (started || sameMilli(s.Start, a.StartsAt)) && sameMilli(s.End, a.EndsAt) && s.Comment == a.Comment &&
		slices.Equal(sorted(s.Matchers), sorted(b.Matchers))
}

// sameMilli compares instants as the API writes them, in milliseconds.
func sameMilli(a, b time.Time) bool { return a.UnixMilli() == b.UnixMilli() }

// mark is what the comment of a silence ends with.
func mark(id string) string { return " (evenkeel " + id + ")" }

// marked returns the caller's ID of a silence of ours.
func (c *Client) marked(s Silence) (id string, ours bool) {
	if s.CreatedBy != c.config.CreatedBy {
		return "", false
	}
	i := strings.LastIndex(s.Comment, " (evenkeel ")
	if i < 0 || !strings.HasSuffix(s.Comment, ")") {
		return "", false
	}
	id = strings.TrimSuffix(s.Comment[i+len(" (evenkeel "):], ")")
	return id, id != "" && s.Comment[i:] == mark(id)
}
