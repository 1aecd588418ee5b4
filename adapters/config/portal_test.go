package config_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
)

// acmeHash is the SHA-256 of "acme-demo-token", from sha256sum.
const acmeHash = "79665b9580ab672b11d07c958da63e90a03b2b9fbf6365b47972b7d1762406a7"

const portalFile = `version: 1
listen: 127.0.0.1:8080
base_url: https://status.example.net
brand: {name: Northwind, logo: logo.svg, color: "#1d4ed8"}
ops: {token_sha256: ` + acmeHash + `, team: team.yaml, costs: costs.yaml}
` + portalTenants

const portalTenants = `tenants:
  - {id: acme, name: Acme Retail, token_sha256: ` + acmeHash + `, contract: contract.yaml, checks: checks.csv, max_gap: 5m, slo: slo.yaml, sli: sli.csv, locale: nl}
  - {id: globex, name: Globex, public: true, contract: globex.yaml}
`

func TestReadPortal(t *testing.T) {
	p, d, err := config.ParsePortal("portal.yaml", []byte(portalFile), noSecrets)
	if err != nil || len(d.Problems()) != 0 {
		t.Fatal(d.Problems())
	}
	if p.Listen != "127.0.0.1:8080" || p.BaseURL != "https://status.example.net" || p.Brand.Logo != "logo.svg" || p.Ops == nil || p.Ops.Team != "team.yaml" || len(p.Tenants) != 2 {
		t.Errorf("%+v", p)
	}
	acme, globex := p.Tenants[0], p.Tenants[1]
	if acme.Public || acme.Contract != "contract.yaml" || acme.Checks != "checks.csv" || acme.MaxGap != 5*time.Minute || acme.Locale != "nl" || !globex.Public || globex.Token.IsSet() {
		t.Errorf("%+v, %+v", acme, globex)
	}
	if !acme.Token.Matches("acme-demo-token") || acme.Token.Matches(acmeHash) || acme.Token.Matches("") || globex.Token.Matches("") || acme.Feed.Matches("") {
		t.Error("a token opens what it should not, or does not what it should")
	}
	// #1d4ed8 has 2.66 on the dark background, too little for text.
	if p.Brand.Color != "#1d4ed8" || p.Brand.ColorDark == p.Brand.Color || p.Brand.ColorDark == "" {
		t.Errorf("brand %+v", p.Brand)
	}
}

func TestReadPortalRefuses(t *testing.T) {
	other := sha256.Sum256([]byte("another"))
	otherHash := hex.EncodeToString(other[:])
	for _, c := range []struct{ old, text, want string }{
		{"id: globex", "id: acme", `portal.yaml:8:10: tenants[1].id: id "acme" stands twice`},
		{"id: globex", "id: Globex", `portal.yaml:8:10: tenants[1].id: "Globex", want lower-case`},
		{"id: globex", "id: " + strings.Repeat("a", 64), `portal.yaml:8:10: tenants[1].id: `},
		{"id: globex", "id: -a", `portal.yaml:8:10: tenants[1].id: `},
		{"id: globex", "id: ''", `portal.yaml:8:10: tenants[1].id: `},
		{"public: true", "public: false", "portal.yaml:8:6: tenants[1].token_sha256: missing"},
		{"public: true", "public: true, token_sha256: " + otherHash, "portal.yaml:8:40: tenants[1].public: public beside token_sha256"},
		{"public: true", "token_sha256: " + otherHash[1:], "portal.yaml:8:46: tenants[1].token_sha256: not the SHA-256"},
		{"locale: nl", "locale: nl, feed_token_sha256: " + acmeHash, "tenants[0].feed_token_sha256: the same token"},
		{"locale: nl", "locale: nl, write_token_sha256: " + acmeHash, "tenants[0].write_token_sha256: the same token"},
		{"locale: nl", "locale: nl, feed_token_sha256: " + otherHash + ", write_token_sha256: " + otherHash, "tenants[0].write_token_sha256: the same token as feed_token_sha256"},
		{"locale: nl", "locale: es", "tenants[0].locale: "},
		{"version: 1", "version: 1\ntrusted_proxies: [10.0.0.0/8, 10.0.0.0/33]", `portal.yaml:2:31: trusted_proxies[1]: found "10.0.0.0/33", want a network`},
		{"version: 1", "version: 1\ntrusted_proxies: [0.0.0.0/0]", `trusted_proxies[0]: found "0.0.0.0/0", which is everybody`},
		{"version: 1", "version: 1\nrequests: {}", "portal.yaml:2:11: requests: want one of smtp, webhook, pagerduty, jira and servicenow"},
		{"version: 1", "version: 1\nrequests: {jira: {url: 'https://j.example', token: whsec, project: OPS}, webhook: {url: 'https://w.example', secret: whsec}}", "portal.yaml:2:11: requests: want one of"},
		{"version: 1", "version: 1\nrequests: {jira: {url: 'https://j.example', token: whsec, project: OPS, deployment: server}}", `portal.yaml:2:85: requests.jira.deployment: "server", want cloud or data_center`},
		{"version: 1", "version: 1\nrequests: {servicenow: {url: 'https://s.example', user: portal}}", `portal.yaml:2:24: requests.servicenow: no credential`},
		{"version: 1", "version: 1\nrequests: {pagerduty: {routing_key: whsec, webhook_secret: whsec}}", `unknown key "webhook_secret"`},
		{"version: 1", "version: 1\nrequests: {webhook: {url: ftp, secret: whsec}}", `requests.webhook.url: `},
		{"version: 1", "version: 1\nproxy_header: X-Real-IP", `portal.yaml:2:15: proxy_header: found "X-Real-IP", want X-Forwarded-For, Forwarded`},
		{"locale: nl", "disabled: [slo, credit]", `portal.yaml:7:218: tenants[0].disabled[1]: found "credit", want slo, incidents`},
		{"locale: nl", "disabled: [status]", `tenants[0].disabled[0]: found "status", want slo`},
		{"public: true, contract: globex.yaml", "public: true", "portal.yaml:8:6: tenants[1].contract: missing"},
		{`"#1d4ed8"`, `"#fcd34d"`, `portal.yaml:4:49: brand.color: #fcd34d on #ffffff has a contrast of 1.44, want at least 4.5 (did you mean "#`}, // this and the next ratio from contrast.json
		{`"#1d4ed8"`, `"#1d4ed8", color_dark: "#1d4ed8"`, `portal.yaml:4:72: brand.color_dark: #1d4ed8 on #0f172a has a contrast of 2.66`},
		{`"#1d4ed8"`, `blue`, `portal.yaml:4:49: brand.color: colour "blue": want`},
		{"127.0.0.1:8080", "8080", "portal.yaml:2:9: listen: "},
		{"https://status", "status", "portal.yaml:3:11: base_url: "},
		{"token_sha256: " + acmeHash + ", team", "team", "portal.yaml:5:7: ops.token_sha256: missing"},
		{portalTenants, "tenants: []\n", "portal.yaml:6:10: tenants: no tenant"},
	} {
		if !strings.Contains(portalFile, c.old) {
			t.Fatalf("%q is not in the file", c.old)
		}
		_, d, err := config.ParsePortal("portal.yaml", []byte(strings.Replace(portalFile, c.old, c.text, 1)), noSecrets)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\ngot  %v\nwant %s alone", c.text, d.Problems(), c.want)
		}
	}
}

const reports = `mail: {host: smtp.example.net, port: 2525, from: ops@example.net, user: ops, password: {env: SMTP_PASSWORD}, security: tls}
tenants:
  - id: globex
    name: Globex
    public: true
    contract: globex.yaml
    outlook: outlook.yaml
    reports:
      recipients: {customer_stakeholders: [it@globex.example, cio@globex.example], account_manager: [am@example.net], service_delivery_manager: [sdm@example.net]}
      kinds: [monthly_report, weekly_service_review]
      cut_off: 48h
      since: 2026-10-01T00:00:00+02:00
`

func TestReadPortalReports(t *testing.T) {
	head := strings.TrimSuffix(portalFile, portalTenants)
	p, d, err := config.ParsePortal("portal.yaml", []byte(head+reports), noSecrets)
	if err != nil || len(d.Problems()) != 0 {
		t.Fatal(d.Problems())
	}
	if m := p.Mail; m == nil || m.Host != "smtp.example.net" || m.Port != 2525 || m.From != "ops@example.net" || m.User != "ops" || m.Password.Env != "SMTP_PASSWORD" || m.Security != "tls" {
		t.Errorf("mail %+v", p.Mail)
	}
	r := p.Tenants[0].Reports
	if p.Tenants[0].Outlook != "outlook.yaml" || r == nil || *r.CutOff != 48*time.Hour || !r.Since.Equal(time.Date(2026, 9, 30, 22, 0, 0, 0, time.UTC)) || strings.Join(r.Kinds, " ") != "monthly_report weekly_service_review" ||
		strings.Join(r.To["customer_stakeholders"], " ") != "it@globex.example cio@globex.example" || strings.Join(r.To["service_delivery_manager"], " ") != "sdm@example.net" {
		t.Errorf("reports %+v", r)
	}
	for _, c := range []struct{ old, text, path string }{
		{"account_manager: [am@example.net]", "account_manager: []", "tenants[0].reports.recipients.account_manager"},
		{", account_manager: [am@example.net]", "", "tenants[0].reports.recipients.account_manager"},
		{"am@example.net", "am", "tenants[0].reports.recipients.account_manager[0]"},
		{"weekly_service_review", "weekly", "tenants[0].reports.kinds[1]"},
		{"weekly_service_review", "monthly_report", "tenants[0].reports.kinds[1]"},
		{"cut_off: 48h", "cut_off: 15d", "tenants[0].reports.cut_off"},
		{"    outlook: outlook.yaml\n", "    disabled: [review-weekly]\n", "tenants[0].reports.kinds[1]"},
		{"since: 2026-10-01T00:00:00+02:00", "since: 2026-10-01", "tenants[0].reports.since"},
		{"port: 2525", "port: 70000", "mail.port"},
		{"security: tls", "security: ssl", "mail.security"},
		{"security: tls", "security: none", "mail.security"},
		{"host: smtp.example.net, ", "", "mail.host"},
	} {
		_, d, err := config.ParsePortal("portal.yaml", []byte(head+strings.Replace(reports, c.old, c.text, 1)), noSecrets)
		if err == nil || len(d.Problems()) != 1 || d.Problems()[0].Path != c.path || d.Problems()[0].Line == 0 {
			t.Errorf("%s: %v, want one problem at %s", c.text, d.Problems(), c.path)
		}
	}
	for text, want := range map[string]*time.Duration{"cut_off: 0s": new(time.Duration(0)), "": nil} {
		p, _, err := config.ParsePortal("portal.yaml", []byte(head+strings.Replace(reports, "cut_off: 48h", text, 1)), noSecrets)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Tenants[0].Reports.CutOff; (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%q: a cut-off of %v, want %v", text, got, want)
		}
	}
	_, d, err = config.ParsePortal("portal.yaml", []byte(head+strings.Replace(reports, "{env: SMTP_PASSWORD}", "canary", 1)), noSecrets)
	if err != nil || len(d.Problems()) != 1 || d.Problems()[0].Code != "inline_secret" || strings.Contains(d.Problems().Error(), "canary") {
		t.Errorf("a password in the file: %v, %v", err, d.Problems())
	}
}

// What stands where a hash belongs may be the token, so it is never shown.
func TestReadPortalShowsNoToken(t *testing.T) {
	for _, c := range []struct{ old, text string }{
		{"token_sha256: " + acmeHash + ", contract", "token_sha256: canary, contract"},
		{"token_sha256: " + acmeHash + ", contract", "token_sha256: [canary], contract"},
		{"token_sha256: " + acmeHash + ", contract", "token_sha256: {a: canary}, contract"},
		{"token_sha256: " + acmeHash + ", contract", "token_sha256: *canary, contract"},
		{"{token_sha256: " + acmeHash + ", team: team.yaml, costs: costs.yaml}", "canary"},
		{portalTenants, "tenants: canary\n"},
		{portalTenants, "tenants: [canary]\n"},
		{"https://status.example.net", "https://user:canary@status.example.net:x"},
	} {
		_, d, err := config.ParsePortal("portal.yaml", []byte(strings.Replace(portalFile, c.old, c.text, 1)), noSecrets)
		if shown := d.Problems().Error(); err == nil || strings.Contains(shown, "canary") {
			t.Errorf("%s: %v", c.text, shown)
		}
	}
}
