package evidence_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/internal/table"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

var (
	start = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	frame = evidence.Frame{Services: []string{"api", "web"}, Window: calendar.Interval{Start: start, End: start.AddDate(0, 1, 0)}, Currency: "EUR"}
)

// read reads the files of a map by their names.
func read(files map[string]string, f evidence.Files) (evidence.Result, error) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return evidence.Read(func(name string) (io.ReadCloser, error) { return fsys.Open(name) }, f, frame)
}

func day(d, hour, minute int) time.Time { return time.Date(2026, 10, d, hour, minute, 0, 0, time.UTC) }

func TestOutages(t *testing.T) {
	r, err := read(map[string]string{"o.csv": "\ufeffservice,start,end,kind,cause,incident_id,room\r\n" +
		"api,2026-10-02T00:00:00+02:00,2026-10-02T01:00:00+02:00,down,,A,1\r\n" +
		"web,2026-10-03T00:00:00Z,,down,customer,B,2\r\n" +
		"api,2026-10-04T00:00:00Z,2026-10-04T01:00:00Z,degraded,provider,,\r\n" +
		"web,2026-10-05T00:00:00Z,2026-10-05T02:00:00Z,unmonitored,,,\r\n" +
		"api,2026-09-01T00:00:00Z,2026-09-02T00:00:00Z,down,,old,\r\n" +
		"mail,2026-10-06T00:00:00Z,2026-10-06T02:00:00Z,down,,,\r\n" +
		"mail,2026-10-07T00:00:00Z,2026-10-07T02:00:00Z,down,,,\r\n"}, evidence.Files{Outages: "o.csv"})
	if err != nil {
		t.Fatal(err)
	}
	want := []sla.Outage{
		{Ref: "A", Service: "api", Start: day(1, 22, 0), End: day(1, 23, 0), Cause: sla.CauseProvider},
		{Ref: "B", Service: "web", Start: day(3, 0, 0), Cause: sla.CauseCustomer},
		{Service: "api", Start: day(4, 0, 0), End: day(4, 1, 0), Cause: sla.CauseProvider, Degraded: true},
	}
	if got := r.Evidence.Outages; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("outages %v, want %v", got, want)
	}
	if got, want := fmt.Sprint(r.Evidence.Gaps), fmt.Sprint([]sla.Gap{{Service: "web", Start: day(5, 0, 0), End: day(5, 2, 0)}}); got != want {
		t.Errorf("gaps %s, want %s", got, want)
	}
	if len(r.Notices) != 2 || r.Notices[0].Code != "unknown_column" || *r.Notices[0].Ref != "room" || r.Notices[1].Code != "unknown_service" || *r.Notices[1].Ref != "mail" ||
		!strings.Contains(r.Notices[1].Message, "o.csv:7: ") || !strings.Contains(r.Notices[1].Message, ": 2") {
		t.Errorf("notices %+v, want the column room, and the service mail from line 7 with 2 rows", r.Notices)
	}
	if s := r.Sources; len(s) != 1 || s[0].Name != "o.csv" || *s[0].Rows != 7 || len(s[0].SHA256) != 64 {
		t.Errorf("sources %+v, want o.csv with 7 rows", s)
	}
	if o := r.Evidence.Observed; o != frame.Window {
		t.Errorf("observed %v, want the window", o)
	}
}

// All problems of all files come at once, sorted by file and line.
func TestProblems(t *testing.T) {
	_, err := read(map[string]string{
		"z.csv": "service,start,end,kind,cause\napi,2026-10-02T00:00:00,,down,\nweb,2026-10-03T00:00:00Z,2026-10-02T00:00:00Z,Down,nobody\n,,,,\n*,2026-10-03T00:00:00Z,,down,\napi,0001-01-01T00:00:00Z,9999-12-31T23:59:59Z,down,\n",
		"i.csv": "id,service,severity,opened,responded,resolved,first_contact,escalations,csat,cost\n" +
			"A,api,p9,2026-10-02T00:00:00Z,2026-10-01T00:00:00Z,2026-10-01T00:00:00Z,maybe,-1,6,1 USD\nA,api,,,,,,,,\n",
		"m.csv": "id,service,start,end,announced,type\n",
		"c.csv": "id,service,start,end,type,outcome\nC,api,2026-10-02T00:00:00Z,,big,fine\nD,api,2026-10-02T00:00:00Z,,normal,success\n",
		"r.csv": "service,kind,started,restored,verified,rto_target,rpo_target\napi,whole,2026-10-02T00:00:00Z,2026-10-01T00:00:00Z,,fast,1 month\n",
		"k.csv": "time,service,status\n,api,up\n2026-10-02T00:00:00Z,*,fine\n",
	}, evidence.Files{Outages: "z.csv", Checks: "k.csv", Incidents: "i.csv", Maintenance: "m.csv", Changes: "c.csv", Restores: "r.csv"})
	if err == nil {
		t.Fatal("want an error")
	}
	want := []string{
		`c.csv:2: type: found "big"`, `c.csv:2: outcome: found "fine"`, `c.csv:2: end: the cell is empty`, `c.csv:3: end: the cell is empty`,
		`i.csv:2: severity: `, `i.csv:2: csat: found "6"`, `i.csv:2: cost: found "1 USD", want an amount in EUR`, `i.csv:2: responded: 2026-10-01`,
		`i.csv:2: resolved: 2026-10-01`, `i.csv:2: first_contact: found "maybe"`, `i.csv:2: escalations: found "-1"`,
		`i.csv:3: severity: the cell is empty`, `i.csv:3: id: "A" stands already in line 2`, `i.csv:3: opened: the cell is empty`,
		`k.csv:2: time: the cell is empty`, `k.csv:3: status: found "fine"`, `k.csv:3: service: found "*"`,
		`m.csv:1: status: the column is missing`,
		`r.csv:2: kind: found "whole"`, `r.csv:2: rto_target: `, `r.csv:2: rpo_target: `, `r.csv:2: restored: 2026-10-01`,
		`z.csv:2: start: found "2026-10-02T00:00:00", want a time with a zone`, `z.csv:3: end: 2026-10-02T00:00:00Z is before the start`,
		`z.csv:3: cause: found "nobody"`, `z.csv:3: kind: found "Down"`, `z.csv:4: service: the cell is empty`, `z.csv:4: start: the cell is empty`,
		`z.csv:4: kind: found ""`, `z.csv:5: service: found "*"`,
		`z.csv:6: start: found "0001-01-01T00:00:00Z"`, `z.csv:6: end: found "9999-12-31T23:59:59Z", want a time within a hundred years`,
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Errorf("%d problems, want %d:\n%v", len(lines), len(want), err)
	}
	for i := range min(len(lines), len(want)) {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("problem %d is %q, want %q…", i, lines[i], want[i])
		}
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := read(nil, evidence.Files{Outages: "none.csv"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want that the file does not exist", err)
	}
}

func TestIncidents(t *testing.T) {
	r, err := read(map[string]string{"i.csv": "id,service,severity,opened,acknowledged,responded,resolved,first_contact,escalations,reopened,csat,cost,title,cause,action\n" +
		"A,api,p1_critical,2026-10-02T00:00:00Z,2026-10-02T00:05:00Z,,2026-10-02T01:00:00Z,true,0,false,5,120,Slow,Lock,Query\n" +
		"B,web,low,2026-10-03T00:00:00Z,2026-10-03T00:05:00Z,2026-10-03T00:09:00Z,,,,TRUE,,3.50 EUR,,,\n" +
		"C,mail,P2,2026-10-03T00:00:00Z,,,,,,,,,,,\n"}, evidence.Files{Incidents: "i.csv"})
	if err != nil || len(r.Evidence.Incidents) != 2 {
		t.Fatalf("%d incidents, %v, want 2", len(r.Evidence.Incidents), err)
	}
	a, b := r.Evidence.Incidents[0], r.Evidence.Incidents[1]
	if a.Severity != incident.P1 || !a.Responded.Equal(a.Acknowledged) || a.FirstContact == nil || !*a.FirstContact || a.Escalations == nil || *a.Escalations != 0 || a.Reopened ||
		a.Satisfaction != 5 || a.Cost.String() != "120.00 EUR" || a.Title+a.Cause+a.Action != "SlowLockQuery" {
		t.Errorf("A = %+v", a)
	}
	if b.Severity != incident.P4 || !b.Responded.Equal(day(3, 0, 9)) || b.FirstContact != nil || b.Escalations != nil || !b.Reopened || b.Satisfaction != 0 || b.Cost.String() != "3.50 EUR" {
		t.Errorf("B = %+v", b)
	}
	if len(r.Notices) != 1 || r.Notices[0].Code != "unknown_service" {
		t.Errorf("notices %+v, want the service of C", r.Notices)
	}
}

func TestMaintenanceChangesRestores(t *testing.T) {
	r, err := read(map[string]string{
		"m.csv": "id,service,start,end,announced,type,status,title\nM1,*,2026-10-02T00:00:00Z,2026-10-02T01:00:00Z,2026-09-20T00:00:00Z,planned,done,Disks\n" +
			"M2,api,2026-10-03T00:00:00Z,2026-10-03T01:00:00Z,,emergency,cancelled,\n",
		"c.csv": "id,service,start,end,type,outcome,requested,approved,caused_incident\nC1,api,2026-10-02T00:00:00Z,2026-10-02T01:00:00Z,emergency,success,2026-10-01T20:00:00Z,2026-10-01T21:00:00Z,A\n" +
			"C2,web,2026-10-02T00:00:00Z,,standard,,,,\nC3,web,2026-10-02T00:00:00Z,,standard,cancelled,,,\n",
		"r.csv": "service,kind,started,restored,verified,rto_target,rpo_target,failed_at,newest,by,artefact_sha256\n" +
			"api,side,2026-10-02T00:00:00Z,2026-10-02T01:00:00Z,2026-10-02T02:00:00Z,4h,15 minutes,2026-10-01T23:00:00Z,2026-10-01T22:50:00Z,ines,ab\n",
	}, evidence.Files{Maintenance: "m.csv", Changes: "c.csv", Restores: "r.csv"})
	if err != nil {
		t.Fatal(err)
	}
	m, c, p := r.Evidence.Maintenance, r.Evidence.Changes, r.Evidence.Restores
	if len(m) != 2 || m[0].Service != "*" || m[0].Title != "Disks" || m[0].Emergency || m[0].Cancelled || !m[1].Emergency || !m[1].Cancelled || !m[1].Announced.IsZero() {
		t.Errorf("maintenance %+v", m)
	}
	if len(c) != 3 || c[0].Kind != sla.EmergencyChange || c[0].Outcome != sla.ChangeSuccess || c[0].CausedIncident != "A" || c[0].Approved.Sub(c[0].Requested) != time.Hour ||
		c[1].Outcome != "" || !c[1].End.IsZero() || c[2].Outcome != sla.ChangeCancelled {
		t.Errorf("changes %+v", c)
	}
	if len(p) != 1 || p[0].Kind != sla.RestoreSide || p[0].RTOTarget != 4*time.Hour || p[0].RPOTarget != 15*time.Minute || p[0].By != "ines" || p[0].SHA256 != "ab" || p[0].Newest.IsZero() {
		t.Errorf("restores %+v", p)
	}
}

func TestChecks(t *testing.T) {
	const rows = "2026-10-02T00:00:00Z,api,up\n2026-10-02T06:00:00Z,api,down\n2026-10-02T06:10:00Z,api,down\n2026-10-02T06:20:00Z,api,up\n" +
		"2026-10-03T00:00:00Z,api,degraded\n2026-10-03T01:00:00Z,api,unknown\n2026-10-03T02:00:00Z,api,up\n2026-10-03T02:00:00Z,api,up\n"
	end := frame.Window.End
	for _, c := range []struct {
		name    string
		gap     time.Duration
		outages []sla.Outage
		gaps    []sla.Gap
	}{
		{
			"without a limit", 0,
			[]sla.Outage{{Start: day(2, 6, 0), End: day(2, 6, 20)}, {Start: day(3, 0, 0), End: day(3, 1, 0), Degraded: true}},
			[]sla.Gap{{Start: start, End: day(2, 0, 0), Before: true}, {Start: day(3, 1, 0), End: day(3, 2, 0)}},
		},
		{
			"a limit of 6 hours", 6 * time.Hour, // 00:00 to 06:00 is as long as it may be
			[]sla.Outage{{Start: day(2, 6, 0), End: day(2, 6, 20)}, {Start: day(3, 0, 0), End: day(3, 1, 0), Degraded: true}},
			[]sla.Gap{{Start: start, End: day(2, 0, 0), Before: true}, {Start: day(2, 12, 20), End: day(3, 0, 0)}, {Start: day(3, 1, 0), End: day(3, 2, 0)}, {Start: day(3, 8, 0), End: end}},
		},
		{
			"a limit shorter than an outage", 5 * time.Minute,
			[]sla.Outage{{Start: day(2, 6, 0), End: day(2, 6, 5)}, {Start: day(2, 6, 10), End: day(2, 6, 15)}, {Start: day(3, 0, 0), End: day(3, 0, 5), Degraded: true}},
			[]sla.Gap{
				{Start: start, End: day(2, 0, 0), Before: true},
				{Start: day(2, 0, 5), End: day(2, 6, 0)},
				{Start: day(2, 6, 5), End: day(2, 6, 10)},
				{Start: day(2, 6, 15), End: day(2, 6, 20)},
				{Start: day(2, 6, 25), End: day(3, 0, 0)},
				{Start: day(3, 0, 5), End: day(3, 1, 0)},
				{Start: day(3, 1, 0), End: day(3, 1, 5)},
				{Start: day(3, 1, 5), End: day(3, 2, 0)},
				{Start: day(3, 2, 5), End: end},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := read(map[string]string{"k.csv": "time,service,status\n" + rows}, evidence.Files{Checks: "k.csv", MaxGap: c.gap})
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.outages {
				c.outages[i].Service, c.outages[i].Cause = "api", sla.CauseProvider
			}
			for i := range c.gaps {
				c.gaps[i].Service = "api"
			}
			c.gaps = append(c.gaps, sla.Gap{Service: "web", Start: start, End: end, Before: true}) // never checked
			if got := fmt.Sprint(r.Evidence.Outages); got != fmt.Sprint(c.outages) {
				t.Errorf("outages %s\nwant %v", got, c.outages)
			}
			if got := fmt.Sprint(r.Evidence.Gaps); got != fmt.Sprint(c.gaps) {
				t.Errorf("gaps %s\nwant %v", got, c.gaps)
			}
			shuffled := strings.SplitAfter(strings.TrimSuffix(rows, "\n")+"\n", "\n")
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			again, err := read(map[string]string{"k.csv": "time,service,status\n" + strings.Join(shuffled, "")}, evidence.Files{Checks: "k.csv", MaxGap: c.gap})
			if err != nil || fmt.Sprint(again.Evidence) != fmt.Sprint(r.Evidence) {
				t.Errorf("another order of the rows gives other evidence, %v", err)
			}
		})
	}
}

// A check before the window may hold into it; of two at one instant the worse
// counts.
func TestChecksBeforeTheWindow(t *testing.T) {
	r, err := read(map[string]string{"k.csv": "time,service,status\n2026-09-30T23:00:00Z,api,down\n2026-09-30T22:00:00Z,api,up\n2026-09-30T23:00:00Z,api,up\n2026-10-01T01:00:00Z,api,up\n2026-09-30T00:00:00Z,web,up\n"},
		evidence.Files{Checks: "k.csv"})
	want := []sla.Outage{{Service: "api", Start: start.Add(-time.Hour), End: day(1, 1, 0), Cause: sla.CauseProvider}}
	if err != nil || fmt.Sprint(r.Evidence.Outages) != fmt.Sprint(want) || len(r.Evidence.Gaps) != 0 {
		t.Errorf("outages %v, gaps %v, %v, want %v and none", r.Evidence.Outages, r.Evidence.Gaps, err, want)
	}
}

// More rows than are kept as they are cover the same time.
func TestManyOutages(t *testing.T) {
	const n = 150_000
	random := rand.New(rand.NewPCG(7, 7))
	var b strings.Builder
	b.WriteString("service,start,end,kind,cause,incident_id\n")
	down := map[string][]calendar.Interval{}
	for i := range n {
		service := frame.Services[random.IntN(2)]
		cause := sla.CauseProvider
		if random.IntN(100) == 0 {
			cause = sla.CauseCustomer
		}
		from := start.Add(time.Duration(random.IntN(30*24*3600)) * time.Second)
		to := from.Add(time.Duration(random.IntN(60)) * time.Second)
		fmt.Fprintf(&b, "%s,%s,%s,down,%s,I-%d\n", service, from.Format(time.RFC3339), to.Format(time.RFC3339), cause, i)
		key := service + string(cause)
		down[key] = append(down[key], calendar.Interval{Start: from, End: to})
	}
	r, err := read(map[string]string{"o.csv": b.String()}, evidence.Files{Outages: "o.csv"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Evidence.Outages) >= n/2 || len(r.Notices) != 1 || r.Notices[0].Code != "outages_joined" {
		t.Errorf("%d outages, notices %+v, want them joined, and a notice", len(r.Evidence.Outages), r.Notices)
	}
	got := map[string][]calendar.Interval{}
	for _, o := range r.Evidence.Outages {
		key := o.Service + string(o.Cause)
		got[key] = append(got[key], calendar.Interval{Start: o.Start, End: o.End})
	}
	for key, all := range down {
		want, err := calendar.Normalize(all)
		if err != nil {
			t.Fatal(err)
		}
		set, err := calendar.Normalize(got[key])
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(set) != fmt.Sprint(want) {
			t.Errorf("%s: the joined outages cover another time", key)
		}
	}
	if kept := len(got["apicustomer"]); kept != len(down["apicustomer"]) {
		t.Errorf("%d outages of the customer, want all %d with their ids", kept, len(down["apicustomer"]))
	}
}

// Whatever stands in the files, every problem names its file, and what is read
// does not contradict itself.
func FuzzRead(f *testing.F) {
	f.Add("service,start,end,kind\napi,2026-10-02T00:00:00Z,2026-10-02T01:00:00Z,down\n", "time,service,status\n2026-10-02T00:00:00Z,api,up\n", "id,service,severity,opened\nA,api,p1,2026-10-02T00:00:00Z\n", int64(time.Hour))
	f.Add("service,start,end,kind\napi,0001-01-01T00:00:00Z,9999-12-31T23:59:59Z,unmonitored\n", "time,service,status\n0001-01-01T00:00:00Z,api,down\n9999-12-31T23:59:59Z,api,up\n", "id,service,severity,opened\n", int64(0))
	f.Fuzz(func(t *testing.T, outages, checks, incidents string, gap int64) {
		r, err := read(map[string]string{"o.csv": outages, "k.csv": checks, "i.csv": incidents},
			evidence.Files{Outages: "o.csv", Checks: "k.csv", Incidents: "i.csv", MaxGap: time.Duration(max(gap, 0))})
		if err == nil {
			if err := r.Evidence.Validate(); err != nil {
				t.Errorf("the evidence contradicts itself: %v", err)
			}
			return
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "o.csv:") && !strings.HasPrefix(line, "k.csv:") && !strings.HasPrefix(line, "i.csv:") {
				t.Errorf("the problem %q names no file", line)
			}
		}
	})
}

// A file that was not written to its end is told, wherever it is cut: by an error with the line, or where what is left of the
// last line could be all of it, by a notice. Only a cut at the end of a line cannot be seen.
func TestHalfWritten(t *testing.T) {
	for name, text := range map[string]string{
		"outages.csv":   "service,start,end,ref\napi,2026-10-01T00:00:00Z,2026-10-01T01:00:00Z,\"INC, 1\"\nweb,2026-10-02T00:00:00Z,2026-10-02T01:00:00Z,INC-1234\n",
		"outages.jsonl": `{"service":"api","start":"2026-10-01T00:00:00Z","end":"2026-10-01T01:00:00Z","ref":"INC-1"}` + "\n" + `{"service":"web","start":"2026-10-02T00:00:00Z","end":"2026-10-02T01:00:00Z","ref":"INC-1234"}` + "\n",
	} {
		head := strings.IndexByte(text, '\n') + 1
		if strings.HasSuffix(name, "l") {
			head = 0
		}
		for n := head + 1; n < len(text); n++ {
			var refs []string
			open := func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text[:n])), nil }
			got, err := evidence.Table(open, name, []string{"service", "start", "end"}, []string{"ref"}, func(t *table.Table) {
				t.RequiredTime("start")
				t.RequiredTime("end")
				if !t.Failed() {
					refs = append(refs, t.Text("ref"))
				}
			})
			told := err != nil && strings.Contains(err.Error(), name+":") ||
				slices.ContainsFunc(got.Notices, func(n program.Notice) bool {
					return n.Code == "unfinished_line" && strings.Contains(n.Message, name+":")
				})
			whole := text[n-1] == '\n' || name == "outages.jsonl" && text[n-1] == '}' // an object needs no end of its line
			if told == whole {
				t.Errorf("%s cut to %q: %d rows, notices %v, %v; told %t, want %t", name, text[max(0, n-40):n], len(refs), got.Notices, err, told, !whole)
			}
		}
	}
}
