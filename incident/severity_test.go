package incident_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/evenkeelops/evenkeel/incident"
)

func TestParseSeverity(t *testing.T) {
	for want, spellings := range map[incident.Severity][]string{
		incident.P1: {"p1", "P1", "p1_critical", "P1-Critical", "critical", "CRITICAL", "P1 critical"},
		incident.P2: {"p2", "p2_high", "high"},
		incident.P3: {"P3", "p3_medium", "medium"},
		incident.P4: {"p4", "p4_low", "low", "Low"},
	} {
		for _, text := range spellings {
			if got, err := incident.ParseSeverity(text); err != nil || got != want {
				t.Errorf("ParseSeverity(%q) = %v, %v, want %v", text, got, err, want)
			}
		}
	}
	for _, text := range []string{"", "p0", "p5", "1", "p1_low", "p1_", "critical_p1", "urgent", "p1critical"} {
		got, err := incident.ParseSeverity(text)
		if wrong := (*incident.SeverityError)(nil); got != 0 || !errors.As(err, &wrong) || wrong.Text != text {
			t.Errorf("ParseSeverity(%q) = %v, %v, want a SeverityError with the text", text, got, err)
		}
	}
}

func TestSeverityOrder(t *testing.T) {
	all := []incident.Severity{incident.P3, 0, incident.P1, incident.P4, incident.P2}
	slices.SortFunc(all, incident.Severity.Compare)
	if want := []incident.Severity{0, incident.P4, incident.P3, incident.P2, incident.P1}; !slices.Equal(all, want) {
		t.Errorf("sorted = %v, want %v", all, want)
	}
	if !incident.P1.AtLeast(incident.P2) || !incident.P2.AtLeast(incident.P2) || incident.P3.AtLeast(incident.P2) || incident.Severity(0).AtLeast(incident.P4) {
		t.Error("AtLeast must hold for the same or a more severe one, and never for unset")
	}
}

func TestSeverityText(t *testing.T) {
	for _, s := range append([]incident.Severity{0}, incident.Severities[:]...) {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back incident.Severity
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Errorf("%v → %s → %v, %v", s, text, back, err)
		}
	}
	if _, err := incident.Severity(9).MarshalText(); err == nil {
		t.Error("MarshalText of Severity(9): want an error")
	}
}

func FuzzParseSeverity(f *testing.F) {
	f.Add("p1_critical")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := incident.ParseSeverity(text)
		if (err == nil) != s.IsSet() {
			t.Fatalf("ParseSeverity(%q) = %v, %v", text, s, err)
		}
	})
}
