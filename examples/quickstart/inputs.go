package main

import (
	"errors"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/adapters/config"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/incident/comms"
)

// inputs are the files that a person wrote for the night.
type inputs struct {
	night      nightFile
	team       config.Organisation
	objectives []config.Objective
	rules      config.RuleSet
	contract   config.Agreed
	costs      config.CostModel
	sources    []program.Source
}

// nightFile says how the replay runs.
type nightFile struct {
	Version          int                 `yaml:"version,required"`
	Tenant           string              `yaml:"tenant,required"`
	Zone             config.Zone         `yaml:"timezone,required"`
	Train            time.Duration       `yaml:"train,required"`
	AcknowledgeAfter time.Duration       `yaml:"acknowledge_after,required"`
	IncidentFrom     incident.Severity   `yaml:"incident_from,required"`
	Review           reviewFile          `yaml:"review,required"`
	Services         []serviceFile       `yaml:"services,required"`
	Stakeholders     []comms.Stakeholder `yaml:"stakeholders,required"`
	Facts            map[string]any      `yaml:"facts"`
}

type reviewFile struct {
	Moderator string `yaml:"moderator,required"`
	Owner     string `yaml:"owner,required"`
	Due       string `yaml:"due,required"`
	Reference string `yaml:"reference,required"`
	Measure   string `yaml:"measure,required"`
}

type serviceFile struct {
	ID     string `yaml:"id,required"`
	Name   string `yaml:"name,required"`
	Domain string `yaml:"domain,required"`
	Type   string `yaml:"type,required"`

	DependsOn []string `yaml:"depends_on"`
}

func loadInputs() (*inputs, error) {
	in := &inputs{}
	var problems []error
	for _, load := range []struct {
		name string
		read func(name string, data []byte) error
	}{
		{"night.yaml", func(name string, data []byte) error {
			_, err := config.Parse(name, data, &in.night)
			return err
		}},
		{"team.yaml", func(name string, data []byte) (err error) { in.team, _, err = config.ParseTeam(name, data); return err }},
		{"slo.yaml", func(name string, data []byte) (err error) {
			in.objectives, _, err = config.ParseObjectives(name, data)
			return err
		}},
		{"rules.yaml", func(name string, data []byte) (err error) {
			in.rules, _, err = config.ParseRules(name, data)
			return err
		}},
		{"contract.yaml", func(name string, data []byte) (err error) {
			in.contract, _, err = config.ParseContract(name, data)
			return err
		}},
		{"costs.yaml", func(name string, data []byte) (err error) {
			in.costs, _, err = config.ParseCosts(name, data)
			return err
		}},
	} {
		data, err := files.ReadFile("testdata/inputs/" + load.name)
		if err != nil {
			return nil, err
		}
		problems = append(problems, load.read(load.name, data))
		in.sources = append(in.sources, program.NewSource(load.name, data, -1))
	}
	return in, program.Exit(program.Usage, errors.Join(problems...))
}

// service returns what is known about a service; an unknown one has its id as
// name and no domain.
func (in *inputs) service(id string) serviceFile {
	for _, s := range in.night.Services {
		if s.ID == id {
			return s
		}
	}
	return serviceFile{ID: id, Name: id}
}

// known reports whether a service is one of night.yaml.
func (in *inputs) known(id string) bool {
	return slices.ContainsFunc(in.night.Services, func(s serviceFile) bool { return s.ID == id })
}
