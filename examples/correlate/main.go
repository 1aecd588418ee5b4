// Command correlate says which of many alerts is the cause, who need not be told of the
// others, and why.
package main

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "correlate",
		Summary: "which alert is the cause, and who need not be told of the others",
		Example: "correlate -config rules.yaml -alerts alerts.jsonl -json",
		Formats: []string{"text", "json", "html", "md"},
		FailOn:  []string{"composite", "visible"},
		Schema:  schema.Rules,
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct {
	alerts, webhooks, checks, metrics string
	topology, state, at               string
	test, against                     string
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.alerts, "alerts", "", "log of alerts, a JSON object a line, - for stdin")
	fs.StringVar(&o.webhooks, "webhooks", "", "`file` of bodies that an Alertmanager sent, one a line")
	fs.StringVar(&o.checks, "checks", "", "CSV of checks; a service that is not up is the alert application.down")
	fs.StringVar(&o.metrics, "metrics", "", "CSV of time, service and metrics, which the thresholds of -config turn into alerts")
	fs.StringVar(&o.topology, "topology", "", "YAML `file` of services and what they depend on")
	fs.StringVar(&o.state, "state", "", "go on from the state in this `file`, if it is there, and leave the new one in it")
	fs.StringVar(&o.at, "at", "", "the `time` at which the state is read, RFC 3339 with zone; default: the last arrival")
	fs.StringVar(&o.test, "test", "", "test the rules against the scenarios of this YAML `file`; exit 1 if one fails")
	fs.StringVar(&o.against, "against", "", "YAML `file` of other rules: say who would be told otherwise with them")
}

func (o *options) run(env *program.Env) error {
	until, err := o.validate(env)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	in, err := o.load(env)
	if err != nil {
		return err
	}
	if o.test != "" {
		return in.test(env)
	}
	return in.correlate(env, until)
}

func (o *options) validate(env *program.Env) (until time.Time, err error) {
	var problems []error
	logs := 0
	for _, name := range []string{o.alerts, o.webhooks, o.checks, o.metrics} {
		if name != "" {
			logs++
		}
	}
	switch {
	case o.test != "" && logs+len(o.at)+len(o.state)+len(o.against) > 0:
		problems = append(problems, errors.New("-test: wants -config and -topology alone"))
	case env.Config == "" && logs > 0:
		problems = append(problems, errors.New("-config: missing; without it the embedded sample is used"))
	case env.Config != "" && o.test == "" && logs != 1:
		problems = append(problems, errors.New("want one of -alerts, -webhooks, -checks, -metrics and -test"))
	}
	if o.at != "" {
		if until, err = time.Parse(time.RFC3339, o.at); err != nil {
			problems = append(problems, fmt.Errorf("-at %q: want a time with a zone, like 2026-10-01T00:00:00Z", o.at))
		}
	}
	if o.state != "" && o.against != "" {
		problems = append(problems, errors.New("-against: wants no -state, the rules of which are others"))
	}
	return until.UTC(), errors.Join(problems...)
}
