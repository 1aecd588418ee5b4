package pagerduty

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters"
)

// The codes of errors that mean something to a caller.
// https://developer.pagerduty.com/docs/errors
const (
	codeResolved     = "1001" // already resolved
	codeAcknowledged = "1002" // already acknowledged
	codeStale        = "1005" // changed in the meantime
	codeNoEscalation = "1006" // no further level
	codeFrom         = "1008" // From is no user
	codeSnooze       = "1013" // cannot be snoozed
	codeNobody       = "1015" // nobody on call
	codeMerged       = "1019" // already merged
	codePriority     = "1020" // no such priority
	codeArguments    = "2002" // "Arguments Caused Error", for everything else
	codeSlow         = "2016" // the query takes too long
	codeRate         = "2020"
	codeMissing      = "2100"
)

// decodeError reads the error of a body of either API and gives it the kind that
// its code has, where the status says less.
func decodeError(e *adapters.Error, status int, header http.Header, body []byte) {
	if status < 400 {
		return
	}
	var answer struct {
		Error   json.RawMessage `json:"error"`  // REST
		Status  string          `json:"status"` // Events: "invalid event"
		Message string          `json:"message"`
		Errors  []string        `json:"errors"`
	}
	if json.Unmarshal(body, &answer) == nil {
		e.Message, e.Details = answer.Message, answer.Errors
		var rest struct {
			Message string          `json:"message"`
			Code    json.Number     `json:"code"`
			Errors  json.RawMessage `json:"errors"`
		}
		if json.Unmarshal(answer.Error, &rest) == nil {
			e.Message, e.Code, e.Details = rest.Message, rest.Code.String(), detailsOf(rest.Errors)
		} else if text := ""; json.Unmarshal(answer.Error, &text) == nil && text != "" {
			e.Message = text
		}
	}
	if runes := []rune(e.Message); len(runes) > 1000 {
		e.Message = string(runes[:1000])
	}
	e.RequestID = header.Get("X-Request-Id")
	switch e.Code {
	case codeResolved, codeAcknowledged, codeStale, codeNoEscalation, codeSnooze, codeNobody, codeMerged:
		e.Kind = adapters.Conflict
	case codeFrom, codePriority:
		e.Kind = adapters.Invalid
	case codeSlow:
		e.Kind = adapters.TooLarge
	case codeRate:
		e.Kind = adapters.RateLimited
	case codeMissing:
		e.Kind = adapters.NotFound
	}
	if status == http.StatusTooManyRequests && e.Op == opOpen && header.Get("Ratelimit-Limit") != restLimit {
		e.Bucket = createBucket.Name // everything else may go on
	}
	if status == http.StatusPaymentRequired {
		e.Kind = adapters.Unsupported // the plan of the account lacks the ability
	}
}

// detailsOf reads a list of problems, which is one of texts, one text, or by field.
func detailsOf(raw json.RawMessage) []string {
	var texts []string
	if json.Unmarshal(raw, &texts) == nil {
		return texts
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []string{text}
	}
	if len(raw) > 0 && string(raw) != "null" {
		return []string{string(raw)}
	}
	return nil
}

// hasCode reports whether err is an error of PagerDuty with one of the codes.
func hasCode(err error, codes ...string) bool {
	e, ok := errors.AsType[*adapters.Error](err)
	return ok && slices.Contains(codes, e.Code)
}

// settled is nil for an error that says that what was wanted is so already.
func settled(err error) error {
	if hasCode(err, codeResolved, codeAcknowledged, codeMerged) {
		return nil
	}
	return err
}

// isBeyond reports whether a list was refused because it goes on for too long.
func isBeyond(err error) bool {
	if hasCode(err, codeSlow) {
		return true
	}
	e, ok := errors.AsType[*adapters.Error](err)
	return ok && e.Status == http.StatusBadRequest && slices.ContainsFunc(append(e.Details, e.Message), func(text string) bool {
		return strings.Contains(strings.ToLower(text), "offset")
	})
}
