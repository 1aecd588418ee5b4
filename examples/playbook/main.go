// Command playbook says which automated actions a service in trouble calls for, which
// of them may run, and why not the others.
package main

import (
	"errors"
	"flag"
	"strings"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "playbook",
		Summary: "which automated actions run, which wait for a person, and why",
		Example: "playbook -config playbooks.yaml -context context.json -dry-run -json",
		Formats: []string{"text", "json", "html", "md"},
		FailOn:  []string{"blocked", "approval"},
		Schema:  schema.Playbooks,
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct {
	context, approve, db string
	dry                  bool
}

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.context, "context", "", "`file` of the service, its samples, facts and approvals, JSON or YAML")
	fs.BoolVar(&o.dry, "dry-run", false, "decide everything and do nothing; otherwise every action is rehearsed, which always goes well")
	fs.StringVar(&o.approve, "approve", "", "approve these `steps` when they ask, such as level_2/consider_rollback, separated by commas")
	fs.StringVar(&o.db, "db", "", "keep the runs in a SQLite `file`; a run that was stopped goes on where it was")
}

func (o *options) run(env *program.Env) error {
	if err := o.validate(env); err != nil {
		return program.Exit(program.Usage, err)
	}
	in, err := o.load(env)
	if err != nil {
		return err
	}
	play := in.rehearse
	if o.dry {
		play = in.simulate
	}
	runs, err := play(env.Context)
	if err != nil {
		return err
	}
	return in.write(env, runs)
}

func (o *options) validate(env *program.Env) error {
	var problems []error
	switch {
	case env.Config == "" && o.context != "":
		problems = append(problems, errors.New("-context: wants -config; without it the embedded sample is used"))
	case env.Config != "" && o.context == "":
		problems = append(problems, errors.New("-context: missing"))
	}
	if o.dry && o.approve != "" {
		problems = append(problems, errors.New("-approve: wants no -dry-run, in which nothing asks"))
	}
	if o.dry && o.db != "" {
		problems = append(problems, errors.New("-db: wants no -dry-run, which keeps nothing"))
	}
	return errors.Join(problems...)
}

// approved reports whether -approve names a step by its key, its stage and action, or
// its action.
func (o *options) approved(step string) bool {
	return o.approve != "" && names(strings.Split(o.approve, ","), step)
}

func names(list []string, step string) bool {
	for _, name := range list {
		if name != "" && (name == step || strings.HasSuffix(step, "/"+name)) {
			return true
		}
	}
	return false
}
