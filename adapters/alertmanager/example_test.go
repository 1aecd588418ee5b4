package alertmanager_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/ingest"
	"github.com/evenkeelops/evenkeel/correlation"
)

func Example() {
	data, err := os.ReadFile("testdata/alertmanager.yml")
	if err != nil {
		panic(err)
	}
	c, err := alertmanager.ParseConfig("alertmanager.yml", data)
	if err != nil {
		panic(err)
	}
	labels := map[string]string{"alertname": "Slow", "service": "mysql", "cluster": "b", "region": "eu"}
	at := time.Date(2026, 3, 2, 22, 30, 0, 0, time.UTC)
	for _, r := range c.Route.Match(labels) {
		muting, err := r.Muting(c.Intervals, at)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: to %s, group %v, %s\n", r.Path(), r.Options().Receiver, r.GroupLabels(labels), muting)
	}
	fmt.Print(c.Route.Explain(labels))

	_, err = alertmanager.ParseConfig("broken.yml", []byte("route:\n  receivr: default\nreceivers: [{name: default}]\n"))
	fmt.Println(err)
	// Output:
	// route.routes[0]: to team-db, group map[alertname:Slow cluster:b], muted in backup
	// route.routes[1]: to team-db, group map[alertname:Slow cluster:b region:eu service:mysql], muted in backup
	// route: passed
	//   route.routes[0] {service=~"mysql|postgres",severity!="info"}: taken by "team-db", and goes on
	//   route.routes[1] {cluster="b",region="eu",service=~"mysql|postgres",severity!="info"}: taken by "team-db", and goes on
	//   route.routes[2] {service="nginx",severity=~"^(?:critical|page)$"}: unmatched, service="nginx" and the alert has "mysql"
	// broken.yml:2:3: route.receiver: missing, want the receiver of what no other route takes
	// broken.yml:2:3: route.receivr: unknown key "receivr", want one of active_time_intervals, continue, group_by, group_interval, group_wait, labels, match, match_re, matchers, mute_time_intervals, receiver, repeat_interval, routes (did you mean "receiver"?)
}

// A webhook becomes events of package correlation. In a program the receiver is
// served, and Accept writes to a store or a queue.
func ExampleReceiver() {
	engine, err := correlation.New(nil, correlation.Options{})
	if err != nil {
		panic(err)
	}
	receiver, err := alertmanager.NewReceiver(alertmanager.ReceiverConfig{
		Verifier: ingest.Bearer{adapters.NewSecret("letmein")},
		Accept: func(_ context.Context, n alertmanager.Notification) error {
			_, err := engine.Apply(n.Received, n.Events...)
			return err
		},
	})
	if err != nil {
		panic(err)
	}
	body := `{"version":"4","status":"firing","groupKey":"{}:{}","alerts":[{"status":"firing","labels":{"alertname":"DBDown","tenant":"acme","severity":"critical","service":"ledger"},
		"startsAt":"2026-11-22T05:53:51Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"3469af11530f23f2"}]}`
	for range 2 { // a repetition is answered and not handed on
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/hooks/alertmanager", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer letmein")
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	for _, a := range engine.Alerts() {
		fmt.Println(a.Tenant, a, a.Severity, a.Since.Format(time.DateTime))
	}
	fmt.Printf("%+v\n", receiver.Stats())
	// Output:
	// 202
	// 202
	// acme application.DBDown{service=ledger,severity=critical} P1 2026-11-22 05:53:51
	// {Accepted:1 Repeated:1 Unreadable:0 Unverified:0 TooLarge:0 Refused:0}
}
