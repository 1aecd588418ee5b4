package page

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

//go:embed style.css
var styleCSS []byte

// Style is the one style sheet of all pages, with the colours of the brand: that of
// documents and drawings, and what pages have beside. The same brand gives the same
// bytes.
func Style(b Brand) []byte {
	light, dark := b.colors()
	var out bytes.Buffer
	out.Write(report.Stylesheet())
	out.Write(report.DrawingStylesheet())
	out.Write(styleCSS)
	fmt.Fprintf(&out, ":root{--brand:%s;--onbrand:%s;--s0:%[1]s}\n", light, light.On())
	fmt.Fprintf(&out, "@media screen and (prefers-color-scheme:dark){:root{--brand:%s;--onbrand:%s;--s0:%[1]s}}\n", dark, dark.On())
	return out.Bytes()
}

// colors are those of the brand, or what stands for them.
func (b Brand) colors() (light, dark report.Color) {
	light, dark = b.Color, b.ColorDark
	if light == (report.Color{}) {
		light = report.Color{R: 0x1d, G: 0x4e, B: 0xd8} // of the reports
	}
	if dark == (report.Color{}) {
		dark = lighten(light)
	}
	return light, dark
}

// lighten mixes a colour with white until it reads on the dark background.
func lighten(c report.Color) report.Color {
	for step := range 256 {
		mixed := report.Color{R: toward(c.R, step), G: toward(c.G, step), B: toward(c.B, step)}
		if report.Contrast(mixed, report.DarkBackground) >= report.TextContrast {
			return mixed
		}
	}
	return report.LightBackground
}

// toward moves a channel to white by so many of 255 parts.
func toward(channel uint8, step int) uint8 {
	return channel + uint8((255-int(channel))*step/255) //nolint:gosec // between the channel and 255
}
