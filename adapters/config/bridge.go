package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/diagnostic"
)

// Bridge is what goes from monitoring to where people work.
type Bridge struct {
	TenantLabel string            // the label of an alert that names its tenant; "tenant" unless the file has another
	Tenant      string            // of alerts without that label; "" refuses them
	Database    string            // file of SQLite or URL of PostgreSQL; "" for one that ends with the process
	Stream      string            // URL of NATS for the log of alerts; "" for the database
	Rules       string            // file of correlation rules; "" for none
	Team        string            // file of a team with its escalation; "" for none
	Contacts    map[string]string // e-mail addresses of people of the team, by id
	Metrics     string            // address at which figures and health are served; "" for none

	Alertmanager *AlertmanagerSource
	Prometheus   *PrometheusSource

	PagerDuty  *PagerDutySink
	Jira       *JiraSink
	ServiceNow *ServiceNowSink
	SMTP       *SMTPSink
	Slack      *SlackSink
	Webhook    *WebhookSink

	// Severities are what values of the label severity mean; DefaultSeverity is what any
	// other means, and a missing one.
	Severities      map[string]incident.Severity
	DefaultSeverity incident.Severity
	// States are what states of tickets mean by the vendor's name, where that is not what
	// they usually do: names of statuses of Jira, numbers of ServiceNow, and the words
	// acknowledged and resolved of PagerDuty.
	States map[string]adapters.State
}

// AlertmanagerSource is where an Alertmanager sends its webhooks.
type AlertmanagerSource struct {
	Listen string          // address, host:port
	Bearer adapters.Secret // that it has to show; none for everybody on that address
}

// PrometheusSource is a server that is asked.
type PrometheusSource struct {
	URL     string
	Bearer  adapters.Secret
	Every   time.Duration
	Queries []BridgeQuery
}

// BridgeQuery is an expression each series of whose answer is a firing alert.
type BridgeQuery struct {
	Name     string            `yaml:"name,required"`
	Expr     string            `yaml:"expr,required"`
	Severity string            `yaml:"severity"`
	Labels   map[string]string `yaml:"labels"`
}

// PagerDutySink is an integration of a service of PagerDuty.
type PagerDutySink struct {
	RoutingKey    adapters.Secret
	URL           string          // "" for that of PagerDuty
	WebhookSecret adapters.Secret // of its webhooks v3; none where nobody listens to them
}

// JiraSink is a project of a Jira.
type JiraSink struct {
	URL        string
	Email      string // "" for Data Center
	Token      adapters.Secret
	Project    string
	IssueType  string
	Deployment string // "cloud", "data_center"; "" to ask the server

	WebhookSecret adapters.Secret // of its webhooks; none where nobody listens to them
}

// ServiceNowSink is an instance of ServiceNow.
type ServiceNowSink struct {
	URL          string
	User         string
	Password     adapters.Secret
	ClientID     string
	ClientSecret adapters.Secret
	Group        string // assignment group

	WebhookSecret adapters.Secret // of its business rule; none where nobody listens to it
}

// SMTPSink is a mail server and who gets mail.
type SMTPSink struct {
	Host     string
	Port     int
	From     string
	To       []string
	User     string
	Password adapters.Secret
	Security string // as of notify.Security
}

// SlackSink is an incoming webhook of Slack.
type SlackSink struct{ URL adapters.Secret }

// WebhookSink is a receiver of signed webhooks.
type WebhookSink struct {
	URL    string
	Secret adapters.Secret
}

type bridgeFile struct {
	Version       int               `yaml:"version"`
	TenantLabel   string            `yaml:"tenant_label"`
	DefaultTenant string            `yaml:"default_tenant"`
	Database      string            `yaml:"database"`
	Stream        string            `yaml:"stream"`
	Rules         string            `yaml:"rules"`
	Team          string            `yaml:"team"`
	Contacts      map[string]string `yaml:"contacts"`
	Metrics       string            `yaml:"metrics"`
	Sources       struct {
		Alertmanager *struct {
			Listen string    `yaml:"listen,required"`
			Bearer SecretRef `yaml:"bearer"`
		} `yaml:"alertmanager"`
		Prometheus *struct {
			URL     string        `yaml:"url,required"`
			Bearer  SecretRef     `yaml:"bearer"`
			Every   time.Duration `yaml:"every"`
			Queries []BridgeQuery `yaml:"queries,required"`
		} `yaml:"prometheus"`
	} `yaml:"sources,required"`
	Sinks struct {
		PagerDuty *struct {
			RoutingKey    SecretRef `yaml:"routing_key,required"`
			URL           string    `yaml:"url"`
			WebhookSecret SecretRef `yaml:"webhook_secret"`
		} `yaml:"pagerduty"`
		Jira *struct {
			URL        string    `yaml:"url,required"`
			Email      string    `yaml:"email"`
			Token      SecretRef `yaml:"token,required"`
			Project    string    `yaml:"project,required"`
			IssueType  string    `yaml:"issue_type"`
			Deployment string    `yaml:"deployment"`

			WebhookSecret SecretRef `yaml:"webhook_secret"`
		} `yaml:"jira"`
		ServiceNow *struct {
			URL          string    `yaml:"url,required"`
			User         string    `yaml:"user"`
			Password     SecretRef `yaml:"password"`
			ClientID     string    `yaml:"client_id"`
			ClientSecret SecretRef `yaml:"client_secret"`
			Group        string    `yaml:"assignment_group"`

			WebhookSecret SecretRef `yaml:"webhook_secret"`
		} `yaml:"servicenow"`
		SMTP  *smtpFile `yaml:"smtp"`
		Slack *struct {
			URL SecretRef `yaml:"url,required"`
		} `yaml:"slack"`
		Webhook *webhookFile `yaml:"webhook"`
	} `yaml:"sinks,required"`
	Map struct {
		Severity map[string]incident.Severity `yaml:"severity"`
		Default  incident.Severity            `yaml:"default_severity"`
		State    map[string]adapters.State    `yaml:"state"`
	} `yaml:"map"`
}

// usualSeverities are what people write into the label severity.
var usualSeverities = map[string]incident.Severity{
	"critical": incident.P1, "page": incident.P1,
	"error": incident.P2, "high": incident.P2, "major": incident.P2,
	"warning": incident.P3, "medium": incident.P3, "minor": incident.P3,
	"info": incident.P4, "low": incident.P4, "none": incident.P4,
}

// ParseBridge reads the file of a bridge and finds its secrets. A secret that is not
// there is an error at its place. Values of the label severity that the file does
// not name mean what they usually do, and anything else P2, so that nobody sleeps
// through a word that is not known.
func ParseBridge(name string, data []byte, secrets Secrets) (Bridge, *Document, error) {
	var file bridgeFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	b := Bridge{
		TenantLabel: cmp.Or(file.TenantLabel, "tenant"), Tenant: file.DefaultTenant, Database: file.Database, Stream: file.Stream,
		Rules: file.Rules, Team: file.Team, Contacts: file.Contacts, Metrics: file.Metrics,
		Severities: map[string]incident.Severity{}, DefaultSeverity: file.Map.Default, States: file.Map.State,
	}
	maps.Copy(b.Severities, usualSeverities)
	for word, severity := range file.Map.Severity {
		b.Severities[strings.ToLower(word)] = severity
	}
	if !b.DefaultSeverity.IsSet() {
		b.DefaultSeverity = incident.P2
	}
	for state, to := range file.Map.State {
		if !slices.Contains(adapters.States[:], to) {
			d.Fail(diagnostic.Join("map.state", state), "bad_enum", "%q, want one of %q", to, adapters.States)
		}
	}
	d.bridgeSources(&b, &file, secrets)
	d.bridgeSinks(&b, &file, secrets)
	return b, d, d.Err()
}

func (d *Document) bridgeSources(b *Bridge, file *bridgeFile, secrets Secrets) {
	if f := file.Sources.Alertmanager; f != nil {
		b.Alertmanager = &AlertmanagerSource{Listen: f.Listen, Bearer: d.secret("sources.alertmanager.bearer", f.Bearer, secrets)}
		d.address("sources.alertmanager.listen", f.Listen)
		if f.Bearer.IsZero() {
			d.openListen("sources.alertmanager.listen", f.Listen, " and nobody has to show a bearer")
		}
	}
	if f := file.Sources.Prometheus; f != nil {
		b.Prometheus = &PrometheusSource{URL: f.URL, Bearer: d.secret("sources.prometheus.bearer", f.Bearer, secrets), Every: f.Every, Queries: f.Queries}
		if b.Prometheus.Every == 0 {
			b.Prometheus.Every = 30 * time.Second
		}
		d.url("sources.prometheus.url", f.URL)
		if f.Every < 0 {
			d.Fail("sources.prometheus.every", "not_positive", "%v, want more than 0", f.Every)
		}
		names := map[string]bool{}
		for i, q := range f.Queries {
			d.unique(names, fmt.Sprintf("sources.prometheus.queries[%d].name", i), q.Name)
		}
	}
	if b.Alertmanager == nil && b.Prometheus == nil && d.has("sources") {
		d.Fail("sources", "missing_field", "no source, want alertmanager or prometheus")
	}
	d.address("metrics", b.Metrics)
}

func (d *Document) bridgeSinks(b *Bridge, file *bridgeFile, secrets Secrets) {
	sinks := &file.Sinks
	if f := sinks.PagerDuty; f != nil {
		b.PagerDuty = d.pagerDuty("sinks.pagerduty", &pagerDutyFile{f.RoutingKey, f.URL}, secrets)
		b.PagerDuty.WebhookSecret = d.webhookSecret(b, "sinks.pagerduty", f.WebhookSecret, secrets)
	}
	if f := sinks.Jira; f != nil {
		b.Jira = d.jira("sinks.jira", &jiraFile{f.URL, f.Email, f.Token, f.Project, f.IssueType, f.Deployment}, secrets)
		b.Jira.WebhookSecret = d.webhookSecret(b, "sinks.jira", f.WebhookSecret, secrets)
	}
	if f := sinks.ServiceNow; f != nil {
		b.ServiceNow = d.serviceNow("sinks.servicenow", &serviceNowFile{f.URL, f.User, f.Password, f.ClientID, f.ClientSecret, f.Group}, secrets)
		b.ServiceNow.WebhookSecret = d.webhookSecret(b, "sinks.servicenow", f.WebhookSecret, secrets)
	}
	if f := sinks.SMTP; f != nil {
		b.SMTP = d.smtp("sinks.smtp", f, secrets)
	}
	if f := sinks.Slack; f != nil {
		b.Slack = &SlackSink{d.secret("sinks.slack.url", f.URL, secrets)}
	}
	if f := sinks.Webhook; f != nil {
		b.Webhook = d.webhook("sinks.webhook", f, secrets)
	}
	if len(b.SinkNames()) == 0 && d.has("sinks") {
		d.Fail("sinks", "missing_field", "no sink, want one of pagerduty, jira, servicenow, smtp, slack and webhook")
	}
}

// mail checks how a mail server is reached.
func (d *Document) mail(path string, port int, user, security string) {
	if port < 0 || port > 65535 {
		d.Fail(path+".port", "out_of_range", "%d, want 1 to 65535", port)
	}
	switch {
	case !slices.Contains([]string{"", "tls", "none"}, security):
		d.Fail(path+".security", "bad_enum", "%q, want tls or none, or nothing for STARTTLS", security)
	case security == "none" && user != "":
		d.Fail(path+".security", "bad_enum", "none with a user, want TLS for a login")
	}
}

// webhookSecret finds the secret of webhooks that come back from a sink.
func (d *Document) webhookSecret(b *Bridge, sink string, ref SecretRef, secrets Secrets) adapters.Secret {
	if !ref.IsZero() && b.Alertmanager == nil {
		d.Fail(sink+".webhook_secret", "missing_field", "webhooks come to the address of sources.alertmanager.listen, which is missing")
	}
	return d.secret(sink+".webhook_secret", ref, secrets)
}

// SinkNames lists the sinks that are there, sorted.
func (b Bridge) SinkNames() []string {
	var names []string
	for _, sink := range []struct {
		name string
		set  bool
	}{
		{"jira", b.Jira != nil},
		{"pagerduty", b.PagerDuty != nil},
		{"servicenow", b.ServiceNow != nil},
		{"slack", b.Slack != nil},
		{"smtp", b.SMTP != nil},
		{"webhook", b.Webhook != nil},
	} {
		if sink.set {
			names = append(names, sink.name)
		}
	}
	return names
}

func (d *Document) address(path, text string) {
	if _, port, err := net.SplitHostPort(text); d.has(path) && !d.failed(path) && (err != nil || port == "") {
		d.Fail(path, "bad_address", "%q, want host:port", text)
	}
}

func (d *Document) url(path, text string) {
	u, err := url.Parse(text)
	if d.has(path) && !d.failed(path) && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		if strings.Contains(text, "@") { // there may be a password before it
			d.Fail(path, "bad_url", "want an http or https URL")
			return
		}
		d.Fail(path, "bad_url", "%q, want an http or https URL", text)
		return
	}
	if err == nil && u.User != nil {
		d.Warn(path, "inline_secret", "the URL holds a user, want the secret beside it")
	}
}

// loopback reports whether an address can be reached from this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // reported elsewhere
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

type smtpFile struct {
	Host     string    `yaml:"host,required"`
	Port     int       `yaml:"port"`
	From     string    `yaml:"from,required"`
	To       []string  `yaml:"to,required"`
	User     string    `yaml:"user"`
	Password SecretRef `yaml:"password"`
	Security string    `yaml:"security"`
}

type webhookFile struct {
	URL    string    `yaml:"url,required"`
	Secret SecretRef `yaml:"secret,required"`
}

// smtp reads where mail goes.
func (d *Document) smtp(path string, f *smtpFile, secrets Secrets) *SMTPSink {
	d.mail(path, f.Port, f.User, f.Security)
	return &SMTPSink{f.Host, f.Port, f.From, f.To, f.User, d.secret(path+".password", f.Password, secrets), f.Security}
}

// webhook reads where signed messages go.
func (d *Document) webhook(path string, f *webhookFile, secrets Secrets) *WebhookSink {
	d.url(path+".url", f.URL)
	return &WebhookSink{f.URL, d.secret(path+".secret", f.Secret, secrets)}
}

// What opens tickets, without what only a bridge has: webhooks that come back.
type (
	pagerDutyFile struct {
		RoutingKey SecretRef `yaml:"routing_key,required"`
		URL        string    `yaml:"url"`
	}
	jiraFile struct {
		URL        string    `yaml:"url,required"`
		Email      string    `yaml:"email"`
		Token      SecretRef `yaml:"token,required"`
		Project    string    `yaml:"project,required"`
		IssueType  string    `yaml:"issue_type"`
		Deployment string    `yaml:"deployment"`
	}
	serviceNowFile struct {
		URL          string    `yaml:"url,required"`
		User         string    `yaml:"user"`
		Password     SecretRef `yaml:"password"`
		ClientID     string    `yaml:"client_id"`
		ClientSecret SecretRef `yaml:"client_secret"`
		Group        string    `yaml:"assignment_group"`
	}
)

func (d *Document) pagerDuty(path string, f *pagerDutyFile, secrets Secrets) *PagerDutySink {
	if f.URL != "" {
		d.url(path+".url", f.URL)
	}
	return &PagerDutySink{RoutingKey: d.secret(path+".routing_key", f.RoutingKey, secrets), URL: f.URL}
}

func (d *Document) jira(path string, f *jiraFile, secrets Secrets) *JiraSink {
	d.url(path+".url", f.URL)
	if !slices.Contains([]string{"", "cloud", "data_center"}, f.Deployment) {
		d.Fail(path+".deployment", "bad_enum", "%q, want cloud or data_center", f.Deployment)
	}
	return &JiraSink{
		URL: f.URL, Email: f.Email, Token: d.secret(path+".token", f.Token, secrets), Project: f.Project, IssueType: f.IssueType, Deployment: f.Deployment,
	}
}

func (d *Document) serviceNow(path string, f *serviceNowFile, secrets Secrets) *ServiceNowSink {
	d.url(path+".url", f.URL)
	if (f.User == "" || f.Password.IsZero()) && (f.ClientID == "" || f.ClientSecret.IsZero()) {
		d.Fail(path, "missing_field", "no credential, want user and password, or client_id and client_secret")
	}
	return &ServiceNowSink{
		URL: f.URL, User: f.User, Password: d.secret(path+".password", f.Password, secrets),
		ClientID: f.ClientID, ClientSecret: d.secret(path+".client_secret", f.ClientSecret, secrets), Group: f.Group,
	}
}
