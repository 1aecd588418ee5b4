// Command lint checks the files of the other programs, before they are used.
package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "lint",
		Summary: "what is wrong or doubtful in the files of the other programs",
		Example: "lint -fail-on warning contract.yaml slo.yaml team.yaml",
		Formats: []string{"text", "json"},
		FailOn:  []string{"warning"},
		Files:   "FILE...",
		Schemas: o.schema,
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct{ kind string }

func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.kind, "kind", "", "the `kind` of all files, instead of a guess from their top-level keys: "+strings.Join(config.Kinds(), ", "))
}

// schema is that of the kind of files, of all kinds without one.
func (o *options) schema() ([]byte, error) {
	switch {
	case o.kind == "":
		return schema.All()
	case o.validKind() != nil:
		return nil, o.validKind()
	}
	text := schema.Of(o.kind)
	if text == nil {
		return nil, fmt.Errorf("-kind %s: there is no schema of these files", o.kind)
	}
	return text, nil
}

func (o *options) validKind() error {
	if kinds := config.Kinds(); o.kind != "" && !slices.Contains(kinds, o.kind) {
		hint := ""
		if near := spelling.Nearest(o.kind, kinds); near != "" {
			hint = fmt.Sprintf(" (did you mean %q?)", near)
		}
		return fmt.Errorf("-kind %q: want one of %s%s", o.kind, strings.Join(kinds, ", "), hint)
	}
	return nil
}

func (o *options) run(env *program.Env) error {
	problems := []error{o.validKind()}
	if env.Config != "" {
		problems = append(problems, errors.New("-config: this program has none; name the files as arguments"))
	}
	if i := slices.Index(env.Args, "-"); i >= 0 && slices.Contains(env.Args[i+1:], "-") {
		problems = append(problems, errors.New("-: stdin can be read once"))
	}
	if err := errors.Join(problems...); err != nil {
		return program.Exit(program.Usage, err)
	}
	r, err := o.check(env)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	switch {
	case r.Errors > 0:
		env.Refuses()
	case r.Warned > 0:
		env.Holds("warning")
	}
	return r.write(env)
}
