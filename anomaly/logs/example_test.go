package logs_test

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly/logs"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/incident"
)

func Example() {
	m, err := logs.NewMiner(nil)
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for _, line := range []string{
		"user alice logged in from 10.0.0.1",
		"user bob logged in from 10.0.0.2",
		"payment 05dce0d2-205a-c957-0e06-741296293af2 declined: insufficient funds",
		"user carol logged in from 10.0.0.7",
		`{"level":"error","msg":"upstream timed out after 5s","upstream":"ledger"}`,
	} {
		r := m.Learn(at, line)
		fmt.Println(r.ID, r.Update)
	}
	for _, t := range m.Templates() {
		fmt.Println(t.ID, t.Count, t.Text)
	}
	id, ok := m.Match("user dave logged in from 192.168.1.1")
	fmt.Println(id, ok)
	// Output:
	// 1 created
	// 1 changed
	// 2 created
	// 1 same
	// 3 created
	// 1 3 user <*> logged in from <ip>
	// 2 1 payment <uuid> declined: insufficient funds
	// 3 1 {level:error msg:upstream timed out after <num> upstream:<str>}
	// 1 true
}

func ExampleMiner_Resolve() {
	m, err := logs.NewMiner(nil)
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"cart", "ledger", "search", "mail"} {
		r := m.Learn(time.Time{}, "alert "+name+"Down resolved")
		fmt.Println(r.ID, r.Update, r.Merged)
	}
	id, ok := m.Resolve(3)
	fmt.Println(id, ok)
	// Output:
	// 1 created []
	// 2 created []
	// 3 created []
	// 1 merged [2 3 4]
	// 1 true
}

// Findings become events of package correlation by plain values.
func ExampleWatch() {
	m, err := logs.NewMiner(nil)
	if err != nil {
		panic(err)
	}
	w, err := logs.NewWatch(&logs.WatchOptions{Window: time.Minute})
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for minute := range 62 {
		lines := 3
		if minute == 60 {
			lines = 40
		}
		for i := range lines {
			now := at.Add(time.Duration(minute) * time.Minute)
			for _, f := range w.Add(now, m.Learn(now, fmt.Sprintf("connection to db-%d lost", i))) {
				t, _ := m.Template(f.ID)
				event := correlation.Event{
					Alert: f.Alert(), Labels: f.Labels(), Status: correlation.Firing, Time: f.End, Severity: incident.P3,
					Annotations: map[string]string{"template": t.Text},
				}
				fmt.Printf("%s %v %s\n", event.Alert, event.Labels, event.Annotations["template"])
				fmt.Printf("%d lines, %.1f expected, score %.1f\n", f.Lines, f.Expected, f.Score)
			}
		}
	}
	// Output:
	// logs.template_surge map[template:1] connection to <*> lost
	// 40 lines, 3.0 expected, score 14.3
}

func ExampleSeparate() {
	m, err := logs.NewMiner(nil)
	if err != nil {
		panic(err)
	}
	w, err := logs.NewWatch(nil)
	if err != nil {
		panic(err)
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	add := func(minute, n int, line string) {
		for range n {
			now := at.Add(time.Duration(minute) * time.Minute)
			w.Add(now, m.Learn(now, line))
		}
	}
	for minute := 0; minute < 120; minute += 5 {
		add(minute, 20, "request 7 completed in 12 ms")
		add(minute, 2, "retrying call to ledger attempt 2 of 5")
		if minute >= 90 {
			add(minute, 15, "retrying call to ledger attempt 5 of 5")
			add(minute, 6, "ERROR circuit breaker for ledger opened")
		}
	}
	w.Step(at.Add(2 * time.Hour))
	incident := w.Counts(at.Add(90*time.Minute), at.Add(2*time.Hour))
	baseline := w.Counts(at, at.Add(90*time.Minute))
	for _, d := range logs.Separate(incident, baseline) {
		t, _ := m.Template(d.ID)
		fmt.Printf("%+7.1f  %2.0f %% instead of %2.0f %%  %s\n", d.G, d.IncidentShare*100, d.BaselineShare*100, t.Text)
	}
	// Output:
	//   +86.5  40 % instead of  9 %  retrying call to ledger attempt <num> of <num>
	//   +70.2  14 % instead of  0 %  ERROR circuit breaker for ledger opened
	//  -160.0  47 % instead of 91 %  request <num> completed in <num>
}

func ExampleRedact() {
	fmt.Println(logs.Redact("login of 4711 from 10.0.0.1 with token=abcdef failed, see /var/log/auth.log"))
	// Output: login of <num> from <ip> with token=<secret> failed, see <path>
}

func ExampleMiner_Values() {
	m, err := logs.NewMiner(&logs.Options{Values: logs.AllValues})
	if err != nil {
		panic(err)
	}
	for i := range 100 {
		host := "db1"
		if i%4 == 0 {
			host = "db2"
		}
		m.Learn(time.Time{}, fmt.Sprintf("query of %s took %d ms", host, i))
	}
	values := m.Values(1)
	for _, top := range values[0].Top {
		fmt.Println(top.Text, top.Count)
	}
	took := values[1].Numbers
	fmt.Printf("%d numbers, %v to %v %s\n", took.Count, took.Min, took.Max, took.Unit)
	// Output:
	// db1 75
	// db2 24
	// 100 numbers, 0 to 0.099 s
}

func ExampleRestoreMiner() {
	m, err := logs.NewMiner(nil)
	if err != nil {
		panic(err)
	}
	m.Learn(time.Time{}, "worker 7 started")
	restored, err := logs.RestoreMiner(m.Snapshot())
	if err != nil {
		panic(err)
	}
	fmt.Println(restored.Match("worker 8 started"))
	// Output: 1 true
}

func ExampleMiner_Define() {
	m, err := logs.NewMiner(nil)
	if err != nil {
		panic(err)
	}
	r, err := m.Define(time.Time{}, "raft: node <num> became leader at term <num>")
	if err != nil {
		panic(err)
	}
	m.Learn(time.Time{}, "raft: node 7 became follower at term 12")
	m.Learn(time.Time{}, "raft: node 8 became leader at term 12")
	t, _ := m.Template(r.ID)
	fmt.Println(t.Count, t.Text)
	// Output: 1 raft: node <num> became leader at term <num>
}
