package adapters

import (
	"fmt"
	"slices"
)

// Kind says what went wrong in words that are the same for all vendors. A Kind is
// an error, so that it can be asked for:
//
//	if errors.Is(err, adapters.NotFound) { … }
//
// The zero value means that nothing went wrong and is no error to ask for.
//
//nolint:errname // a kind is what is asked for, not what is returned
type Kind uint8

// The kinds. Whether a call may be made again depends on the kind alone; see
// [Kind.Retryable].
//
//nolint:errname // they are read as errors.Is(err, adapters.NotFound)
const (
	Unavailable    Kind = iota + 1 // the vendor cannot be reached or answers 5xx; nothing was done
	OutcomeUnknown                 // a write may have been carried out: look before trying again
	Timeout                        // no answer in time to a call that may be repeated
	RateLimited                    // the allowance is used up
	BreakerOpen                    // not tried, because the vendor has been failing
	Canceled                       // the caller gave up
	Deadline                       // the caller's deadline passed
	Unauthorized                   // the credential is not accepted
	Forbidden                      // the credential is accepted and may not do this
	NotFound                       // there is no such thing, or it may not be seen
	Conflict                       // it is not in a state for this
	Invalid                        // the vendor refuses the request as it is
	TooLarge                       // the request is over a limit of the vendor
	BadResponse                    // the answer cannot be understood
	Unsupported                    // the adapter or instance cannot do this
)

var kindNames = [...]string{
	Unavailable: "unavailable", OutcomeUnknown: "outcome_unknown", Timeout: "timeout", RateLimited: "rate_limited",
	BreakerOpen: "breaker_open", Canceled: "canceled", Deadline: "deadline", Unauthorized: "unauthorized",
	Forbidden: "forbidden", NotFound: "not_found", Conflict: "conflict", Invalid: "invalid", TooLarge: "too_large",
	BadResponse: "bad_response", Unsupported: "unsupported",
}

// Retryable reports whether the same call may succeed later without anybody
// looking at it: the vendor was away, slow or busy. It is false for
// [OutcomeUnknown], where the caller has to look first, and for [Canceled] and
// [Deadline], where the caller decided.
func (k Kind) Retryable() bool {
	switch k {
	case Unavailable, Timeout, RateLimited, BreakerOpen:
		return true
	default:
		return false
	}
}

// String returns the name, "rate_limited"; "" for the zero value.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Error returns the name, so that a Kind can be asked for with errors.Is.
func (k Kind) Error() string { return k.String() }

// MarshalText writes the name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a name.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kindNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("adapters: unknown kind %q, want one of %q", text, kindNames[1:])
	}
	*k = Kind(i)
	return nil
}
