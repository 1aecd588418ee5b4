package config

import (
	"cmp"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/incident"
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

	// Severities are what values of the label severity mean; Severity is what any
	// other means, and a missing one.
	Severities map[string]incident.Severity
	Severity   incident.Severity
	// States are the states of tickets by the vendor's name, for sinks that have names.
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
	RoutingKey adapters.Secret
	URL        string // "" for that of PagerDuty
}

// JiraSink is a project of a Jira.
type JiraSink struct {
	URL        string
	Email      string // "" for Data Center
	Token      adapters.Secret
	Project    string
	IssueType  string
	Deployment string // "cloud", "data_center"; "" to ask the server
}

// ServiceNowSink is an instance of ServiceNow.
type ServiceNowSink struct {
	URL          string
	User         string
	Password     adapters.Secret
	ClientID     string
	ClientSecret adapters.Secret
	Group        string // assignment group
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
			RoutingKey SecretRef `yaml:"routing_key,required"`
			URL        string    `yaml:"url"`
		} `yaml:"pagerduty"`
		Jira *struct {
			URL        string    `yaml:"url,required"`
			Email      string    `yaml:"email"`
			Token      SecretRef `yaml:"token,required"`
			Project    string    `yaml:"project,required"`
			IssueType  string    `yaml:"issue_type"`
			Deployment string    `yaml:"deployment"`
		} `yaml:"jira"`
		ServiceNow *struct {
			URL          string    `yaml:"url,required"`
			User         string    `yaml:"user"`
			Password     SecretRef `yaml:"password"`
			ClientID     string    `yaml:"client_id"`
			ClientSecret SecretRef `yaml:"client_secret"`
			Group        string    `yaml:"assignment_group"`
		} `yaml:"servicenow"`
		SMTP *struct {
			Host     string    `yaml:"host,required"`
			Port     int       `yaml:"port"`
			From     string    `yaml:"from,required"`
			To       []string  `yaml:"to,required"`
			User     string    `yaml:"user"`
			Password SecretRef `yaml:"password"`
			Security string    `yaml:"security"`
		} `yaml:"smtp"`
		Slack *struct {
			URL SecretRef `yaml:"url,required"`
		} `yaml:"slack"`
		Webhook *struct {
			URL    string    `yaml:"url,required"`
			Secret SecretRef `yaml:"secret,required"`
		} `yaml:"webhook"`
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

// ReadBridge reads the file of a bridge and finds its secrets. A secret that is not
// there is an error at its place. Values of the label severity that the file does
// not name mean what they usually do, and anything else P2, so that nobody sleeps
// through a word that is not known.
func ReadBridge(name string, data []byte, secrets Secrets) (Bridge, *Document, error) {
	var file bridgeFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	b := Bridge{
		TenantLabel: cmp.Or(file.TenantLabel, "tenant"), Tenant: file.DefaultTenant, Database: file.Database, Stream: file.Stream,
		Rules: file.Rules, Team: file.Team, Contacts: file.Contacts, Metrics: file.Metrics,
		Severities: map[string]incident.Severity{}, Severity: file.Map.Default, States: file.Map.State,
	}
	maps.Copy(b.Severities, usualSeverities)
	for word, severity := range file.Map.Severity {
		b.Severities[strings.ToLower(word)] = severity
	}
	if !b.Severity.IsSet() {
		b.Severity = incident.P2
	}
	for state, to := range file.Map.State {
		if !slices.Contains(adapters.States[:], to) {
			d.Fail(join("map.state", state), "bad_enum", "%q, want one of %q", to, adapters.States)
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
		if f.Bearer.IsZero() && !loopback(f.Listen) {
			d.Warn("sources.alertmanager.listen", "open_listen", "%q is open to the network and nobody has to show a bearer", f.Listen)
		}
	}
	if f := file.Sources.Prometheus; f != nil {
		b.Prometheus = &PrometheusSource{URL: f.URL, Bearer: d.secret("sources.prometheus.bearer", f.Bearer, secrets), Every: f.Every, Queries: f.Queries}
		if b.Prometheus.Every == 0 {
			b.Prometheus.Every = 30 * time.Second
		}
		d.url("sources.prometheus.url", f.URL)
	}
	if b.Alertmanager == nil && b.Prometheus == nil && d.Has("sources") {
		d.Fail("sources", "missing_field", "no source, want alertmanager or prometheus")
	}
	d.address("metrics", b.Metrics)
}

func (d *Document) bridgeSinks(b *Bridge, file *bridgeFile, secrets Secrets) {
	sinks := &file.Sinks
	if f := sinks.PagerDuty; f != nil {
		b.PagerDuty = &PagerDutySink{RoutingKey: d.secret("sinks.pagerduty.routing_key", f.RoutingKey, secrets), URL: f.URL}
		if f.URL != "" {
			d.url("sinks.pagerduty.url", f.URL)
		}
	}
	if f := sinks.Jira; f != nil {
		b.Jira = &JiraSink{f.URL, f.Email, d.secret("sinks.jira.token", f.Token, secrets), f.Project, f.IssueType, f.Deployment}
		d.url("sinks.jira.url", f.URL)
		if !slices.Contains([]string{"", "cloud", "data_center"}, f.Deployment) {
			d.Fail("sinks.jira.deployment", "bad_enum", "%q, want cloud or data_center", f.Deployment)
		}
	}
	if f := sinks.ServiceNow; f != nil {
		b.ServiceNow = &ServiceNowSink{
			f.URL, f.User, d.secret("sinks.servicenow.password", f.Password, secrets),
			f.ClientID, d.secret("sinks.servicenow.client_secret", f.ClientSecret, secrets), f.Group,
		}
		d.url("sinks.servicenow.url", f.URL)
		if (f.User == "" || f.Password.IsZero()) && (f.ClientID == "" || f.ClientSecret.IsZero()) {
			d.Fail("sinks.servicenow", "missing_field", "no credential, want user and password, or client_id and client_secret")
		}
	}
	if f := sinks.SMTP; f != nil {
		b.SMTP = &SMTPSink{f.Host, f.Port, f.From, f.To, f.User, d.secret("sinks.smtp.password", f.Password, secrets), f.Security}
	}
	if f := sinks.Slack; f != nil {
		b.Slack = &SlackSink{d.secret("sinks.slack.url", f.URL, secrets)}
	}
	if f := sinks.Webhook; f != nil {
		b.Webhook = &WebhookSink{f.URL, d.secret("sinks.webhook.secret", f.Secret, secrets)}
		d.url("sinks.webhook.url", f.URL)
	}
	if len(b.SinkNames()) == 0 && d.Has("sinks") {
		d.Fail("sinks", "missing_field", "no sink, want one of pagerduty, jira, servicenow, smtp, slack and webhook")
	}
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
	if _, port, err := net.SplitHostPort(text); d.Has(path) && !d.failed(path) && (err != nil || port == "") {
		d.Fail(path, "bad_address", "%q, want host:port", text)
	}
}

func (d *Document) url(path, text string) {
	u, err := url.Parse(text)
	if d.Has(path) && !d.failed(path) && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
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
