package main

import (
	"slices"
	"testing"
)

func TestPublishedTables(t *testing.T) {
	notes := `# Notes
Scores (of all):
ARTime 84.3 (74.85) · HTM 71.0 (70.10) · KNN CAD 63.5 (57.99).
ARTime is mentioned again.
Other profiles: ARTime 1.5/2.5, HTM 3.5/4.5, random 5.76/25.88 (standard 16.83).
`
	got := publishedTables(notes)
	if len(got) != 2 || got[0].heading != "Scores (of all):" || got[1].heading != "Other profiles:" ||
		!slices.Equal(got[0].entries, []string{"ARTime 84.3 (74.85)", "HTM 71.0 (70.10)", "KNN CAD 63.5 (57.99)"}) ||
		!slices.Equal(got[1].entries, []string{"ARTime 1.5/2.5", "HTM 3.5/4.5", "random 5.76/25.88 (standard 16.83)"}) {
		t.Errorf("tables of the notes = %+v", got)
	}
	if got := publishedTables("nothing"); got != nil {
		t.Errorf("tables of no notes = %+v", got)
	}
}
