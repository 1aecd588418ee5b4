package sla

import (
	"iter"
	"time"

	"github.com/evenkeelops/evenkeel/internal/span"
)

// Batch is the monthly run: the outages of very many customers, grouped by
// customer, and what they come to. It is made once; after that it is safe for
// concurrent use, so that a caller with several cores gives each a range of
// customers:
//
//	batch := sla.NewBatch(plans, rows)
//	half := batch.Customers() / 2
//	go func() { for c, err := range batch.Credits(0, half) { … } }()
//	for c, err := range batch.Credits(half, batch.Customers()) { … }
//
// It keeps 16 bytes for every row and 8 for every customer.
type Batch struct {
	// Figures adds to the figures of a customer what the rows do not tell: late
	// incidents and the time without monitoring. There is one of them for every
	// term but data loss, in the order of the contract. It is called once for each
	// customer, from wherever Credits runs, and must not keep the slice. Set it
	// before the first call of Credits. Defaults to none.
	Figures func(customer uint32, figures []Figures)

	plans   []*RatePlan
	spans   []span.Span
	ends    []int // of the spans of a customer, which begin with the end of the one before
	refused [rowFaults]int
}

// Downtime is a row of a [Batch]: a customer was down from Start to End
// (exclusive), in nanoseconds since 1970 in UTC. Rows come in any order and may
// overlap; what lies outside the period is cut off. The largest int64 is an End
// that is still open.
type Downtime struct {
	Customer   uint32 // index into the plans
	Start, End int64
}

// RowFault says why a row does not count.
type RowFault uint8

// The faults, in the order in which they are looked for.
const (
	RowCounts          RowFault = iota // none
	RowUnknownCustomer                 // no plan for the customer
	RowInverted                        // end before start
	RowEmpty                           // end at start
	RowOutside                         // nothing of it in the covered period
	rowFaults
)

var rowFaultNames = []string{"none", "unknown_customer", "inverted", "empty", "outside_period"}

// String returns "none", "unknown_customer", "inverted", "empty" or
// "outside_period".
func (f RowFault) String() string { return nameOf(rowFaultNames, f) }

// MarshalText writes what String returns; an unknown value is an error.
func (f RowFault) MarshalText() ([]byte, error) { return textOf("row fault", rowFaultNames, f) }

// UnmarshalText reads what String returns.
func (f *RowFault) UnmarshalText(text []byte) error {
	return parseName("row fault", rowFaultNames, text, f)
}

// NewBatch groups rows by customer; the index of a customer is the one of its
// plan, and a customer without a plan is unknown. The rows are not kept. The cost
// is linear in rows and customers.
func NewBatch(plans []*RatePlan, rows []Downtime) *Batch {
	b := &Batch{plans: plans, ends: make([]int, len(plans))}
	for i := range rows {
		fault := b.fault(&rows[i])
		b.refused[fault]++
		if fault == RowCounts {
			b.ends[rows[i].Customer]++
		}
	}
	sum := 0
	for customer, n := range b.ends {
		b.ends[customer] = sum
		sum += n
	}
	b.spans = make([]span.Span, sum)
	for i := range rows {
		if row := &rows[i]; b.fault(row) == RowCounts {
			b.spans[b.ends[row.Customer]] = span.Span{Start: row.Start, End: row.End}
			b.ends[row.Customer]++
		}
	}
	return b
}

func (b *Batch) fault(row *Downtime) RowFault {
	switch {
	case int(row.Customer) >= len(b.plans) || b.plans[row.Customer] == nil:
		return RowUnknownCustomer
	case row.End < row.Start:
		return RowInverted
	case row.End == row.Start:
		return RowEmpty
	}
	if covered := &b.plans[row.Customer].covered; row.End <= covered.Start || row.Start >= covered.End {
		return RowOutside
	}
	return RowCounts
}

// Count returns how many rows had a fault; RowCounts are the others.
func (b *Batch) Count(f RowFault) int {
	if f >= rowFaults {
		return 0
	}
	return b.refused[f]
}

// Faults yields the index and the fault of every row that did not count, from the
// rows that the batch was made of.
func (b *Batch) Faults(rows []Downtime) iter.Seq2[int, RowFault] {
	return func(yield func(int, RowFault) bool) {
		for i := range rows {
			if f := b.fault(&rows[i]); f != RowCounts && !yield(i, f) {
				return
			}
		}
	}
}

// Customers returns the number of customers, with a plan or without.
func (b *Batch) Customers() uint32 { return uint32(len(b.plans)) }

// CustomerCredits is what a customer gets for a period.
type CustomerCredits struct {
	Customer uint32

	// State is that of the statement.
	State State

	// Promised and Down are those of the first availability term. Promised is 0
	// without data.
	Promised, Down time.Duration

	Credits
}

// Credits yields the customers from one up to another (exclusive) that have a plan,
// in their order, with the amounts of [Agreement.Evaluate]. An error concerns the
// customer beside it: money.ErrOverflow, or figures that Batch.Figures should not
// have given. Nothing is allocated by the customer; the cost is linear in their
// rows.
func (b *Batch) Credits(from, to uint32) iter.Seq2[CustomerCredits, error] {
	return func(yield func(CustomerCredits, error) bool) {
		var w rater
		for customer := from; customer < min(to, b.Customers()); customer++ {
			if b.plans[customer] == nil {
				continue
			}
			if !yield(w.rate(b, customer)) {
				return
			}
		}
	}
}

// rater holds the buffers that one customer after the other uses.
type rater struct {
	spans   []span.Span
	steps   [2][]span.Span
	figures []Figures
}

func (w *rater) rate(b *Batch, customer uint32) (CustomerCredits, error) {
	plan := b.plans[customer]
	first := 0
	if customer > 0 {
		first = b.ends[customer-1]
	}
	w.spans = append(w.spans[:0], b.spans[first:b.ends[customer]]...)
	span.Sort(w.spans)
	down := span.Merge(w.spans)

	w.figures = w.figures[:0]
	for range plan.pricer.Terms() {
		w.figures = append(w.figures, Figures{})
	}
	for i := range plan.terms {
		t := &plan.terms[i]
		w.figures[t.figure] = t.figures(down, &w.steps)
	}
	if b.Figures != nil {
		b.Figures(customer, w.figures)
	}
	f := &w.figures[plan.terms[0].figure]
	c := CustomerCredits{Customer: customer, Promised: f.Promised, Down: f.Down}
	var err error
	if c.Credits, err = plan.pricer.Price(w.figures); err == nil {
		c.State = plan.pricer.state(w.figures, &c.Credits)
	}
	return c, err
}

// state sums up the credits of figures as a statement does.
func (p *Pricer) state(figures []Figures, c *Credits) State {
	state := StateNone
	for i := range figures {
		switch t := &p.terms[i]; {
		case t.missed(&figures[i]):
			state = StateBreachNoBand
		case t.clause == ClauseAvailability && figures[i].Promised == 0 && state == StateNone:
			state = StateNoData
		}
	}
	switch {
	case c.Payable.Sign() > 0 && c.Payable.Minor() < c.Gross.Minor():
		return StateCapped
	case c.Payable.Sign() > 0:
		return StateDue
	}
	return state
}
