package jira

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Opened is what became of one ticket of many.
type Opened struct {
	Ref adapters.Ref
	Err error // nil if the ticket is there and complete
}

// OpenMany is Open for many tickets, fifty with one call. The answers are in the
// order of the tickets; one that is refused does not keep the others from being
// created. Tickets whose outcome is unknown are opened one by one afterwards,
// which looks for them first.
func (c *Client) OpenMany(ctx context.Context, tickets []adapters.Ticket) []Opened {
	const op = "open_many"
	out := make([]Opened, len(tickets))
	var batch []int // places of tickets that are new
	drafts := make([]draft, len(tickets))
	var single []int // places of those that Open has to see to
	for i, t := range tickets {
		if t.Tenant == "" {
			t.Tenant = c.config.Tenant
		}
		d, err := c.draft(ctx, op, t)
		if err != nil {
			out[i].Err = err
			continue
		}
		drafts[i] = d
		entry, first, err := c.config.Ledger.Intend(ctx, t.Tenant, t.Key, c.config.Now())
		switch {
		case err != nil:
			out[i].Err = c.ledgerError(ctx, op, t.Tenant, err)
		case !first && entry.Settled():
			out[i].Ref = entry.Ref
		case !first: // by an earlier call, or by this one a few tickets before
			single = append(single, i)
		default:
			batch = append(batch, i)
		}
	}
	for part := range slices.Chunk(batch, maxBulk) {
		if c.lookFirst {
			part = c.openKnown(ctx, op, part, drafts, out)
		}
		if len(part) > 0 {
			single = append(single, c.openBatch(ctx, op, part, drafts, out)...)
		}
	}
	slices.Sort(single)
	for _, i := range single {
		out[i].Ref, out[i].Err = c.Open(ctx, drafts[i].ticket)
	}
	return out
}

// openKnown looks for issues that the ledger may not know, and returns the places
// of those that are not there.
func (c *Client) openKnown(ctx context.Context, op string, part []int, drafts []draft, out []Opened) (missing []int) {
	labels := make([]string, len(part))
	for n, i := range part {
		labels[n] = drafts[i].label
	}
	found, err := c.byLabel(ctx, op, c.config.Tenant, labels)
	for _, i := range part {
		d := drafts[i]
		ref := oldest(found[d.label])
		switch {
		case err != nil:
			out[i].Err = c.only(errors.Join(err, c.forget(ctx, d.ticket)))
		case ref.IsZero():
			missing = append(missing, i)
		default:
			ref.Tenant = d.ticket.Tenant
			out[i] = Opened{ref, c.settle(ctx, op, ref, d)}
		}
	}
	return missing
}

// openBatch creates up to fifty issues and returns the places of those whose
// outcome is unknown.
func (c *Client) openBatch(ctx context.Context, op string, part []int, drafts []draft, out []Opened) (unknown []int) {
	list := make([]any, len(part))
	for n, i := range part {
		list[n] = drafts[i].body
	}
	var answer bulkAnswer
	call, err := c.do(ctx, request{op: op, method: http.MethodPost, route: "rest/api/2/issue/bulk", body: map[string]any{"issueUpdates": list}, into: &answer})
	if err != nil && adapters.KindOf(err) == adapters.Invalid {
		answer.read(call.Body) // when all are refused, the same list comes with a 400
	}
	failed := map[int]error{}
	for _, e := range answer.Errors {
		if e.Number < 0 || e.Number >= len(part) {
			continue
		}
		failed[e.Number] = c.itemError(op, drafts[part[e.Number]].ticket.Tenant, e)
	}
	made := answer.Issues
	for n, i := range part {
		t := drafts[i].ticket
		switch refused := failed[n]; {
		case refused != nil:
			out[i].Err = c.only(errors.Join(refused, c.forget(ctx, t)))
		case err != nil && mayHaveApplied(err):
			c.doubt(drafts[i].label, adapters.Ref{})
			unknown = append(unknown, i)
		case err != nil:
			out[i].Err = c.only(errors.Join(err, c.forget(ctx, t)))
		case len(made) == 0 || !word(made[0].ID):
			c.doubt(drafts[i].label, adapters.Ref{})
			unknown = append(unknown, i)
		default:
			ref := c.ref(t.Tenant, made[0].ID, made[0].Key, c.config.IssueType, "")
			made = made[1:]
			c.doubt(drafts[i].label, ref)
			out[i] = Opened{ref, c.settle(ctx, op, ref, drafts[i])}
		}
	}
	return unknown
}

// itemError is what became of one issue of a bulk create.
func (c *Client) itemError(op, tenant string, item bulkError) error {
	e := &adapters.Error{Provider: provider, Op: op, Tenant: tenant, Kind: adapters.Invalid, Status: item.Status, Attempts: 1}
	e.Details = item.Element.details()
	if len(item.Element.Messages) > 0 {
		e.Message = clip(strings.Join(item.Element.Messages, "; "), 1000)
	}
	if e.Message == "" && len(e.Details) > 0 {
		e.Message, e.Details = e.Details[0], e.Details[1:]
	}
	e.Err = errors.New("item " + strconv.Itoa(item.Number) + " of a bulk create was refused")
	return e
}

// bulkAnswer is what a bulk create comes to: 201 with those that were created, in
// their order, and those that were not by their place in the request.
//
// https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/#api-rest-api-2-issue-bulk-post
type bulkAnswer struct {
	Issues []created   `json:"issues"`
	Errors []bulkError `json:"errors"`
}

type bulkError struct {
	Status  int     `json:"status"`
	Number  int     `json:"failedElementNumber"`
	Element problem `json:"elementErrors"`
}

// read takes an answer that came with an error; one in another form is none.
func (a *bulkAnswer) read(body []byte) {
	var answer bulkAnswer
	if json.Unmarshal(body, &answer) == nil {
		*a = answer
	}
}
