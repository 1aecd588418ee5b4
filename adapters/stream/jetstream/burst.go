package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"
)

// A burst is messages of which the server acknowledges all together (fast batch publishing,
// from NATS 2.14 on; ADR-50 of nats-io/nats-architecture-and-design). The acknowledgement of
// each is a good part of what it costs the server and us. Each has its number in the subject
// of its reply:
//
//	<inbox>.<burst>.<flow>.<what a gap is>.<number>.<operation>.$FI
//
// The server drops duplicates as ever and counts them as stored. If one is missing or cannot
// be stored it refuses those that follow, says so, and acknowledges how many it has.

const (
	fewest = 8   // messages of which all but one are worth a burst
	most   = 256 // of a burst, far from what a server lets wait for one stream
	// flow is after how many messages the server says how far it is, which nobody reads.
	flow = 500
	// patience is how long a server may take, as for messages that go alone.
	patience = 10 * time.Second
)

// The operations.
const (
	begin = iota
	add
	commit
)

// bursts hears what servers say of the bursts of a store.
type bursts struct {
	nc      *nats.Conn
	sub     *nats.Subscription
	inbox   string
	id      string // begins the names of bursts; of nobody else
	count   atomic.Uint64
	waiting sync.Map         // names to *wait
	lost    chan nats.Status // has something when the connection is lost
}

// newBursts begins to listen, until close or the end of the connection.
func newBursts(nc *nats.Conn) (*bursts, error) {
	b := &bursts{nc: nc, inbox: nc.NewInbox()}
	b.id = b.inbox[strings.LastIndexByte(b.inbox, '.')+1:]
	var err error
	if b.sub, err = nc.Subscribe(b.inbox+".>", b.hear); err != nil {
		return nil, err
	}
	b.lost = nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	go func() {
		for status := range b.lost { // what was on its way is in doubt
			b.waiting.Range(func(_, w any) bool {
				w.(*wait).end(nats.ErrDisconnected)
				return true
			})
			if status == nats.CLOSED {
				return
			}
		}
	}()
	return b, nil
}

// close stops listening.
func (b *bursts) close() {
	_ = b.sub.Unsubscribe() // fails if the connection is closed, which does it
	b.nc.RemoveStatusListener(b.lost)
}

// send stores records in order, as messages of a subject. After an error some may be stored.
func (b *bursts) send(ctx context.Context, subject string, records []record) error {
	name := b.id + "-" + strconv.FormatUint(b.count.Add(1), 10)
	ended := make(chan error, 1)
	w := &wait{want: len(records), ended: ended}
	b.waiting.Store(name, w)
	defer b.waiting.Delete(name)
	reply := fmt.Appendf(nil, "%s.%s.%d.fail.", b.inbox, name, flow)
	before := len(reply)
	m := nats.Msg{Subject: subject} // the connection copies what is published
	id := []string{""}
	header := nats.Header{js.MsgIDHeader: id}
	for n, r := range records {
		operation := add
		switch n {
		case len(records) - 1:
			operation = commit
		case 0:
			operation = begin
		}
		reply = strconv.AppendInt(reply[:before], int64(n+1), 10)
		reply = append(reply, '.', '0'+byte(operation))
		reply = append(reply, ".$FI"...)
		m.Reply, m.Data, m.Header = string(reply), r.data, nil
		if r.id != "" {
			id[0], m.Header = r.id, header
		}
		if err := b.nc.PublishMsg(&m); err != nil {
			return err
		}
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("%d messages: %w", len(records), js.ErrAsyncPublishTimeout)
	case err := <-ended:
		return err
	}
}

// wait is a burst whose end is not known.
type wait struct {
	want  int
	ended chan<- error // has room for one
}

// end says what came of it; the first to do so counts.
func (w *wait) end(err error) {
	select {
	case w.ended <- err:
	default:
	}
}

// said is what a server says of a burst: how far it is, that a message is missing or
// cannot be stored, or, without a type, as of a message alone, the end.
type said struct {
	Type  string       `json:"type"`
	Count int          `json:"count"` // at the end: of the messages that are stored
	Error *js.APIError `json:"error"`
}

var errBurst = errors.New("the server did not store all of a burst")

// hear takes what a server says.
func (b *bursts) hear(m *nats.Msg) {
	name, _, _ := strings.Cut(m.Subject[len(b.inbox)+1:], ".")
	found, ok := b.waiting.Load(name)
	if !ok {
		return
	}
	w := found.(*wait)
	var s said
	if err := json.Unmarshal(m.Data, &s); err != nil {
		if m.Header.Get("Status") == "503" { // nobody listens: there is no such stream, or no server for it
			err = js.ErrNoStreamResponse
		}
		w.end(err)
		return
	}
	switch {
	case s.Error != nil:
		w.end(s.Error)
	case s.Type == "ack":
	case s.Type != "":
		w.end(fmt.Errorf("%w: %s", errBurst, m.Data))
	case s.Count != w.want:
		w.end(fmt.Errorf("%w: %d of %d", errBurst, s.Count, w.want))
	default:
		w.end(nil)
	}
}
