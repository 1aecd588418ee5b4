// Package color says which colours can be read on which, by the arithmetic of WCAG.
package color

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// RGB is an sRGB colour.
type RGB struct{ R, G, B uint8 }

// The backgrounds of the two schemes.
var (
	LightBackground = RGB{0xff, 0xff, 0xff}
	DarkBackground  = RGB{0x0f, 0x17, 0x2a}
)

// The least contrast of text and of graphics against their background, by WCAG
// 2.2, success criteria 1.4.3 and 1.4.11 (level AA).
const (
	TextContrast    = 4.5
	GraphicContrast = 3.0
)

// Parse reads "#rrggbb", or "#rgb" where each digit stands for two of it.
func Parse(text string) (RGB, error) {
	digits, ok := strings.CutPrefix(text, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != 6 || !ok {
		return RGB{}, fmt.Errorf("colour %q: want hexadecimal digits, like \"#1d4ed8\" or \"#09c\"", text)
	}
	return RGB{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

// String returns "#rrggbb".
func (c RGB) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// Luminance returns the relative luminance, 0 for black to 1 for white, by the
// definition of WCAG 2.2:
//
//	L = 0.2126 R + 0.7152 G + 0.0722 B, each linear: c/12.92 up to 0.04045, else ((c+0.055)/1.055)^2.4
func (c RGB) Luminance() float64 {
	linear := func(channel uint8) float64 {
		s := float64(channel) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// Contrast returns the contrast ratio of two colours, 1 to 21, in any order:
// (lighter + 0.05) / (darker + 0.05).
func Contrast(a, b RGB) float64 {
	high, low := a.Luminance(), b.Luminance()
	if high < low {
		high, low = low, high
	}
	return (high + 0.05) / (low + 0.05)
}

// On returns white or black, whichever reads better on c.
func (c RGB) On() RGB {
	white, black := RGB{0xff, 0xff, 0xff}, RGB{}
	if Contrast(c, white) >= Contrast(c, black) {
		return white
	}
	return black
}

// Readable returns c, or the nearest colour of its hue that has at least a contrast
// of least against a background. Nearest is by parts of 255 of the way to white or
// black, whichever reads better there, and that is the answer if nothing before it
// passes.
func (c RGB) Readable(background RGB, least float64) RGB {
	end, n := background.On(), 0
	toward := func(from, to uint8) uint8 { return uint8((int(from)*(255-n) + int(to)*n) / 255) }
	for ; n < 255; n++ {
		if nearer := (RGB{toward(c.R, end.R), toward(c.G, end.G), toward(c.B, end.B)}); Contrast(nearer, background) >= least {
			return nearer
		}
	}
	return end
}
