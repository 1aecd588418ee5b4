package group_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/group"
)

// The range is that of an engine: 2^61 ns, 73 years, before 1970 and three times that after it.
func TestInstantsOutOfRange(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   time.Time
		want error
	}{
		{"zero", time.Time{}, group.ErrTime},
		{"1896", time.Date(1896, 1, 1, 0, 0, 0, 0, time.UTC), group.ErrTime},
		{"1898", time.Date(1898, 1, 1, 0, 0, 0, 0, time.UTC), nil},
		{"2188", time.Date(2188, 1, 1, 0, 0, 0, 0, time.UTC), nil},
		{"2190", time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC), group.ErrTime},
	} {
		g, err := group.New(nil, group.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Apply(tt.at); !errors.Is(err, tt.want) {
			t.Errorf("%s: Apply = %v, want %v", tt.name, err, tt.want)
		}
	}
	g, err := group.New(nil, group.Options{})
	if err != nil {
		t.Fatal(err)
	}
	unset := correlation.Transition{Kind: correlation.Notify, Alert: correlation.Alert{Name: "host.down"}}
	if _, err := g.Apply(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), unset); !errors.Is(err, group.ErrTime) {
		t.Errorf("Apply of a transition without an instant = %v, want %v", err, group.ErrTime)
	}
}
