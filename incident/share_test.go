package incident_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
)

// Of five incidents two were reopened, one of them twice, and of the three whose finder is known a user found one.
func TestShares(t *testing.T) {
	records := []incident.Record{
		{Reopens: 1, DetectedBy: incident.ByUser},
		{Reopens: 2, DetectedBy: incident.ByMonitor},
		{DetectedBy: incident.ByMonitor, Escalations: 3},
		{},
		{},
	}
	for _, tt := range []struct {
		name      string
		got, want incident.Share
	}{
		{"Reopened", incident.Reopened(records), incident.Share{Hits: 2, Of: 5}},
		{"SeenByUser", incident.SeenByUser(records), incident.Share{Hits: 1, Of: 3}},
		{"Escalated", incident.Escalated(records), incident.Share{Hits: 1, Of: 5}},
		{"Reopened of none", incident.Reopened(nil), incident.Share{}},
		{"SeenByUser, unknown", incident.SeenByUser(records[3:]), incident.Share{}},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %+v, want %+v", tt.name, tt.got, tt.want)
		}
	}
}

func TestHasFlag(t *testing.T) {
	s := incident.State{Flags: []incident.Flag{"a", "b"}}
	if !s.HasFlag("x", "b") || s.HasFlag("x") || s.HasFlag() {
		t.Error("HasFlag: want true if one of those given is set, and false if none is")
	}
}
