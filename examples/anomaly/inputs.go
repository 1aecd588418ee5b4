package main

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/examples/internal/evidence"
	"github.com/evenkeelops/evenkeel/examples/internal/program"
)

// The embedded sample: three services of a shop on the night on which its database
// was slow and then killed; the first minutes are the history.
//
//go:embed testdata/sample
var sample embed.FS

// inputs are the readings to learn from and those to judge.
type inputs struct {
	program.Inputs
	*options

	trainName, scoreName string
	history, readings    evidence.Metrics
	now                  time.Time
	zone                 *time.Location
}

// load reads both files.
func (o *options) load(env *program.Env) (*inputs, error) {
	in := &inputs{Inputs: program.NewInputs(sample, o.score == ""), options: o, zone: env.Zone}
	in.trainName, in.scoreName = cmp.Or(o.train, "train.csv"), cmp.Or(o.score, "score.csv")
	var problems []error
	read := func(name string, into *evidence.Metrics) {
		m, r, err := evidence.ReadMetrics(in.Open, name)
		*into = m
		in.Sources = append(in.Sources, r.Sources...)
		problems = append(problems, err)
	}
	if o.model == "" {
		read(in.trainName, &in.history)
	}
	read(in.scoreName, &in.readings)
	if err := errors.Join(problems...); err != nil {
		return nil, program.Exit(program.Input, err)
	}
	last := time.Time{}
	for _, r := range in.readings.Rows {
		if r.At.After(last) {
			last = r.At
		}
	}
	in.now = in.Now(env, last)
	return in, nil
}

// note tells of columns that no model uses.
func (in *inputs) note(models map[string]model) {
	for _, feature := range in.readings.Features {
		used := func(service string) bool { return slices.Contains(models[service].features, feature) }
		if len(models) > 0 && !slices.ContainsFunc(slices.Collect(maps.Keys(models)), used) {
			in.Notices = append(in.Notices, program.Notice{
				Code: "unknown_column", Message: fmt.Sprintf("%s:1: column %q was not learnt and is not used", in.scoreName, feature), Ref: &feature,
			})
		}
	}
}

// model is what was learnt of a service.
type model struct {
	*anomaly.Detector
	features  []string // that the service has, in the order of the columns
	baselines map[string]anomaly.Baseline
}

func newModel(d *anomaly.Detector) model {
	m := model{Detector: d, baselines: map[string]anomaly.Baseline{}}
	for _, b := range d.Baselines() {
		m.features = append(m.features, b.Feature)
		m.baselines[b.Feature] = b
	}
	return m
}

// modelFile is what -model writes: the detectors of all services, by service.
type modelFile struct {
	Schema string   `json:"schema"`
	Models [][]byte `json:"models"` // in the binary form of a detector
}

const modelSchema = "anomaly-models/v1"

func encode(models map[string]model) ([]byte, error) {
	f := modelFile{Schema: modelSchema}
	for _, service := range slices.Sorted(maps.Keys(models)) {
		data, err := models[service].MarshalBinary()
		if err != nil {
			return nil, err
		}
		f.Models = append(f.Models, data)
	}
	return json.Marshal(f)
}

func decode(data []byte) (map[string]model, error) {
	var f modelFile
	if err := json.Unmarshal(data, &f); err != nil || f.Schema != modelSchema {
		return nil, errors.New("want a file that -model wrote")
	}
	models := map[string]model{}
	for _, data := range f.Models {
		d, err := anomaly.ParseDetector(data)
		if err != nil {
			return nil, err
		}
		models[d.Service()] = newModel(d)
	}
	return models, nil
}

// models are those that -load names, or learnt ones.
func (in *inputs) models() (models map[string]model, err error) {
	if in.model == "" {
		models, err = in.learn()
	} else {
		_, data, err := in.Read("load", in.model)
		if err != nil {
			return nil, err
		}
		if models, err = decode(data); err != nil {
			return nil, fmt.Errorf("%s: %w", in.model, err)
		}
		for _, service := range slices.Sorted(maps.Keys(models)) {
			if got := models[service].Preset(); got != presets[in.preset] {
				return nil, fmt.Errorf("%s: %s was learnt with another preset; want a model of -preset %s", in.model, service, in.preset)
			}
		}
	}
	in.note(models)
	return models, err
}

// learn fits a detector to the history of every service. A metric of which a service
// has no value at all is not one of its own.
func (in *inputs) learn() (map[string]model, error) {
	rows := map[string][]evidence.Reading{}
	var services []string
	for _, r := range in.history.Rows {
		if rows[r.Service] == nil {
			services = append(services, r.Service)
		}
		rows[r.Service] = append(rows[r.Service], r)
	}
	models := map[string]model{}
	var problems []error
	for _, service := range services {
		m, err := in.fit(service, rows[service])
		problems = append(problems, err)
		models[service] = m
	}
	return models, errors.Join(problems...)
}

// fit learns from the rows of one service, and from the columns that have a value there.
func (in *inputs) fit(service string, rows []evidence.Reading) (model, error) {
	var m model
	var columns []int
	for i, feature := range in.history.Features {
		if slices.ContainsFunc(rows, func(r evidence.Reading) bool { return !math.IsNaN(r.Value(i)) }) {
			columns = append(columns, i)
			m.features = append(m.features, feature)
		}
	}
	h := anomaly.History{Names: m.features}
	trained := time.Time{}
	for _, r := range rows {
		values := make([]float64, len(columns))
		for j, i := range columns {
			values[j] = r.Value(i)
			if math.IsNaN(values[j]) && in.preset == "article" {
				return m, fmt.Errorf("%s:%d: %s: no value; the preset article wants one in every row", in.trainName, r.Line, m.features[j])
			}
		}
		h.Rows = append(h.Rows, values)
		if r.At.After(trained) {
			trained = r.At
		}
	}
	o := anomaly.Options{Preset: presets[in.preset], TrainedAt: trained}
	if o.Preset == anomaly.Default {
		o.Alpha = in.alpha
	}
	d, err := anomaly.Fit(service, h, &o)
	if err != nil {
		return m, fmt.Errorf("%s: %s: %w", in.trainName, service, err)
	}
	return newModel(d), nil
}
