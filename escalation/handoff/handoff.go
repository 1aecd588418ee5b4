package handoff

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/escalation"
	"github.com/evenkeelops/evenkeel/escalation/internal/problem"
	"github.com/evenkeelops/evenkeel/internal/key"
	"github.com/evenkeelops/evenkeel/sla/calendar"
)

// Record is the record of a handoff that takes place: what is gone through, who
// signed, and who is responsible meanwhile. It is data and a state machine without
// a clock: instants are arguments, and [Record.Step] says what the passing of time
// brings. Change it by its methods; a method that returns an error has changed
// nothing.
//
// Responsibility moves when the receiver accepts, and at the end of the window at
// the latest: then nobody has accepted, the handoff is overdue, and the manager of
// the receiver is told. Planned ownership, as [escalation.Centres.Owner] gives it,
// moves at the start of the window or at its end, as the rule of the sender says.
//
// It is not safe for concurrent use. As JSON it is read back by [Parse].
type Record struct {
	Tenant string `json:"tenant,omitempty"` // first part of keys; empty stands for "default"

	From string `json:"from"` // centre, or whatever hands over
	To   string `json:"to"`

	// Window is the time that the handoff takes by plan.
	Window calendar.Interval `json:"window"`

	Agenda    []AgendaItem `json:"agenda"`
	Situation Situation    `json:"situation"`

	// Senders and Receivers are who may sign for the two sides. Empty stands for
	// everybody.
	Senders   []string `json:"senders,omitempty"`
	Receivers []string `json:"receivers,omitempty"`

	// Manager is who is told when nobody accepts.
	Manager string `json:"manager"`

	Sent     SignOff `json:"sent,omitzero"`
	Accepted SignOff `json:"accepted,omitzero"`

	// Told is when the manager was told; zero: not.
	Told time.Time `json:"told,omitzero"`
}

// AgendaItem is a matter to be gone through.
type AgendaItem struct {
	Topic string  `json:"topic"`
	Done  SignOff `json:"done,omitzero"`
	Notes []Note  `json:"notes,omitempty"`
}

// Note is a remark on an item.
type Note struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// SignOff is who stood for something, and when. The zero value is nobody.
type SignOff struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text,omitempty"`
}

// IsSet reports whether somebody signed.
func (s SignOff) IsSet() bool { return s.By != "" }

// StepError reports a step of a handoff that was refused.
type StepError struct {
	Step string // "done", "note", "refresh", "sign off" or "accept"
	By   string
	At   time.Time
	Err  error // one of the reasons below
}

// The reasons for which a step of a handoff is refused.
var (
	// ErrUnsigned means that the person or the instant is missing.
	ErrUnsigned = errors.New("want a person and an instant")
	// ErrEarly means that the window has not begun.
	ErrEarly = errors.New("before the window of the handoff")
	// ErrNoItem means that the agenda has no item of that number.
	ErrNoItem = errors.New("no such item on the agenda")
	// ErrAgendaOpen means that an item is neither done nor noted.
	ErrAgendaOpen = errors.New("items of the agenda are neither done nor have a note why not")
	// ErrWrongSide means that the person may not sign for that side.
	ErrWrongSide = errors.New("not a person of that side")
	// ErrSelfAcceptance means that a sender would accept from himself.
	ErrSelfAcceptance = errors.New("a sender cannot accept")
	// ErrNotSignedOff means that the sender has yet to sign off.
	ErrNotSignedOff = errors.New("the sender has not signed off")
	// ErrSignedOff means that the sender has signed off, so the rest stays as it is.
	ErrSignedOff = errors.New("the sender has signed off")
	// ErrAccepted means that the handoff is over.
	ErrAccepted = errors.New("accepted already")
)

// Error names step, person and reason.
func (e *StepError) Error() string {
	return fmt.Sprintf("escalation: handoff: %s by %q at %s: %v", e.Step, e.By, e.At.UTC().Format(time.RFC3339), e.Err)
}

// Unwrap returns the reason.
func (e *StepError) Unwrap() error { return e.Err }

// Open begins the record of a planned handoff. Those who may sign are the
// engineers of the two centres, everybody where a centre has none. The manager is
// that of the receiving centre, and the last resort where it has none or the manager
// is absent at the end of the window. The error joins [*escalation.ConfigError]s.
func Open(r *escalation.Router, tenant string, planned escalation.PlannedHandoff, situation Situation) (*Record, error) {
	roster := r.Roster()
	h := &Record{
		Tenant: tenant, From: planned.From, To: planned.To, Window: calendar.Interval{Start: planned.Start.UTC(), End: planned.End.UTC()},
		Agenda: make([]AgendaItem, len(planned.Agenda)), Situation: situation, Manager: managerAt(roster, planned),
		Senders: engineersOf(roster, planned.From), Receivers: engineersOf(roster, planned.To),
	}
	for i, topic := range planned.Agenda {
		h.Agenda[i].Topic = topic
	}
	if err := h.Validate(); err != nil {
		return nil, err
	}
	return h, nil
}

// managerAt returns who is told when nobody accepts a handoff.
func managerAt(roster escalation.Roster, planned escalation.PlannedHandoff) string {
	i := slices.IndexFunc(roster.Centres, func(c escalation.Centre) bool { return c.ID == planned.To })
	if i < 0 || roster.Centres[i].Manager == "" {
		return roster.LastResort.ID
	}
	manager := roster.Centres[i].Manager
	for _, a := range roster.Absences {
		if a.Engineer == manager && !planned.End.Before(a.Start) && planned.End.Before(a.End) {
			return roster.LastResort.ID
		}
	}
	return manager
}

// engineersOf returns the people of a centre, by id.
func engineersOf(roster escalation.Roster, centre string) []string {
	var out []string
	for _, e := range roster.Engineers {
		if e.Centre == centre {
			out = append(out, e.ID)
		}
	}
	slices.Sort(out)
	return out
}

// Parse reads a handoff from JSON and checks it. An unknown key is an error.
func Parse(data []byte) (*Record, error) {
	h := new(Record)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(h); err != nil {
		return nil, fmt.Errorf("escalation: handoff: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("escalation: handoff: byte %d: want the end of the text", d.InputOffset())
	}
	if err := h.Validate(); err != nil {
		return nil, err
	}
	return h, nil
}

// Validate returns all problems as joined [*escalation.ConfigError]s: what is missing, and
// signatures that the methods would have refused.
func (h *Record) Validate() error {
	p := problem.New()
	if h.From == "" {
		p.At("from").Add("", "who hands over")
	}
	if h.To == "" || h.To == h.From {
		p.At("to").Add(h.To, "somebody other than from")
	}
	if !h.Window.End.After(h.Window.Start) {
		p.At("window.end").Add(h.Window.End.Format(time.RFC3339), "an instant after start")
	}
	if h.Manager == "" {
		p.At("manager").Add("", "who is told when nobody accepts")
	}
	for i, item := range h.Agenda {
		if item.Topic == "" {
			p.At("agenda[%d].topic", i).Add("", "a topic")
		}
	}
	if h.Sent != (SignOff{}) {
		if err := h.maySend(h.Sent); err != nil {
			p.At("sent").Wrap(h.Sent.By, "a valid signature", err)
		}
	}
	if h.Accepted != (SignOff{}) {
		if err := h.mayAccept(h.Accepted); err != nil {
			p.At("accepted").Wrap(h.Accepted.By, "a valid signature", err)
		}
	}
	if !h.Told.IsZero() && h.Told.Before(h.Window.End) {
		p.At("told").Add(h.Told.Format(time.RFC3339), "an instant from the end of the window on")
	}
	return p.Err()
}

// Tick marks an item of the agenda, counted from 0, as gone through. Doing so again
// changes nothing. It is refused once the sender has signed off.
func (h *Record) Tick(item int, by string, at time.Time) error {
	sign := SignOff{At: at.UTC(), By: by}
	err := h.mayEdit(item, sign)
	if err == nil && !h.Agenda[item].Done.IsSet() {
		h.Agenda[item].Done = sign
	}
	return h.refuse("done", sign, err)
}

// Note adds a remark to an item of the agenda, counted from 0. An item that is not
// gone through needs one that says why. It is refused once the handoff is accepted.
func (h *Record) Note(item int, by, text string, at time.Time) error {
	sign := SignOff{At: at.UTC(), By: by}
	err := h.mayNote(item, sign)
	if err == nil {
		h.Agenda[item].Notes = append(h.Agenda[item].Notes, Note{At: sign.At, By: by, Text: text})
	}
	return h.refuse("note", sign, err)
}

// Refresh takes a newer situation. It is refused once the sender has signed off.
func (h *Record) Refresh(s Situation) error {
	if h.Sent.IsSet() {
		return h.refuse("refresh", SignOff{At: s.At}, ErrSignedOff)
	}
	h.Situation = s
	return nil
}

// SignOff is the signature of the sender, from the start of the window on. Every
// item of the agenda must be done or have a note. The same person may repeat it,
// which changes nothing.
func (h *Record) SignOff(by, text string, at time.Time) error {
	sign := SignOff{At: at.UTC(), By: by, Text: text}
	switch {
	case h.Sent.IsSet() && h.Sent.By == by:
		return nil
	case h.Sent.IsSet():
		return h.refuse("sign off", sign, ErrSignedOff)
	case h.Accepted.IsSet():
		return h.refuse("sign off", sign, ErrAccepted)
	}
	if err := h.maySend(sign); err != nil {
		return h.refuse("sign off", sign, err)
	}
	h.Sent = sign
	return nil
}

// Accept is the signature of the receiver, after that of the sender; after the
// window it may come without. It counts from its instant, also when that is known
// only after the end of the window. The same person may repeat it, which changes
// nothing.
func (h *Record) Accept(by, text string, at time.Time) error {
	sign := SignOff{At: at.UTC(), By: by, Text: text}
	switch {
	case h.Accepted.IsSet() && h.Accepted.By == by:
		return nil
	case h.Accepted.IsSet():
		return h.refuse("accept", sign, ErrAccepted)
	}
	if err := h.mayAccept(sign); err != nil {
		return h.refuse("accept", sign, err)
	}
	h.Accepted = sign
	return nil
}

func (h *Record) refuse(step string, sign SignOff, err error) error {
	if err == nil {
		return nil
	}
	return &StepError{Step: step, By: sign.By, At: sign.At, Err: err}
}

func (h *Record) mayEdit(item int, sign SignOff) error {
	if h.Sent.IsSet() {
		return ErrSignedOff
	}
	return h.mayNote(item, sign)
}

func (h *Record) mayNote(item int, sign SignOff) error {
	switch {
	case !sign.complete():
		return ErrUnsigned
	case h.Accepted.IsSet():
		return ErrAccepted
	case item < 0 || item >= len(h.Agenda):
		return ErrNoItem
	}
	return nil
}

func (h *Record) maySend(sign SignOff) error {
	switch {
	case !sign.complete():
		return ErrUnsigned
	case sign.At.Before(h.Window.Start):
		return ErrEarly
	case len(h.Senders) > 0 && !slices.Contains(h.Senders, sign.By):
		return ErrWrongSide
	case len(h.Open()) > 0:
		return ErrAgendaOpen
	}
	return nil
}

func (h *Record) mayAccept(sign SignOff) error {
	switch {
	case !sign.complete():
		return ErrUnsigned
	case sign.At.Before(h.Window.Start):
		return ErrEarly
	case sign.By == h.Sent.By || slices.Contains(h.Senders, sign.By):
		return ErrSelfAcceptance
	case len(h.Receivers) > 0 && !slices.Contains(h.Receivers, sign.By):
		return ErrWrongSide
	case !h.Sent.IsSet() && !sign.At.After(h.Window.End):
		return ErrNotSignedOff
	case h.Sent.IsSet() && sign.At.Before(h.Sent.At):
		return escalation.ErrStale
	}
	return nil
}

func (s SignOff) complete() bool { return s.By != "" && !s.At.IsZero() }

// Open returns the items of the agenda that are neither done nor have a note.
func (h *Record) Open() []AgendaItem {
	var out []AgendaItem
	for _, item := range h.Agenda {
		if !item.Done.IsSet() && len(item.Notes) == 0 {
			out = append(out, item)
		}
	}
	return out
}

// Moves returns when responsibility moves, by what is known: the acceptance, or the
// end of the window where that comes first or nobody has accepted.
func (h *Record) Moves() time.Time {
	if h.Accepted.IsSet() && h.Accepted.At.Before(h.Window.End) {
		return h.Accepted.At
	}
	return h.Window.End.UTC()
}

// Owner returns who is responsible at an instant, of the two sides.
func (h *Record) Owner(at time.Time) string {
	if at.Before(h.Moves()) {
		return h.From
	}
	return h.To
}

// Overdue reports whether nobody had accepted by the end of the window, as seen at
// an instant. An acceptance at the very end is in time.
func (h *Record) Overdue(at time.Time) bool {
	if h.Accepted.IsSet() && !h.Accepted.At.After(h.Window.End) {
		return false
	}
	return !at.Before(h.Window.End)
}

// NextWake returns when [Record.Step] is to be called; ok is false when nothing is
// to come.
func (h *Record) NextWake() (at time.Time, ok bool) {
	if !h.Told.IsZero() || h.Accepted.IsSet() {
		return time.Time{}, false
	}
	return h.Window.End.UTC(), true
}

// Step tells the manager of the receiver, once, when the window is over and nobody
// has accepted: the action is a [escalation.Notice] without an incident, and the parts of its key
// are tenant, "handoff", the two sides, the start of the window, "overdue" and the
// manager.
func (h *Record) Step(at time.Time) []escalation.Action {
	due, ok := h.NextWake()
	if !ok || at.Before(due) {
		return nil
	}
	h.Told = at.UTC()
	why := []string{fmt.Sprintf("%s is responsible since %s, and nobody there has accepted from %s", h.To, due.Format(time.RFC3339), h.From)}
	if !h.Sent.IsSet() {
		why = append(why, h.From+" has not signed off")
	}
	return []escalation.Action{{Kind: escalation.Notice, Key: h.key("overdue"), At: h.Told, Target: h.Manager, Why: why}}
}

// ID names the handoff among those of its tenant: "handoff", the two sides and the
// start of the window, with "/" between them.
func (h *Record) ID() string {
	return key.Join("handoff", h.From, h.To, h.Window.Start.UTC().Format(time.RFC3339))
}

// key identifies what is done for the handoff. It has more parts than the key of an
// incident.
func (h *Record) key(step string) string {
	return key.Join(cmp.Or(h.Tenant, "default")) + "/" + h.ID() + "/" + key.Join(step, h.Manager)
}

// Owner returns who is responsible at an instant by the records of handoffs, in
// any order: by the one that began last, and of those that began together the last
// of the list. ok is false where none has begun.
func Owner(handoffs []*Record, at time.Time) (owner string, ok bool) {
	var last *Record
	for _, h := range handoffs {
		if !h.Window.Start.After(at) && (last == nil || !h.Window.Start.Before(last.Window.Start)) {
			last = h
		}
	}
	if last == nil {
		return "", false
	}
	return last.Owner(at), true
}
