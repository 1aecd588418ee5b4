package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Color is an sRGB colour.
type Color struct{ R, G, B uint8 }

// The backgrounds of the two schemes.
var (
	LightBackground = Color{0xff, 0xff, 0xff}
	DarkBackground  = Color{0x0f, 0x17, 0x2a}
)

// The least contrast of text and of graphics against their background, by WCAG
// 2.2, success criteria 1.4.3 and 1.4.11 (level AA).
const (
	TextContrast    = 4.5
	GraphicContrast = 3.0
)

// ParseColor reads "#rrggbb", or "#rgb" where each digit stands for two of it.
func ParseColor(text string) (Color, error) {
	digits, ok := strings.CutPrefix(text, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != 6 || !ok {
		return Color{}, fmt.Errorf("colour %q: want hexadecimal digits, like \"#1d4ed8\" or \"#09c\"", text)
	}
	return Color{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

// String returns "#rrggbb".
func (c Color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// Luminance returns the relative luminance, 0 for black to 1 for white, by the
// definition of WCAG 2.2:
//
//	L = 0.2126 R + 0.7152 G + 0.0722 B, each linear: c/12.92 up to 0.04045, else ((c+0.055)/1.055)^2.4
func (c Color) Luminance() float64 {
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
func Contrast(a, b Color) float64 {
	high, low := a.Luminance(), b.Luminance()
	if high < low {
		high, low = low, high
	}
	return (high + 0.05) / (low + 0.05)
}

// On returns white or black, whichever reads better on c.
func (c Color) On() Color {
	white, black := Color{0xff, 0xff, 0xff}, Color{}
	if Contrast(c, white) >= Contrast(c, black) {
		return white
	}
	return black
}
