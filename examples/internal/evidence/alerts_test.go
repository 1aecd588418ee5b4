package evidence_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/incident"
)

// A line is read alike by the quick way and by the standard library, which an escape or a
// null calls for; keys with another case are the standard library's.
func TestAlertsBothWays(t *testing.T) {
	read := func(line string) (log []replay.Arrival, err error) {
		take := evidence.Take(func(a replay.Arrival, _ evidence.ID) error {
			log = append(log, a)
			return nil
		})
		open := func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(line + "\n")), nil }
		_, err = evidence.Alerts(open, "a.jsonl", func() (evidence.Take, error) { return take, nil })
		return log, err
	}
	for _, line := range []string{
		`{"time":"2026-10-01T02:00:00+02:00","alert":"platform.db_slow","status":"firing"}`,
		`{"time":"2026-10-01T00:00:00.5Z","arrival":"2026-10-01T00:00:02Z","ends":"2026-10-01T01:00:00Z","tenant":"acme","alert":"a.b","status":"resolved","severity":"P1","labels":{"b":"1","a":"日"}}`,
		`{"time":"2026-10-01T00:00:00Z","alert":"a.b","status":"firing","labels":{}}`,
		`{"time":"2026-10-01T00:00:00Z","alert":"a.b","status":"flapping"}`,
		`{"time":"2026-10-01","alert":"a.b","status":"firing"}`,
		`{"time":"2026-10-01T00:00:00Z","alert":"ab","status":"firing"}`,
		`{"alert":"a.b","status":"firing"}`,
	} {
		quick, quickErr := read(line)
		slow, slowErr := read(strings.Replace(line, `"alert"`, `"\u0061lert"`, 1))
		if fmt.Sprint(quickErr) != fmt.Sprint(slowErr) || fmt.Sprint(quick) != fmt.Sprint(slow) {
			t.Errorf("%s:\n%v, %v\nwith an escape\n%v, %v", line, quick, quickErr, slow, slowErr)
		}
	}
	log, err := read(`{"time":"2026-10-01T00:00:00Z","alert":"a.b","status":"firing","severity":"p2","labels":{"x":"y"}}`)
	if err != nil || len(log) != 1 || log[0].Alert != "a.b" || log[0].Labels["x"] != "y" || !log[0].At.Equal(log[0].Time) || log[0].Severity != incident.P2 {
		t.Errorf("%+v, %v", log, err)
	}
}
