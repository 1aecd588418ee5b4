package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// Outbox implements [stream.Outbox]: a stream with a subject for each key, on which the
// server takes one message as long as it keeps it. It is safe for concurrent use.
type Outbox struct{ s *Store }

var _ stream.Outbox = (*Outbox)(nil)

// Outbox returns the outbox of the store.
func (s *Store) Outbox() *Outbox { return &Outbox{s} }

// Put implements [stream.Outbox]. A key must be of letters, digits, - and _, as those of
// transitions are.
func (o *Outbox) Put(ctx context.Context, all []stream.Notification) error {
	msgs := make([]*nats.Msg, len(all))
	for i, n := range all {
		data, err := n.Encode()
		if err != nil {
			return err
		}
		if !token(n.Key) {
			return fmt.Errorf("jetstream: key %q, want letters, digits, - and _", n.Key)
		}
		msgs[i] = &nats.Msg{Subject: o.s.prefix + ".outbox." + n.Key, Data: data, Header: nats.Header{js.ExpectedLastSubjSeqHeader: {"0"}}}
	}
	if _, err := o.s.publish(ctx, msgs, stored); err != nil {
		return fmt.Errorf("jetstream: put into the outbox: %w", o.s.doubt(err))
	}
	return nil
}

// stored reports whether the server refused a message because the subject has one. The
// sequence of that is in the text; it is 0 where the server could not look, and another
// error says that one is on its way, which may still fail.
func stored(err error) bool {
	var api *js.APIError
	return errors.As(err, &api) && api.ErrorCode == js.JSErrCodeStreamWrongLastSequence && !strings.HasSuffix(api.Description, ": 0")
}

// Read implements [stream.Outbox].
func (o *Outbox) Read(ctx context.Context, after int64) ([]stream.Entry, error) {
	msgs, err := o.s.read(ctx, place{outbox, after})
	if err != nil {
		return nil, err
	}
	entries := make([]stream.Entry, len(msgs))
	for i, m := range msgs {
		entries[i] = stream.DecodeEntry(m.seq, m.data)
	}
	return entries, nil
}
