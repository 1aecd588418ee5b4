package servicenow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
)

// Event is a change of a record that a business rule has posted.
type Event struct {
	Operation string // "insert", "update" or "delete"
	Ticket    adapters.Ticket
	By        string    // user_name of who made the change
	At        time.Time // when
	Raw       json.RawMessage
}

// ReceiverConfig is what a receiver of events needs.
type ReceiverConfig struct {
	// Secrets that business rules sign with, several while one is replaced. Required.
	Secrets []adapters.Secret
	// Accept takes an event durably; an error makes the instance send again if its
	// business rule does. Required.
	Accept func(ctx context.Context, e Event) error
	// Seen remembers events. Defaults to a window in memory.
	Seen ingest.Seen
	// Pending is how many events may be in Accept at a time. Defaults to 1,000.
	Pending int
	// Now returns the time. Defaults to time.Now.
	Now func() time.Time
}

// NewReceiver returns a receiver for a business rule of the customer's, since
// ServiceNow has no webhooks of its own. The rule runs async after insert, update
// and delete, and posts
//
//	{"table": "incident", "operation": "update", "record": {"sys_id": "…", "sys_mod_count": "7", …}}
//
// with the columns of [Client.EventColumns] as values of the database, and signs
// the raw body as [ingest.Generic] says. An event is known by table, sys_id, sys_mod_count and
// operation, so a repeated one is answered and not handed on.
func (c *Client) NewReceiver(w ReceiverConfig) (*ingest.Handler, error) {
	if w.Accept == nil {
		return nil, errors.New("servicenow: WebhookConfig.Accept missing")
	}
	return ingest.New(ingest.Config{
		Name: provider, Verifier: ingest.Generic(w.Secrets...), Seen: w.Seen, Pending: w.Pending, Now: w.Now,
		Read: func(_ *http.Request, body []byte) ([]string, any, error) {
			posted, event, err := c.read(body)
			if err != nil {
				return nil, nil, err
			}
			return []string{posted.key()}, event, nil
		},
		Accept: func(ctx context.Context, d ingest.Delivery) error {
			event, _ := d.Value.(Event) // of Read
			return w.Accept(ctx, event)
		},
	})
}

// posted is the body of a webhook.
type posted struct {
	Table     string `json:"table"`
	Operation string `json:"operation"`
	Record    Record `json:"record"`
}

func (p posted) key() string {
	return p.Table + "/" + p.Record["sys_id"] + "/" + p.Record["sys_mod_count"] + "/" + p.Operation
}

func parsePosted(body []byte) (posted, error) {
	var p posted
	if err := json.Unmarshal(body, &p); err != nil {
		return posted{}, fmt.Errorf("servicenow: webhook: %w", err)
	}
	switch {
	case !isColumn(p.Table):
		return posted{}, fmt.Errorf("servicenow: webhook: table %q, want the name of one", p.Table)
	case p.Operation != "insert" && p.Operation != "update" && p.Operation != "delete":
		return posted{}, fmt.Errorf("servicenow: webhook: operation %q, want insert, update or delete", p.Operation)
	case p.Record["sys_mod_count"] == "":
		return posted{}, errors.New("servicenow: webhook: record without sys_mod_count")
	}
	if err := checkID(p.Record["sys_id"]); err != nil {
		return posted{}, fmt.Errorf("servicenow: webhook: %w", err)
	}
	return p, nil
}

// Event reads the body of a webhook. Columns that are not there leave their fields
// empty; states and priorities that are in no pair are an error.
func (c *Client) Event(body []byte) (Event, error) {
	_, e, err := c.read(body)
	return e, err
}

func (c *Client) read(body []byte) (posted, Event, error) {
	p, err := parsePosted(body)
	if err != nil {
		return posted{}, Event{}, err
	}
	e := Event{Operation: p.Operation, By: p.Record["sys_updated_by"], Raw: bytes.Clone(body)}
	if p.Record["state"] == "" || p.Table != c.config.Table {
		// States of other tables are not ours; Raw has what there is.
		row := maps.Clone(p.Record)
		row["state"], _ = c.config.States.Theirs(adapters.StateNew)
		if p.Table != c.config.Table {
			row["priority"] = ""
		}
		e.Ticket, err = c.ticket(request{op: "event"}, p.Table, row)
		e.Ticket.State = ""
	} else {
		e.Ticket, err = c.ticket(request{op: "event"}, p.Table, p.Record)
	}
	if err != nil {
		return posted{}, Event{}, err
	}
	e.At = e.Ticket.Updated
	return p, e, nil
}

// EventColumns returns the columns that a business rule has to post for events to be
// complete.
func (c *Client) EventColumns() []string { return c.ticketColumns() }
