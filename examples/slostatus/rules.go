package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/slo/promrules"
)

// writeRules writes what Prometheus and Grafana need to watch the objectives.
func (in *inputs) writeRules(env *program.Env, o *options) error {
	in.warn(env)
	slos, options, err := in.counted(env, o.scrape)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	file, err := promrules.Generate(slos, options)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	for _, n := range file.Notes {
		env.Log.Warn(n.Text, "code", n.Code)
	}
	var out []byte
	switch env.Format {
	case "promtests":
		out, err = promrules.AppendTests(nil, o.rules, slos, options)
	case "grafana":
		out, err = promrules.AppendDashboard(nil, slos, options)
	default:
		out = file.AppendYAML(nil)
	}
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	_, err = env.Out.Write(out)
	return err
}

// counted returns the objectives that say how Prometheus counts them. A rule file
// has one scrape interval: that of the objectives, else the one given.
func (in *inputs) counted(env *program.Env, scrape time.Duration) ([]promrules.SLO, promrules.Options, error) {
	var slos []promrules.SLO
	var options promrules.Options
	from := ""
	for _, o := range in.objectives {
		if o.Rules == nil {
			env.Log.Warn("objective "+o.ID+" does not say how Prometheus counts it: it is left out", "code", "not_in_prometheus")
			continue
		}
		slos = append(slos, *o.Rules)
		if o.Scrape == 0 {
			continue
		}
		if options.Scrape != 0 && options.Scrape != o.Scrape {
			return nil, options, fmt.Errorf("objective %s: scrape %v, but objective %s has %v; want one interval for a file of rules", o.ID, o.Scrape, from, options.Scrape)
		}
		options.Scrape, from = o.Scrape, cmp.Or(from, o.ID)
	}
	if len(slos) == 0 {
		return nil, options, errors.New("no objective has a prometheus block, or queries of OpenSLO that can be counted: nothing to write")
	}
	options.Scrape = cmp.Or(options.Scrape, scrape)
	return slos, options, nil
}
