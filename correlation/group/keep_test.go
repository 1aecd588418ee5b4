package group_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/group"
	"github.com/evenkeelops/evenkeel/incident"
)

// What is told is the alert as it came, whatever the caller does with the labels after that,
// and whatever the zone of its instants is.
func TestAlertsAreKept(t *testing.T) {
	zone := time.FixedZone("x", 3600)
	for n, a := range []correlation.Alert{
		{Tenant: "m", Name: "l.a", Active: true, Since: sec(0)},
		{Tenant: "m", Name: "l.a", Labels: correlation.Labels{{Name: "k", Value: "v"}}, Since: sec(-9), Ends: sec(900), Severity: incident.P2, Notified: true},
		{Name: "l.a", Since: sec(0).In(zone), Ends: time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Name: "l.a", Since: sec(0), SuppressedBy: []string{"r"}, Annotations: map[string]string{"summary": "s"}},
		{Name: "", Labels: correlation.Labels{{Name: "k", Value: ""}, {Name: "a", Value: "v"}}},
	} {
		g, err := group.New(nil, group.Options{})
		if err != nil {
			t.Fatal(err)
		}
		given := a
		given.Labels = append(correlation.Labels(nil), a.Labels...)
		if _, err := g.Apply(sec(0), correlation.Transition{At: sec(0), Kind: correlation.Notify, Alert: given}); err != nil {
			t.Fatal(err)
		}
		for k := range given.Labels {
			given.Labels[k] = correlation.Label{Name: "other", Value: "other"}
		}
		told, err := g.Apply(sec(60))
		if err != nil || len(told) != 1 || len(told[0].Alerts) != 1 {
			t.Fatalf("alert %d: told %v, %v, want one alert", n, told, err)
		}
		if got := told[0].Alerts[0].Alert; !reflect.DeepEqual(got, a) {
			t.Errorf("alert %d: told %+v, want %+v", n, got, a)
		}
	}
}
