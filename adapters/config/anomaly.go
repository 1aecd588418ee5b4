package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeelops/evenkeel/anomaly"
	"github.com/evenkeelops/evenkeel/incident"
	"github.com/evenkeelops/evenkeel/internal/diagnostic"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

// AnomalyExample is a service whose readings are to be judged: how its history is
// drawn, what learns from it, and readings by name.
type AnomalyExample struct {
	Service  string
	Features []string
	Seed     int64 // of the generator that draws the history
	Samples  int   // how many rows it draws; 0 where the file does not say
	// Distributions are those of the features, by name.
	Distributions map[string]Distribution
	// Options are for [anomaly.Fit], with the preset [anomaly.Compat].
	Options     anomaly.Options
	Percentiles []float64                     // ratios, rising
	High        incident.Target               // from which deviation on a value is called high, in standard deviations
	Readings    map[string]map[string]float64 // by name, then feature
}

// Distribution is what the values of a feature are drawn from: "normal" by mean and
// standard deviation, "exponential" by scale.
type Distribution struct {
	Kind  string  `yaml:"distribution,required"`
	Mean  float64 `yaml:"mean"`
	Std   float64 `yaml:"std"`
	Scale float64 `yaml:"scale"`
}

type anomalyFile struct {
	Version int `yaml:"version"`
	Example struct {
		Service  string   `yaml:"service_name,required"`
		Features []string `yaml:"features,required"`
		History  struct {
			Seed          int64                   `yaml:"seed"`
			Samples       int                     `yaml:"samples"`
			Distributions map[string]Distribution `yaml:"distributions"`
		} `yaml:"history"`
		Model struct {
			Scaler        string  `yaml:"scaler"`
			Detector      string  `yaml:"detector"`
			Contamination float64 `yaml:"contamination"`
			Seed          int64   `yaml:"random_state"`
			Trees         int     `yaml:"n_estimators"`
		} `yaml:"model"`
		Baseline struct {
			Percentiles []float64        `yaml:"percentiles"`
			High        *incident.Target `yaml:"high_deviation"`
		} `yaml:"baseline"`
		Sets map[string]map[string]float64 `yaml:"metric_sets"`
	} `yaml:"anomaly_example,required"`
}

// ParseAnomaly reads a file with an anomaly_example. What judges its readings is an
// isolation forest on scaled values, so a scaler or a detector of another name is an
// error.
func ParseAnomaly(name string, data []byte) (AnomalyExample, *Document, error) {
	var file anomalyFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	f, p := &file.Example, anomalyPaths{d, "anomaly_example"}
	e := AnomalyExample{
		Service: f.Service, Features: f.Features, Seed: f.History.Seed, Samples: f.History.Samples, Distributions: f.History.Distributions,
		Options: anomaly.Options{Preset: anomaly.Compat, Contamination: f.Model.Contamination, Trees: f.Model.Trees}, Percentiles: f.Baseline.Percentiles, Readings: f.Sets,
	}
	if f.Baseline.High != nil {
		e.High = *f.Baseline.High
	}
	seen := map[string]bool{}
	for i, feature := range f.Features {
		path := fmt.Sprintf("anomaly_example.features[%d]", i)
		if feature == "" {
			d.Fail(path, "missing_field", "empty, want a name")
		}
		d.unique(seen, path, feature)
	}
	p.within("history.samples", f.History.Samples >= 1, "at least 1")
	for _, feature := range slices.Sorted(maps.Keys(f.History.Distributions)) {
		p.distribution("history.distributions."+feature, f.History.Distributions[feature])
		p.feature("history.distributions."+feature, feature, f.Features)
	}
	d.word("anomaly_example.model.scaler", f.Model.Scaler, []string{"standard"})
	d.word("anomaly_example.model.detector", f.Model.Detector, []string{"isolation_forest"})
	p.within("model.contamination", f.Model.Contamination > 0 && f.Model.Contamination <= 0.5, "a ratio above 0 and up to 0.5")
	p.within("model.n_estimators", f.Model.Trees >= 1, "at least 1")
	p.within("model.random_state", f.Model.Seed >= 0 && f.Model.Seed <= 1<<32-1, "0 to 4294967295")
	if d.has("anomaly_example.model.random_state") {
		seed := uint32(max(0, f.Model.Seed)) //nolint:gosec // a seed out of range is reported above
		e.Options.Seed = &seed
	}
	for i, q := range f.Baseline.Percentiles {
		p.within(fmt.Sprintf("baseline.percentiles[%d]", i), q > 0 && q < 1 && (i == 0 || q > f.Baseline.Percentiles[i-1]), "ratios between 0 and 1 that rise")
	}
	for _, set := range slices.Sorted(maps.Keys(f.Sets)) {
		for _, feature := range slices.Sorted(maps.Keys(f.Sets[set])) {
			p.feature(diagnostic.Join("metric_sets."+set, feature), feature, f.Features)
		}
	}
	return e, d, d.Err()
}

// anomalyPaths reports below a path.
type anomalyPaths struct {
	d    *Document
	root string
}

// within wants a value that the file has to fit.
func (p anomalyPaths) within(path string, fits bool, want string) {
	if path = diagnostic.Join(p.root, path); p.d.has(path) && !p.d.failed(path) && !fits {
		p.d.Fail(path, "out_of_range", "want %s", want)
	}
}

// feature wants a key to be one of the features.
func (p anomalyPaths) feature(path, feature string, known []string) {
	if path = diagnostic.Join(p.root, path); !slices.Contains(known, feature) && !p.d.failed(p.root+".features") {
		p.d.report(path, "bad_reference", spelling.Nearest(feature, known), fmt.Sprintf("no feature %q in the file", feature))
	}
}

func (p anomalyPaths) distribution(path string, f Distribution) {
	at := diagnostic.Join(p.root, path)
	p.d.word(at+".distribution", f.Kind, []string{"exponential", "normal"})
	needs, idle := []string{"mean", "std"}, []string{"scale"}
	if f.Kind == "exponential" {
		needs, idle = idle, needs
	}
	if p.d.failed(at) || f.Kind == "" {
		return
	}
	for _, key := range needs {
		p.d.missing(diagnostic.Join(at, key))
	}
	for _, key := range idle {
		p.within(diagnostic.Join(path, key), false, "no "+key+", which has no effect on "+f.Kind)
	}
	p.within(path+".std", f.Std > 0, "more than 0")
	p.within(path+".scale", f.Scale > 0, "more than 0")
}
