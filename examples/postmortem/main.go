// Command postmortem draws up the review of an incident: what happened, why, what is
// done about it, and whether that is anchored.
package main

import (
	"errors"
	"flag"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "postmortem",
		Summary: "what happened, why, and what is done about it",
		Example: "postmortem -incident incident.json -timeline timeline.jsonl -format md",
		Formats: []string{"text", "json", "md", "html"},
		FailOn:  []string{"open-measures", "overdue", "not-anchored"},
		Schema:  schema.Incident,
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct {
	incident, timeline string
	file               string // of -verify
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.incident, "incident", "", "JSON `file` of the incident, what people found and the measures, - for stdin")
	fs.StringVar(&o.timeline, "timeline", "", "`file` of the exported timeline, JSON lines; it is verified, and counts more than what -incident says of severity and times")
	fs.StringVar(&o.file, "verify", "", "`file` of an exported timeline to verify, - for stdin, and nothing else: exit 1 if it is not what was recorded")
}

func (o *options) run(env *program.Env) error {
	if env.Config != "" {
		return program.Exit(program.Usage, errors.New("-config: this program has none; name the incident with -incident"))
	}
	if o.file != "" {
		return o.verify(env)
	}
	in, err := o.load(env)
	if err != nil {
		return err
	}
	doc, err := in.draft()
	if err != nil {
		return err
	}
	return in.write(env, doc)
}
