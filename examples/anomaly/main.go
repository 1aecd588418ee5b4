// Command anomaly says which readings of a service are abnormal by its own history,
// which metric is to blame, and where a metric is heading.
package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/examples/schema"
)

func main() {
	var o options
	program.Main(program.Program{
		Name:    "anomaly",
		Summary: "which readings are abnormal by the history of their service, and why",
		Example: "anomaly -train last-week.csv -score today.csv -fail-on anomaly",
		Formats: []string{"text", "json", "html", "md", "svg"},
		FailOn:  []string{"anomaly"},
		Schema:  schema.Metrics,
		Flags:   o.register,
		Run:     o.run,
	})
}

type options struct {
	train, score, preset string
	alpha                float64
	save, model          string
	forecast, limit      string
	horizon              time.Duration
	bound                *float64 // of -limit
}

// register declares the flags.
func (o *options) register(fs *flag.FlagSet) {
	fs.StringVar(&o.train, "train", "", "`file` of readings to learn from: time, service and a column for each metric")
	fs.StringVar(&o.score, "score", "", "`file` of readings to judge, like -train; columns in any order")
	fs.StringVar(&o.preset, "preset", "default", "how to judge: default, or article for scaled isolation forest with a contamination of 0.1")
	fs.StringVar(&o.save, "model", "", "save what was learnt into this `file`")
	fs.StringVar(&o.model, "load", "", "judge by what -model saved into this `file`, instead of -train")
	fs.StringVar(&o.forecast, "forecast", "", "continue this `metric` of every service")
	fs.DurationVar(&o.horizon, "horizon", 24*time.Hour, "how far -forecast looks")
	fs.StringVar(&o.limit, "limit", "", "say when the metric of -forecast reaches this `value`: grows to it, or falls to it where most readings are above")
	fs.Float64Var(&o.alpha, "alpha", 0.01, "probability of an alarm on a healthy reading; not with -preset article")
}

// presets are the words of -preset.
var presets = map[string]anomaly.Preset{"default": anomaly.Default, "article": anomaly.Compat}

// run learns, judges, continues and writes.
func (o *options) run(env *program.Env) error {
	if err := o.validate(env); err != nil {
		return program.Exit(program.Usage, err)
	}
	in, err := o.load(env)
	if err != nil {
		return err
	}
	models, err := in.models()
	if err != nil {
		return program.Exit(program.Input, err)
	}
	lines, err := in.judge(models)
	if err != nil {
		return program.Exit(program.Input, err)
	}
	for _, l := range lines {
		if l.IsAnomaly != nil && *l.IsAnomaly {
			env.Holds("anomaly")
		}
	}
	outlooks, err := in.outlooks()
	if err != nil {
		return program.Exit(program.Input, err)
	}
	if o.save != "" {
		data, err := encode(models)
		if err != nil {
			return err
		}
		env.File(o.save, data)
	}
	return in.write(env, models, lines, outlooks)
}

// validate reports all flags that do not go together.
func (o *options) validate(env *program.Env) error {
	var problems []error
	if env.Config != "" {
		problems = append(problems, errors.New("-config: this program has none; name the readings with -train and -score"))
	}
	switch learnt := o.train != "" || o.model != ""; {
	case o.train != "" && o.model != "":
		problems = append(problems, errors.New("want one of -train and -load"))
	case learnt != (o.score != ""):
		problems = append(problems, errors.New("want both -train (or -load) and -score, or none of them for the embedded sample"))
	}
	if _, ok := presets[o.preset]; !ok {
		problems = append(problems, fmt.Errorf("-preset %q: want default or article", o.preset))
	}
	if !(o.alpha > 0 && o.alpha <= 0.5) {
		problems = append(problems, fmt.Errorf("-alpha %v: want a probability above 0 and at most 0.5", o.alpha))
	}
	if o.limit != "" {
		x, err := strconv.ParseFloat(o.limit, 64)
		if err != nil || x-x != 0 {
			problems = append(problems, fmt.Errorf("-limit %q: want a number", o.limit))
		}
		o.bound = &x
	}
	if o.limit != "" && o.forecast == "" {
		problems = append(problems, errors.New("-limit: wants the metric in -forecast"))
	}
	if o.horizon <= 0 {
		problems = append(problems, fmt.Errorf("-horizon %v: want a positive duration, like 24h", o.horizon))
	}
	return errors.Join(problems...)
}
