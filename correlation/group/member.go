package group

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/internal/instant"
	"github.com/evenkeelops/evenkeel/correlation/internal/labelset"
	"github.com/evenkeelops/evenkeel/incident"
)

// member is one alert in one bundle: it fires, or was told and is over. It is kept small,
// for memory is mostly this.
type member struct {
	identity
	since, ends int64
	rest        *rest // nil for most
	at          int32 // in bundle.members
	severity    incident.Severity
	firing      bool
	told        bool
	rank        rank // in the notification that is being written
	active      bool // as the alert has it
	notified    bool // as the alert has it
}

// identity is that of an alert among those of its tenant.
type identity struct {
	name   string
	labels labelset.Set
}

// owned is the identity of an alert among those of all tenants.
type owned struct {
	tenant string
	identity
}

// rest is what few alerts have.
type rest struct {
	suppressedBy []string
	annotations  map[string]string
	odd          bool // since and ends are not in UTC, or out of range
	since, ends  time.Time
}

// take keeps all of an alert but its identity and tenant. The labels are not kept.
func (m *member) take(a *correlation.Alert) {
	m.severity, m.active, m.notified, m.rest = a.Severity, a.Active, a.Notified, nil
	m.since, m.ends = instant.Of(a.Since), instant.Of(a.Ends)
	odd := instant.Time(m.since) != a.Since || instant.Time(m.ends) != a.Ends // the zone counts
	if odd || a.SuppressedBy != nil || a.Annotations != nil {
		m.rest = &rest{a.SuppressedBy, a.Annotations, odd, a.Since, a.Ends}
	}
}

// alert returns the alert as its last transition had it.
func (m *member) alert(tenant string) correlation.Alert {
	a := correlation.Alert{
		Tenant: tenant, Name: m.name, Labels: m.labels.Labels(), Active: m.active, Since: instant.Time(m.since), Ends: instant.Time(m.ends),
		Severity: m.severity, Notified: m.notified,
	}
	if x := m.rest; x != nil {
		a.SuppressedBy, a.Annotations = x.suppressedBy, x.annotations
		if x.odd {
			a.Since, a.Ends = x.since, x.ends
		}
	}
	return a
}

// listed is a member for a reader.
type listed struct {
	*member
	alert correlation.Alert
	text  string // its printed form
}

// listed returns the member for a reader.
func (m *member) listed(tenant string) listed {
	a := m.alert(tenant)
	return listed{m, a, a.String()}
}

// compareListed orders by printed form, then exactly.
func compareListed(a, b listed) int {
	if c := strings.Compare(a.text, b.text); c != 0 || a.member == b.member {
		return c
	}
	return cmp.Or(
		strings.Compare(a.name, b.name),
		slices.CompareFunc(a.alert.Labels, b.alert.Labels, func(x, y correlation.Label) int {
			return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Value, y.Value))
		}),
	)
}
