package report

import "time"

// SVGIn draws the chart as [Chart.SVG] does, with numbers and days in a language: "en",
// "de", "nl" or "fr"; any other is English.
func (c Chart) SVGIn(locale string, zone *time.Location) string {
	var m markup
	c.draw(&m, languageOf(locale, zone))
	return m.String()
}

// SVGIn draws the bars as [Bars.SVG] does, in a language as in [Chart.SVGIn].
func (c Bars) SVGIn(locale string) string {
	var m markup
	c.draw(&m, languageOf(locale, nil))
	return m.String()
}
