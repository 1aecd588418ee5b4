package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/incident"
)

// BenchmarkFire fires the first level of a P1 incident, a hundred of them at a
// time: state, timeline, outbox and the end of the timer.
func BenchmarkFire(b *testing.B) {
	s, c := open(b)
	e := escalator(b, s)
	for i := range b.N {
		event := escalation.Event{Kind: escalation.Opened, Incident: fmt.Sprint("INC-", i), Severity: incident.P1, Domain: "kubernetes", At: at}
		if _, err := e.Apply(b.Context(), event); err != nil {
			b.Fatal(err)
		}
	}
	c.set(at.Add(15 * time.Minute))
	b.ReportAllocs()
	b.ResetTimer()
	for fired := 0; fired < b.N; {
		leases, err := s.Timers().Claim(b.Context(), 100, time.Hour)
		if err != nil || len(leases) == 0 {
			b.Fatalf("%d leases after %d of %d: %v", len(leases), fired, b.N, err)
		}
		for _, err := range s.Fire(b.Context(), leases, e.Fire) {
			if err != nil {
				b.Fatal(err)
			}
		}
		fired += len(leases)
	}
}
