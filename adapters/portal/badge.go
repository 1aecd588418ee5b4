package portal

import (
	"html"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/sla"
	"github.com/evenkeelops/evenkeel/slo"
)

// badgeMetrics are what a badge may show; the first is the default.
var badgeMetrics = []string{"availability", "budget", badgeStatus}

// badgeStatus is the one that is there without the page of objectives.
const badgeStatus = "status"

// badge serves the state as a picture.
func (v *visit) badge() {
	metric := v.r.URL.Query().Get("metric")
	if metric == "" {
		metric = badgeMetrics[0]
	}
	if !slices.Contains(badgeMetrics, metric) || metric != badgeStatus && !(page.Options{Without: v.tenant.Disabled}).Has(page.SLO) {
		v.deny()
		return
	}
	v.show(svgType, "badge "+metric, func() ([]byte, error) { return badgeOf(v.page, metric).svg(), nil })
}

// badge is a label and a value beside each other.
type badge struct {
	label, value string
	state        State
}

// glyphs and colours of the states. White text has a contrast of 4.5 or more on each.
var badgeLooks = map[State]struct {
	glyph string
	color report.Color
}{
	Operational: {"✓", report.Color{R: 0x15, G: 0x80, B: 0x3d}},
	Maintained:  {"◷", report.Color{R: 0x1d, G: 0x4e, B: 0xd8}},
	Degraded:    {"▲", report.Color{R: 0x92, G: 0x40, B: 0x0e}},
	Out:         {"✕", report.Color{R: 0xb9, G: 0x1c, B: 0x1c}},
	NoData:      {"–", report.Color{R: 0x4b, G: 0x55, B: 0x63}},
}

// badgeLabel is the background of the label.
var badgeLabel = report.Color{R: 0x37, G: 0x41, B: 0x51}

// badgeOf returns the badge of a customer. Values are cut, never rounded up: a target
// that is missed by a hair is not shown as met.
func badgeOf(t *page.Tenant, metric string) badge {
	switch metric {
	case "budget":
		return budgetBadge(t)
	case badgeStatus:
		s := StateOf(t)
		return badge{"status", strings.ReplaceAll(string(s), "_", " "), s}
	}
	b := badge{"availability", "no data", NoData}
	if len(t.Months) == 0 {
		return b
	}
	overall := t.Months[len(t.Months)-1].Report.Statement.Overall
	if len(overall) == 0 || !overall[0].Value.IsSet() {
		return b
	}
	b.value, b.state = overall[0].Value.Percent(3)+" %", Operational
	if overall[0].Outcome == sla.Missed {
		b.state = Out
	}
	return b
}

// budgetBadge shows the budget of which the least is left.
func budgetBadge(t *page.Tenant) badge {
	b := badge{"error budget", "no data", NoData}
	if t.Budgets == nil {
		return b
	}
	var least slo.Ratio
	for _, one := range t.Budgets.Budgets {
		left := one.Status.Remaining
		if !left.IsSet() || least.IsSet() && left.Compare(least) >= 0 {
			continue
		}
		least = left
	}
	if !least.IsSet() {
		return b
	}
	b.state = Operational
	switch {
	case least.Sign() <= 0:
		b.state = Out
	case least.Compare(slo.NewRatio(1, 4)) < 0:
		b.state = Degraded
	}
	b.value = "exhausted"
	if least.Sign() > 0 {
		b.value = wholePercent(least.Rat()) + " % left"
	}
	return b
}

// wholePercent returns a share in whole percent, cut.
func wholePercent(share *big.Rat) string {
	hundred := new(big.Int).Mul(share.Num(), big.NewInt(100))
	return hundred.Quo(hundred, share.Denom()).String()
}

// svg draws the badge: flat, without any style attribute, so that a strict content
// security policy lets it pass.
func (b badge) svg() []byte {
	look := badgeLooks[b.state]
	value := look.glyph + " " + b.value
	left, right := width(b.label)+2*badgePad, width(value)+2*badgePad
	title := html.EscapeString(b.label + ": " + b.value)
	var s strings.Builder
	s.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" width="` + strconv.Itoa(left+right) + `" height="20" role="img" aria-label="` + title + `">` + "\n")
	s.WriteString("<title>" + title + "</title>\n")
	block := func(x, w int, color report.Color, text string) {
		s.WriteString(`<rect x="` + strconv.Itoa(x) + `" width="` + strconv.Itoa(w) + `" height="20" fill="` + color.String() + `"/>` + "\n")
		s.WriteString(`<text x="` + strconv.Itoa(x+badgePad) + `" y="14" textLength="` + strconv.Itoa(w-2*badgePad) +
			`" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#ffffff">` + html.EscapeString(text) + "</text>\n")
	}
	block(0, left, badgeLabel, b.label)
	block(left, right, look.color, value)
	s.WriteString("</svg>\n")
	return []byte(s.String())
}

const badgePad = 6

// width is that of a text in pixels, rounded up, at 11 pixels of Verdana or DejaVu
// Sans, the widest of what badges are drawn with.
func width(text string) int {
	tenths := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune("ijl.,:;'|! ", r):
			tenths += 39
		case strings.ContainsRune("frt-()", r):
			tenths += 48
		case strings.ContainsRune("mwMW%", r):
			tenths += 108
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z':
			tenths += 70
		case r > 0x7f:
			tenths += 92
		default:
			tenths += 80
		}
	}
	return (tenths + 9) / 10
}
