package incident

// Truncate empties the timeline but keeps its memory, for benchmarks.
func (t *Timeline) Truncate() {
	t.entries, t.head = t.entries[:0], genesis(t.tenant, t.incident)
}

// Labels returns of how many different ones the meter knows.
func (m *Meter) Labels() int { return len(m.labels.places) }
