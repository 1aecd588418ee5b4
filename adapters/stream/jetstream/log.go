package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// record is a batch that is to be stored.
type record struct {
	id   string // that of the server, which knows IDs by stream; empty if the batch has none
	data []byte
}

// Append implements [stream.Log]. All batches are under way at the same time, or, if they
// are very many, the last of them, and a server that can acknowledges many at once.
func (s *Store) Append(ctx context.Context, partition int, batches ...stream.Batch) (int64, error) {
	records := make([]record, len(batches))
	before := strconv.Itoa(partition) + "/" // several partitions share a stream
	for i, b := range batches {
		data, err := b.Encode()
		if err != nil {
			return 0, fmt.Errorf("batch %d: %w", i, err)
		}
		records[i].data = data
		if b.ID != "" {
			records[i].id = before + b.ID
		}
	}
	subject := s.logSubject(partition)
	var err error
	for err == nil && s.bursts != nil && len(records) > fewest {
		// The last of all goes alone, as its offset is asked for even if it is known.
		n := min(len(records)-1, most)
		err = s.bursts.send(ctx, subject, records[:n])
		records = records[n:]
	}
	offset := int64(0)
	if err == nil {
		msgs := make([]*nats.Msg, len(records))
		for i, r := range records {
			msgs[i] = &nats.Msg{Subject: subject, Data: r.data}
			if r.id != "" {
				msgs[i].Header = nats.Header{js.MsgIDHeader: {r.id}}
			}
		}
		offset, err = s.publish(ctx, msgs, func(error) bool { return false })
	}
	if err != nil {
		return 0, fmt.Errorf("jetstream: append to partition %d: %w", partition, s.doubt(err))
	}
	return offset, nil
}

// publish sends all messages at the same time and returns the sequence of the last that
// is stored. Errors that are fine are none.
func (s *Store) publish(ctx context.Context, msgs []*nats.Msg, fine func(error) bool) (int64, error) {
	var failed error
	acks := make([]js.PubAckFuture, 0, len(msgs))
	for _, m := range msgs {
		// Not tried again here: what is tried again comes after what follows.
		ack, err := s.js.PublishMsgAsync(m, js.WithRetryAttempts(0), js.WithStallWait(10*time.Second))
		if err != nil {
			failed = err
			break
		}
		acks = append(acks, ack)
	}
	last := int64(0)
	for _, ack := range acks {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case err := <-ack.Err():
			if !fine(err) {
				failed = errors.Join(failed, err)
			}
		case stored := <-ack.Ok():
			last = int64(stored.Sequence)
		}
	}
	return last, failed
}

// Trim implements [stream.Log].
func (s *Store) Trim(ctx context.Context, partition int, upTo int64) error {
	return s.log[partition%streams].Purge(ctx, js.WithPurgeSubject(s.logSubject(partition)), js.WithPurgeSequence(uint64(upTo)+1))
}

// outbox is the place of the outbox among the partitions.
const outbox = -1

// place is where a reader goes on.
type place struct {
	partition int // or outbox
	after     int64
}

// message is one of a stream.
type message struct {
	seq  int64
	data []byte
}

// reader is a consumer that runs ahead by at most two pulls.
type reader struct {
	msgs    chan message
	broken  chan struct{} // closed when nothing more comes
	quit    func()        // closes broken, may be called again
	last    uint64        // consumer sequence of the record before
	consume js.ConsumeContext
	idle    *time.Timer // ends a reader that nobody wants; nil while one has it
}

// park is how long a reader waits for somebody to go on reading.
const park = time.Minute

// Read implements [stream.Log].
func (s *Store) Read(ctx context.Context, partition int, after int64) ([]stream.Record, error) {
	msgs, err := s.read(ctx, place{partition, after})
	if err != nil {
		return nil, err
	}
	records := make([]stream.Record, len(msgs))
	for i, m := range msgs {
		records[i] = stream.Decode(m.seq, m.data)
	}
	return records, nil
}

// read waits for messages. A consumer is kept for whoever goes on where this call ends.
func (s *Store) read(ctx context.Context, at place) ([]message, error) {
	for {
		r, err := s.reader(ctx, at)
		if err != nil {
			return nil, err
		}
		msgs, alive := r.read(ctx)
		switch {
		case len(msgs) > 0:
			s.park(place{at.partition, msgs[len(msgs)-1].seq}, r)
			return msgs, nil
		case alive:
			s.park(at, r)
			return nil, ctx.Err()
		}
		r.close()
	}
}

// read returns what has come, waiting for the first. It reports whether there may be
// more.
func (r *reader) read(ctx context.Context) ([]message, bool) {
	var msgs []message
	select {
	case first := <-r.msgs:
		msgs = append(msgs, first)
	default:
		select {
		case first := <-r.msgs:
			msgs = append(msgs, first)
		case <-ctx.Done():
			return nil, true
		case <-r.broken:
			return nil, false
		}
	}
	for len(msgs) < stream.ReadLimit {
		select {
		case next := <-r.msgs:
			msgs = append(msgs, next)
		default:
			return msgs, true
		}
	}
	return msgs, true
}

// reader takes the one that is parked there, or makes one.
func (s *Store) reader(ctx context.Context, at place) (*reader, error) {
	s.mu.Lock()
	r := s.parked[at]
	if r != nil {
		delete(s.parked, at)
		r.idle.Stop()
	}
	s.mu.Unlock()
	if r != nil {
		return r, nil
	}
	// The outbox has no filter: its stream has as many subjects as messages.
	from, filter, what := s.outbox, "", "the outbox"
	if at.partition != outbox {
		from, filter, what = s.log[at.partition%streams], s.logSubject(at.partition), fmt.Sprint("partition ", at.partition)
	}
	info, err := from.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("jetstream: read %s: %w", what, err)
	}
	if info.State.LastSeq < uint64(at.after) {
		return nil, fmt.Errorf("%w: stream %s ends at %d, read after %d", stream.ErrOffset, info.Config.Name, info.State.LastSeq, at.after)
	}
	consumer, err := from.CreateConsumer(ctx, js.ConsumerConfig{
		FilterSubject: filter, DeliverPolicy: js.DeliverByStartSequencePolicy, OptStartSeq: uint64(at.after) + 1,
		AckPolicy: js.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 2 * park,
	})
	if err != nil {
		return nil, fmt.Errorf("jetstream: read %s: %w", what, err)
	}
	return open(consumer)
}

// open lets a consumer deliver. A message that is missing, as one that was delivered
// over a broken connection is, breaks the reader; the next one begins after the last
// message that was returned. So does silence, which also befalls a reader whose messages
// nobody takes.
func open(consumer js.Consumer) (*reader, error) {
	r := &reader{msgs: make(chan message, stream.ReadLimit), broken: make(chan struct{})}
	r.quit = sync.OnceFunc(func() { close(r.broken) })
	var err error
	r.consume, err = consumer.Consume(r.take, js.PullMaxMessages(stream.ReadLimit), js.ConsumeErrHandler(func(js.ConsumeContext, error) { r.quit() }))
	if err != nil {
		return nil, fmt.Errorf("jetstream: read: %w", err)
	}
	return r, nil
}

// take is called for one message after the other.
func (r *reader) take(m js.Msg) {
	meta, err := m.Metadata()
	if err != nil || meta.Sequence.Consumer != r.last+1 {
		r.quit()
		return
	}
	r.last = meta.Sequence.Consumer
	select {
	case <-r.broken:
	case r.msgs <- message{int64(meta.Sequence.Stream), m.Data()}:
	}
}

// close ends the reader. The server forgets the consumer by itself.
func (r *reader) close() {
	r.quit()
	r.consume.Stop()
}

// park keeps a reader for a while.
func (s *Store) park(at place, r *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		r.close()
		return
	}
	if other := s.parked[at]; other != nil {
		other.idle.Stop()
		other.close()
	}
	s.parked[at] = r
	r.idle = time.AfterFunc(park, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.parked[at] == r {
			delete(s.parked, at)
			r.close()
		}
	})
}
