package evidence

import (
	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/sla"
)

// changes reads the table of changes; one without an outcome is not finished.
func (r *reader) changes(name string) error {
	seen := ids{}
	return r.rows(name, []string{"id", "service", "start", "end", "type", "outcome"}, []string{"requested", "approved", "caused_incident"}, func(t *table.Table) {
		id, service := seen.check(t), t.Required("service")
		i, ok := r.span(t, true)
		c := sla.Change{
			Ref: text(id), Service: text(service), Start: i.Start, End: i.End, Requested: r.time(t, "requested"), Approved: r.time(t, "approved"),
			CausedIncident: text(t.Text("caused_incident")),
			Kind:           sla.ChangeKind(text(t.Word("type", string(sla.StandardChange), string(sla.NormalChange), string(sla.EmergencyChange)))),
		}
		if t.Text("outcome") != "" {
			c.Outcome = sla.ChangeOutcome(text(t.Word("outcome", string(sla.ChangeSuccess), string(sla.ChangeFailed), string(sla.ChangeRolledBack), string(sla.ChangeCancelled))))
			if c.End.IsZero() && c.Outcome != sla.ChangeCancelled {
				t.Fail("end", "the cell is empty, but the change has an outcome")
			}
		}
		if ok && r.known(service) {
			r.Evidence.Changes = append(r.Evidence.Changes, c)
		}
	})
}
