package jetstream

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	js "github.com/nats-io/nats.go/jetstream"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// streams is how many streams the log has. It never changes, as the number of
// partitions does not.
const streams = 16

// Options are what [Open] may be told. Those who share a log need the same.
type Options struct {
	// Prefix begins the names of streams and subjects: letters, digits, - and _.
	// Defaults to "evenkeel".
	Prefix string
	// Replicas is on how many servers of a cluster everything is kept. Defaults to 1.
	Replicas int
	// Duplicates is how long the server remembers IDs. Defaults to 2 minutes.
	Duplicates time.Duration
	// OutboxAge is how long the outbox keeps notifications and remembers their keys. The
	// server needs about 240 bytes of memory for each, beside the file. Defaults to 3
	// days.
	OutboxAge time.Duration
}

// Store implements [stream.Store]. Make one with [Open]. It is safe for concurrent
// use.
type Store struct {
	nc       *nats.Conn
	js       js.JetStream
	prefix   string
	log      [streams]js.Stream
	leases   js.Stream
	snapshot js.Stream
	outbox   js.Stream
	bursts   *bursts // nil if the server is too old for them

	mu     sync.Mutex // guards parked and closed
	parked map[place]*reader
	closed bool
}

var _ stream.Store = (*Store)(nil)

// invalidJSON is what servers from 2.12 on answer to a setting that they do not know, as
// those before 2.14 do not know batches; older ones leave it out of the answer.
// https://github.com/nats-io/nats-server/blob/main/server/errors.json
const invalidJSON js.ErrorCode = 10025

// Open creates the streams, or changes them to what the options say, and returns the
// store. The caller keeps and closes the connection. o may be nil.
func Open(ctx context.Context, nc *nats.Conn, o *Options) (*Store, error) {
	var options Options
	if o != nil {
		options = *o
	}
	if options.Prefix == "" {
		options.Prefix = "evenkeel"
	}
	if !token(options.Prefix) {
		return nil, fmt.Errorf("jetstream: prefix %q, want letters, digits, - and _", options.Prefix)
	}
	if options.Replicas == 0 {
		options.Replicas = 1
	}
	if options.Duplicates == 0 {
		options.Duplicates = 2 * time.Minute
	}
	if options.OutboxAge == 0 {
		options.OutboxAge = 3 * 24 * time.Hour
	}
	s := &Store{nc: nc, prefix: options.Prefix, parked: map[place]*reader{}}
	var err error
	if s.js, err = js.New(nc, js.WithPublishAsyncMaxPending(16_384), js.WithPublishAsyncTimeout(10*time.Second)); err != nil {
		return nil, fmt.Errorf("jetstream: %w", err)
	}
	refused := false // to acknowledge many at once
	create := func(into *js.Stream, name string, c js.StreamConfig) {
		if err != nil {
			return
		}
		c.Name, c.Replicas, c.Storage = options.Prefix+"-"+name, options.Replicas, js.FileStorage
		c.AllowBatchPublish = c.AllowBatchPublish && !refused
		*into, err = s.js.CreateOrUpdateStream(ctx, c)
		if api, ok := errors.AsType[*js.APIError](err); ok && api.ErrorCode == invalidJSON && c.AllowBatchPublish {
			refused, c.AllowBatchPublish = true, false
			*into, err = s.js.CreateOrUpdateStream(ctx, c)
		}
		if err != nil {
			err = fmt.Errorf("jetstream: stream %s: %w", c.Name, err)
		}
	}
	for n := range s.log {
		create(&s.log[n], fmt.Sprint("log-", n), js.StreamConfig{
			Subjects: []string{fmt.Sprintf("%s.log.%d.*", s.prefix, n)}, Duplicates: options.Duplicates, AllowBatchPublish: true,
		})
	}
	create(&s.leases, "leases", js.StreamConfig{
		Subjects: []string{s.prefix + ".claim.*", s.prefix + ".node.*"}, MaxMsgsPerSubject: 1, AllowMsgTTL: true,
	})
	create(&s.snapshot, "snapshots", js.StreamConfig{Subjects: []string{s.prefix + ".snapshot.*.*"}})
	create(&s.outbox, "outbox", js.StreamConfig{
		Subjects: []string{s.prefix + ".outbox.*"}, MaxAge: options.OutboxAge,
		// Whoever publishes, a subject has one message.
		MaxMsgsPerSubject: 1, Discard: js.DiscardNew, DiscardNewPerSubject: true,
	})
	if err != nil {
		return nil, err
	}
	for _, l := range s.log {
		if !l.CachedInfo().Config.AllowBatchPublish {
			return s, nil
		}
	}
	if s.bursts, err = newBursts(nc); err != nil {
		return nil, fmt.Errorf("jetstream: %w", err)
	}
	return s, nil
}

// Close ends what reading and appending have left open; the store must not be used any
// more. The connection stays.
func (s *Store) Close() {
	if s.bursts != nil {
		s.bursts.close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for at, r := range s.parked {
		r.idle.Stop()
		r.close()
		delete(s.parked, at)
	}
}

// doubt adds to the error of a write that had no answer what that may mean. A server that
// cannot write to its disk says so in its own log alone, and answers nobody.
func (s *Store) doubt(err error) error {
	if !s.nc.IsConnected() || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, js.ErrAsyncPublishTimeout) {
		return err
	}
	return fmt.Errorf("the server is connected and does not answer, as one whose disk is full until it is started again: %w", err)
}

// logSubject is that of the records of a partition.
func (s *Store) logSubject(partition int) string {
	return fmt.Sprintf("%s.log.%d.%d", s.prefix, partition%streams, partition)
}

// claimSubject is that of the claims of a partition.
func (s *Store) claimSubject(partition int) string {
	return fmt.Sprintf("%s.claim.%d", s.prefix, partition)
}

// nodeSubject has the name of the node in a form in which every text is a token.
func (s *Store) nodeSubject(node string) string {
	return s.prefix + ".node." + base64.RawURLEncoding.EncodeToString([]byte(node))
}

// token reports whether a text can stand between the dots of a subject.
func token(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// conflict reports whether the sequence was not the expected one.
func conflict(err error) bool {
	var api *js.APIError
	return errors.As(err, &api) && (api.ErrorCode == js.JSErrCodeStreamWrongLastSequence || api.ErrorCode == js.JSErrCodeStreamWrongLastSequenceConstant)
}
