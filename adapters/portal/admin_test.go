package portal_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/metrics"
	"github.com/evenkeelops/evenkeel/adapters/portal"
)

func TestMetrics(t *testing.T) {
	at := now
	p := site(t, func(c *portal.Config) { c.Now = func() time.Time { return at } })
	ask(p, "GET", "/t/acme/", "", bearer(acmeToken)...)
	ask(p, "GET", "/t/acme/", "")
	ask(p, "GET", "/t/"+strings.Repeat("x", 10)+"/", "")
	ask(p, "GET", "/no/such/route", "")
	p.ReloadFailed()
	at = at.Add(90 * time.Second)
	w := ask(p.Admin(), "GET", "/metrics", "")
	if w.Header().Get("Content-Type") != metrics.ContentType {
		t.Errorf("%v", w.Header())
	}
	body := w.Body.String()
	for _, line := range []string{
		`evenkeel_availability_ratio{tenant="acme",service="api-` + acmeMark + `"} 0.9285714285714286`, // 13 of 14 hours
		`evenkeel_incidents_open{tenant="acme",severity="p1"} 1`, `evenkeel_incidents_open{tenant="acme",severity="p2"} 0`, `evenkeel_update_overdue{tenant="acme"} 1`,
		`evenkeel_data_age_seconds{tenant="beta"} 90`, `evenkeel_config_reload_errors_total 1`, `evenkeel_http_requests_total{route="GET /t/{tenant}/{$}",code="200"} 1`,
		`evenkeel_http_requests_total{route="GET /t/{tenant}/{$}",code="404"} 2`, `evenkeel_http_requests_total{route="none",code="404"} 1`,
		`evenkeel_credit_amount{tenant="acme",currency="EUR"}`,
	} {
		if !strings.Contains(body, line) {
			t.Errorf("lacks %s", line)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
	line := regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="[^"\\\n]*",?)*\})? [-+0-9.eE]+)$`)
	for l := range strings.Lines(body) {
		if l = strings.TrimSuffix(l, "\n"); !line.MatchString(l) {
			t.Errorf("no line of the text format: %q", l)
		}
	}
	if w := ask(p, "GET", "/metrics", "", bearer(opsToken)...); w.Code != 200 || !strings.Contains(w.Body.String(), "evenkeel_update_overdue") {
		t.Errorf("for the operations: %d", w.Code)
	}
}
