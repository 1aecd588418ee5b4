// Command oncall says who is woken, and who next: for incidents, at an instant, as
// gaps, as calendars, and as what people and centres carry.
package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "oncall",
		Summary: "who is woken now, and who next",
		Example: "oncall -config team.yaml -incidents incidents.csv -until 2026-10-05T07:00:00Z -json",
		Formats: []string{"text", "json", "html", "md"},
		FailOn:  []string{"unassigned", "gap", "coverage"},
		Schema:  schema.Team,
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct {
	incidents, until, at, gaps, coverage, ical, from, to string
	schedule, engineer, centre, domain                   string
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.incidents, "incidents", "", "`file` of incidents, CSV or JSON lines: who is told of them, and when")
	fs.StringVar(&o.until, "until", "", "the `time` up to which incidents are followed; default: -now")
	fs.StringVar(&o.at, "at", "", "who is on call at a `time`")
	fs.StringVar(&o.gaps, "gaps", "", "when nobody is on call, and when several are, in `from/to`")
	fs.StringVar(&o.coverage, "coverage", "", "who knows each technology and who carries how much in `from/to`, times or dates")
	fs.StringVar(&o.ical, "ical", "", "write a calendar into a `file`, - for the result; one that is there already is continued")
	fs.StringVar(&o.from, "from", "", "start `time` of the calendar")
	fs.StringVar(&o.to, "to", "", "end `time` of the calendar")
	fs.StringVar(&o.schedule, "schedule", "", "only the schedule of this `name`")
	fs.StringVar(&o.engineer, "engineer", "", "only the shifts of the person with this `id`, for -ical")
	fs.StringVar(&o.centre, "center", "", "the handoffs of the centre with this `id` instead of shifts, * for all, for -ical")
	fs.StringVar(&o.domain, "domain", "oncall.invalid", "the `domain` that makes events one in the whole world, for -ical")
}

// modes are the questions, by the flag that asks them.
func (o *options) modes() []mode {
	return []mode{{"at", o.at, (*inputs).now}, {"gaps", o.gaps, (*inputs).gaps}, {"coverage", o.coverage, (*inputs).coverage}, {"ical", o.ical, (*inputs).calendar}}
}

type mode struct {
	flag, value string
	run         func(*inputs, *program.Env) error
}

func (o *options) run(env *program.Env) error {
	chosen := mode{run: (*inputs).incidents}
	for _, m := range o.modes() {
		if m.value != "" {
			chosen = m
		}
	}
	if err := o.validate(env, chosen.flag); err != nil {
		return program.Exit(program.Usage, err)
	}
	in, err := o.load(env)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	return chosen.run(in, env)
}

// validate wants one question, and no flag that it does not use.
func (o *options) validate(env *program.Env, chosen string) error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for _, m := range o.modes() {
		if m.value != "" && m.flag != chosen {
			bad("-%s: wants no -%s beside it", m.flag, chosen)
		}
	}
	for _, f := range []struct{ flag, value, modes string }{
		{"incidents", o.incidents, ""},
		{"until", o.until, ""},
		{"schedule", o.schedule, "at gaps ical"},
		{"from", o.from, "ical"},
		{"to", o.to, "ical"},
		{"engineer", o.engineer, "ical"},
		{"center", o.centre, "ical"},
	} {
		if f.value != "" && chosen != f.modes && (chosen == "" || !strings.Contains(f.modes, chosen)) {
			bad("-%s: not for this question, which is asked by -%s", f.flag, orIncidents(chosen))
		}
	}
	for _, f := range []struct{ flag, value string }{{"until", o.until}, {"at", o.at}, {"from", o.from}, {"to", o.to}} {
		if f.value == "" {
			continue
		}
		if _, err := instant(f.value); err != nil {
			bad("-%s %w", f.flag, err)
		}
	}
	switch {
	case chosen == "ical" && (o.from == "" || o.to == ""):
		bad("-ical: wants -from and -to")
	case chosen == "ical" && env.Format != "text":
		bad("-ical: wants no -format, it writes iCalendar")
	case chosen == "ical" && o.centre != "" && (o.schedule != "" || o.engineer != ""):
		bad("-center: wants neither -schedule nor -engineer, which are about shifts")
	case chosen == "" && env.Config == "" && o.incidents != "":
		bad("-incidents: wants -config; without it the embedded sample is used")
	case chosen == "" && env.Config != "" && o.incidents == "":
		bad("-incidents: missing; or ask by -at, -gaps, -coverage or -ical")
	}
	return errors.Join(problems...)
}

func orIncidents(flag string) string {
	if flag == "" {
		return "incidents"
	}
	return flag
}

// The years in which zones and calendars have answers.
const firstYear, lastYear = 1800, 2150

func instant(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q: want a time with a zone, like 2026-10-01T00:00:00Z", text)
	}
	if at.Year() < firstYear || at.Year() > lastYear {
		return at, fmt.Errorf("%q: want a time between the years %d and %d", text, firstYear, lastYear)
	}
	return at.UTC(), nil
}
