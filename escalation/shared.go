package escalation

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/internal/sealed"
)

// Shared is what incidents have in common, for a store that keeps each of them
// apart, as [Engine.Part] writes it. All maps may be nil.
type Shared struct {
	// Loads are by person. They are not part of the text: a store counts them.
	Loads map[string]Load `json:"-"`

	Pages   map[string][]time.Time `json:"pages,omitempty"`   // by person: what [Config.PageLimit] counts
	Turns   map[string]int         `json:"turns,omitempty"`   // of steps that go round robin
	Leaders map[string]string      `json:"leaders,omitempty"` // by service: the incident that others are bundled under
}

// Shared returns what the incidents of the engine have in common.
func (e *Engine) Shared() Shared {
	leaders := maps.Clone(e.leaders)
	maps.DeleteFunc(leaders, func(_, id string) bool { return e.records[id] != nil && !e.records[id].isOpen() })
	return Shared{Loads: maps.Clone(e.loads), Pages: maps.Clone(e.pages), Turns: maps.Clone(e.turns), Leaders: leaders}
}

// Part returns the state of one incident as JSON, with a checksum, or nil where it is not known.
// Which others are bundled under it is left to them.
func (e *Engine) Part(id string) ([]byte, error) {
	r := e.records[id]
	if r == nil {
		return nil, nil
	}
	alone := *r
	alone.Bundle = nil
	return sealed.Seal(snapshotVersion, snapshot{
		Tenant: e.tenant, Incidents: []*record{&alone},
		Books: map[string]json.RawMessage{r.Book: e.books[r.Book].text},
	})
}

// Fork returns an engine with the configuration of this one that knows the
// incidents of the parts and what they share with others. It costs less than
// [Restore], since nothing is checked anew but the parts, and may be called by
// several goroutines while nobody else uses e.
//
// A decision about one incident needs its part, for an opening or a reopening that
// of the leader of its service, for a change of severity the one that it is bundled
// under, and for that and any end those that are bundled under it.
func (e *Engine) Fork(s Shared, parts ...[]byte) (*Engine, error) {
	f := *e
	f.records, f.books, f.wakes = map[string]*record{}, maps.Clone(e.books), nil
	f.loads, f.pages, f.turns, f.leaders = map[string]Load{}, map[string][]time.Time{}, map[string]int{}, map[string]string{}
	for i, part := range parts {
		if _, err := f.load(part); err != nil {
			return nil, fmt.Errorf("%w: part %d: %w", ErrSnapshot, i, err)
		}
	}
	for _, id := range f.ids() {
		if leader := f.records[f.records[id].Bundled]; leader != nil && !slices.Contains(leader.Bundle, id) {
			leader.Bundle = append(leader.Bundle, id)
		}
	}
	if s.Loads != nil { // they count the incidents of the parts
		f.loads = maps.Clone(s.Loads)
	}
	for who, at := range s.Pages {
		f.pages[who] = slices.Clone(at)
	}
	maps.Copy(f.turns, s.Turns)
	maps.Copy(f.leaders, s.Leaders)
	return &f, nil
}
