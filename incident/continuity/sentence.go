package continuity

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Clause is a part of the sentence of a finding, by which it can be said in another
// language: the name of its form, and what stands in its places. Arguments are texts,
// whole numbers, instants, lengths of time, [Date], [Scenario], [TaskKind] and
// [incident.Target].
type Clause struct {
	Form string
	Args []any
}

// Date is a date like "2026-10-21".
type Date string

// forms are those of all clauses, in English. The clauses of a sentence follow each
// other as they are.
var forms = map[string]string{
	"restore_never_tested": "no backup was ever restored",
	"restore_failed":       "the restore of backup %s failed on %s",
	"in_a_row":             ", %d in a row",
	"because":              ": %s",
	"restore_unverified":   "nobody verified the restore of backup %s begun on %s",
	"restore_partial_only": "only parts were restored, last from backup %s on %s",
	"restore_overdue":      "the last proof of a whole restore, of backup %s on %s, is %s old, less than %s is wanted",
	"rto_missed":           "recovery time of the restore of backup %s was %s, less than %s is agreed",
	"rpo_missed":           "loss of data of the restore of backup %s was %s, less than %s is agreed",
	"rto_unknown":          "recovery time of the restore of backup %s cannot be told without when the loss was declared, less than %s is agreed",
	"rpo_unknown":          "loss of data of the restore of backup %s cannot be told without the failure or the newest data, less than %s is agreed",
	"artefact_missing":     "the restore of backup %s on %s names no artefact by its SHA-256",
	"success_rate_low":     "%d/%d restores of the last %s passed, %s is wanted",

	"dr_failed":          "the disaster test of %s, %s, failed on %s",
	"dr_never_tested":    "disaster recovery was never tested",
	"dr_never_tested_of": "disaster recovery of %s was never tested",
	"dr_overdue":         "the last disaster test that passed, %s on %s, is %s old, less than %s is wanted",
	"dr_overdue_of":      "the last disaster test of %s that passed, %s on %s, is %s old, less than %s is wanted",

	"freeze_change":                "change %s from %s to %s is inside the freeze of %s on %s",
	"freeze_maintenance":           "maintenance %s from %s to %s is inside the freeze of %s on %s",
	"freeze_emergency_change":      "emergency change %s from %s to %s is inside the freeze of %s on %s",
	"freeze_emergency_maintenance": "emergency maintenance %s from %s to %s is inside the freeze of %s on %s",
	"cover_missing":                "%s on %s wants %d on duty for %s from %s to %s, %d planned",
	"cover_unknown":                "%s on %s wants %d on duty for %s from %s to %s, an unknown number planned",

	"no_runbook":              "there is no runbook",
	"no_runbook_dr":           "there is no runbook for disasters",
	"runbook_reviewed_never":  "the runbook was never reviewed",
	"runbook_reviewed_ahead":  "the runbook was reviewed on %s, which lies ahead",
	"runbook_reviewed_long":   "the runbook was reviewed on %s, %s ago, less than %s is wanted",
	"runbook_rehearsed_never": "the runbook was never rehearsed",
	"runbook_rehearsed_ahead": "the runbook was rehearsed on %s, which lies ahead",
	"runbook_rehearsed_long":  "the runbook was rehearsed on %s, %s ago, less than %s is wanted",
	"runbook_no_owner":        "the runbook has no owner",
	"runbook_no_steps":        "the runbook has no steps",
	"date_no_runbook":         "%s has no runbook",
	"date_unknown_runbook":    "%s has the runbook %s, which is not in the catalogue",
	"date_reviewed_never":     "%s has a runbook that was never reviewed",
	"date_reviewed_ahead":     "%s has a runbook that was reviewed on %s, which lies ahead",
	"date_reviewed_long":      "%s has a runbook that was reviewed on %s, %s ago, less than %s is wanted",
	"date_rehearsed_never":    "%s was never rehearsed",
	"date_rehearsed_ahead":    "%s was rehearsed on %s, which lies ahead",
	"date_rehearsed_long":     "%s was rehearsed on %s, %s ago, less than %s is wanted",

	"task_due":   "%s was due on %s",
	"task_done":  " and done on %s, without evidence",
	"task_owner": ", owner %s",

	"end_of_sale":    "%s was the last date on which it was sold",
	"end_of_support": "%s was the last date on which it was supported",
	"end_of_life":    "%s was the last date on which it ran",

	"no_owner":          "the catalogue names no owner",
	"no_tier":           "the catalogue names no tier",
	"no_support_window": "the catalogue names no support_window",
	"no_lines":          "the catalogue names no lines",
	"no_agreement":      "the catalogue names no agreement with %s",
}

// Forms returns the names of all forms of clauses, sorted, so that a translation can be
// held against them.
func Forms() []string { return slices.Sorted(maps.Keys(forms)) }

// String is the clause in English, with times in UTC.
func (c Clause) String() string {
	args := make([]any, len(c.Args))
	for i, a := range c.Args {
		switch a := a.(type) {
		case time.Time:
			args[i] = minute(a)
		case time.Duration:
			args[i] = threshold.FormatDuration(a)
		default:
			args[i] = a
		}
	}
	return fmt.Sprintf(forms[c.Form], args...)
}

func clause(form string, args ...any) Clause { return Clause{form, args} }

// saying returns the finding with its sentence.
func (f Finding) saying(clauses ...Clause) Finding {
	var b strings.Builder
	for _, c := range clauses {
		b.WriteString(c.String())
	}
	f.Text, f.Says = b.String(), clauses
	return f
}
