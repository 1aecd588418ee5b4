package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// write writes the requests.
func (in *inputs) write(env *program.Env, requests []request) error {
	if env.Format == "json" {
		enc := json.NewEncoder(env.Out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(program.Envelope{Schema: "bridge-log/v1", Now: in.now, Sample: in.Sample, Inputs: in.Sources, Warnings: in.Notices}); err != nil {
			return err
		}
		for _, r := range requests {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	for _, n := range in.Notices {
		env.Log.Warn(n.Message, "code", n.Code)
	}
	if in.Sample {
		fmt.Fprint(env.Out, "The embedded sample, and nothing is sent; name your own files with -config and -in.\n\n")
	}
	w := tabwriter.NewWriter(env.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "Sink\tTenant\tAction\tSeverity\tTicket\tOutcome")
	for _, r := range requests {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Sink, r.Tenant, r.Action, r.Severity, r.Ticket.Title, r.outcome())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(env.Out, "\n%d requests at %s.\n", len(requests), in.now.Format(time.RFC3339))
	return err
}

func (r request) outcome() string {
	switch {
	case r.Error != nil:
		return *r.Error
	case r.Sent && r.Status != nil:
		return fmt.Sprintf("sent, %d", *r.Status)
	case r.Sent:
		return "sent"
	default:
		return "not sent"
	}
}
