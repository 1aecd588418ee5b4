package comms

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Role is why somebody is told about incidents.
type Role string

// The roles.
const (
	TechnicalContact Role = "technical_contact"
	BusinessOwner    Role = "business_owner"
	ExecutiveSponsor Role = "executive_sponsor"
	CustomerSuccess  Role = "customer_success"
	LegalCompliance  Role = "legal_compliance"
)

var roles = [...]Role{TechnicalContact, BusinessOwner, ExecutiveSponsor, CustomerSuccess, LegalCompliance}

// Channel is a way to reach somebody.
type Channel string

// The channels. Slack and Webhook are shared: one message per incident, to a
// [Room]. Page is how the lead of an incident is called; its address is the id
// of the person, and who calls decides how.
const (
	Email   Channel = "email"
	SMS     Channel = "sms"
	Slack   Channel = "slack"
	Webhook Channel = "webhook"
	Page    Channel = "page"
)

// Shared reports whether the channel reaches a room rather than a person.
func (c Channel) Shared() bool { return c == Slack || c == Webhook }

// personal lists the personal channels in the order in which they are tried,
// each with the contact method that holds its address.
var personal = [...]struct {
	channel Channel
	method  string
}{{Email, "email"}, {SMS, "phone"}}

// Stakeholder is a person who is told about the incidents of a service.
type Stakeholder struct {
	ID      string            `json:"id,omitempty"`           // stable; defaults to Name
	Service string            `json:"service_name,omitempty"` // empty: every service
	Name    string            `json:"name"`
	Role    Role              `json:"role"`
	Contact map[string]string `json:"contact_methods"` // "email", "phone"

	Preferences Preferences `json:"notification_preferences"`
	// EscalationDelayMinutes is how long the first message is held back from
	// somebody who does not want it immediately. For the others it is how long a
	// confirmation of the first message is awaited before the next contact method
	// is tried; 0 means for ever.
	EscalationDelayMinutes int `json:"escalation_delay_minutes"`
	// BusinessHoursOnly defers messages to the next opening, except about a P1.
	BusinessHoursOnly bool `json:"business_hours_only"`

	// QuietHours are spans of every day, on the person's clock, in which messages
	// are held back, except about a P1: {"22:00", "07:00"} is a night.
	QuietHours []calendar.Span `json:"quiet_hours,omitempty"`

	// Language chooses the templates, as a tag such as "de" or "de-AT", for which "de"
	// will do; where there is none, it is the default one. Digests and what goes to
	// the lead of an incident are in English.
	Language string `json:"language,omitempty"`

	Zone  string          `json:"zone,omitempty"`  // IANA; defaults to that of the plan
	Hours *calendar.Hours `json:"hours,omitempty"` // defaults to Monday to Friday 09:00-18:00 in Zone
}

// Preferences are what a stakeholder wants to hear. The zero value is the least:
// the first message after the delay, no updates, the resolution.
type Preferences struct {
	Immediate bool      `json:"immediate"`
	Updates   bool      `json:"updates"`
	Digest    Frequency `json:"digest,omitempty"` // of the summary of all incidents; defaults to none
}

// Room is a shared channel.
type Room struct {
	Channel  Channel `json:"channel"`
	Address  string  `json:"address"`
	Service  string  `json:"service_name,omitempty"` // empty: every service
	Language string  `json:"language,omitempty"`     // as of a Stakeholder
}

// DefaultMatrix returns the roles that are told about each severity. Legal and
// compliance are in no row; a flag brings them in (see [Config.LegalFlags]).
func DefaultMatrix() map[incident.Severity][]Role {
	return map[incident.Severity][]Role{
		incident.P1: {TechnicalContact, BusinessOwner, ExecutiveSponsor, CustomerSuccess},
		incident.P2: {TechnicalContact, BusinessOwner},
		incident.P3: {TechnicalContact},
		incident.P4: {TechnicalContact},
	}
}

// DefaultCadence returns the longest time between two updates: 15, 30, 60 and
// 240 minutes of elapsed time for P1 to P4.
func DefaultCadence() map[incident.Severity]time.Duration {
	return map[incident.Severity]time.Duration{
		incident.P1: 15 * time.Minute, incident.P2: 30 * time.Minute,
		incident.P3: time.Hour, incident.P4: 4 * time.Hour,
	}
}

// ConfigError reports one value of a [Config] that cannot be used.
type ConfigError struct {
	Path  string // such as "stakeholders[3].zone"
	Value string
	Want  string
}

// Error names path, value and what was expected.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("comms: %s %q: want %s", e.Path, e.Value, e.Want)
}

// recipient is a stakeholder or a room, compiled.
type recipient struct {
	id        string // unique in the plan; rooms begin with a colon
	order     int    // in the plan, by id, then service
	name      string
	role      Role // empty for a room
	service   string
	language  string // a tag in lower case
	addresses map[Channel]string
	prefs     Preferences
	delay     time.Duration
	office    *calendar.Calendar // nil for a room
	officeBar bool               // told in the hours of the office only
	hours     int                // in the plan: the same for those with the same hours
	quiet     *calendar.Calendar // open when not to be told; nil: never
	zone      *time.Location
}

func (r *recipient) isRoom() bool { return r.role == "" }

// serves reports whether the recipient belongs to one of the services.
func (r *recipient) serves(services []string) bool {
	return r.service == "" || slices.Contains(services, r.service)
}

// free returns the first instant from t on at which the recipient may be told of
// anything but a P1. ok is false if there is none.
func (r *recipient) free(t time.Time) (at time.Time, ok bool) {
	const enough = 1000 // openings that lie in quiet hours, one after the other
	for range enough {
		next, err := t, error(nil)
		if r.officeBar {
			next, err = r.office.NextOpen(t)
		}
		if err == nil && r.quiet != nil && r.quiet.IsOpen(next) {
			next, _, err = r.quiet.NextTransition(next)
		}
		if err != nil {
			return time.Time{}, false
		}
		if next.Equal(t) {
			return t, true
		}
		t = next
	}
	return time.Time{}, false
}

// calendars compiles hours, those that are equal once.
type calendars map[string]*calendar.Calendar

func (known calendars) get(h calendar.Hours) (*calendar.Calendar, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if c := known[string(text)]; c != nil {
		return c, nil
	}
	c, err := calendar.New(h)
	if err == nil {
		known[string(text)] = c
	}
	return c, err
}

// compilePerson checks a stakeholder; bad collects what is wrong.
func (known calendars) compilePerson(s Stakeholder, path, zone string, bad func(path, value, want string)) *recipient {
	r := &recipient{
		id: s.ID, name: s.Name, role: s.Role, service: s.Service, language: s.Language, prefs: s.Preferences, officeBar: s.BusinessHoursOnly,
		delay: time.Duration(s.EscalationDelayMinutes) * time.Minute, addresses: map[Channel]string{}, zone: time.UTC,
	}
	if r.id == "" {
		r.id = s.Name
	}
	if r.id == "" || strings.HasPrefix(r.id, ":") {
		bad(path+".id", r.id, "an id or a name, without a colon in front")
	}
	if strings.ContainsAny(s.Name, "\r\n") {
		bad(path+".name", s.Name, "one line")
	}
	if !isTag(s.Language) {
		bad(path+".language", s.Language, wantTag)
	}
	if !slices.Contains(roles[:], s.Role) {
		bad(path+".role", string(s.Role), joinRoles())
	}
	if s.EscalationDelayMinutes < 0 {
		bad(path+".escalation_delay_minutes", strconv.Itoa(s.EscalationDelayMinutes), "0 or more")
	}
	for _, method := range slices.Sorted(maps.Keys(s.Contact)) {
		known := false
		for _, p := range personal {
			if p.method == method {
				known, r.addresses[p.channel] = true, s.Contact[method]
			}
		}
		if !known {
			bad(path+".contact_methods", method, "email or phone")
		}
		if s.Contact[method] == "" || strings.ContainsAny(s.Contact[method], "\r\n") {
			bad(path+".contact_methods."+method, s.Contact[method], "an address on one line")
		}
	}
	if s.Preferences.Digest != "" && !s.Preferences.Digest.known() {
		bad(path+".notification_preferences.digest", string(s.Preferences.Digest), "daily or weekly")
	}
	if s.Preferences.Digest != "" && r.addresses[Email] == "" {
		bad(path+".notification_preferences.digest", string(s.Preferences.Digest), "an e-mail address to send it to")
	}
	if s.Zone != "" {
		zone = s.Zone
	}
	known.compileHours(r, s, path, zone, bad)
	return r
}

// compileHours sets when the person may be told.
func (known calendars) compileHours(r *recipient, s Stakeholder, path, zone string, bad func(path, value, want string)) {
	hours := calendar.Hours{Zone: zone, Week: calendar.MondayToFriday("09:00", "18:00")}
	if s.Hours != nil {
		hours = *s.Hours
	}
	var err error
	if r.office, err = known.get(hours); err != nil {
		bad(path+".hours", zone, err.Error())
		return
	}
	r.zone = r.office.Location()
	if len(s.QuietHours) > 0 {
		night := calendar.Week{}
		for day := time.Sunday; day <= time.Saturday; day++ {
			night[day] = s.QuietHours
		}
		if r.quiet, err = known.get(calendar.Hours{Zone: hours.Zone, Week: night}); err != nil {
			bad(path+".quiet_hours", fmt.Sprint(s.QuietHours), err.Error())
			return
		}
	}
	if _, ok := r.free(time.Unix(0, 0)); !ok {
		bad(path+".hours", zone, "hours that open at some time outside the quiet hours")
	}
}

func compileRoom(room Room, path string, bad func(path, value, want string)) *recipient {
	if !room.Channel.Shared() {
		bad(path+".channel", string(room.Channel), "slack or webhook")
	}
	if room.Address == "" || strings.ContainsAny(room.Address, "\r\n") {
		bad(path+".address", room.Address, "an address on one line")
	}
	if !isTag(room.Language) {
		bad(path+".language", room.Language, wantTag)
	}
	return &recipient{
		id: ":" + string(room.Channel) + ":" + room.Address, service: room.Service, language: room.Language, zone: time.UTC,
		addresses: map[Channel]string{room.Channel: room.Address},
		prefs:     Preferences{Immediate: true, Updates: true},
	}
}

func joinRoles() string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}
