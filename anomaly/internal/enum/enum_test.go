package enum_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/anomaly/internal/enum"
)

func TestEnum(t *testing.T) {
	names := []string{"", "low", "high"}
	for n, want := range map[uint8]string{0: "Level(0)", 1: "low", 2: "high", 3: "Level(3)"} {
		if got := enum.String(names, "Level", n); got != want {
			t.Errorf("String(%d) = %q, want %q", n, got, want)
		}
		text, err := enum.Text(names, "heat", "Level", n)
		if named := n == 1 || n == 2; named && string(text) != want || named != (err == nil) {
			t.Errorf("Text(%d) = %q, %v", n, text, err)
		}
		if err != nil && err.Error() != "heat: "+want+" has no text" {
			t.Errorf("Text(%d): %v", n, err)
		}
		if back, err := enum.Parse(names, "heat", "level", text); err == nil && back != n {
			t.Errorf("Parse(%q) = %d, want %d", text, back, n)
		}
	}
	for _, text := range []string{"", "Low", "mid"} {
		_, err := enum.Parse(names, "heat", "level", []byte(text))
		if want := `heat: unknown level "` + text + `", want low, high`; err == nil || err.Error() != want {
			t.Errorf("Parse(%q): %v, want %s", text, err, want)
		}
	}
}
