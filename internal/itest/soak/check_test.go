package soak

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident"
)

// What follows reads the database with SQL and decoders of its own, and works out what should be there from the signals
// that were sent. It shares no code with the product, but the names of severities.

// episode is an incident that has to be there.
type episode struct {
	service, from, until int // of people being told; seconds
	down                 bool
	severity             incident.Severity
	begin                int // of the outage
}

// episodes works out slowly what people have to be told of in a tenant: an alert that has lasted for a minute, at any
// time at which its service is not known to be down, or which says so.
func (w *world) episodes(outages []outage) map[string]episode {
	type identity struct {
		service    int
		name, part string
	}
	type stretch struct{ from, until int }
	sent := map[identity][]signal{}
	for i := range outages {
		for s := range outages[i].signals() {
			id := identity{outages[i].service, s.name, s.part}
			sent[id] = append(sent[id], s)
		}
	}
	active := map[identity][]stretch{}
	severity := map[identity]map[int]incident.Severity{} // by its beginning
	for id, all := range sent {
		slices.SortFunc(all, func(a, b signal) int { return cmp.Compare(a.at, b.at) })
		from := -1
		severity[id] = map[int]incident.Severity{}
		for _, s := range all {
			switch {
			case s.firing && from < 0:
				from = s.at
				severity[id][from] = s.severity
			case !s.firing:
				active[id] = append(active[id], stretch{from, s.at})
				from = -1
			}
		}
	}
	found := map[string]episode{}
	for id, all := range active {
		for _, a := range all {
			told := a.from + 60
			if id.name == slowAlert {
				for _, down := range active[identity{id.service, downAlert, ""}] {
					if down.from <= told && told < down.until {
						told = down.until
					}
				}
			}
			if told < a.until {
				found[incidentID(id.name, serviceName(id.service), id.part, instant(a.from))] = episode{id.service, told, a.until, id.name == downAlert, severity[id][a.from], a.from}
			}
		}
	}
	return found
}

// message is what has been told, and to whom.
type message struct{ tenant, incident, stage, recipient string }

// messages adds what has to be told of an incident: who is asked, and that it is taken and over; and the readers of its
// severity.
func (e *episode) messages(tenant int, id string, all map[message]bool) {
	var asked []string
	for step, minutes := range ladder[e.severity] {
		if e.from+60*minutes >= e.until {
			break
		}
		asked = append(asked, personOf(tenant, step))
		all[message{tenantName(tenant), id, fmt.Sprint("page L", step+1), asked[step]}] = true
		if step == 1 && takes(tenantName(tenant), id) {
			all[message{tenantName(tenant), id, "notice ack1", asked[0]}] = true
			break
		}
	}
	for _, person := range asked {
		all[message{tenantName(tenant), id, "notice resolve", person}] = true
	}
	for reader := range 4 - int(e.severity) {
		for _, stage := range []string{"initial", "resolution"} {
			all[message{tenantName(tenant), id, stage, fmt.Sprint("reader", reader)}] = true
		}
	}
}

// credit is what a tenant is owed, in cents: of the worst service 10, 25 or 50 % of the fee, below 99.9, 99.5 and 99 %, and
// 5 % for each failure of the first severity that took longer than two hours, and the whole fee at most.
func credit(tenant int, outages []outage) int64 {
	const month = month * 24 * hour
	var down [services]int64
	percents := []int64{}
	for _, o := range outages {
		if !o.down {
			continue
		}
		down[o.service] += int64(o.end - o.begin)
		if o.severity == incident.P1 && o.end-(o.begin+60) > 2*hour {
			percents = append(percents, 5)
		}
	}
	switch up := month - slices.Max(down[:]); {
	case 1000*up < 990*month:
		percents = append(percents, 50)
	case 1000*up < 995*month:
		percents = append(percents, 25)
	case 1000*up < 999*month:
		percents = append(percents, 10)
	}
	var sum int64
	for _, p := range percents {
		sum += (fee(tenant)*p + 50) / 100 // half a cent is one
	}
	return min(sum, fee(tenant))
}

// check reads what the month has left.
func (r *run) check() {
	r.Helper()
	byTenant := map[int][]outage{}
	for _, o := range r.world.outages {
		byTenant[o.tenant] = append(byTenant[o.tenant], o)
	}
	want, messages, credits, owed := map[[2]string]episode{}, map[message]bool{}, map[string]int64{}, int64(0)
	for tenant := range tenants {
		for id, e := range r.world.episodes(byTenant[tenant]) {
			want[[2]string{tenantName(tenant), id}] = e
			e.messages(tenant, id, messages)
		}
		credits[tenantName(tenant)] = credit(tenant, byTenant[tenant])
		owed += credits[tenantName(tenant)]
	}
	entries := r.checkIncidents(want)
	again := r.checkMessages(messages)
	r.checkStatements(credits)
	r.checkTimers(len(want))
	r.Logf("%d signals of %d tenants with %d services: %d incidents, none missing, %d entries of timelines with whole chains; "+
		"%d messages, none missing and none twice, %d sent again under their keys; %d.%02d EUR of credits; %d kills, the clock put forward %d times",
		len(r.world.outages)*perOutage, tenants, tenants*services, len(want), entries, len(messages), again, owed/100, owed%100, r.cost.kills, r.cost.ahead)
}

// complain reports a fault, of which the first few are enough.
func (r *run) complain(faults *int, format string, args ...any) {
	r.Helper()
	if *faults++; *faults <= 10 {
		r.Errorf(format, args...)
	}
}

// query reads rows of texts and numbers.
func query[T any](r *run, text string, into func(*T) []any) []T {
	r.Helper()
	rows, err := r.db.QueryContext(r.Context(), text)
	if err != nil {
		r.Fatal(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var x T
		if err := rows.Scan(into(&x)...); err != nil {
			r.Fatal(err)
		}
		all = append(all, x)
	}
	if err := rows.Err(); err != nil {
		r.Fatal(err)
	}
	return all
}

// decode reads JSON.
func decode[T any](r *run, text string) (x T) {
	r.Helper()
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		r.Fatalf("%s: %v", text, err)
	}
	return x
}

// entry is one of a timeline, as it is stored.
type entry struct {
	Seq        uint64    `json:"seq"`
	At         time.Time `json:"at"`
	RecordedAt time.Time `json:"recorded_at"`
	Actor      string    `json:"actor"`
	Kind       string    `json:"kind"`
	Key        string    `json:"key"`
	Payload    string    `json:"payload"`
	Prev       string    `json:"prev"`
	Hash       string    `json:"hash"`
}

// part appends a text with its length before it.
func part(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// genesis is what the first entry of an incident follows.
func genesis(tenant, id string) string {
	sum := sha256.Sum256(part(part(part(nil, "evenkeel/incident/timeline/1"), tenant), id))
	return hex.EncodeToString(sum[:])
}

// sum is the hash of an entry that is neither imported, salted nor redacted, as the documentation of incident.Entry has it.
func (e *entry) sum() string {
	header := binary.BigEndian.AppendUint64(nil, e.Seq)
	for _, t := range []time.Time{e.At, e.RecordedAt} {
		header = binary.BigEndian.AppendUint64(header, uint64(t.Unix()))
		header = binary.BigEndian.AppendUint32(header, uint32(t.Nanosecond()))
	}
	header = part(part(part(append(header, 0), e.Actor), e.Kind), e.Key)
	commitment := sha256.Sum256([]byte(e.Payload))
	prev, _ := hex.DecodeString(e.Prev)
	all := part(append([]byte{1}, prev...), string(header))
	sum := sha256.Sum256(append(all, commitment[:]...))
	return hex.EncodeToString(sum[:])
}

// checkIncidents compares the incidents, and recomputes the chains of their timelines up to the heads beside them.
func (r *run) checkIncidents(want map[[2]string]episode) (entries int) {
	r.Helper()
	type row struct{ tenant, id, data string }
	faults := 0
	timelines := map[[2]string][]entry{}
	for _, l := range query(r, `SELECT tenant, incident, data FROM timeline WHERE incident LIKE 'incident/%' ORDER BY tenant, incident, seq`, func(x *row) []any { return []any{&x.tenant, &x.id, &x.data} }) {
		at := [2]string{l.tenant, l.id[len(incidentPrefix):]}
		timelines[at] = append(timelines[at], decode[entry](r, l.data))
		entries++
	}
	seen := 0
	for _, l := range query(r, `SELECT tenant, id, data FROM incident WHERE id LIKE 'incident/%'`, func(x *row) []any { return []any{&x.tenant, &x.id, &x.data} }) {
		at := [2]string{l.tenant, l.id[len(incidentPrefix):]}
		e, ok := want[at]
		if !ok {
			r.complain(&faults, "incident %v is of nothing that had to be told", at)
			continue
		}
		seen++
		got := decode[struct {
			State struct {
				Status   string
				Severity string
				Times    struct{ Started, Created, Resolved time.Time }
			}
			Head struct {
				Seq  uint64
				Hash string
			}
			Rejected []json.RawMessage
		}](r, l.data)
		s := got.State
		if s.Status != "resolved" || s.Severity != e.severity.String() || !s.Times.Started.Equal(instant(e.begin)) || !s.Times.Created.Equal(instant(e.from)) ||
			!s.Times.Resolved.Equal(instant(e.until)) || len(got.Rejected) > 0 {
			r.complain(&faults, "incident %v is %+v, want %v from %v, told at %v, resolved at %v", at, got, e.severity, instant(e.begin), instant(e.from), instant(e.until))
		}
		prev := genesis(at[0], at[1])
		var kinds []string
		for n, x := range timelines[at] {
			if x.Seq != uint64(n)+1 || x.Prev != prev || x.Hash != x.sum() {
				r.complain(&faults, "entry %d of %v breaks the chain", n+1, at)
			}
			prev = x.Hash
			kinds = append(kinds, x.Kind)
		}
		if got.Head.Hash != prev || got.Head.Seq != uint64(len(kinds)) || !slices.Equal(kinds, []string{"declare", "resolve"}) {
			r.complain(&faults, "the timeline of %v has %q and ends with %s, want declare and resolve, and %s", at, kinds, prev, got.Head.Hash)
		}
	}
	if seen != len(want) || len(timelines) != len(want) {
		r.Errorf("%d incidents and %d timelines, want %d: something is lost", seen, len(timelines), len(want))
	}
	return entries
}

// checkMessages compares the messages with those that had to be sent, in the database and where they were received. Some
// were received again under their key, which is how a receiver knows them: for every time a message was claimed once at
// most.
func (r *run) checkMessages(want map[message]bool) (again int) {
	r.Helper()
	type row struct {
		tenant, key, kind, payload string
		state, attempt             int
	}
	faults := 0
	seen := map[message]bool{}
	for _, l := range query(r, `SELECT tenant, key, kind, payload, state, attempt FROM outbox`, func(x *row) []any {
		return []any{&x.tenant, &x.key, &x.kind, &x.payload, &x.state, &x.attempt}
	}) {
		p := decode[struct {
			Incident, Target, Recipient, Type string
		}](r, l.payload)
		m := message{l.tenant, p.Incident, p.Type, p.Recipient}
		if l.kind != "comms" {
			parts := strings.Split(l.key, "/") // the last are step and target
			m.stage, m.recipient = l.kind+" "+parts[len(parts)-2], p.Target
		}
		switch told := r.told[l.key]; {
		case l.state != 3 && l.state != 6: // done, or withdrawn by the answer while it was sent by a node that was killed then
			r.complain(&faults, "message %+v is in state %d", m, l.state)
		case seen[m]:
			r.complain(&faults, "message %+v is there twice", m)
		case !want[m]:
			r.complain(&faults, "message %+v had not to be sent", m)
		case told < 1 || told > l.attempt:
			r.complain(&faults, "message %+v was received %d times, and claimed %d times", m, told, l.attempt)
		default:
			again += told - 1
		}
		seen[m] = true
	}
	for m := range want {
		if !seen[m] {
			r.complain(&faults, "message %+v is lost", m)
		}
	}
	if len(r.told) != len(want) {
		r.Errorf("messages under %d keys were received, want %d", len(r.told), len(want))
	}
	return again
}

// checkStatements compares what customers are paid.
func (r *run) checkStatements(want map[string]int64) {
	r.Helper()
	type row struct{ tenant, data string }
	faults := 0
	got := map[string]string{}
	for _, l := range query(r, `SELECT tenant, data FROM snapshot WHERE name = 'statement/2026-11'`, func(x *row) []any { return []any{&x.tenant, &x.data} }) {
		s := decode[struct {
			Payable struct{ Amount, Currency string }
		}](r, l.data)
		got[l.tenant] = s.Payable.Amount + " " + s.Payable.Currency
	}
	for _, tenant := range slices.Sorted(maps.Keys(want)) {
		if text := fmt.Sprintf("%d.%02d EUR", want[tenant]/100, want[tenant]%100); got[tenant] != text {
			r.complain(&faults, "%s is paid %q, want %s", tenant, got[tenant], text)
		}
	}
}

// checkTimers sees that nothing waits any more, and that every incident had an escalation.
func (r *run) checkTimers(incidents int) {
	r.Helper()
	type count struct{ n int }
	into := func(x *count) []any { return []any{&x.n} }
	if left := query(r, `SELECT count(*) FROM timer WHERE state NOT IN (3, 4)`, into)[0].n; left > 0 {
		r.Errorf("%d timers are neither done nor cancelled", left)
	}
	if got := query(r, `SELECT count(*) FROM incident WHERE id LIKE 'escalation/%'`, into)[0].n; got != incidents {
		r.Errorf("%d escalations, want %d", got, incidents)
	}
}
