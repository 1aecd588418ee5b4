// Command bridge takes alerts of Alertmanager and Prometheus to where people work:
// PagerDuty, Jira, ServiceNow, mail, Slack and webhooks.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "bridge",
		Summary: "takes alerts of Alertmanager and Prometheus to PagerDuty, Jira, ServiceNow, mail, Slack and webhooks",
		Example: "bridge -config bridge.yaml -once -in payload.json -dry-run -json",
		Formats: []string{"text", "json"},
		FailOn:  []string{"unsent"},
		Schema:  schema.Bridge,
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct {
	once, dry bool
	in, db    string
}

func (o *options) register(fs *flag.FlagSet) {
	fs.BoolVar(&o.once, "once", false, "take the alerts of -in to the sinks and end, instead of listening")
	fs.StringVar(&o.in, "in", "", "`file` with the body of a webhook of Alertmanager, - for stdin")
	fs.BoolVar(&o.dry, "dry-run", false, "say what would be sent, and send nothing")
	fs.StringVar(&o.db, "db", "", "SQLite `file` for what must survive a crash; instead of database in -config")
}

func (o *options) run(env *program.Env) error {
	sample := env.Config == ""
	if err := o.validate(env); err != nil {
		return program.Exit(program.Usage, err)
	}
	if sample {
		o.once, o.dry, o.in = true, true, "payload.json"
	}
	in := inputs{Inputs: program.NewInputs(samples, sample)}
	in.now = in.Now(env, sampleNow)
	if err := in.load(env, o.db); err != nil {
		return err
	}
	if !o.once {
		return in.serve(env.Context, o, env.Log, os.Stdout)
	}
	alerts, err := in.read(o.in)
	if err != nil {
		return program.Exit(program.Input, err)
	}
	requests, err := in.requests(alerts)
	if err != nil {
		return program.Exit(program.Input, err)
	}
	if !o.dry {
		if err := in.send(env, requests); err != nil {
			return err
		}
	}
	return in.write(env, requests)
}

// send takes requests to their sinks, one after the other.
func (in *inputs) send(env *program.Env, requests []request) error {
	files, err := openStorage(env.Context, in.bridge)
	if err != nil {
		return program.Exit(program.Usage, fmt.Errorf("storage: %w", err))
	}
	defer files.Close()
	sinks, err := newSinks(in.bridge, files.store.Ledger())
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	for i := range requests {
		r := &requests[i]
		if err := sinks[r.Sink].send(env.Context, *r); err != nil {
			text := err.Error()
			r.Error, r.Status = &text, statusOf(err)
			env.Holds("unsent")
			continue
		}
		r.Sent = true
	}
	return nil
}

func (o *options) validate(env *program.Env) error {
	var problems []error
	if env.Config == "" && o.in != "" {
		problems = append(problems, errors.New("-config: missing; without it the embedded sample is used"))
	}
	if !o.once && o.in != "" {
		problems = append(problems, errors.New("-in: wants -once; without it the bridge listens"))
	}
	if env.Config != "" && o.once && o.in == "" {
		problems = append(problems, errors.New("-in: missing"))
	}
	if env.Config == "-" && o.in == "-" {
		problems = append(problems, errors.New("-in: stdin is that of -config already"))
	}
	return errors.Join(problems...)
}
