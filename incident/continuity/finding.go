package continuity

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Code says what kind of thing is wrong.
type Code string

// The codes, in the order in which findings of one service are listed.
const (
	RestoreNeverTested Code = "restore_never_tested" // no backup of the service was ever restored
	RestoreFailed      Code = "restore_failed"       // the latest attempt failed
	RestoreUnverified  Code = "restore_unverified"   // nobody checked what the latest attempt brought back
	RestoreOverdue     Code = "restore_overdue"      // the last proof of a whole restore is too old
	RestorePartialOnly Code = "restore_partial_only" // parts came back, the whole never did
	WindowMissed       Code = "window_missed"        // recovery took too long, or lost too much
	WindowUnknown      Code = "window_unknown"       // it cannot be told whether it did
	SuccessRateLow     Code = "success_rate_low"     // too many restores failed
	ArtefactMissing    Code = "artefact_missing"     // nothing ties the proof to a backup
	DRNeverTested      Code = "dr_never_tested"
	DRFailed           Code = "dr_failed"
	DROverdue          Code = "dr_overdue"
	FreezeConflict     Code = "freeze_conflict"   // work is planned into a freeze
	CoverMissing       Code = "cover_missing"     // too few people on a key date
	CoverUnknown       Code = "cover_unknown"     // nobody can tell how many
	RunbookMissing     Code = "runbook_missing"   // there is none
	RunbookStale       Code = "runbook_stale"     // it was not reviewed, or not lately
	RehearsalOverdue   Code = "rehearsal_overdue" // it was not rehearsed, or not lately
	TaskOverdue        Code = "task_overdue"
	EndOfSale          Code = "end_of_sale" // the date has passed
	EndOfSupport       Code = "end_of_support"
	EndOfLife          Code = "end_of_life"
	Incomplete         Code = "incomplete" // the catalogue does not say something
)

// codes lists all of them in the order of the findings.
var codes = [...]Code{
	RestoreNeverTested, RestoreFailed, RestoreUnverified, RestoreOverdue, RestorePartialOnly, WindowMissed, WindowUnknown,
	SuccessRateLow, ArtefactMissing, DRNeverTested, DRFailed, DROverdue, FreezeConflict, CoverMissing, CoverUnknown,
	RunbookMissing, RunbookStale, RehearsalOverdue, TaskOverdue, EndOfSale, EndOfSupport, EndOfLife, Incomplete,
}

// Finding is one thing that is wrong with a service.
type Finding struct {
	Code    Code   `json:"code"`
	Service string `json:"service"`
	// Subject is what it is about: the id of a backup, disaster test, runbook, key
	// date, change or task, a scenario, or the key of the catalogue.
	Subject string `json:"subject,omitempty"`
	// Text is a sentence with the figures, times in UTC, and Says is the same in parts,
	// for those who say it in another language.
	Text string   `json:"text"`
	Says []Clause `json:"-"`
	// Since is the instant from which on it holds, which lies ahead for a key date
	// to come. Zero means that it never was otherwise.
	Since time.Time `json:"since,omitzero"`
}

// sortFindings orders findings by service, code, subject, instant and text, and
// drops those that are the same.
func sortFindings(all []Finding) []Finding {
	slices.SortFunc(all, compareFindings)
	return slices.CompactFunc(all, func(a, b Finding) bool { return compareFindings(a, b) == 0 })
}

func compareFindings(a, b Finding) int {
	return cmp.Or(
		strings.Compare(a.Service, b.Service),
		slices.Index(codes[:], a.Code)-slices.Index(codes[:], b.Code),
		strings.Compare(a.Subject, b.Subject),
		a.Since.Compare(b.Since),
		strings.Compare(a.Text, b.Text),
	)
}

// minute writes an instant for a sentence.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
