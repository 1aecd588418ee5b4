package jetstream

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	js "github.com/nats-io/nats.go/jetstream"

	"github.com/evenkeelops/evenkeel/adapters/stream"
)

// claim is what is kept of a partition: who owns it, and where its snapshot is.
type claim struct {
	Owner    string `json:"owner,omitempty"` // empty: it was released
	Epoch    int64  `json:"epoch"`
	Snapshot *saved `json:"snapshot,omitempty"`
}

// Join implements [stream.Leases]. The server counts whole seconds, so ttl is rounded
// up, and it may take a few seconds longer to notice the end.
func (s *Store) Join(ctx context.Context, node string, ttl time.Duration) ([]string, error) {
	seconds := max(1, (ttl+time.Second-1)/time.Second) * time.Second
	if _, err := s.js.Publish(ctx, s.nodeSubject(node), []byte(node), js.WithMsgTTL(seconds)); err != nil {
		return nil, fmt.Errorf("jetstream: join: %w", s.doubt(err))
	}
	info, err := s.leases.Info(ctx, js.WithSubjectFilter(s.prefix+".node.*"))
	if err != nil {
		return nil, fmt.Errorf("jetstream: join: %w", err)
	}
	var nodes []string
	for subject := range info.State.Subjects {
		name, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(subject, s.prefix+".node."))
		if err != nil {
			return nil, fmt.Errorf("jetstream: node %q: %w", subject, err)
		}
		nodes = append(nodes, string(name))
	}
	slices.Sort(nodes)
	return nodes, nil
}

// Leave implements [stream.Leases].
func (s *Store) Leave(ctx context.Context, node string) error {
	return s.leases.Purge(ctx, js.WithPurgeSubject(s.nodeSubject(node)))
}

// Claim implements [stream.Leases].
func (s *Store) Claim(ctx context.Context, partition int, node string) (int64, error) {
	c, seq, err := s.claim(ctx, partition)
	if err != nil {
		return 0, err
	}
	if alive, err := s.alive(ctx, node); err != nil || !alive {
		return 0, err
	}
	if c.Owner != "" && c.Owner != node {
		if alive, err := s.alive(ctx, c.Owner); err != nil || alive {
			return 0, err
		}
	}
	c.Owner, c.Epoch = node, c.Epoch+1
	if err := s.putClaim(ctx, partition, c, seq); conflict(err) {
		return 0, nil // somebody else was faster
	} else if err != nil {
		return 0, err
	}
	return c.Epoch, nil
}

// Release implements [stream.Leases].
func (s *Store) Release(ctx context.Context, partition int, node string) error {
	c, seq, err := s.claim(ctx, partition)
	if err != nil || c.Owner != node || seq == 0 {
		return err
	}
	c.Owner = ""
	if err := s.putClaim(ctx, partition, c, seq); !conflict(err) {
		return err
	}
	return nil
}

// alive reports whether the message of a node has not expired.
func (s *Store) alive(ctx context.Context, node string) (bool, error) {
	_, err := s.leases.GetLastMsgForSubject(ctx, s.nodeSubject(node))
	if errors.Is(err, js.ErrMsgNotFound) {
		return false, nil
	}
	return err == nil, err
}

// claim reads the claim of a partition and its sequence, both zero if there is none.
func (s *Store) claim(ctx context.Context, partition int) (claim, uint64, error) {
	m, err := s.leases.GetLastMsgForSubject(ctx, s.claimSubject(partition))
	if errors.Is(err, js.ErrMsgNotFound) {
		return claim{}, 0, nil
	}
	var c claim
	if err == nil {
		err = json.Unmarshal(m.Data, &c)
	}
	if err != nil {
		return claim{}, 0, fmt.Errorf("jetstream: claim of partition %d: %w", partition, err)
	}
	return c, m.Sequence, nil
}

// putClaim writes a claim in place of the one with that sequence.
func (s *Store) putClaim(ctx context.Context, partition int, c claim, seq uint64) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err = s.js.Publish(ctx, s.claimSubject(partition), data, js.WithExpectLastSequencePerSubject(seq)); err != nil {
		return fmt.Errorf("jetstream: claim of partition %d: %w", partition, s.doubt(err))
	}
	return nil
}

// saved says where a snapshot is: in the messages of its subject from the first
// sequence to the last.
type saved struct {
	Offset int64  `json:"offset"`
	Writer int64  `json:"writer"` // epoch that wrote it, part of the subject
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
}

// chunk is how much of a snapshot goes into one message; a server takes a megabyte
// by default.
const chunk = 512 << 10

// snapshotSubject is that of a partition and epoch. Owners write to different ones, so
// they do not mix.
func (s *Store) snapshotSubject(partition int, epoch int64) string {
	return fmt.Sprintf("%s.snapshot.%d.%d", s.prefix, partition, epoch)
}

// Save implements [stream.Snapshots]. The snapshot counts when the claim names it.
func (s *Store) Save(ctx context.Context, partition int, epoch int64, snapshot stream.Snapshot) error {
	c, seq, err := s.claim(ctx, partition)
	if err != nil {
		return err
	}
	if c.Epoch != epoch || seq == 0 {
		return stream.ErrFenced
	}
	c.Snapshot = &saved{Offset: snapshot.Offset, Writer: epoch}
	for rest := snapshot.State; c.Snapshot.First == 0 || len(rest) > 0; {
		n := min(len(rest), chunk)
		ack, err := s.js.Publish(ctx, s.snapshotSubject(partition, epoch), rest[:n])
		if err != nil {
			return fmt.Errorf("jetstream: save partition %d: %w", partition, s.doubt(err))
		}
		if c.Snapshot.First == 0 {
			c.Snapshot.First = ack.Sequence
		}
		c.Snapshot.Last, rest = ack.Sequence, rest[n:]
	}
	if err := s.putClaim(ctx, partition, c, seq); conflict(err) {
		return stream.ErrFenced // only another owner writes the claim
	} else if err != nil {
		return err
	}
	// Those before, and what owners left behind that died while they saved. A later
	// owner's have higher sequences.
	return s.snapshot.Purge(ctx, js.WithPurgeSubject(fmt.Sprintf("%s.snapshot.%d.*", s.prefix, partition)), js.WithPurgeSequence(c.Snapshot.First))
}

// Load implements [stream.Snapshots].
func (s *Store) Load(ctx context.Context, partition int) (stream.Snapshot, error) {
	c, _, err := s.claim(ctx, partition)
	if err != nil || c.Snapshot == nil {
		return stream.Snapshot{}, err
	}
	snapshot := stream.Snapshot{Offset: c.Snapshot.Offset}
	for seq := c.Snapshot.First; seq <= c.Snapshot.Last; seq++ {
		m, err := s.snapshot.GetMsg(ctx, seq, js.WithGetMsgSubject(s.snapshotSubject(partition, c.Snapshot.Writer)))
		if err != nil {
			return stream.Snapshot{}, fmt.Errorf("jetstream: snapshot of partition %d: %w", partition, err)
		}
		snapshot.State = append(snapshot.State, m.Data...)
		seq = m.Sequence
	}
	return snapshot, nil
}
