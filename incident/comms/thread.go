package comms

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// Thread is the conversation about one incident. It is not safe for concurrent
// use.
type Thread struct {
	plan *Plan
	memory
}

// Snapshot is all that a thread remembers, as a value that can be stored as
// JSON and compared by it.
type Snapshot struct{ memory }

// memory is what a thread remembers.
type memory struct {
	Version  int                 `json:"version"` // 1
	State    incident.State      `json:"state"`   // as last applied
	Round    int                 `json:"round"`   // 0 before the incident is declared
	Contacts map[string]*contact `json:"contacts"`

	Ended  time.Time `json:"ended,omitzero"`  // of the round
	Raised time.Time `json:"raised,omitzero"` // when the severity last went up

	Seen      map[string]bool `json:"seen"`               // updates that were counted
	News      int             `json:"news"`               // number of the latest update
	NewsAt    time.Time       `json:"news_at,omitzero"`   // when it was applied
	NewsText  string          `json:"news_text"`          //
	Announced int             `json:"announced"`          // updates that moved LastSent
	LastSent  time.Time       `json:"last_sent,omitzero"` // of the incident as a whole
	Reminded  time.Time       `json:"reminded,omitzero"`  // last reminder since LastSent
	Reminders int             `json:"reminders"`
}

// contact is what the thread remembers of one recipient in this round.
type contact struct {
	Since    time.Time         `json:"since"`              // when they joined
	Why      Reason            `json:"why"`                //
	Told     time.Time         `json:"told,omitzero"`      // first message
	Seen     int               `json:"seen"`               // latest update they know
	Left     time.Time         `json:"left,omitzero"`      // when they were dropped
	LeftFrom incident.Severity `json:"left_from,omitzero"` // severity that they were told about
	Done     bool              `json:"done"`               // got a closing note or the resolution
	Over     bool              `json:"over"`               // got the resolution
	Firsts   int               `json:"firsts"`             // initial messages so far
	Leaves   int               `json:"leaves"`             // closing notes so far
	LastTry  time.Time         `json:"last_try,omitzero"`  // initial message, latest channel
	Tried    []Channel         `json:"tried,omitempty"`    //
	Answered bool              `json:"answered"`           // confirmed one
	Pending  []send            `json:"pending,omitempty"`  // the latest message, by channel
	Failures int               `json:"failures"`           // messages that failed on every channel
	Reported int               `json:"reported"`           // of those, how many the lead knows of
	NoWay    bool              `json:"no_way"`             // no address at all
}

type send struct {
	Key    string `json:"key"`
	Failed bool   `json:"failed,omitempty"`
}

// Open begins the conversation about an incident.
func (p *Plan) Open(tenant, id string) *Thread {
	return &Thread{plan: p, memory: memory{
		Version: 1, State: incident.State{Tenant: tenant, ID: id}, Contacts: map[string]*contact{}, Seen: map[string]bool{},
	}}
}

// Snapshot returns what the thread remembers.
func (t *Thread) Snapshot() Snapshot { return Snapshot{t.clone()} }

// Restore goes on from a snapshot. A recipient that the plan no longer has is
// told nothing more.
func (p *Plan) Restore(s Snapshot) (*Thread, error) {
	if s.Version != 1 || s.State.ID == "" {
		return nil, fmt.Errorf("restore thread of incident %q: version %d, want 1 and an incident", s.State.ID, s.Version)
	}
	return &Thread{plan: p, memory: s.clone()}, nil
}

func (m memory) clone() memory {
	contacts := make(map[string]*contact, len(m.Contacts))
	for id, c := range m.Contacts {
		if c != nil {
			again := *c
			again.Tried, again.Pending = slices.Clone(c.Tried), slices.Clone(c.Pending)
			contacts[id] = &again
		}
	}
	m.Contacts = contacts
	if m.Seen = maps.Clone(m.Seen); m.Seen == nil {
		m.Seen = map[string]bool{}
	}
	return m
}

// Apply takes the state of the incident as it is at an instant. Applying the
// same state again changes nothing. Before the incident is declared (triage)
// nobody is told. The error says that the state is of another incident.
func (t *Thread) Apply(s incident.State, at time.Time) error {
	if s.ID != t.State.ID || s.Tenant != t.State.Tenant {
		return fmt.Errorf("thread of incident %q of %q: state of %q of %q", t.State.ID, t.State.Tenant, s.ID, s.Tenant)
	}
	before := effective(t.State.Severity)
	t.State = s
	if s.Status == "" || s.Status == incident.Triage || t.Round == 0 && s.Status.Ended() {
		return nil
	}
	if t.Round == 0 || s.Reopens+1 > t.Round {
		t.begin(s.Reopens + 1)
		before = effective(s.Severity)
	}
	if effective(s.Severity).Compare(before) > 0 {
		t.Raised = at
	}
	t.countNews(at)
	if t.Ended.IsZero() && !s.Status.Active() {
		t.Ended = at
	}
	t.seat(at, before)
	return nil
}

// begin opens a round with nobody in it.
func (t *Thread) begin(round int) {
	t.Round, t.Ended, t.Raised = round, time.Time{}, time.Time{}
	t.Contacts = map[string]*contact{}
	t.LastSent, t.Reminded, t.Announced, t.NewsText = time.Time{}, time.Time{}, t.News, ""
}

// countNews numbers the updates that are new. Several at once are one message
// with the latest text.
func (t *Thread) countNews(at time.Time) {
	for i, u := range t.State.Updates {
		if t.Seen[u.Key] {
			continue
		}
		t.Seen[u.Key] = true
		t.News++
		if i == len(t.State.Updates)-1 { // an older one that came late is no news
			t.NewsAt, t.NewsText = at, u.Text
		}
	}
}

// seat lets recipients join and leave by the severity and flags of now.
func (t *Thread) seat(at time.Time, before incident.Severity) {
	for _, r := range t.audience() {
		why, wanted := t.wanted(r)
		c := t.Contacts[r.id]
		switch {
		case c == nil && wanted:
			t.Contacts[r.id] = &contact{Since: at, Why: why}
		case c == nil:
		case c.Over: // nothing is left to say in this round
		case wanted && c.NoWay && t.reachable(r):
			t.Contacts[r.id] = &contact{Since: at, Why: why, Firsts: c.Firsts, Leaves: c.Leaves, Failures: c.Failures, Reported: c.Reported}
		case wanted && c.Left.IsZero():
			c.Why = why
		case wanted && !c.Done: // back before the closing note was written
			c.Left, c.Why = time.Time{}, why
		case wanted:
			t.Contacts[r.id] = &contact{Since: at, Why: why, Firsts: c.Firsts, Leaves: c.Leaves, Failures: c.Failures, Reported: c.Reported}
		case c.Left.IsZero() && c.Told.IsZero():
			delete(t.Contacts, r.id) // never knew of it
		case c.Left.IsZero():
			c.Left, c.LeftFrom = at, before
		}
	}
}

// reachable reports whether the first message would find an address.
func (t *Thread) reachable(r *recipient) bool {
	channels := t.plan.templates[templateKey{effective(t.State.Severity), Initial}].Channels
	return slices.ContainsFunc(channels, func(c Channel) bool { return r.addresses[c] != "" })
}

// audience returns the recipients of the services of the incident, each once,
// in the order of their ids.
func (t *Thread) audience() []*recipient {
	var out []*recipient
	for _, r := range t.plan.recipients {
		if r.serves(t.State.Services) && (len(out) == 0 || out[len(out)-1].id != r.id) {
			out = append(out, r)
		}
	}
	return out
}

// wanted reports whether the recipient is told about the incident as it is.
func (t *Thread) wanted(r *recipient) (Reason, bool) {
	s := effective(t.State.Severity)
	if r.isRoom() {
		return Reason{Rule: ByRoom, Text: fmt.Sprintf("messages about %s go to the room", s)}, t.reachable(r)
	}
	if slices.Contains(t.plan.matrix[s], r.role) {
		return Reason{Role: r.role, Rule: ByMatrix, Text: fmt.Sprintf("the role is told about %s", s)}, true
	}
	if flag, because := t.plan.legal(t.State.Severity, t.State.Flags); because && r.role == LegalCompliance {
		return Reason{Role: r.role, Rule: ByFlag, Text: fmt.Sprintf("a %s with the flag %q", s, flag)}, true
	}
	return Reason{}, false
}

// next returns the next message that a contact is owed and when it is due. ok
// is false if there is none.
func (t *Thread) next(r *recipient, c *contact) (kind Type, due time.Time, ok bool) {
	if c.Done || c.NoWay {
		return "", time.Time{}, false
	}
	first := c.Since
	if !r.prefs.Immediate {
		first = first.Add(r.delay)
	}
	switch {
	case !t.Ended.IsZero():
		base := t.Ended
		if c.Told.IsZero() {
			missed := !c.Since.After(t.Ended)
			if missed && (t.plan.dropMissed || first.After(t.Ended)) {
				return "", time.Time{}, false // it ended before they wanted to know
			}
			base = later(base, c.Since)
		}
		kind, due = Resolution, base
	case !c.Left.IsZero():
		kind, due = Closing, c.Left
	case c.Told.IsZero():
		kind, due = Initial, first
	case c.Seen < t.News && r.prefs.Updates:
		kind, due = News, t.NewsAt
	default:
		if r.isRoom() || !r.prefs.Immediate || r.delay == 0 || c.Answered || len(t.untried(r, c)) == 0 {
			return "", time.Time{}, false
		}
		kind, due = Initial, c.LastTry.Add(r.delay)
	}
	due, ok = t.deferred(r, due)
	return kind, due, ok
}

// deferred moves a due instant into the hours of the recipient. A P1 ignores
// them: what was held back falls due when the severity is raised.
func (t *Thread) deferred(r *recipient, due time.Time) (time.Time, bool) {
	switch {
	case r.hours == nil || r.hours.IsOpen(due):
		return due, true
	case effective(t.State.Severity) == incident.P1:
		return later(due, t.Raised), true
	}
	opens, err := r.hours.NextOpen(due)
	return opens, err == nil
}

// untried returns the personal channels that the first message was not sent on.
func (t *Thread) untried(r *recipient, c *contact) []Channel {
	var out []Channel
	for _, p := range personal {
		if r.addresses[p.channel] != "" && !slices.Contains(c.Tried, p.channel) {
			out = append(out, p.channel)
		}
	}
	return out
}

// Step returns the messages that are due at an instant, in a fixed order, and
// remembers that they went out. Commit the snapshot and the messages together.
// Call it after every Apply and Report, and at NextWake.
func (t *Thread) Step(at time.Time) []Message {
	if t.Round == 0 {
		return nil
	}
	t.markRound(at)
	var out []Message
	for _, id := range slices.Sorted(maps.Keys(t.Contacts)) {
		r, c := t.plan.find(id, t.State.Services), t.Contacts[id]
		if r == nil {
			continue
		}
		for {
			kind, due, ok := t.next(r, c)
			if !ok || due.After(at) {
				break
			}
			out = append(out, t.send(r, c, kind, due, at)...)
		}
		out = append(out, t.failures(r, c, at)...)
	}
	return append(out, t.remind(at)...)
}

// markRound moves the begin of the cadence when a first message or an update
// goes out.
func (t *Thread) markRound(at time.Time) {
	if t.Ended.IsZero() && (t.LastSent.IsZero() || t.Announced < t.News) {
		t.LastSent, t.Announced, t.Reminded = at, t.News, time.Time{}
	}
}

// send writes the messages of one type to one recipient, one per channel.
func (t *Thread) send(r *recipient, c *contact, kind Type, due, at time.Time) []Message {
	severity, why, n, again := effective(t.State.Severity), c.Why, 1, false
	switch kind {
	case Initial:
		again = !c.Told.IsZero()
		c.Firsts++
		n, c.LastTry = c.Firsts, at
		if again {
			why = Reason{Role: r.role, Rule: ByNoAnswer, Text: fmt.Sprintf("no answer after %v", r.delay)}
		} else {
			c.Told, c.Seen = at, t.News
		}
	case News:
		n, c.Seen = t.News, t.News
	case Closing:
		c.Leaves++
		n, c.Done = c.Leaves, true
		severity = c.LeftFrom
		why = Reason{Role: r.role, Rule: ByLowering, Text: fmt.Sprintf("the incident is %s now, it was %s", t.State.Severity, severity)}
	case Resolution:
		if c.Told.IsZero() {
			c.Told = at
		}
		if !c.Left.IsZero() {
			severity = c.LeftFrom // the channels on which they heard of it
		}
		c.Done, c.Over = true, true
	default: // the lead gets those
	}
	template := t.plan.templates[templateKey{severity, templateType(kind)}]
	channels := template.Channels
	if again {
		channels = t.untried(r, c)[:1]
	}
	var out []Message
	c.Pending = nil
	values := t.values(r, kind, at)
	for _, channel := range channels {
		address := r.addresses[channel]
		if address == "" {
			continue
		}
		m := t.message(r.id, kind, n, channel, due, at)
		m.Name, m.Address, m.Severity, m.Why = r.name, address, severity, why
		m.Subject = template.subject.render(values, oneLine.Replace)
		m.Body = template.body.render(values, escaperOf(channel, template.HTML))
		if channel == SMS {
			m.Segments = segments(m.Body)
		}
		c.Pending = append(c.Pending, send{Key: m.Key})
		if kind == Initial {
			c.Tried = append(c.Tried, channel)
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		c.Failures++
		c.NoWay = kind == Initial
	}
	return out
}

func templateType(kind Type) Type {
	if kind == Closing {
		return News
	}
	return kind
}

// message fills in what does not depend on the template.
func (t *Thread) message(recipient string, kind Type, n int, channel Channel, due, at time.Time) Message {
	s := t.State
	return Message{
		Key:    key(s.Tenant, s.ID, strconv.Itoa(t.Round), string(kind), strconv.Itoa(n), recipient, string(channel)),
		Tenant: s.Tenant, Incident: s.ID, Round: t.Round, Type: kind, N: n, Severity: effective(s.Severity),
		Recipient: recipient, Channel: channel, Due: due.UTC(), At: at.UTC(),
	}
}

// values are the texts behind the placeholders, for one reader.
func (t *Thread) values(r *recipient, kind Type, at time.Time) map[string]string {
	s := t.State
	begin := s.Times.Started
	for _, other := range []time.Time{s.Times.Detected, s.Times.Created} {
		if begin.IsZero() {
			begin = other
		}
	}
	ended := t.Ended
	for _, known := range []time.Time{s.Times.Resolved, s.Times.Closed} {
		if !known.IsZero() {
			ended = known
			break
		}
	}
	stampOf := at
	if kind == Resolution {
		stampOf = ended
	}
	description := s.Title
	if t.NewsText != "" {
		description += "\n" + t.NewsText
	}
	update := t.NewsText
	if kind == Closing {
		update = fmt.Sprintf("The severity is %s now. You will get no further messages about this incident.", effective(s.Severity))
	}
	v := map[string]string{
		"incident_id": s.ID, "service_name": joinServices(s.Services), "severity": effective(s.Severity).String(),
		"description": description, "update_message": update, "resolution_message": t.endText(),
		"timestamp": stamp(stampOf, r.zone), "duration": elapsed(begin, at), "total_duration": elapsed(begin, ended),
		"update_interval": spoken(t.plan.cadence[effective(s.Severity)]), "next_update_due": "",
	}
	if next, ok := t.NextUpdateDue(); ok {
		if !next.After(at) { // overdue: the interval that runs now
			next = t.plan.NextUpdate(s.Severity, t.latestTick(next, at))
		}
		v["next_update_due"] = stamp(next, r.zone)
	}
	return v
}

func joinServices(services []string) string {
	if len(services) == 0 {
		return "unknown service"
	}
	return strings.Join(services, ", ")
}

// endText says how the incident ended.
func (t *Thread) endText() string {
	s := t.State
	switch s.Status {
	case incident.Cancelled:
		return "It was a false alarm: " + s.Reason
	case incident.Merged:
		return "It is part of " + s.MergedInto + ", where the news continues."
	default:
		return s.Resolution
	}
}

// NextUpdateDue returns when the next update is owed: the last one plus the
// interval of the severity. ok is false while nobody is waiting for one.
func (t *Thread) NextUpdateDue() (due time.Time, ok bool) {
	waiting := func(c *contact) bool { return c.Left.IsZero() && !c.Done }
	if t.LastSent.IsZero() || !t.Ended.IsZero() || !slices.ContainsFunc(slices.Collect(maps.Values(t.Contacts)), waiting) {
		return time.Time{}, false
	}
	return t.plan.NextUpdate(t.State.Severity, t.LastSent), true
}

// reminderDue returns when the lead is reminded next.
func (t *Thread) reminderDue() (due time.Time, ok bool) {
	if due, ok = t.NextUpdateDue(); !ok || t.Reminded.IsZero() {
		return due, ok
	}
	return t.plan.NextUpdate(t.State.Severity, t.Reminded), true
}

// remind tells lead and communicator that an update is overdue, again after
// every interval. Intervals that nobody looked at are one reminder.
func (t *Thread) remind(at time.Time) []Message {
	due, ok := t.reminderDue()
	if !ok || due.After(at) {
		return nil
	}
	due = t.latestTick(due, at)
	t.Reminded = due
	t.Reminders++
	why := Reason{Rule: ByCadence, Text: "no update since " + stamp(t.LastSent, time.UTC)}
	return t.toLead(Reminder, t.Reminders, "", why, due, at)
}

// latestTick returns the last of the instants first, first + interval, ... that
// is not after at.
func (t *Thread) latestTick(first, at time.Time) time.Time {
	interval := t.plan.cadence[effective(t.State.Severity)]
	return first.Add(at.Sub(first) / interval * interval)
}

// failures tells the lead about a recipient who cannot be reached.
func (t *Thread) failures(r *recipient, c *contact, at time.Time) []Message {
	if c.Reported >= c.Failures {
		return nil
	}
	c.Reported = c.Failures
	text := fmt.Sprintf("%q cannot be reached: every channel failed", r.id)
	if len(c.Pending) == 0 {
		text = fmt.Sprintf("%q cannot be reached: no address on a channel of the template", r.id)
	}
	return t.toLead(Undeliverable, c.Failures, r.id, Reason{Role: r.role, Rule: ByFailure, Text: text}, at, at)
}

// toLead writes, about a recipient if there is one, to the lead and the communicator of the incident. Without
// either it is addressed to the role, so that it does not get lost.
func (t *Thread) toLead(kind Type, n int, about string, why Reason, due, at time.Time) []Message {
	persons := slices.Concat(t.State.Roles[incident.Lead], t.State.Roles[incident.Communicator])
	slices.Sort(persons)
	persons = slices.Compact(persons)
	if len(persons) == 0 {
		persons = []string{string(incident.Lead)}
	}
	var out []Message
	for _, person := range persons {
		m := t.message(person, kind, n, Page, due, at)
		m.Address, m.Why = person, why
		if about != "" {
			m.Key += "/" + key(about)
		}
		m.Subject = fmt.Sprintf("[%s %s] %s - %s", m.Severity, kind, joinServices(t.State.Services), t.State.ID)
		m.Body = why.Text
		out = append(out, m)
	}
	return out
}

// Report tells the thread what became of a message. known is false for a
// message that is not the latest to its recipient; it then changes nothing.
func (t *Thread) Report(key string, outcome Outcome) (known bool) {
	for _, id := range slices.Sorted(maps.Keys(t.Contacts)) {
		c := t.Contacts[id]
		i := slices.IndexFunc(c.Pending, func(s send) bool { return s.Key == key })
		if i < 0 {
			continue
		}
		switch outcome {
		case Confirmed:
			c.Answered = true
		case Failed:
			if c.Pending[i].Failed {
				return true
			}
			c.Pending[i].Failed = true
			if !slices.ContainsFunc(c.Pending, func(s send) bool { return !s.Failed }) {
				c.Failures++
			}
		case Delivered:
		}
		return true
	}
	return false
}

// Planned is a message that will be due if nothing changes.
type Planned struct {
	Recipient string    `json:"recipient"`
	Type      Type      `json:"type"`
	Due       time.Time `json:"due"`
	Why       Reason    `json:"why"`
}

// Planned returns the next message of every recipient who is owed one, and the
// next reminder, in the order of their due instants.
func (t *Thread) Planned() []Planned {
	var out []Planned
	for _, id := range slices.Sorted(maps.Keys(t.Contacts)) {
		r, c := t.plan.find(id, t.State.Services), t.Contacts[id]
		if r == nil || t.Round == 0 {
			continue
		}
		if kind, due, ok := t.next(r, c); ok {
			out = append(out, Planned{Recipient: id, Type: kind, Due: due.UTC(), Why: c.Why})
		}
	}
	if due, ok := t.reminderDue(); ok {
		why := Reason{Rule: ByCadence, Text: fmt.Sprintf("every %s about %s", spoken(t.plan.cadence[effective(t.State.Severity)]), effective(t.State.Severity))}
		out = append(out, Planned{Recipient: string(incident.Lead), Type: Reminder, Due: due.UTC(), Why: why})
	}
	slices.SortStableFunc(out, func(a, b Planned) int { return a.Due.Compare(b.Due) })
	return out
}

// NextWake returns the earliest instant at which Step has something to say if
// nothing else happens; ok is false if there is none.
func (t *Thread) NextWake() (at time.Time, ok bool) {
	planned := t.Planned()
	if len(planned) == 0 {
		return time.Time{}, false
	}
	return planned[0].Due, true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
