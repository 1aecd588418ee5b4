package main

import (
	"fmt"
	"html"
	"strings"
)

// Room of a curve in the drawing, and of its plot in it. The charts of adapters/report
// have an axis of time, and one of them fills the width of a page.
const (
	columns, cellWide, cellHigh = 3, 300, 150
	plotLeft, plotWide          = 40, 220
	plotTop, plotHigh           = 30, 90
	most                        = 2.5 // times the cost: the bar
)

const drawingStyle = `<style>:root{--bg:#fff;--fg:#0f172a;--mute:#475569;--line:#cbd5e1;--s0:#1d4ed8;--bad:#b91c1c}
@media screen and (prefers-color-scheme:dark){:root{--bg:#0f172a;--fg:#f1f5f9;--mute:#cbd5e1;--line:#475569;--s0:#93c5fd;--bad:#fca5a5}}
text{font:11px system-ui,sans-serif;fill:var(--mute)}.name{font-weight:600;fill:var(--fg)}.axis{stroke:var(--line)}.bar{stroke:var(--bad);stroke-dasharray:5 3}
.line{fill:none;stroke:var(--s0);stroke-width:1.75}.dot{fill:var(--s0)}</style>
`

// drawing shows each curve beside the others, from 0 to three times the cost; a higher
// value is cut at the top and its number says what it is.
func drawing(curves []curve) string {
	var b strings.Builder
	high := (len(curves) + columns - 1) / columns * cellHigh
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d"><title>What an item costs in larger inputs</title>`+"\n", columns*cellWide, high)
	b.WriteString(drawingStyle)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" style="fill:var(--bg)"/>`+"\n", columns*cellWide, high)
	for i, c := range curves {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`, i%columns*cellWide, i/columns*cellHigh)
		c.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (c curve) draw(b *strings.Builder) {
	y := func(cost float64) float64 { return plotTop + plotHigh*(1-min(cost, 3)/3) }
	fmt.Fprintf(b, `<text class="name" x="%d" y="16">%s</text>`, plotLeft, html.EscapeString(c.name))
	fmt.Fprintf(b, `<line class="axis" x1="%d" x2="%d" y1="%d" y2="%[3]d"/>`, plotLeft, plotLeft+plotWide, plotTop+plotHigh)
	fmt.Fprintf(b, `<line class="bar" x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f"/><text x="4" y="%.1f">2.5 ×</text>`, plotLeft, plotLeft+plotWide, y(most), y(most)+4)
	var path strings.Builder
	for i, cost := range []float64{1, c.cost[0], c.cost[1]} {
		x := plotLeft + 10 + i*(plotWide-20)/2
		fmt.Fprintf(b, `<text text-anchor="middle" x="%d" y="%d">%s</text>`, x, plotTop+plotHigh+16, []string{"1 ×", "10 ×", "100 ×"}[i])
		if cost == 0 {
			continue
		}
		step := "L"
		if path.Len() == 0 {
			step = "M"
		}
		fmt.Fprintf(&path, "%s%d %.1f", step, x, y(cost))
		fmt.Fprintf(b, `<circle class="dot" cx="%d" cy="%.1f" r="3"/><text text-anchor="middle" x="%[1]d" y="%.1[3]f">%[4]s</text>`, x, y(cost), y(cost)-6, digits(cost))
	}
	fmt.Fprintf(b, `<path class="line" d="%s"/>`, path.String())
}
