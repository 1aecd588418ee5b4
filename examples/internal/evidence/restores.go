package evidence

import (
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/internal/threshold"
	"github.com/evenkeelops/evenkeel/sla"
)

// restores reads the table of restore proofs.
func (r *reader) restores(name string) error {
	return r.rows(name, []string{"service", "kind", "started", "restored", "verified", "rto_target", "rpo_target"}, []string{
		"failed_at", "newest", "by", "artefact_sha256",
	}, func(t *table.Table) {
		service := t.Required("service")
		p := sla.Restore{
			Service: text(service), Kind: sla.RestoreKind(text(t.Word("kind", string(sla.RestoreInPlace), string(sla.RestoreSide), string(sla.RestorePartial)))),
			Started: r.needed(t, "started"), Restored: r.time(t, "restored"), Verified: r.time(t, "verified"),
			RTOTarget: duration(t, "rto_target"), RPOTarget: duration(t, "rpo_target"), FailedAt: r.time(t, "failed_at"), Newest: r.time(t, "newest"),
			By: text(t.Text("by")), SHA256: text(t.Text("artefact_sha256")),
		}
		for _, e := range []struct {
			column string
			at     time.Time
		}{{"restored", p.Restored}, {"verified", p.Verified}} {
			if !e.at.IsZero() && e.at.Before(p.Started) {
				t.Fail(e.column, "%s is before started %s", e.at.Format(time.RFC3339), p.Started.Format(time.RFC3339))
			}
		}
		if r.known(service) {
			r.Evidence.Restores = append(r.Evidence.Restores, p)
		}
	})
}

// duration reads a length of time, 0 when absent.
func duration(t *table.Table, column string) time.Duration {
	cell := t.Text(column)
	if cell == "" {
		return 0
	}
	d, err := threshold.ParseDuration(cell)
	if err != nil {
		t.Fail(column, "%v", err)
	}
	return d
}
