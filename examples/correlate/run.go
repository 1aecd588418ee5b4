package main

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/replay"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// run is a replay of the log: its record, and in few bytes what grows with the log.
type run struct {
	*replay.Record
	until   time.Time
	player  *replay.Player
	known   map[evidence.ID]bool // alerts of the log
	names   []subject            // by their numbers
	notices notices
	brief   bool // nobody looks at untold
	untold  []untold
	rules   evidence.Numbers // sets of rules, with a zero between them

	other      *replay.Player // of -against; nil: none
	comparison *replay.Comparison
	changed    *replay.Diff
}

// subject is an alert of which people were told, or that was hidden.
type subject struct {
	alert, tenant string
	id            evidence.ID // zero: people were not told of it, or it is a composite
	begun         bool        // it has an episode
}

// untold is an episode of which nobody was told.
type untold struct {
	since          int64 // nanoseconds of Unix time
	subject, rules uint32
}

// play replays the log; brief leaves out what only documents show.
func (in *inputs) play(until time.Time, brief bool) (*run, error) {
	var r *run
	err := in.events(func() (_ evidence.Take, err error) {
		if r, err = in.begin(until); err != nil {
			return nil, err
		}
		r.brief = brief
		return r.take, nil
	})
	if err == nil {
		err = r.end()
	}
	return r, program.Exit(program.Input, err)
}

// begin sets a replay up.
func (in *inputs) begin(until time.Time) (*run, error) {
	r := &run{until: until, known: map[evidence.ID]bool{}}
	setup := replay.Setup{Rules: in.rules.Rules, Options: in.engine, Silences: in.rules.Silences, Inhibit: in.rules.Inhibit}
	var err error
	if in.earlier != nil {
		r.player, err = setup.PlayFrom(in.earlier, until, r)
	} else {
		r.player, err = setup.Play(until, r)
	}
	if err != nil || in.against == "" {
		return r, err
	}
	r.comparison = replay.NewComparison()
	setup = replay.Setup{Rules: in.other.Rules, Options: in.engine, Silences: in.other.Silences, Inhibit: in.other.Inhibit}
	setup.Options.Settle, setup.Options.StrictSilence = in.other.Settle, in.other.StrictSilence
	r.other, err = setup.Play(until, r.comparison.After())
	return r, err
}

// take takes a row of the log.
func (r *run) take(a replay.Arrival, id evidence.ID) error {
	if !r.known[id] && (r.until.IsZero() || !a.At.After(r.until)) {
		r.known[id] = true
	}
	if err := r.player.Add(a); err != nil || r.other == nil {
		return err
	}
	return r.other.Add(a)
}

// end lets time go on to the end.
func (r *run) end() (err error) {
	if r.Record, err = r.player.End(); err != nil {
		return err
	}
	if r.other != nil {
		after, err := r.other.End()
		if err != nil {
			return err
		}
		d := r.comparison.Diff(r.Record, after)
		r.changed = &d
	}
	slices.SortStableFunc(r.untold, func(a, b untold) int {
		x, y := &r.names[a.subject], &r.names[b.subject]
		return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(x.alert, y.alert), cmp.Compare(x.tenant, y.tenant))
	})
	return nil
}

// subject returns that of a number.
func (r *run) subject(number int, tenant, alert string) *subject {
	if more := number + 1 - len(r.names); more > 0 {
		r.names = append(r.names, make([]subject, more)...)
	}
	s := &r.names[number]
	s.alert, s.tenant = alert, tenant
	return s
}

// Told notes what people were told.
func (r *run) Told(number int, t replay.Told) {
	r.subject(number, t.Tenant, t.Alert)
	r.notices.add(uint64(number), &t)
	if r.comparison != nil {
		r.comparison.Before().Told(number, t)
	}
}

// Episode notes whether people were told of an alert.
func (r *run) Episode(number int, e replay.Episode) {
	s := r.subject(number, e.Tenant, e.Alert)
	s.begun = true
	switch {
	case e.Told.IsZero() && r.brief:
	case e.Told.IsZero():
		r.untold = append(r.untold, untold{e.Since.UnixNano(), uint32(number), r.rules.Of(strings.Join(e.HiddenBy, "\x00"))})
	case s.id == evidence.ID{}:
		name, _, _ := strings.Cut(e.Alert, "{")
		s.id = evidence.IDOf(correlation.Alert{Tenant: e.Tenant, Name: name, Labels: e.Labels})
	}
	if r.comparison != nil {
		r.comparison.Before().Episode(number, e)
	}
}

// notices are what people were told, packed: the nanoseconds since the one before, twice
// twice the number of the alert with a bit each for over and titled, and the number of the
// title, if there is one.
type notices struct {
	blocks [][]byte
	last   int64
	titles evidence.Numbers
}

// noticeBlock is how many bytes are allocated at a time.
const noticeBlock = 64 << 10

func (n *notices) add(number uint64, t *replay.Told) {
	const longest = 3 * binary.MaxVarintLen64
	if len(n.blocks) == 0 || cap(n.blocks[len(n.blocks)-1])-len(n.blocks[len(n.blocks)-1]) < longest {
		n.blocks = append(n.blocks, make([]byte, 0, noticeBlock))
	}
	b := &n.blocks[len(n.blocks)-1]
	at := t.At.UnixNano()
	*b = binary.AppendVarint(*b, at-n.last)
	n.last = at
	number *= 4
	if t.Over {
		number |= 1
	}
	if t.Title == "" {
		*b = binary.AppendUvarint(*b, number)
		return
	}
	*b = binary.AppendUvarint(*b, number|2)
	*b = binary.AppendUvarint(*b, uint64(n.titles.Of(t.Title)))
}

// notice is one of them.
type notice struct {
	at     time.Time
	over   bool
	about  uint64 // number of the alert
	titled bool
	title  string
}

// all yields them in their order.
func (n *notices) all() iter.Seq[notice] {
	return func(yield func(notice) bool) {
		at := int64(0)
		for _, rest := range n.blocks {
			number := func() uint64 {
				x, size := binary.Uvarint(rest)
				rest = rest[size:]
				return x
			}
			for len(rest) > 0 {
				since, size := binary.Varint(rest)
				rest = rest[size:]
				at += since
				x := number()
				y := notice{at: time.Unix(0, at).UTC(), over: x&1 != 0, about: x / 4, titled: x&2 != 0}
				if y.titled {
					y.title = n.titles.Texts[number()]
				}
				if !yield(y) {
					return
				}
			}
		}
	}
}
