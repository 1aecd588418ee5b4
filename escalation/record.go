package escalation

import (
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// record is the state of one incident. Its exported fields are the snapshot.
type record struct {
	ID       string            `json:"id"`
	Severity incident.Severity `json:"severity"`
	Domain   string            `json:"domain"`
	Service  string            `json:"service,omitempty"`
	Region   string            `json:"region,omitempty"`
	Policy   string            `json:"policy,omitempty"` // as named by the opening
	Book     string            `json:"book"`             // digest of the matrix of this round
	Opened   time.Time         `json:"opened"`
	Changed  time.Time         `json:"changed,omitzero"` // last change of severity
	Changes  int               `json:"changes,omitzero"`

	standing `json:"-"` // by the facts
	Facts    []fact     `json:"facts,omitempty"` // in order of their instants

	Anchor     time.Time `json:"anchor"` // from which levels are counted
	Acks       int       `json:"acks,omitzero"`
	Snoozed    time.Time `json:"snoozed,omitzero"`    // until
	SnoozedAt  time.Time `json:"snoozed_at,omitzero"` // last time it was put off
	RespondBy  time.Time `json:"respond_by,omitzero"`
	Repaged    time.Time `json:"repaged,omitzero"` // last time somebody who had it was paged again
	AtRisk     time.Time `json:"at_risk,omitzero"` // when that was told
	Missed     time.Time `json:"missed,omitzero"`  // likewise
	Quiet      bool      `json:"quiet,omitzero"`   // the first page waits for the end of a maintenance
	Bundled    string    `json:"bundled,omitempty"`
	Bundle     []string  `json:"bundle,omitempty"`
	MergedInto string    `json:"merged_into,omitempty"`

	Routing Routing        `json:"routing"`
	Holder  string         `json:"holder,omitempty"` // who counts it as an open incident
	Paged   []string       `json:"paged,omitempty"`  // in this round, each once
	Pages   []sent         `json:"pages,omitempty"`  // in this round, unless withdrawn
	Top     Level          `json:"top,omitzero"`     // most senior level paged in this round
	Fired   []firing       `json:"fired,omitempty"`  // in this round
	Held    []hold         `json:"held,omitempty"`   // levels that wait for somebody
	Arms    map[string]int `json:"arms,omitempty"`   // how often each timer was armed in this round
	Timers  []Timer        `json:"timers,omitempty"`
	Armed   string         `json:"armed,omitempty"` // digest of the matrix of the timers, where that is another one
	Log     []Entry        `json:"log"`

	next time.Time // due instant of the first timer; zero: none
}

type firing struct {
	Level     int       `json:"level"`
	Due       time.Time `json:"due"`
	At        time.Time `json:"at"`
	Collapsed bool      `json:"collapsed,omitzero"` // a higher level paged instead
	Empty     bool      `json:"empty,omitzero"`     // it reached nobody, and the next was taken at once
	Void      bool      `json:"void,omitzero"`      // armed again since
}

// sent is a page that was decided on. Whether it has gone out its store knows.
type sent struct {
	Key    string    `json:"key"`
	StopOn EventKind `json:"stop_on"` // of its step
}

// hold is a level that waits until an instant because its targets are nobody.
type hold struct {
	Level int       `json:"level"`
	Until time.Time `json:"until"`
}

// firings returns the firing of each of n levels in this round that still counts, or
// nil, by level less 1.
func (r *record) firings(n int) []*firing {
	out := make([]*firing, n)
	for i := range r.Fired {
		if f := &r.Fired[i]; !f.Void && f.Level >= 1 && f.Level <= n {
			out[f.Level-1] = f
		}
	}
	return out
}

func (r *record) stopped(g *rung) bool { return g.StopOn == Acknowledged && !r.Acknowledged.IsZero() }
