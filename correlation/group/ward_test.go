package group

import (
	"strconv"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
)

// A tenant is known as long as it has a group, also after a restart.
func TestTenantsAreForgotten(t *testing.T) {
	g, err := New(nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1000, 0).UTC()
	apply := func(kind correlation.Kind, tenants, first int) {
		t.Helper()
		for n := range tenants {
			a := correlation.Alert{Tenant: "t" + strconv.Itoa(first+n), Name: "l.a", Active: kind == correlation.Notify, Since: at}
			if _, err := g.Apply(at, correlation.Transition{At: at, Kind: kind, Alert: a}); err != nil {
				t.Fatal(err)
			}
		}
		at = at.Add(10 * time.Minute) // beyond the wait and the interval
		if _, err := g.Apply(at); err != nil {
			t.Fatal(err)
		}
	}
	known := func(want int) {
		t.Helper()
		if got := len(g.alone.wards); got != want || g.stats.Groups != want {
			t.Errorf("%d tenants are known, with %d groups, want %d of each", got, g.stats.Groups, want)
		}
	}
	apply(correlation.Notify, 3, 0)
	known(3)
	apply(correlation.Resolve, 2, 0)
	known(1)
	data, err := g.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if g, err = Restore(nil, Options{}, data); err != nil {
		t.Fatal(err)
	}
	known(1)
	apply(correlation.Notify, 2, 2) // one of them has its group already
	known(2)
	apply(correlation.Resolve, 2, 2)
	known(0)
	if g.alone.last != nil {
		t.Errorf("tenant %q is kept after its last group", g.alone.last.tenant)
	}
}
