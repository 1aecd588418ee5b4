package main

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/adapters/portal"
	"github.com/evenkeelops/evenkeel/adapters/portal/page"
	"github.com/evenkeelops/evenkeel/adapters/report"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// The embedded sample: two customers of a provider that were made up for it.
//
//go:embed testdata/sample
var sample embed.FS

// sampleNow is the present of the sample, in the middle of an outage.
var sampleNow = time.Date(2026, 10, 14, 9, 30, 0, 0, time.UTC)

// inputs are the file of the portal and what it names.
type inputs struct {
	program.Inputs
	*options

	file    string // of -config, beside which the others are
	portal  config.Portal
	logo    []byte
	now     func() time.Time
	live    *live     // nil without -db
	staffed staff     // of the operations
	asked   *requests // nil without -requests
}

// load reads the file of the portal.
func (o *options) load(env *program.Env) (*inputs, error) {
	in := &inputs{Inputs: program.NewInputs(sample, env.Config == ""), options: o}
	now := in.Now(env, sampleNow)
	in.now = func() time.Time { return now }
	if !in.Sample && !env.Stated {
		in.now = time.Now
	}
	if err := in.read(env); err != nil {
		return nil, err
	}
	if o.db != "" {
		var err error
		if in.live, err = openLive(env.Context, o.db); err != nil {
			return nil, program.Exit(program.Usage, fmt.Errorf("-db: %w", err))
		}
	}
	return in, nil
}

// read reads the file of the portal, the logo and the files of the operations.
func (in *inputs) read(env *program.Env) error {
	name, data, err := in.Read("config", cmp.Or(env.Config, "portal.yaml"))
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	in.file = name
	p, document, err := config.ParsePortal(name, data, config.Secrets{Env: os.LookupEnv, File: func(file string) ([]byte, error) { return os.ReadFile(in.beside(file)) }})
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	in.Note(document)
	in.portal = p
	in.logo = nil
	if in.portal.Brand.Logo != "" {
		if _, in.logo, err = in.Read("config", in.beside(p.Brand.Logo)); err != nil {
			return program.Exit(program.Usage, err)
		}
	}
	if in.staffed, err = in.staff(); err != nil {
		return err
	}
	in.Sources, in.Notices = append(in.Sources, in.staffed.own.Sources...), append(in.Notices, in.staffed.own.Notices...)
	return nil
}

// again reads the file of the portal once more, for a program that is running: into a
// value of its own, so that nothing has changed if it cannot be read.
func (in *inputs) again(env *program.Env) (*inputs, error) {
	next := *in
	next.Inputs = program.NewInputs(sample, in.Sample)
	if in.file == "stdin" { // which is read once
		return &next, nil
	}
	if err := next.read(env); err != nil {
		return nil, err
	}
	return &next, nil
}

func (in *inputs) close() {
	if in.live != nil {
		in.live.close()
	}
	if in.asked != nil {
		in.asked.close()
	}
}

// beside is where a file is that the configuration names.
func (in *inputs) beside(file string) string {
	if in.Sample || filepath.IsAbs(file) || in.file == "stdin" {
		return file
	}
	return filepath.Join(filepath.Dir(in.file), file)
}

// brand is the look of the provider.
func (in *inputs) brand() page.Brand {
	b := page.Brand{Name: in.portal.Brand.Name}
	if in.portal.Brand.Logo != "" {
		b.Logo = "logo" + filepath.Ext(in.portal.Brand.Logo)
	}
	// ParsePortal has read them: an empty one stays the default.
	b.Color, _ = report.ParseColor(in.portal.Brand.Color)
	b.ColorDark, _ = report.ParseColor(in.portal.Brand.ColorDark)
	return b
}

// configuration is that of the portal, with the rules of all customers.
func (in *inputs) configuration(env *program.Env, customers []customer) portal.Config {
	c := portal.Config{
		BaseURL: in.portal.BaseURL, Brand: in.brand(), Logo: in.logo, Index: in.index, Proxies: in.portal.Proxies, ProxyHeader: in.portal.ProxyHeader, AdminApart: in.portal.AdminListen != "", Now: in.now, Log: env.Log,
	}
	if in.portal.Ops != nil {
		c.Ops = portal.TokenHash(in.portal.Ops.Token)
	}
	if in.live != nil {
		c.Desk = in.live
	}
	if in.asked != nil {
		c.Requests = in.asked
	}
	for _, t := range customers {
		c.Tenants = append(c.Tenants, t.rules)
	}
	return c
}

// briefs reads all customers, and keeps of each what the dashboard needs. The error is
// that of customers.
func (in *inputs) briefs(ctx context.Context) ([]customer, error) {
	return in.all(ctx, func(c customer) customer {
		if c.page != nil {
			c.page = c.page.Brief()
		}
		return c
	})
}

// customers reads all customers. The error has what is wrong with any of them; one
// with a contract that cannot be read counts as wrong usage, one with wrong data as
// wrong input.
func (in *inputs) customers(ctx context.Context) ([]customer, error) {
	return in.all(ctx, func(c customer) customer { return c })
}

func (in *inputs) all(ctx context.Context, keep func(customer) customer) ([]customer, error) {
	var list []customer
	var problems []error
	code := program.Input
	for _, t := range in.portal.Tenants {
		c, err := in.customer(ctx, t)
		var exit *program.ExitError
		if errors.As(err, &exit) && exit.Code == program.Usage {
			code = program.Usage
		}
		list, problems = append(list, keep(c)), append(problems, err)
	}
	return list, program.Exit(code, errors.Join(problems...))
}
