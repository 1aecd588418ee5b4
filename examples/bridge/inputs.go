package main

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/evenkeelops/evenkeel/adapters"
	"github.com/evenkeelops/evenkeel/adapters/alertmanager"
	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/examples/internal/database"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
)

//go:embed testdata/sample
var samples embed.FS

// sampleNow is when the sample was sent.
var sampleNow = time.Date(2026, 10, 5, 4, 43, 35, 0, time.UTC)

type inputs struct {
	program.Inputs
	now    time.Time
	bridge config.Bridge
	rules  []correlation.Rule
	team   *config.Organisation // nil without a team
}

func (in *inputs) load(env *program.Env, db string) error {
	name, data, err := in.Read("config", cmp.Or(env.Config, "bridge.yaml"))
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	secrets := config.Secrets{Env: os.LookupEnv, File: func(file string) ([]byte, error) {
		if in.Sample {
			return fs.ReadFile(samples, path.Join("testdata/sample", file))
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(name), file)
		}
		return program.ReadFile(file)
	}}
	bridge, document, err := config.ParseBridge(name, data, secrets)
	if err != nil {
		return program.Exit(program.Usage, err)
	}
	in.Note(document)
	in.bridge = bridge
	beside := func(file string) string {
		if in.Sample || filepath.IsAbs(file) {
			return file
		}
		return filepath.Join(filepath.Dir(name), file)
	}
	if in.bridge.Database = cmp.Or(db, bridge.Database); db == "" && bridge.Database != "" && !database.OnServer(bridge.Database) {
		in.bridge.Database = beside(bridge.Database)
	}
	if bridge.Rules != "" {
		rules, err := read(in, beside(bridge.Rules), config.ParseRules)
		if err != nil {
			return err
		}
		in.rules = rules.Rules
	}
	if bridge.Team != "" {
		team, err := read(in, beside(bridge.Team), config.ParseTeam)
		if err != nil {
			return err
		}
		in.team = &team
	}
	return nil
}

// read reads a file that the configuration names.
func read[T any](in *inputs, file string, parse func(string, []byte) (T, *config.Document, error)) (T, error) {
	var none T
	name, data, err := in.Read("config", file)
	if err != nil {
		return none, program.Exit(program.Usage, err)
	}
	v, document, err := parse(name, data)
	if err != nil {
		return none, program.Exit(program.Usage, err)
	}
	in.Note(document)
	return v, nil
}

// read reads the body of a webhook from a file.
func (in *inputs) read(file string) ([]alertmanager.Alert, error) {
	name, data, err := in.Read("in", file)
	if err != nil {
		return nil, err
	}
	webhook, err := alertmanager.ParseWebhook(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var problems []error
	for i, a := range webhook.Alerts {
		if _, err := in.mapping().Event(a, time.Time{}); err != nil {
			problems = append(problems, fmt.Errorf("%s: alerts[%d].%w", name, i, err))
		}
	}
	return webhook.Alerts, errors.Join(problems...)
}

// mapping says what labels mean.
func (in *inputs) mapping() alertmanager.Mapping {
	b := &in.bridge
	m := alertmanager.Mapping{
		TenantLabel: b.TenantLabel, DefaultTenant: b.Tenant, DefaultSeverity: b.DefaultSeverity,
		FingerprintAs: fingerprint, GeneratorAs: generator,
	}
	for word, severity := range b.Severities {
		m.Severities = append(m.Severities, adapters.Name[incident.Severity, string]{Ours: severity, Theirs: word})
	}
	return m
}
