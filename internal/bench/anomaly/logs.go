package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/faceair/drain"

	"github.com/evenkeelops/evenkeel/anomaly/logs"
	"github.com/evenkeelops/evenkeel/internal/bench/measure"
)

const drainPeer = "faceair/drain v0.0.0-20220227014011"

// logPairs compares the mining of log lines: training on a stream of lines of known
// kinds, and finding the template of a known line.
func logPairs() []measure.Pair {
	pair := func(name string, bar float64, preset logs.Preset, match bool) measure.Pair {
		return measure.Pair{
			Name: "anomaly/" + name, Peer: drainPeer, Bar: bar, Ops: logLines, NoAllocs: match,
			Setup: func() (func(), func(), error) {
				m, err := newMiners(preset)
				if err != nil {
					return nil, nil, err
				}
				if match {
					return m.matchOurs, m.matchTheirs, nil
				}
				return m.trainOurs, m.trainTheirs, nil
			},
		}
	}
	return []measure.Pair{
		pair("logs_train_drain", 1.3, logs.Drain, false),
		pair("logs_train_default", 0.7, logs.Default, false),
		pair("logs_match_drain", 1.2, logs.Drain, true),
		pair("logs_match_default", 1.2, logs.Default, true),
	}
}

const logLines = 2000

// miners are both sides after training on the same lines.
type miners struct {
	lines  []string
	ours   *logs.Miner
	theirs *drain.Drain
}

// newMiners trains both sides and checks that they answer sensibly: the lines have
// twelve kinds, and a line of each kind is known again.
func newMiners(preset logs.Preset) (*miners, error) {
	ours, err := logs.NewMiner(&logs.Options{Preset: preset})
	if err != nil {
		return nil, err
	}
	m := &miners{lines: logCorpus(), ours: ours, theirs: drain.New(drain.DefaultConfig())}
	m.trainOurs()
	m.trainTheirs()
	if n := ours.Len(); n < 10 || n > 30 {
		return nil, fmt.Errorf("evenkeel finds %d templates in lines of %d kinds", n, len(logKinds))
	}
	if n := len(m.theirs.Clusters()); n < 10 || n > 30 {
		return nil, fmt.Errorf("%s finds %d templates in lines of %d kinds", drainPeer, n, len(logKinds))
	}
	for _, line := range m.lines {
		if _, ok := ours.Match(line); !ok {
			return nil, fmt.Errorf("evenkeel does not know %q", line)
		}
		if m.theirs.Match(line) == nil {
			return nil, fmt.Errorf("%s does not know %q", drainPeer, line)
		}
	}
	return m, nil
}

// trainOurs learns all lines with our miner.
func (m *miners) trainOurs() {
	for _, line := range m.lines {
		m.ours.Learn(time.Time{}, line)
	}
}

// trainTheirs learns all lines with the peer.
func (m *miners) trainTheirs() {
	for _, line := range m.lines {
		m.theirs.Train(line)
	}
}

// matchOurs matches all lines with our miner.
func (m *miners) matchOurs() {
	for _, line := range m.lines {
		m.ours.Match(line)
	}
}

// matchTheirs matches all lines with the peer.
func (m *miners) matchTheirs() {
	for _, line := range m.lines {
		m.theirs.Match(line)
	}
}

// logKinds are kinds of lines; # becomes a number, @ an address, & hexadecimal digits.
var logKinds = []string{
	"connection from @:# accepted", "connection from @:# closed by peer", "request # completed with # in # ms",
	"worker # picked the job & of today", "worker # finished job & after #ms", "cache miss for key session:& in eu",
	"replication lag #ms on node db# found", "snapshot & of data created", "health check of upstream passed",
	"queue depth # above the limit # again", "retrying call to ledger attempt # of 5", "disk /data#/wal usage #% now",
}

// logCorpus writes lines of 43 bytes on average from a fixed seed.
func logCorpus() []string {
	r := rand.New(rand.NewPCG(7, 7))
	lines := make([]string, logLines)
	for i := range lines {
		kind := logKinds[min(r.IntN(len(logKinds)), r.IntN(len(logKinds)))]
		var b strings.Builder
		for _, c := range kind {
			switch c {
			case '#':
				fmt.Fprint(&b, r.IntN(10_000))
			case '@':
				fmt.Fprintf(&b, "10.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256))
			case '&':
				fmt.Fprintf(&b, "%08x", r.Uint32())
			default:
				b.WriteRune(c)
			}
		}
		lines[i] = b.String()
	}
	return lines
}
