package report_test

import (
	"strings"
	"testing"

	"github.com/evenkeelops/evenkeel/sla"
)

// Formats as the Unicode CLDR has them, with the code of the currency in the place
// of its sign: a no-break space before it, a narrow one between French thousands.
func TestLocales(t *testing.T) {
	for _, c := range []struct {
		locale string
		want   []string
	}{
		{"", []string{"99.305555 %", "99.5 %", "40000.00 EUR", "1 Sep 2026 00:00 UTC to 1 Oct 2026 00:00 UTC"}},
		{"en", []string{"99.305555 %", "40000.00 EUR"}},
		{"de", []string{"99,305555\u00a0%", "99,5\u00a0%", "40.000,00\u00a0EUR", "01.09.2026 00:00 UTC bis 01.10.2026 00:00 UTC"}},
		{"nl", []string{"99,305555%", "99,5%", "EUR\u00a040.000,00", "01-09-2026 00:00 UTC tot 01-10-2026 00:00 UTC"}},
		{"fr", []string{"99,305555\u202f%", "99,5\u202f%", "40\u202f000,00\u00a0EUR", "01/09/2026 00:00 UTC à 01/10/2026 00:00 UTC"}},
	} {
		t.Run(c.locale, func(t *testing.T) {
			r := september(t, func(_ *sla.Contract, e *sla.Evidence) { // 5 of 720 hours
				e.Outages = []sla.Outage{{Ref: "I-1", Service: "api", Start: at(3, 0, 0), End: at(3, 5, 0)}}
			})
			r.Report.Statement.State = sla.StateDue // so that the fee is shown
			r.Explained, r.Locale = false, c.locale
			text, page, md, data := render(t, r)
			for _, want := range c.want {
				for form, got := range map[string]string{"text": text, "page": page, "Markdown": md} {
					if !strings.Contains(got, want) {
						t.Errorf("the %s lacks %q:\n%s", form, want, got)
					}
				}
			}
			if !strings.Contains(data, `"availability_percent":99.305555`) {
				t.Errorf("the JSON form depends on the locale: %s", data)
			}
		})
	}
}
