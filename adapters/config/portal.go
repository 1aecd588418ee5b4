package config

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/evenkeelops/evenkeel/internal/color"
	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/sla"
)

// Portal is what customers and the own operations see, and who may see it. Files are
// named as the file names them, relative to it.
type Portal struct {
	Listen      string // address, host:port; 127.0.0.1:8080 unless the file has another
	AdminListen string // address of metrics and health; "" for the one above
	// Proxies are the networks of those who ask for others, and ProxyHeader is in which
	// header they say for whom: "X-Forwarded-For" or "Forwarded".
	Proxies     []netip.Prefix
	ProxyHeader string
	BaseURL     string // under which the pages are reached; "" for not known
	Brand       Brand
	Ops         *PortalOps // nil for no internal pages
	Mail        *Mail      // server that reports are sent by; nil for none
	Tenants     []Tenant   // as in the file
	// Requests are sent on by mail, as a webhook or as tickets; nil for to nobody.
	Requests *RequestSink
}

// Mail is a server that takes mail, and who sends it.
type Mail struct {
	Host     string
	Port     int
	From     string
	User     string
	Password SecretRef
	Security string // as of notify.Security
}

// Reports are what a customer is sent, and who gets it.
type Reports struct {
	// To are mail addresses by role; each of [sla.ReportRecipients] has one or more.
	To     map[string][]string
	Kinds  []string       // as of dispatch.Kinds; nil for those of the tier
	CutOff *time.Duration // nil for the default
	Since  time.Time      // zero for the latest period alone
}

// Brand is how the pages of a portal look.
type Brand struct {
	Name string
	Logo string // file; "" for none
	// Color and ColorDark are "#rrggbb" and can be read as text on the light and on the
	// dark background. Both are "" where the file has no colour, and ColorDark is made
	// lighter from Color until it can be read where the file has one colour alone.
	Color     string
	ColorDark string
}

// RequestSink is where requests of customers go: one of them is not nil. They are those
// of a bridge, without the webhooks that come back to one.
type RequestSink struct {
	SMTP       *SMTPSink
	Webhook    *WebhookSink
	PagerDuty  *PagerDutySink
	Jira       *JiraSink
	ServiceNow *ServiceNowSink
}

// PortalOps are the internal pages about all tenants.
type PortalOps struct {
	Token TokenHash
	Team  string // file; "" for none, as with the next
	Costs string
}

// Tenant is a customer with pages of its own.
type Tenant struct {
	ID     string // lower-case letters, digits and hyphens, at most 63
	Name   string
	Public bool      // everybody sees it; otherwise Token is set
	Token  TokenHash // opens all of it for reading
	Feed   TokenHash // opens feeds, calendar and badge in a URL; not set for nobody
	Write  TokenHash // opens what writes; not set for nobody
	Locale string    // en, de, nl or fr; "" for that of the contract

	// Disabled are the pages that it does not have, of "slo", "incidents", "maintenance",
	// "credits", "catalogue", "journeys", "review-weekly", "review-monthly", "review-quarterly",
	// "executive-report", "help", "request", "search" and "report".
	Disabled []string

	Contract string
	// Files of evidence and of the other pages, "" for none.
	Outages, Checks, Incidents, Maintenance, Changes, SLO, SLI, Catalogue, Restores string
	Articles, Journeys, Outlook                                                     string
	MaxGap                                                                          time.Duration // how long a check holds; 0 for no limit
	Reports                                                                         *Reports      // nil for none that are sent
}

// TokenHash is the SHA-256 of a token, in a file 64 hexadecimal digits. The zero value
// is no token.
type TokenHash [sha256.Size]byte

// IsSet reports whether there is a token.
func (h TokenHash) IsSet() bool { return h != TokenHash{} }

// Matches reports whether a token is the one of the hash, in a time that does not
// depend on either. Nothing matches a hash that is not set.
func (h TokenHash) Matches(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], h[:]) == 1
}

// parseTokenHash never shows what it refuses: it may be the token itself.
func parseTokenHash(n *yaml.Node) (any, *Diagnostic) {
	var h TokenHash
	sum, err := hex.DecodeString(n.Value)
	if err != nil || len(sum) != len(h) {
		return nil, &Diagnostic{Code: "bad_hash", Message: "not the SHA-256 of a token, want 64 hexadecimal digits, as of printf %s \"$TOKEN\" | sha256sum"}
	}
	copy(h[:], sum)
	return h, nil
}

type portalFile struct {
	Version     int      `yaml:"version"`
	Listen      string   `yaml:"listen"`
	AdminListen string   `yaml:"admin_listen"`
	Proxies     []string `yaml:"trusted_proxies"`
	ProxyHeader string   `yaml:"proxy_header"`
	BaseURL     string   `yaml:"base_url"`
	Brand       struct {
		Name      string `yaml:"name,required"`
		Logo      string `yaml:"logo"`
		Color     string `yaml:"color"`
		ColorDark string `yaml:"color_dark"`
	} `yaml:"brand"`
	Ops *struct {
		Token TokenHash `yaml:"token_sha256,required"`
		Team  string    `yaml:"team"`
		Costs string    `yaml:"costs"`
	} `yaml:"ops"`
	Mail *struct {
		Host     string    `yaml:"host,required"`
		Port     int       `yaml:"port"`
		From     string    `yaml:"from,required"`
		User     string    `yaml:"user"`
		Password SecretRef `yaml:"password"`
		Security string    `yaml:"security"`
	} `yaml:"mail"`
	Requests *struct {
		SMTP       *smtpFile       `yaml:"smtp"`
		Webhook    *webhookFile    `yaml:"webhook"`
		PagerDuty  *pagerDutyFile  `yaml:"pagerduty"`
		Jira       *jiraFile       `yaml:"jira"`
		ServiceNow *serviceNowFile `yaml:"servicenow"`
	} `yaml:"requests"`
	Tenants []tenantFile `yaml:"tenants,required"`
}

type tenantFile struct {
	ID          string        `yaml:"id,required"`
	Name        string        `yaml:"name,required"`
	Public      bool          `yaml:"public"`
	Token       TokenHash     `yaml:"token_sha256"`
	Feed        TokenHash     `yaml:"feed_token_sha256"`
	Write       TokenHash     `yaml:"write_token_sha256"`
	Locale      string        `yaml:"locale"`
	Disabled    []string      `yaml:"disabled"`
	Contract    string        `yaml:"contract,required"`
	Outages     string        `yaml:"outages"`
	Checks      string        `yaml:"checks"`
	MaxGap      time.Duration `yaml:"max_gap"`
	Incidents   string        `yaml:"incidents"`
	Maintenance string        `yaml:"maintenance"`
	Changes     string        `yaml:"changes"`
	SLO         string        `yaml:"slo"`
	SLI         string        `yaml:"sli"`
	Catalogue   string        `yaml:"catalogue"`
	Restores    string        `yaml:"restores"`
	Articles    string        `yaml:"articles"`
	Journeys    string        `yaml:"journeys"`
	Outlook     string        `yaml:"outlook"`
	Reports     *reportsFile  `yaml:"reports"`
}

type reportsFile struct {
	Recipients struct {
		Stakeholders []string `yaml:"customer_stakeholders,required"`
		Account      []string `yaml:"account_manager,required"`
		Delivery     []string `yaml:"service_delivery_manager,required"`
	} `yaml:"recipients,required"`
	Kinds  []string      `yaml:"kinds"`
	CutOff time.Duration `yaml:"cut_off"`
	Since  time.Time     `yaml:"since"`
}

// portalPages are the words for pages that can be disabled.
var portalPages = []string{
	"slo", "incidents", "maintenance", "credits", "catalogue", "journeys", "review-weekly", "review-monthly", "review-quarterly", "executive-report", "help", "request",
	"search", "report",
}

// tenantID is part of paths and file names, and small enough for a label of DNS.
var tenantID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// ParsePortal reads the file of a portal. A tenant is public or has a token, exactly
// one of the two. Tokens stand in it as hashes; what is not one is an error that does
// not show it, because it may be the token. A brand colour that cannot be read as text
// on its background is an error with one that can. Secrets of where requests go are
// found as those of a bridge.
func ParsePortal(name string, data []byte, secrets Secrets) (Portal, *Document, error) {
	var file portalFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	p := Portal{Listen: cmp.Or(file.Listen, "127.0.0.1:8080"), AdminListen: file.AdminListen, BaseURL: file.BaseURL}
	for path, address := range map[string]string{"listen": file.Listen, "admin_listen": file.AdminListen} {
		d.address(path, address)
		d.openListen(path, address, "; want a proxy with TLS before it")
	}
	d.proxies(&p, file.Proxies, file.ProxyHeader)
	d.url("base_url", file.BaseURL)
	p.Brand = d.brand(&file)
	if ops := file.Ops; ops != nil {
		p.Ops = &PortalOps{Token: ops.Token, Team: ops.Team, Costs: ops.Costs}
	}
	if m := file.Mail; m != nil {
		p.Mail = &Mail{m.Host, m.Port, m.From, m.User, m.Password, m.Security}
		d.mail("mail", m.Port, m.User, m.Security)
		d.inline("mail.password", m.Password)
	}
	if f := file.Requests; f != nil {
		p.Requests = &RequestSink{}
		sinks := 0
		if f.SMTP != nil {
			sinks, p.Requests.SMTP = sinks+1, d.smtp("requests.smtp", f.SMTP, secrets)
		}
		if f.Webhook != nil {
			sinks, p.Requests.Webhook = sinks+1, d.webhook("requests.webhook", f.Webhook, secrets)
		}
		if f.PagerDuty != nil {
			sinks, p.Requests.PagerDuty = sinks+1, d.pagerDuty("requests.pagerduty", f.PagerDuty, secrets)
		}
		if f.Jira != nil {
			sinks, p.Requests.Jira = sinks+1, d.jira("requests.jira", f.Jira, secrets)
		}
		if f.ServiceNow != nil {
			sinks, p.Requests.ServiceNow = sinks+1, d.serviceNow("requests.servicenow", f.ServiceNow, secrets)
		}
		if sinks != 1 {
			d.Fail("requests", "contradiction", "want one of smtp, webhook, pagerduty, jira and servicenow")
		}
	}
	if d.has("tenants") && !d.failed("tenants") && len(file.Tenants) == 0 {
		d.Fail("tenants", "missing_field", "no tenant, want at least one")
	}
	ids := map[string]bool{}
	for i := range file.Tenants {
		p.Tenants = append(p.Tenants, d.tenant(fmt.Sprintf("tenants[%d]", i), &file.Tenants[i], ids))
	}
	return p, d, d.Err()
}

// proxies reads the networks of proxies: "10.0.0.0/8", or one address.
func (d *Document) proxies(p *Portal, networks []string, header string) {
	d.word("proxy_header", header, []string{"X-Forwarded-For", "Forwarded"})
	p.ProxyHeader = cmp.Or(header, "X-Forwarded-For")
	for i, text := range networks {
		at := fmt.Sprintf("trusted_proxies[%d]", i)
		network, err := netip.ParsePrefix(text)
		if err != nil {
			ip, single := netip.ParseAddr(text)
			if single != nil || ip.Zone() != "" {
				d.Fail(at, "bad_network", "found %q, want a network like 10.0.0.0/8, or an address", text)
				continue
			}
			network = netip.PrefixFrom(ip, ip.BitLen())
		}
		if network.Bits() == 0 {
			d.Fail(at, "bad_network", "found %q, which is everybody; want the networks of the proxies alone", text)
			continue
		}
		p.Proxies = append(p.Proxies, network.Masked())
	}
}

func (d *Document) tenant(path string, f *tenantFile, ids map[string]bool) Tenant {
	if at := path + ".id"; d.has(at) && !d.failed(at) {
		if tenantID.MatchString(f.ID) {
			d.unique(ids, at, f.ID)
		} else {
			d.Fail(at, "bad_id", "%q, want lower-case letters, digits and hyphens, a letter or digit first, at most 63", f.ID)
		}
	}
	switch token := path + ".token_sha256"; {
	case !f.Public && !d.has(token):
		d.missing(token)
	case f.Public && d.has(token):
		d.Fail(path+".public", "contradiction", "public beside token_sha256, want one of the two")
	}
	for _, other := range []struct {
		key  string
		hash TokenHash
	}{{"feed_token_sha256", f.Feed}, {"write_token_sha256", f.Write}} {
		if other.hash.IsSet() && other.hash == f.Token {
			d.Fail(diagnostic.Join(path, other.key), "contradiction", "the same token as token_sha256, want one of its own")
		}
	}
	if f.Feed.IsSet() && f.Feed == f.Write {
		d.Fail(path+".write_token_sha256", "contradiction", "the same token as feed_token_sha256, which stands in URLs; want one of its own")
	}
	d.word(path+".locale", f.Locale, locales)
	for i, name := range f.Disabled {
		d.word(fmt.Sprintf("%s.disabled[%d]", path, i), name, portalPages)
	}
	return Tenant{
		ID: f.ID, Name: f.Name, Public: f.Public, Token: f.Token, Feed: f.Feed, Write: f.Write, Locale: f.Locale, Disabled: f.Disabled, Contract: f.Contract,
		Outages: f.Outages, Checks: f.Checks, Incidents: f.Incidents, Maintenance: f.Maintenance, Changes: f.Changes,
		SLO: f.SLO, SLI: f.SLI, Catalogue: f.Catalogue, Restores: f.Restores, Articles: f.Articles, Journeys: f.Journeys, MaxGap: f.MaxGap,
		Outlook: f.Outlook, Reports: d.reports(path+".reports", f.Reports, f.Disabled),
	}
}

// reportKinds are those of package dispatch.
var reportKinds = []string{"monthly_report", "weekly_service_review", "monthly_service_review", "executive_report", "quarterly_business_review"}

// reportPages are the pages that show what is sent, by kind.
var reportPages = map[string]string{
	"monthly_report": "report", "weekly_service_review": "review-weekly", "monthly_service_review": "review-monthly",
	"executive_report": "executive-report", "quarterly_business_review": "review-quarterly",
}

// Sends reports whether a customer is sent reports of a kind of package dispatch: not if
// the page that shows them is disabled.
func (t *Tenant) Sends(kind string) bool { return !slices.Contains(t.Disabled, reportPages[kind]) }

// reports checks who gets reports: each role has somebody.
func (d *Document) reports(path string, f *reportsFile, disabled []string) *Reports {
	if f == nil {
		return nil
	}
	r := &Reports{Kinds: f.Kinds, Since: f.Since, To: map[string][]string{
		"customer_stakeholders": f.Recipients.Stakeholders, "account_manager": f.Recipients.Account, "service_delivery_manager": f.Recipients.Delivery,
	}}
	for _, role := range sla.ReportRecipients {
		at := path + ".recipients." + role
		if d.has(at) && !d.failed(at) && len(r.To[role]) == 0 {
			d.Fail(at, "missing_field", "nobody, want at least one address")
		}
		for i, address := range r.To[role] {
			if !strings.Contains(address, "@") {
				d.Fail(fmt.Sprintf("%s[%d]", at, i), "bad_address", "%q, want an address like name@example.com", address)
			}
		}
	}
	seen := map[string]bool{}
	for i, k := range f.Kinds {
		at := fmt.Sprintf("%s.kinds[%d]", path, i)
		d.word(at, k, reportKinds)
		d.unique(seen, at, k)
		if page := reportPages[k]; page != "" && slices.Contains(disabled, page) {
			d.Fail(at, "contradiction", "%q, of which the page %q is disabled; want one of the two", k, page)
		}
	}
	const most = 14 * 24 * time.Hour
	if d.has(path + ".cut_off") {
		r.CutOff = &f.CutOff
	}
	if f.CutOff < 0 || f.CutOff > most {
		d.Fail(path+".cut_off", "out_of_range", "%v, want at most 14 days, as a monthly report is due on the 15th", f.CutOff)
	}
	return r
}

// brand checks that both colours can be read, and makes the second from the first
// where the file has none.
func (d *Document) brand(f *portalFile) Brand {
	b := Brand{Name: f.Brand.Name, Logo: f.Brand.Logo}
	if light, ok := d.color("brand.color", f.Brand.Color, color.LightBackground); ok {
		b.Color = light.String()
		b.ColorDark = light.Readable(color.DarkBackground, color.TextContrast).String()
	}
	if dark, ok := d.color("brand.color_dark", f.Brand.ColorDark, color.DarkBackground); ok {
		b.ColorDark = dark.String()
		if !d.has("brand.color") {
			b.Color = dark.Readable(color.LightBackground, color.TextContrast).String()
		}
	}
	return b
}

// color reads a colour that has to be readable as text on a background.
func (d *Document) color(path, text string, background color.RGB) (color.RGB, bool) {
	if !d.has(path) || d.failed(path) {
		return color.RGB{}, false
	}
	c, err := color.Parse(text)
	if err != nil {
		d.Fail(path, "bad_color", "%v", err)
		return c, false
	}
	if ratio := color.Contrast(c, background); ratio < color.TextContrast {
		d.report(path, "low_contrast", c.Readable(background, color.TextContrast).String(),
			fmt.Sprintf("%s on %s has a contrast of %.2f, want at least %.1f", c, background, ratio, color.TextContrast))
		return c, false
	}
	return c, true
}

// openListen warns of an address that can be reached from other machines.
func (d *Document) openListen(path, address, why string) {
	if !d.has(path) || d.failed(path) || loopback(address) {
		return
	}
	at := d.position(path)
	_, port, _ := net.SplitHostPort(address)
	d.add(Diagnostic{
		Line: at.line, Column: at.col, Severity: Warning, Path: path, Code: "open_listen", Suggestion: net.JoinHostPort("127.0.0.1", port),
		Message: fmt.Sprintf("%q is open to the network%s", address, why),
	})
}
