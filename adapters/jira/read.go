package jira

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	sdk "github.com/andygrunwald/go-jira"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// fields are what makes a ticket.
func (c *Client) fields() []string {
	return append([]string{
		"summary", "description", "priority", "status", "resolution", "resolutiondate", "created", "updated", "labels", "assignee", "issuetype", "project",
	}, c.config.Fields...)
}

// Read reads an issue as it stands, not as a search shows it. Its version is when
// it was last changed. Links are not read, and ByUs is not known.
func (c *Client) Read(ctx context.Context, ref adapters.Ref) (adapters.Ticket, error) {
	const op = "read"
	i, err := c.issue(ctx, op, ref, c.fields())
	if err != nil {
		return adapters.Ticket{}, err
	}
	return c.ticket(op, ref.Tenant, i)
}

// issue reads fields of an issue, and our property.
func (c *Client) issue(ctx context.Context, op string, ref adapters.Ref, fields []string) (issue, error) {
	id, err := c.issueID(op, ref)
	if err != nil {
		return issue{}, err
	}
	var i issue
	_, err = c.do(ctx, request{
		op: op, tenant: ref.Tenant, method: http.MethodGet, route: "rest/api/2/issue/{issue}", args: []string{id}, repeatable: true, into: &i,
		query: url.Values{"fields": {strings.Join(fields, ",")}, "properties": {c.config.Property}},
	})
	if err != nil {
		return issue{}, err
	}
	if i.Fields == nil || !word(i.ID) {
		return issue{}, c.fail(op, ref.Tenant, adapters.BadResponse, "issue without fields", nil)
	}
	return i, nil
}

// mark is what we wrote into a property of an issue; empty if we did not.
func (i issue) mark(property string) mark {
	var m mark
	if json.Unmarshal(i.Properties[property], &m) != nil {
		return mark{} // somebody else's
	}
	return m
}

// refOf makes the reference of an issue that was read.
func (c *Client) refOf(tenant string, i issue) adapters.Ref {
	return c.ref(tenant, i.ID, i.Key, i.Fields.Type.Name, stamp(time.Time(i.Fields.Updated)))
}

// stamp writes an instant as a version, which sorts.
func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}

// ticket reads an issue.
func (c *Client) ticket(op, tenant string, i issue) (adapters.Ticket, error) {
	if i.Fields == nil || !word(i.ID) {
		return adapters.Ticket{}, c.fail(op, tenant, adapters.BadResponse, "issue without fields", nil)
	}
	f := i.Fields
	t := adapters.Ticket{
		Tenant: tenant, Title: f.Summary, Text: f.Description, Target: f.Project.Key, Created: utc(f.Created), Updated: utc(f.Updated),
		Resolved: utc(f.Resolutiondate), Assignee: userID(f.Assignee),
	}
	m := i.mark(c.config.Property)
	t.Key, t.Tenant = m.Key, cmp.Or(m.Tenant, tenant)
	t.Labels = slices.DeleteFunc(slices.Clone(f.Labels), func(l string) bool { return l == m.Label })
	t.Ref = c.refOf(t.Tenant, i)
	for _, id := range c.config.Fields {
		if v, ok := f.Unknowns[id]; ok && v != nil {
			if t.Fields == nil {
				t.Fields = map[string]any{}
			}
			t.Fields[id] = v
		}
	}
	var err error
	if f.Priority != nil {
		if t.Severity, err = c.severity(f.Priority.Name); err != nil {
			return t, c.fail(op, t.Tenant, adapters.BadResponse, fmt.Sprintf("issue %s: priority %q is in no pair of Priorities", i.Key, f.Priority.Name), err)
		}
	} else if m.Severity != "" {
		var s incident.Severity
		if s.UnmarshalText([]byte(m.Severity)) == nil {
			t.Severity = s
		}
	}
	if f.Status != nil {
		resolution := ""
		if f.Resolution != nil {
			resolution = f.Resolution.Name
		}
		if t.State, err = c.state(Status{Category: f.Status.StatusCategory.Key, Name: f.Status.Name}, resolution); err != nil {
			return t, c.fail(op, t.Tenant, adapters.BadResponse, fmt.Sprintf("issue %s: status %q of category %q is in no pair of States", i.Key, f.Status.Name, f.Status.StatusCategory.Key), err)
		}
	}
	return t, nil
}

// utc converts an instant, zero staying zero.
func utc(t sdk.Time) time.Time {
	if at := time.Time(t); !at.IsZero() {
		return at.UTC()
	}
	return time.Time{}
}

// userID is what assigns an issue to somebody: an account id on Cloud, a name on
// Data Center.
func userID(u *sdk.User) string {
	switch {
	case u == nil:
		return ""
	case u.AccountID != "":
		return u.AccountID
	default:
		return u.Name
	}
}
