package config

import (
	"fmt"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/internal/spelling"
)

type topologyFile struct {
	Version     int           `yaml:"version"`
	EntityLabel string        `yaml:"entity_label"`
	Services    []serviceNode `yaml:"services,required"`
}

type serviceNode struct {
	ID        string   `yaml:"id,required"`
	Kind      string   `yaml:"kind"`
	DependsOn []string `yaml:"depends_on"`
}

// ParseTopology reads a file of services and what they depend on. Every service that one
// depends on has to be in the file, by its id or by a kind; a kind stands for all
// services of it.
func ParseTopology(name string, data []byte) (correlation.Topology, *Document, error) {
	var file topologyFile
	d := read(name, data, &file)
	d.checkVersion(file.Version)
	t := correlation.Topology{EntityLabel: file.EntityLabel, Kinds: map[string]string{}}
	ids, kinds := map[string]bool{}, map[string][]string{}
	var known []string
	for i, s := range file.Services {
		if path := fmt.Sprintf("services[%d].id", i); s.ID == "" {
			d.Fail(path, "missing_field", "empty, want a name")
		} else {
			d.unique(ids, path, s.ID)
		}
		known = append(known, s.ID)
		if s.Kind != "" {
			t.Kinds[s.ID] = s.Kind
			kinds[s.Kind] = append(kinds[s.Kind], s.ID)
		}
	}
	for i, s := range file.Services {
		for k, on := range s.DependsOn {
			switch path := fmt.Sprintf("services[%d].depends_on[%d]", i, k); {
			case ids[on]:
				t.Edges = append(t.Edges, correlation.Edge{Dependent: s.ID, Dependency: on})
			case kinds[on] != nil:
				for _, id := range kinds[on] {
					t.Edges = append(t.Edges, correlation.Edge{Dependent: s.ID, Dependency: id})
				}
			default:
				d.report(path, "bad_reference", spelling.Nearest(on, known), fmt.Sprintf("no service %q in the file", on))
			}
		}
	}
	return t, d, d.Err()
}
