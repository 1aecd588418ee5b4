package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/evenkeelops/evenkeel/adapters/ical"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// calendar writes shifts or handoffs as iCalendar. A file that is there already is
// what was published last, and is continued.
func (in *inputs) calendar(env *program.Env) error {
	from, _ := instant(in.from) // checked with the flags
	to, _ := instant(in.to)
	c := ical.DutyCalendar{Name: "On call", Domain: in.domain, Stamp: in.present, Names: in.names()}
	if in.ical != "-" {
		before, err := program.ReadFile(in.ical)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return program.Exit(program.Usage, err)
		}
		c.Before = before
	}
	var out bytes.Buffer
	var err error
	switch in.centre {
	case "":
		c.Name = "On call"
		if in.schedule != "" {
			c.Name += ": " + in.schedule
		}
		if in.engineer != "" {
			c.Name = in.name(in.engineer) + " on call"
		}
		q := ical.ShiftQuery{From: from, Until: to, Engineer: in.engineer}
		if in.schedule != "" {
			q.Schedules = []string{in.schedule}
		}
		err = c.Shifts(&out, in.router, q)
	default:
		c.Name = "Handoffs"
		q := ical.HandoffQuery{From: from, Until: to}
		if in.centre != "*" {
			c.Name, q.Centre = "Handoffs of "+in.name(in.centre), in.centre
		}
		err = c.Handoffs(&out, in.router.Centres(), q)
	}
	if err != nil {
		return program.Exit(program.Usage, fmt.Errorf("-ical: %w", err))
	}
	for _, n := range in.Notices {
		env.Log.Warn(n.Message, "code", n.Code)
	}
	if in.ical != "-" {
		env.File(in.ical, out.Bytes())
		return nil
	}
	_, err = env.Out.Write(out.Bytes())
	return err
}
