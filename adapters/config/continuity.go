package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/incident/continuity"
	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

type continuityFile struct {
	Version  int                  `yaml:"version"`
	Services []continuity.Service `yaml:"services,required"`
	Runbooks []runbookFile        `yaml:"runbooks"`
	KeyDates []continuity.KeyDate `yaml:"key_dates"`
	Tasks    []continuity.Task    `yaml:"tasks"`
	Policy   policyFile           `yaml:"policy"`
	Restores []restoreFile        `yaml:"restores"`
	Tests    []continuity.DRTest  `yaml:"dr_tests"`
	Gates    []continuity.Gate    `yaml:"gates"`
	Updates  []continuity.Update  `yaml:"updates"`
}

// Lengths of time are texts under keys of their own; those in nanoseconds, which
// encoding/json writes, are taken as well.
type (
	runbookFile struct {
		continuity.Runbook

		Review time.Duration `yaml:"review_every"`
	}
	policyFile struct {
		continuity.Policy

		Restore  time.Duration `yaml:"restore_every"`
		DR       time.Duration `yaml:"dr_every"`
		Review   time.Duration `yaml:"review_every"`
		Rehearse time.Duration `yaml:"rehearse_every"`
		Over     time.Duration `yaml:"rate_over"`
	}
	restoreFile struct {
		continuity.Restore

		RTO time.Duration `yaml:"rto_target"`
		RPO time.Duration `yaml:"rpo_target"`
	}
)

// Inventory is what the file of a catalogue says.
type Inventory struct {
	continuity.Catalogue

	Restores []continuity.Restore
	Tests    []continuity.DRTest

	// Gates are what updates of services have to pass, at most one for a service, and
	// Updates those on their way.
	Gates   []continuity.Gate
	Updates []continuity.Update

	// Register holds all of it. Its findings are those of any instant. Nil where the
	// file has errors.
	Register *continuity.Register
}

// ParseContinuity reads a service catalogue with runbooks, key dates and maintenance tasks,
// how long proofs last, the records of restores and disaster tests, gates and updates,
// and checks it as package continuity does. At is the instant of reading: records of later ones are
// errors.
func ParseContinuity(name string, data []byte, at time.Time) (Inventory, *Document, error) {
	var file continuityFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	inventory := file.inventory(d)
	if d.Err() != nil {
		return inventory, d, d.Err()
	}
	register, err := continuity.New(inventory.Catalogue)
	d.recordErrors("", err)
	if err != nil {
		return inventory, d, d.Err()
	}
	for i, r := range inventory.Restores {
		d.recordErrors(fmt.Sprintf("restores[%d]", i), register.AddRestore(r, at))
	}
	for i, t := range inventory.Tests {
		d.recordErrors(fmt.Sprintf("dr_tests[%d]", i), register.AddTest(t, at))
	}
	inventory.checkGates(d)
	if d.Err() == nil {
		inventory.Register = register
	}
	return inventory, d, d.Err()
}

// checkGates checks gates and updates, each by itself; a gate is of a service of the
// catalogue, an update has an id of its own.
func (c *Inventory) checkGates(d *Document) {
	for i, g := range c.Gates {
		path := fmt.Sprintf("gates[%d]", i)
		d.recordErrors(path, g.Validate())
		is := func(s continuity.Service) bool { return s.ID == g.Service }
		if g.Service != "" && !slices.ContainsFunc(c.Services, is) {
			d.Fail(path+".service", "bad_reference", "%q, want a service of the catalogue", g.Service)
		}
		if slices.ContainsFunc(c.Gates[:i], func(before continuity.Gate) bool { return before.Service == g.Service }) {
			d.Fail(path+".service", "duplicate_id", "%q, want one gate for a service", g.Service)
		}
	}
	for i, u := range c.Updates {
		path := fmt.Sprintf("updates[%d]", i)
		d.recordErrors(path, u.Validate())
		if slices.ContainsFunc(c.Updates[:i], func(before continuity.Update) bool { return before.ID == u.ID }) {
			d.Fail(path+".id", "duplicate_id", "%q, want each id once", u.ID)
		}
	}
}

// inventory takes over what stands under keys of the file.
func (f *continuityFile) inventory(d *Document) Inventory {
	out := Inventory{Catalogue: continuity.Catalogue{Services: f.Services, KeyDates: f.KeyDates, Tasks: f.Tasks, Policy: f.Policy.Policy}, Tests: f.Tests, Gates: f.Gates, Updates: f.Updates}
	p := &out.Policy
	d.length("policy.restore_every", &p.RestoreEvery, f.Policy.Restore)
	d.length("policy.dr_every", &p.DREvery, f.Policy.DR)
	d.length("policy.review_every", &p.ReviewEvery, f.Policy.Review)
	d.length("policy.rehearse_every", &p.RehearseEvery, f.Policy.Rehearse)
	d.length("policy.rate_over", &p.RateOver, f.Policy.Over)
	for i, b := range f.Runbooks {
		d.length(fmt.Sprintf("runbooks[%d].review_every", i), &b.ReviewEvery, b.Review)
		out.Runbooks = append(out.Runbooks, b.Runbook)
	}
	for i, r := range f.Restores {
		d.length(fmt.Sprintf("restores[%d].rto_target", i), &r.RTOTarget, r.RTO)
		d.length(fmt.Sprintf("restores[%d].rpo_target", i), &r.RPOTarget, r.RPO)
		out.Restores = append(out.Restores, r.Restore)
	}
	return out
}

const inNanoseconds = "_ns"

// length takes the text of a length of time, which may not stand beside the one in
// nanoseconds.
func (d *Document) length(path string, into *time.Duration, said time.Duration) {
	switch {
	case !d.has(path):
	case d.has(path + inNanoseconds):
		d.Fail(path+inNanoseconds, "duplicate_key", "stands beside %s, want one of the two", path[strings.LastIndexByte(path, '.')+1:])
	default:
		*into = said
	}
}

// recordErrors places the problems of a record below a path.
func (d *Document) recordErrors(path string, err error) {
	for _, e := range leaves(err) {
		if bad, ok := errors.AsType[*continuity.RecordError](e); ok {
			d.recordError(diagnostic.Join(path, bad.Path), bad)
			continue
		}
		if errors.Is(e, continuity.ErrDuplicate) {
			d.Fail(diagnostic.Join(path, "id"), "duplicate_id", "%v", e)
			continue
		}
		d.Fail(path, "out_of_range", "%v", e)
	}
}

// leaves returns what an error joins, whatever is written before it.
func leaves(err error) (out []error) {
	for _, e := range split(err) {
		if inner := errors.Unwrap(e); inner != nil {
			out = append(out, leaves(inner)...)
		} else {
			out = append(out, e)
		}
	}
	return out
}

func (d *Document) recordError(path string, bad *continuity.RecordError) {
	if !d.has(path) {
		path = strings.TrimSuffix(path, inNanoseconds)
	}
	message := fmt.Sprintf("%q, want %s", bad.Value, bad.Want)
	if date, ok := strings.CutSuffix(path, ".business_days"); ok && !d.has(path) {
		path, message = date+".zone", fmt.Sprintf("unknown zone %q", bad.Value) // which is all that can be wrong then
	}
	switch {
	case !d.has(path):
		if bad.Value == "" || bad.Value == "0s" {
			d.missing(path)
			return
		}
		d.Fail(path, "out_of_range", "%s", message)
	case strings.HasSuffix(path, ".zone"):
		d.report(path, "bad_zone", spelling.Nearest(bad.Value, zoneNames()), message)
	case strings.HasPrefix(bad.Want, "a service of the catalogue"):
		d.Fail(path, "bad_reference", "%s", message)
	case bad.Want == "each id once":
		d.Fail(path, "duplicate_id", "%s", message)
	default:
		d.Fail(path, "out_of_range", "%s", message)
	}
}
