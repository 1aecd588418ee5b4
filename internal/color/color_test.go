package color_test

import (
	"testing"

	"github.com/evenkeelops/evenkeel/internal/color"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{"#1d4ed8": "#1d4ed8", "#09c": "#0099cc", "#ABCDEF": "#abcdef"} {
		if c, err := color.Parse(text); err != nil || c.String() != want {
			t.Errorf("Parse(%q) = %v, %v, want %s", text, c, err, want)
		}
	}
	for _, text := range []string{"", "#", "1d4ed8", "#1d4ed", "#1d4ed8ff", "#+1234d", "red", "#ggg"} {
		if c, err := color.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, c)
		}
	}
}

// A colour that passes stays; of one that fails the answer is the first step that
// passes, on either side.
func TestReadable(t *testing.T) {
	for _, background := range []color.RGB{color.LightBackground, color.DarkBackground} {
		for r := 0; r < 256; r += 51 {
			for g := 0; g < 256; g += 51 {
				for b := 0; b < 256; b += 51 {
					c := color.RGB{R: uint8(r), G: uint8(g), B: uint8(b)}
					got, passes := c.Readable(background, color.TextContrast), color.Contrast(c, background) >= color.TextContrast
					if ratio := color.Contrast(got, background); ratio < color.TextContrast || passes && got != c {
						t.Errorf("%v on %v: %v with %.2f", c, background, got, ratio)
					}
					if again := got.Readable(background, color.TextContrast); again != got {
						t.Errorf("%v on %v: %v, and of that %v", c, background, got, again)
					}
				}
			}
		}
	}
	// Nothing reaches 21 on grey: the answer is the end of the way.
	if got := (color.RGB{R: 9}).Readable(color.RGB{R: 0x80, G: 0x80, B: 0x80}, 21); got != (color.RGB{}) {
		t.Errorf("%v, want black", got)
	}
}
