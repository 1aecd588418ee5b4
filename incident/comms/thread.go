package comms

import (
	"cmp"
	"fmt"
	"iter"
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
	texts map[textKey]filled // of one step, in which many read the same
}

// textKey is all that a text depends on within a step.
type textKey struct {
	templateKey
	kind    Type
	channel Channel
	zone    *time.Location
}

// filled is a template with its values.
type filled struct {
	subject, body string
	html          bool
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
	Alarmed   time.Time       `json:"alarmed,omitzero"` // last word about who cannot be reached, in this round
	Alarms    int             `json:"alarms,omitempty"` // their number
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
	t.Alarmed = time.Time{}
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
	invited := t.plan.invite(t.State)
	for r := range t.plan.audience(t.State.Services) {
		why, wanted := invited.why(r)
		c := t.Contacts[r.id]
		switch {
		case c == nil && wanted:
			t.Contacts[r.id] = &contact{Since: at, Why: why}
		case c == nil:
		case c.Over: // nothing is left to say in this round
		case wanted && c.NoWay && invited.reaches(r):
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
	free, ok := r.free(due)
	if (!ok || free.After(due)) && effective(t.State.Severity) == incident.P1 {
		return later(due, t.Raised), true
	}
	return free, ok
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
	clear(t.texts)
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
	}
	out = append(out, t.alarm(at)...)
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
		if severity == effective(t.State.Severity) {
			why = Reason{Role: r.role, Rule: ByClearing, Text: "the flag that brought the role in was cleared"}
		}
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
	channels := t.plan.templates[templateKey{severity, templateType(kind)}].Channels
	if again {
		channels = t.untried(r, c)[:1]
	}
	out := t.write(r, kind, n, severity, channels, due, at)
	c.Pending = nil
	for i := range out {
		out[i].Why = why
		c.Pending = append(c.Pending, send{Key: out[i].Key})
		if kind == Initial {
			c.Tried = append(c.Tried, out[i].Channel)
		}
	}
	if len(out) == 0 {
		c.Failures++
		c.NoWay = kind == Initial
	}
	return out
}

// write fills in the template of a severity and type for one recipient, for each
// of the channels on which there is an address.
func (t *Thread) write(r *recipient, kind Type, n int, severity incident.Severity, channels []Channel, due, at time.Time) []Message {
	var out []Message
	for _, channel := range channels {
		address := r.addresses[channel]
		if address == "" {
			continue
		}
		m := t.message(r.id, kind, n, channel, due, at)
		m.Name, m.Address, m.Severity = r.name, address, severity
		text := t.text(r, textKey{templateKey{severity, templateType(kind)}, kind, channel, r.zone}, at)
		m.Subject, m.Body, m.HTML = text.subject, text.body, text.html
		if channel == SMS {
			m.Segments = segments(m.Body)
		}
		out = append(out, m)
	}
	return out
}

// text fills in a template, once a step for all who read the same.
func (t *Thread) text(r *recipient, key textKey, at time.Time) filled {
	text, ok := t.texts[key]
	if !ok {
		text = t.plan.render(key.templateKey, t.values(r, key.kind, at), key.channel)
		if t.texts == nil {
			t.texts = map[textKey]filled{}
		}
		t.texts[key] = text
	}
	return text
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
	begin, over := begun(s), ended(s)
	if over.IsZero() {
		over = t.Ended
	}
	stampOf := at
	if kind == Resolution {
		stampOf = over
	}
	description := s.Title
	if t.NewsText != "" {
		description += "\n" + t.NewsText
	}
	update := t.NewsText
	if kind == Closing {
		update = "You will get no further messages about this incident."
		if c := t.Contacts[r.id]; c != nil && c.LeftFrom != effective(s.Severity) {
			update = fmt.Sprintf("The severity is %s now. %s", effective(s.Severity), update)
		}
	}
	v := map[string]string{
		"incident_id": s.ID, "service_name": joinServices(s.Services), "severity": effective(s.Severity).String(),
		"description": description, "update_message": update, "resolution_message": ending(s),
		"timestamp": stamp(stampOf, r.zone), "duration": elapsed(begin, at), "total_duration": elapsed(begin, over),
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

// begun returns when an incident began, as far as anybody knows.
func begun(s incident.State) time.Time {
	for _, known := range []time.Time{s.Times.Started, s.Times.Detected, s.Times.Created} {
		if !known.IsZero() {
			return known
		}
	}
	return time.Time{}
}

// ended returns when an incident ended; zero if it has not, or nobody said when.
func ended(s incident.State) time.Time {
	switch {
	case s.Status.Active():
		return time.Time{}
	case s.Times.Resolved.IsZero():
		return s.Times.Closed
	default:
		return s.Times.Resolved
	}
}

// ending says how an incident ended.
func ending(s incident.State) string {
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
	if t.LastSent.IsZero() || !t.Ended.IsZero() {
		return time.Time{}, false
	}
	for _, c := range t.Contacts {
		if c.Left.IsZero() && !c.Done {
			return t.plan.NextUpdate(t.State.Severity, t.LastSent), true
		}
	}
	return time.Time{}, false
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
	return t.toLead(Reminder, t.Reminders, why, due, at)
}

// latestTick returns the last of the instants first, first + interval, ... that
// is not after at.
func (t *Thread) latestTick(first, at time.Time) time.Time {
	interval := t.plan.cadence[effective(t.State.Severity)]
	return first.Add(at.Sub(first) / interval * interval)
}

// alarmDue returns when the lead is told of recipients who cannot be reached: an
// interval after the last time, so that a channel that is down is no storm of pages.
// The zero time is at once. ok is false if there is nobody new.
func (t *Thread) alarmDue() (due time.Time, ok bool) {
	for _, c := range t.Contacts {
		if c.Reported < c.Failures {
			if t.Alarmed.IsZero() {
				return time.Time{}, true
			}
			return t.plan.NextUpdate(t.State.Severity, t.Alarmed), true
		}
	}
	return time.Time{}, false
}

// alarm tells the lead who cannot be reached.
func (t *Thread) alarm(at time.Time) []Message {
	due, ok := t.alarmDue()
	if !ok || due.After(at) {
		return nil
	}
	const most = 20
	var who []string
	unnamed := 0
	for _, id := range slices.Sorted(maps.Keys(t.Contacts)) {
		c := t.Contacts[id]
		if c.Reported >= c.Failures {
			continue
		}
		c.Reported = c.Failures
		if len(who) == most {
			unnamed++
			continue
		}
		why := "every channel failed"
		if len(c.Pending) == 0 {
			why = "no address on a channel of the template"
		}
		who = append(who, fmt.Sprintf("%q (%s)", id, why))
	}
	text := strings.Join(who, ", ")
	if unnamed > 0 {
		text += fmt.Sprintf(" and %d more", unnamed)
	}
	t.Alarmed = at
	t.Alarms++
	return t.toLead(Undeliverable, t.Alarms, Reason{Rule: ByFailure, Text: "cannot be reached: " + text}, later(due, at), at)
}

// toLead writes to the lead and the communicator of the incident. Without either it
// is addressed to the role, so that it does not get lost.
func (t *Thread) toLead(kind Type, n int, why Reason, due, at time.Time) []Message {
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
		m.Subject = fmt.Sprintf("[%s %s] %s - %s", m.Severity, kind, joinServices(t.State.Services), t.State.ID)
		m.Body = why.Text
		out = append(out, m)
	}
	return out
}

// Report tells the thread what became of a message. known is false for a
// message that is not of this round, and for a delivery or failure of one that is
// not the latest to its recipient; it then changes nothing. A confirmation counts
// whichever message it answers.
func (t *Thread) Report(key string, outcome Outcome) (known bool) {
	c := t.addressee(key)
	if c == nil {
		return false
	}
	if outcome == Confirmed {
		c.Answered = true
		return true
	}
	i := slices.IndexFunc(c.Pending, func(s send) bool { return s.Key == key })
	if i < 0 {
		return false
	}
	if outcome == Failed && !c.Pending[i].Failed {
		c.Pending[i].Failed = true
		if !slices.ContainsFunc(c.Pending, func(s send) bool { return !s.Failed }) {
			c.Failures++
		}
	}
	return true
}

// addressee returns the contact to whom a message of this round went, by its key.
func (t *Thread) addressee(message string) *contact {
	rest, ok := strings.CutPrefix(message, key(t.State.Tenant, t.State.ID, strconv.Itoa(t.Round))+"/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 4 || parts[3] == string(Page) {
		return nil
	}
	return t.Contacts[keyUnescaper.Replace(parts[2])]
}

// Planned is a message that will be due if nothing changes.
type Planned struct {
	Recipient string    `json:"recipient"`
	Type      Type      `json:"type"`
	Due       time.Time `json:"due"`
	Why       Reason    `json:"why"`
}

// Planned returns the next message of every recipient who is owed one, and the
// next reminder and alarm of the lead, in the order of their due instants, then of
// recipients.
func (t *Thread) Planned() []Planned {
	return slices.SortedFunc(t.planned(), func(a, b Planned) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Recipient, b.Recipient), cmp.Compare(a.Type, b.Type))
	})
}

// NextWake returns the earliest instant at which Step has something to say if
// nothing else happens; ok is false if there is none.
func (t *Thread) NextWake() (at time.Time, ok bool) {
	for p := range t.planned() {
		if !ok || p.Due.Before(at) {
			at, ok = p.Due, true
		}
	}
	return at, ok
}

// planned yields what Planned returns, in no order.
func (t *Thread) planned() iter.Seq[Planned] {
	return func(yield func(Planned) bool) {
		if due, ok := t.reminderDue(); ok {
			why := Reason{Rule: ByCadence, Text: fmt.Sprintf("every %s about %s", spoken(t.plan.cadence[effective(t.State.Severity)]), effective(t.State.Severity))}
			if !yield(Planned{Recipient: string(incident.Lead), Type: Reminder, Due: due.UTC(), Why: why}) {
				return
			}
		}
		if due, ok := t.alarmDue(); ok && !due.IsZero() {
			why := Reason{Rule: ByFailure, Text: "more cannot be reached"}
			if !yield(Planned{Recipient: string(incident.Lead), Type: Undeliverable, Due: due.UTC(), Why: why}) {
				return
			}
		}
		for id, c := range t.Contacts {
			r := t.plan.find(id, t.State.Services)
			if r == nil {
				continue
			}
			if kind, due, ok := t.next(r, c); ok && !yield(Planned{Recipient: id, Type: kind, Due: due.UTC(), Why: c.Why}) {
				return
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
