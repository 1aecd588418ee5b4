// Command slostatus says how fast error budgets burn, and writes the rules with
// which Prometheus watches them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "slostatus",
		Summary: "how fast does the budget burn",
		Example: "slostatus -config slo.yaml -sli sli.csv -format html -o slo.html",
		Formats: append([]string{"text", "json", "svg", "html"}, forPrometheus...),
		FailOn:  []string{"page", "ticket", "exhausted", "no-data"},
		Schema:  schema.Objectives,
		Flags:   o.register,
		Run:     o.run,
	})
}

// forPrometheus are the formats that take no measurements.
var forPrometheus = []string{"promrules", "promtests", "grafana"}

type options struct {
	sli, maintenance, at, rules string

	scrape time.Duration
	series bool
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.sli, "sli", "", "`file` of good and total events, CSV or JSON lines; quickest in order of time")
	fs.StringVar(&o.maintenance, "maintenance", "", "`file` of maintenance windows, which are left out")
	fs.StringVar(&o.at, "at", "", "the `time` to judge, RFC 3339 with zone; default: -now")
	fs.StringVar(&o.rules, "rules", "slo-rules.yaml", "the `file` that promtests says its rules are in")
	fs.DurationVar(&o.scrape, "scrape", 0, "the `interval` at which Prometheus reads the counters, for rules of objectives that do not say")
	fs.BoolVar(&o.series, "series", false, "add the history of every budget to the JSON")
}

func (o *options) run(env *program.Env) error {
	if err := o.validate(env); err != nil {
		return program.Exit(program.Usage, err)
	}
	in, err := o.load(env)
	if err != nil {
		return err
	}
	if slices.Contains(forPrometheus, env.Format) {
		return in.writeRules(env, o)
	}
	r, err := in.measure(o, o.series || env.Format == "svg" || env.Format == "html")
	if err != nil {
		return err
	}
	r.conditions(env)
	return r.write(env, o)
}

func (o *options) validate(env *program.Env) error {
	var problems []error
	if o.at != "" {
		if _, err := time.Parse(time.RFC3339, o.at); err != nil {
			problems = append(problems, fmt.Errorf("-at %q: want a time with a zone, like 2026-10-01T00:00:00Z", o.at))
		}
	}
	if o.series && env.Format != "json" {
		problems = append(problems, errors.New("-series: wants -format json"))
	}
	if o.scrape < 0 || o.scrape%time.Millisecond != 0 {
		problems = append(problems, fmt.Errorf("-scrape %v: want whole milliseconds", o.scrape))
	}
	switch {
	case env.Config == "":
		for _, f := range []struct{ name, value string }{{"sli", o.sli}, {"maintenance", o.maintenance}} {
			if f.value != "" {
				problems = append(problems, fmt.Errorf("-%s: wants -config; without it the embedded sample is used", f.name))
			}
		}
	case o.sli == "" && !slices.Contains(forPrometheus, env.Format):
		problems = append(problems, fmt.Errorf("-sli: missing; without it only %v can be written", forPrometheus))
	}
	return errors.Join(problems...)
}
