package report

import "github.com/evenkeelops/evenkeel/internal/color"

// Color is an sRGB colour, written "#rrggbb". Luminance is its relative luminance by
// WCAG 2.2, On white or black, whichever reads better on it, and Readable the nearest
// colour of its hue that reads well enough on a background.
type Color = color.RGB

// The backgrounds of the two schemes.
var (
	LightBackground = color.LightBackground
	DarkBackground  = color.DarkBackground
)

// The least contrast of text and of graphics against their background, by WCAG
// 2.2, success criteria 1.4.3 and 1.4.11 (level AA).
const (
	TextContrast    = color.TextContrast
	GraphicContrast = color.GraphicContrast
)

// ParseColor reads "#rrggbb", or "#rgb" where each digit stands for two of it.
func ParseColor(text string) (Color, error) { return color.Parse(text) }

// Contrast returns the contrast ratio of two colours, 1 to 21, in any order:
// (lighter + 0.05) / (darker + 0.05).
func Contrast(a, b Color) float64 { return color.Contrast(a, b) }
