package roi

import "errors"

// Conditions of the cash-flow functions that a caller may branch on with
// errors.Is. Where a position or a value is to blame, the returned error wraps
// one of these and names it.
var (
	// ErrNoFlows means that the series has no flow at all.
	ErrNoFlows = errors.New("no cash flows")
	// ErrTooFewFlows means that the answer needs at least two flows.
	ErrTooFewFlows = errors.New("too few cash flows")
	// ErrBadFlow means that an amount is NaN or infinite.
	ErrBadFlow = errors.New("bad cash flow")
	// ErrBadRate means that a rate is NaN, infinite, -1 or less.
	ErrBadRate = errors.New("bad rate")
	// ErrValues means that a [Plan] got more or fewer values than it has open
	// numbers.
	ErrValues = errors.New("bad number of values")
	// ErrBadPeriods means that a number of periods is zero or negative.
	ErrBadPeriods = errors.New("bad number of periods")
	// ErrOverflow means that the answer exists but float64 cannot hold it.
	ErrOverflow = errors.New("result out of the range of float64")
	// ErrAllZero means that every flow is zero: each rate would be a root.
	ErrAllZero = errors.New("all cash flows are zero")
	// ErrNoRoot means that no rate above -1 makes the present value zero.
	ErrNoRoot = errors.New("no internal rate of return")
	// ErrMultipleRoots means that several rates make the present value zero,
	// so that none of them is the internal rate of return.
	ErrMultipleRoots = errors.New("several internal rates of return")
	// ErrSingleDate means that all dated flows fall on one day.
	ErrSingleDate = errors.New("all cash flows on one date")
	// ErrNeedsBothSigns means that a positive or a negative flow is missing.
	ErrNeedsBothSigns = errors.New("cash flows need both signs")
	// ErrNoOutlay means that the first flow is no outlay, so that nothing can
	// be set in relation to it.
	ErrNoOutlay = errors.New("no outlay at the start")
)
