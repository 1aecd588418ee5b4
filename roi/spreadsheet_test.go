package roi_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"testing"

	"github.com/evenkeelops/evenkeel/internal/testutil"
	"github.com/evenkeelops/evenkeel/roi"
)

// The cases that were also put to LibreOffice Calc 7.4.7.2, with what it said from its
// default guess: how many it solves, which it cannot and [roi.IRR] can, and of which of
// several rates it gives one without a word. The four counts are known from the making of
// the case file.
func TestScoreboardAgainstLibreOffice(t *testing.T) {
	var cases []struct {
		ID, Kind    string
		Input       json.RawMessage
		Expect      struct{ Roots []num }
		LibreOffice *struct{ Value, Status string }
	}
	testutil.OpenVectors(t, "roi", "roi.json").Fixture("vectors", &cases)
	equal, neither, one := 0, 0, 0
	var solved []string
	for _, c := range cases {
		switch {
		case c.LibreOffice == nil:
			continue
		case c.LibreOffice.Status == "ok":
			equal++
			if others := len(c.Expect.Roots) - 1; others > 0 {
				one++
				t.Logf("%s: LibreOffice says %s, and nothing of %d other rates", c.ID, c.LibreOffice.Value, others)
			}
			continue
		case c.Kind != "irr":
			t.Errorf("%s: LibreOffice says %s, want a number but for a rate", c.ID, c.LibreOffice.Value)
			continue
		}
		var in struct{ Flows nums }
		if err := json.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		rates, err := roi.IRR(in.Flows.floats())
		if len(c.Expect.Roots) == 0 {
			neither++
			if !errors.Is(err, roi.ErrNoRoot) {
				t.Errorf("%s: IRR = %v, %v, want ErrNoRoot", c.ID, rates.Roots, err)
			}
			continue
		}
		if err := compareRates("IRR", rates, c.Expect.Roots, true); err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		solved = append(solved, c.ID+" "+strconv.FormatFloat(rates.Roots[0], 'g', 7, 64))
	}
	t.Logf("of %d cases put to LibreOffice %d are equal, %d have no rate for either, %d it misses and IRR solves: %q; one of several rates it gives %d times",
		equal+neither+len(solved), equal, neither, len(solved), solved, one)
	if equal != 49 || neither != 3 || len(solved) != 3 || one != 6 {
		t.Errorf("%d equal, %d without a rate, solved %q, %d of several, want 49, 3, 3 and 6", equal, neither, solved, one)
	}
}
