package servicenow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
)

// EventRecord is an event for Event Management, which makes alerts of them: those
// of one MessageKey are one alert.
// https://www.servicenow.com/docs/bundle/zurich-it-operations-management/page/product/event-management/task/send-events-via-web-service.html
type EventRecord struct {
	Source     string // "evenkeel"; required
	Node       string // host or service; required
	Type       string // groups events; required
	Resource   string
	Metric     string
	MessageKey string // required
	Severity   incident.Severity
	Closing    bool // whether the condition has ended
	Text       string
	At         time.Time
	Info       map[string]string // goes into additional_info
}

// emSeverities are P1 Critical, P2 Major, P3 Minor and P4 Warning.
var emSeverities = adapters.Names[incident.Severity, string]{
	{Ours: incident.P1, Theirs: "1"}, {Ours: incident.P2, Theirs: "2"}, {Ours: incident.P3, Theirs: "3"}, {Ours: incident.P4, Theirs: "4"},
}

// SendEvents hands events to Event Management. It needs the role
// evt_mgmt_integration. Sending an event again changes nothing, because of its
// MessageKey.
func (c *Client) SendEvents(ctx context.Context, events ...EventRecord) error {
	r := request{op: "send_events", method: "POST", path: "api/global/em/jsonv2"}
	if len(events) == 0 {
		return nil
	}
	records := make([]map[string]string, len(events))
	for i, e := range events {
		if e.Source == "" || e.Node == "" || e.Type == "" || e.MessageKey == "" {
			return c.fail(r, adapters.Invalid, fmt.Errorf("event %d: want Source, Node, Type and MessageKey", i))
		}
		severity, err := emSeverities.Theirs(e.Severity)
		if err != nil {
			return c.fail(r, adapters.Invalid, fmt.Errorf("event %d: severity: %w", i, err))
		}
		records[i] = map[string]string{
			"source": e.Source, "node": e.Node, "type": e.Type, "resource": e.Resource, "metric_name": e.Metric, "message_key": e.MessageKey,
			"severity": severity, "description": e.Text, "resolution_state": "New", "time_of_event": FormatTime(e.At),
		}
		if e.Closing {
			records[i]["resolution_state"] = "Closing"
		}
		if len(e.Info) > 0 {
			info, err := json.Marshal(e.Info)
			if err != nil {
				return c.fail(r, adapters.Invalid, err)
			}
			records[i]["additional_info"] = string(info)
		}
	}
	r.body = map[string]any{"records": records}
	var answer struct {
		Result map[string]string `json:"result"` // {"Default Bulk Endpoint": "1 events were inserted"}
	}
	if _, err := c.do(ctx, r, &answer); err != nil {
		return err
	}
	if len(answer.Result) == 0 {
		return c.fail(r, adapters.BadResponse, errors.New("answer without the endpoint that took the events"))
	}
	return nil
}
