package servicenow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/evenkeelops/evenkeel/adapters"
)

// Limits of the Batch API: 5 MB of a request, of which the rest of the JSON takes
// some, and 30 s for all of it; what is not done then comes back as unserviced.
// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/batch-api.html
const (
	maxBatch      = 100
	maxBatchBytes = 3 << 20 // before base64, which makes 4/3 of it
)

// Opened is what became of one ticket of many.
type Opened struct {
	Ref adapters.Ref
	Err error // an *adapters.Error; nil if the ticket is open
}

// OpenMany opens tickets as Open does, in few requests: it looks for all keys,
// creates what is missing by the Batch API, repeats what the instance did not get
// to, and looks again for rows that others have made at once. The results are in
// the order of the tickets. A ticket whose outcome is not known in the end has an
// error of [adapters.OutcomeUnknown]; opening it again is safe.
func (c *Client) OpenMany(ctx context.Context, tickets []adapters.Ticket) []Opened {
	out := make([]Opened, len(tickets))
	drafts := make([]draft, len(tickets))
	byKey := map[[2]string][]int{} // the places of each tenant and key
	var open []int
	for i, t := range tickets {
		r := request{op: "open_many", tenant: t.Tenant}
		if drafts[i], out[i].Err = c.draft(ctx, r, t); out[i].Err != nil {
			continue
		}
		id := [2]string{t.Tenant, t.Key}
		if byKey[id] = append(byKey[id], i); len(byKey[id]) == 1 {
			open = append(open, i)
			for _, k := range keys(t.Tenant, t.Key) {
				drafts[i].values[k.column] = k.value
			}
		}
	}
	rows := map[int]Record{}
	missing, err := c.lookMany(ctx, tickets, open, rows)
	attempts := c.config.Policy.Attempts
	setDefault(&attempts, 3)
	fresh := map[int]Record{} // what was created, with its priority
	failed := map[int]error{}
	for n := 1; err == nil && len(missing) > 0 && n <= attempts; n++ {
		err = c.createMany(ctx, tickets, drafts, missing, fresh, failed)
		if err != nil && !errors.Is(err, adapters.OutcomeUnknown) {
			break
		}
		if err != nil && pause(ctx, c.config.Policy.Backoff(n)) != nil {
			break
		}
		// Look for all of them: for twins of what was made, and for what was made without a word.
		var lookErr error
		if missing, lookErr = c.lookMany(ctx, tickets, missing, rows); lookErr != nil {
			err = lookErr
			break
		}
		missing = slices.DeleteFunc(missing, func(i int) bool { return failed[i] != nil })
		if len(missing) > 0 && n == attempts {
			break
		}
		err = nil
	}
	for _, places := range byKey {
		first := places[0]
		t := tickets[first]
		r := request{op: "open_many", tenant: t.Tenant}
		row := rows[first]
		switch {
		case row != nil:
			ref := c.ref(c.config.Table, row)
			ref.Tenant = t.Tenant
			out[first].Ref = ref
			if made := fresh[first]; made != nil && made["sys_id"] == row["sys_id"] {
				drafts[first].report(ctx, c, ref, made)
			}
			out[first].Err = c.attachWhole(ctx, r, ref, drafts[first].whole)
		case failed[first] != nil:
			out[first].Err = failed[first]
		case err != nil:
			out[first].Err = err
		default:
			out[first].Err = c.fail(r, adapters.Unavailable, errors.New("the instance did not get to it"))
		}
		for _, i := range places[1:] {
			out[i] = out[first]
		}
	}
	return out
}

// lookMany looks for the keys of tickets, notes the rows that stay and returns the
// places of those that have none.
func (c *Client) lookMany(ctx context.Context, tickets []adapters.Ticket, places []int, rows map[int]Record) (missing []int, err error) {
	byTenant := map[string]map[string]int{}
	for _, i := range places {
		t := tickets[i]
		if byTenant[t.Tenant] == nil {
			byTenant[t.Tenant] = map[string]int{}
		}
		byTenant[t.Tenant][t.Key] = i
	}
	for _, tenant := range slices.Sorted(maps.Keys(byTenant)) {
		r := request{op: "open_many", tenant: tenant}
		of := byTenant[tenant]
		q := Where("correlation_display", Equal, displayPrefix+tenant).And("correlation_id", OneOf, slices.Sorted(maps.Keys(of))...)
		parts, err := q.Split(maxURL - 900 - len(c.base.String()))
		if err != nil {
			return nil, c.fail(r, adapters.Invalid, err)
		}
		columns := slices.Concat(keyColumns, []string{"correlation_id", "correlation_display"})
		for _, part := range parts {
			var twins []Record
			for row, err := range c.walk(ctx, r, c.config.Table, part, columns, createdOn, place{}) {
				if err == nil && row["correlation_display"] != displayPrefix+tenant {
					err = c.fail(r, adapters.BadResponse, errors.New("the instance ignored that keys were asked for"))
				}
				if err != nil {
					return nil, err
				}
				twins = append(twins, row)
			}
			// Of one second the lower number stays, as when one is opened.
			slices.SortStableFunc(twins, func(a, b Record) int {
				if a[createdOn] != b[createdOn] || a["number"] == b["number"] {
					return 0
				}
				if a["number"] < b["number"] {
					return -1
				}
				return 1
			})
			for _, row := range twins {
				i, known := of[row["correlation_id"]]
				if !known {
					return nil, c.fail(r, adapters.BadResponse, errors.New("the instance ignored that keys were asked for"))
				}
				if kept := rows[i]; kept != nil && kept["sys_id"] != row["sys_id"] {
					if err := c.endDuplicate(ctx, r, c.config.Table, kept, row); err != nil {
						return nil, err
					}
					continue
				}
				rows[i] = row
			}
		}
	}
	for _, i := range places {
		if rows[i] == nil {
			missing = append(missing, i)
		}
	}
	return missing, nil
}

type batchItem struct {
	ID      string        `json:"id"`
	Method  string        `json:"method"`
	URL     string        `json:"url"`
	Headers []batchHeader `json:"headers"`
	Body    []byte        `json:"body"` // base64
}

type batchHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type batchAnswer struct {
	Serviced []struct {
		ID     string `json:"id"`
		Status int    `json:"status_code"`
		Body   []byte `json:"body"`
	} `json:"serviced_requests"`
	Unserviced []string `json:"unserviced_requests"`
}

// createMany creates the rows of tickets. It notes what was made and what was
// refused; what is in neither was not got to, or its outcome is not known.
func (c *Client) createMany(ctx context.Context, tickets []adapters.Ticket, drafts []draft, places []int, made map[int]Record, failed map[int]error) error {
	var items []batchItem
	bytes := 0
	send := func() error {
		defer func() { items, bytes = nil, 0 }()
		return c.batch(ctx, items, func(id string, status int, body []byte) error {
			i, err := strconv.Atoi(id)
			if err != nil || i < 0 || i >= len(tickets) {
				return fmt.Errorf("answer to request %q, which was not made", id)
			}
			row, err := c.created(request{op: "open_many", tenant: tickets[i].Tenant}, status, body)
			if err != nil {
				failed[i] = err
			} else {
				made[i] = row
			}
			return nil
		})
	}
	for _, i := range places {
		body, err := json.Marshal(drafts[i].values)
		if err != nil {
			return c.fail(request{op: "open_many"}, adapters.Invalid, err)
		}
		if len(items) == maxBatch || bytes+len(body) > maxBatchBytes {
			if err := send(); err != nil {
				return err
			}
		}
		target := url.URL{Path: "/" + tablePath(c.config.Table), RawQuery: options(append(slices.Clone(keyColumns), "priority")).Encode()}
		if c.config.Staging != "" {
			target = url.URL{Path: "/api/now/import/" + c.config.Staging}
		}
		items = append(items, batchItem{
			ID: strconv.Itoa(i), Method: "POST", URL: target.String(), Body: body,
			Headers: []batchHeader{{"Content-Type", "application/json"}, {"Accept", "application/json"}},
		})
		bytes += len(body)
	}
	return send()
}

// created reads the answer to one create of a batch; no row and no error if it is
// to be looked for.
func (c *Client) created(r request, status int, body []byte) (Record, error) {
	if status < 200 || status >= 300 {
		e := &adapters.Error{Provider: provider, Op: r.op, Tenant: r.tenant, Kind: adapters.Invalid, Status: status}
		switch {
		case status >= 500:
			return nil, nil // looked for, and made again if it is not there
		case status == 401:
			e.Kind = adapters.Unauthorized
		case status == 403:
			e.Kind = adapters.Forbidden
		case status == 404:
			e.Kind = adapters.NotFound
		case status == 429:
			e.Kind = adapters.RateLimited
		}
		decode(e, status, nil, body)
		e.Err = errors.New("one request of a batch was refused")
		return nil, e
	}
	if c.config.Staging != "" {
		var answer imported
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, c.fail(r, adapters.BadResponse, err)
		}
		if _, err := answer.id(c.config.Table); err != nil {
			return nil, c.fail(r, adapters.Invalid, err)
		}
		return nil, nil
	}
	var answer struct {
		Result Record `json:"result"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, c.fail(r, adapters.BadResponse, err)
	}
	return answer.Result, nil
}

// batch sends requests in one, and again those that were not serviced, as long as
// each round gets to some.
func (c *Client) batch(ctx context.Context, items []batchItem, each func(id string, status int, body []byte) error) error {
	r := request{op: "open_many", method: "POST", path: "api/now/v1/batch", once: true}
	for round := 1; len(items) > 0; round++ {
		r.body = map[string]any{"batch_request_id": strconv.Itoa(round), "rest_requests": items}
		var answer batchAnswer
		if _, err := c.do(ctx, r, &answer); err != nil {
			return err
		}
		for _, s := range answer.Serviced {
			if err := each(s.ID, s.Status, s.Body); err != nil {
				return c.fail(r, adapters.BadResponse, err)
			}
		}
		if len(answer.Serviced) == 0 {
			return nil // the caller looks for what is missing
		}
		items = slices.DeleteFunc(items, func(item batchItem) bool { return !slices.Contains(answer.Unserviced, item.ID) })
	}
	return nil
}
