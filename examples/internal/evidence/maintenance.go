package evidence

import (
	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/sla"
)

// maintenance reads the table of announced windows.
func (r *reader) maintenance(name string) error {
	seen := ids{}
	return r.rows(name, []string{"id", "service", "start", "end", "announced", "type", "status"}, []string{"title"}, func(t *table.Table) {
		id, service := seen.check(t), t.Required("service")
		i, ok := r.span(t, false)
		m := sla.Maintenance{Ref: text(id), Service: text(service), Start: i.Start, End: i.End, Announced: r.time(t, "announced"), Title: text(t.Text("title"))}
		m.Emergency = t.Word("type", "planned", "emergency") == "emergency"
		m.Cancelled = t.Word("status", "planned", "done", "cancelled") == "cancelled"
		if ok && r.known(service) {
			r.Evidence.Maintenance = append(r.Evidence.Maintenance, m)
		}
	})
}
