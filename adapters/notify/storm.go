package notify

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/sealed"
)

// StormConfig says how many messages somebody gets one by one. All have defaults.
type StormConfig struct {
	Limit  int           // of messages to an address in a Window that are sent as they are; defaults to 10
	Window time.Duration // begins with the first message; defaults to 5 min
	// Lines is how many messages a digest names; of the others it has the number.
	// Defaults to 50.
	Lines int
	// Urgent reports what is sent in any case, such as pages. Defaults to nothing.
	Urgent func(m Message) bool
}

// Storm stands in front of an outbox and makes one digest for each tenant and address of what is
// more than somebody can read. It has no clock and does no I/O; its snapshot is to be
// stored in the transaction that stores what it returns. It is not safe for concurrent
// use.
type Storm struct {
	config  StormConfig
	windows map[string]*window // by tenant, channel and address
}

// window is what one address got since Begin, and what is held back.
type window struct {
	Begin time.Time `json:"begin"`
	Sent  int       `json:"sent"`
	Held  []Message `json:"held,omitempty"` // each to this address alone
}

// NewStorm checks the configuration.
func NewStorm(c StormConfig) (*Storm, error) {
	for _, bad := range []struct {
		field, value string
		is           bool
	}{
		{"limit", strconv.Itoa(c.Limit), c.Limit < 0},
		{"window", c.Window.String(), c.Window < 0},
		{"lines", strconv.Itoa(c.Lines), c.Lines < 0},
	} {
		if bad.is {
			return nil, &InputError{bad.field, bad.value, "more than 0"}
		}
	}
	c.Limit, c.Window, c.Lines = cmp.Or(c.Limit, 10), cmp.Or(c.Window, 5*time.Minute), cmp.Or(c.Lines, 50)
	return &Storm{config: c, windows: map[string]*window{}}, nil
}

// Take returns what of a message is to be sent at once: with those targets that are not
// over their limit. Nothing of it is lost: the others get it with the digest. ok is
// false if nobody is left. A message that is held already is not held twice. Call
// [Storm.Due] first.
func (s *Storm) Take(at time.Time, m Message) (now Message, ok bool) {
	now = m
	if s.config.Urgent != nil && s.config.Urgent(m) {
		return now, len(m.To) > 0
	}
	now.To = nil
	for _, t := range m.To {
		place := windowKey(m.Tenant, t)
		w := s.windows[place]
		if w == nil {
			w = &window{Begin: at}
			s.windows[place] = w
		}
		if w.Sent < s.config.Limit {
			w.Sent++
			now.To = append(now.To, t)
			continue
		}
		if !slices.ContainsFunc(w.Held, func(have Message) bool { return have.Key == m.Key }) {
			held := m
			held.To, held.Attachments = []Target{t}, nil
			w.hold(held)
		}
	}
	return now, len(now.To) > 0
}

// hold keeps a message for the digest: whole as long as it is alone, then what a digest
// tells of it, for a storm may be long and is stored with each message.
func (w *window) hold(m Message) {
	if len(w.Held) == 1 {
		w.Held[0] = w.Held[0].heading()
	}
	if len(w.Held) > 0 {
		m = m.heading()
	}
	w.Held = append(w.Held, m)
}

// heading is what a digest tells of a message, with what it is known by.
func (m Message) heading() Message {
	return Message{Key: m.Key, Tenant: m.Tenant, Subject: m.Subject, To: m.To}
}

// Due ends the windows that are over at an instant and returns their digests, in the
// order of their ends, then of channel and address. What was held alone is sent as it is.
// A window that held something is followed by another, so that a storm is a digest each
// window.
func (s *Storm) Due(at time.Time) []Message {
	var out []Message
	over := slices.SortedFunc(maps.Keys(s.windows), func(a, b string) int {
		return cmp.Or(s.windows[a].Begin.Compare(s.windows[b].Begin), cmp.Compare(a, b))
	})
	for _, place := range over {
		w := s.windows[place]
		end := w.Begin.Add(s.config.Window)
		if end.After(at) {
			continue
		}
		if len(w.Held) == 0 {
			delete(s.windows, place)
			continue
		}
		out = append(out, s.digest(w, end))
		s.windows[place] = &window{Begin: at, Sent: s.config.Limit} // still in it, until a window brings nothing
	}
	return out
}

// NextWake returns when Due has something to do; false if never.
func (s *Storm) NextWake() (at time.Time, ok bool) {
	for _, w := range s.windows {
		if end := w.Begin.Add(s.config.Window); !ok || end.Before(at) {
			at, ok = end, true
		}
	}
	return at, ok
}

// digest is one message of those that were held. Its key is made of theirs.
func (s *Storm) digest(w *window, at time.Time) Message {
	if len(w.Held) == 1 {
		return w.Held[0]
	}
	first := w.Held[0]
	keys := make([]string, len(w.Held), len(w.Held)+1)
	var text strings.Builder
	for i, m := range w.Held {
		keys[i] = strconv.Quote(m.Key)
		if i < s.config.Lines {
			fmt.Fprintf(&text, "%s\n", m.Subject)
		}
	}
	if more := len(w.Held) - s.config.Lines; more > 0 {
		fmt.Fprintf(&text, "and %d more\n", more)
	}
	return Message{
		Key: "digest/" + digest("digest", strings.Join(append(keys, windowKey(first.Tenant, first.To[0])), ",")), Tenant: first.Tenant, At: at, To: first.To,
		Subject: fmt.Sprintf("%d messages in %s", len(w.Held), s.config.Window), Text: text.String(),
	}
}

func windowKey(tenant string, t Target) string {
	return strings.Join([]string{tenant, string(t.Channel), t.Address}, "\x00")
}

// stormVersion is raised when the form of a snapshot changes.
const stormVersion = 1

// ErrSnapshot is wrapped by the errors of [Storm.Restore]: the snapshot was changed or cut
// after it was written, or another version wrote it. What it says is not to be used.
var ErrSnapshot = errors.New("notify: snapshot of a storm")

// Snapshot returns all that the storm knows, as JSON with a checksum.
func (s *Storm) Snapshot() ([]byte, error) { return sealed.Seal(stormVersion, s.windows) }

// Restore takes a snapshot back. Its errors wrap [ErrSnapshot], and leave the storm as it was.
func (s *Storm) Restore(snapshot []byte) error {
	state, err := sealed.Open(snapshot, stormVersion)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	windows := map[string]*window{}
	if err := json.Unmarshal(state, &windows); err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	for place, w := range windows {
		if w == nil || w.Sent < 0 || slices.ContainsFunc(w.Held, func(m Message) bool { return len(m.To) != 1 || windowKey(m.Tenant, m.To[0]) != place }) {
			return fmt.Errorf("%w: window %q is not one", ErrSnapshot, place)
		}
	}
	s.windows = windows
	return nil
}
