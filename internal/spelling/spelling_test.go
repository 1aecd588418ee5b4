package spelling

import "testing"

func TestNearest(t *testing.T) {
	words := []string{"target", "targets", "service", "op", "isRolling"}
	for text, want := range map[string]string{
		"tarqet":    "target",  // one letter is another
		"targetss":  "targets", // one is too many, two for target
		"taget":     "target",  // one is missing
		"srvce":     "service", // two are missing
		"svc":       "",        // four are
		"ISROLLING": "isRolling",
		"o":         "", // one edit, and one letter
		"op":        "op",
		"":          "",
	} {
		if got := Nearest(text, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", text, got, want)
		}
	}
	// The example of the definition: kitten, sitten, sittin, sitting.
	if got := edits("kitten", "sittin"); got != 2 {
		t.Errorf("edits = %d, want 2", got)
	}
	if got := edits("kitten", "sitting"); got != limit {
		t.Errorf("edits = %d, want the limit of %d", got, limit)
	}
}
