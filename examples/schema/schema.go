// Package schema holds the JSON Schemas of the files that the programs read, for
// their -schema flag and for editors.
package schema

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
)

// Contract describes the files of service contracts.
//
//go:embed contract.schema.json
var Contract []byte

// Objectives describes the files of service level objectives.
//
//go:embed objectives.schema.json
var Objectives []byte

// Team describes the files of teams.
//
//go:embed team.schema.json
var Team []byte

// Playbooks describes the files of playbooks.
//
//go:embed playbooks.schema.json
var Playbooks []byte

// Incident describes the files of incidents with what was found and the measures.
//
//go:embed incident.schema.json
var Incident []byte

// Rules describes the files of correlation rules and thresholds.
//
//go:embed rules.schema.json
var Rules []byte

// Catalogue describes the files of service catalogues with evidence of recovery.
//
//go:embed catalogue.schema.json
var Catalogue []byte

// Costs describes the files with the costs of an own team and of a managed service.
//
//go:embed costs.schema.json
var Costs []byte

// Bridge describes the files of bridges from monitoring to where people work.
//
//go:embed bridge.schema.json
var Bridge []byte

// Portal describes the files of portals for customers.
//
//go:embed portal.schema.json
var Portal []byte

// Topology describes the files of services and what they depend on.
//
//go:embed topology.schema.json
var Topology []byte

// Anomaly describes the files of the anomaly example.
//
//go:embed anomaly.schema.json
var Anomaly []byte

// Scenarios describes the files of scenarios for correlation rules.
//
//go:embed scenarios.schema.json
var Scenarios []byte

// Accounts describes the files of a month of costs.
//
//go:embed accounts.schema.json
var Accounts []byte

// Journeys describes the files of what users do, for probes.
//
//go:embed journeys.schema.json
var Journeys []byte

// Articles describes the files of help for customers.
//
//go:embed articles.schema.json
var Articles []byte

// Outlook describes the files of what is known of the months ahead.
//
//go:embed outlook.schema.json
var Outlook []byte

// Public describes the files of the published terms of providers.
//
//go:embed public.schema.json
var Public []byte

// OpenSLO describes the objects of OpenSLO v1, as the reader of this module takes them.
//
//go:embed openslo.schema.json
var OpenSLO []byte

// Metrics describes a row of readings.
//
//go:embed metrics.schema.json
var Metrics []byte

// kinds are the schemas by the kind of file that they describe.
func kinds() map[string][]byte {
	return map[string][]byte{
		"contract": Contract, "slo": Objectives, "team": Team, "rules": Rules, "scenarios": Scenarios, "roi": Costs, "playbooks": Playbooks,
		"portal": Portal, "bridge": Bridge, "anomaly": Anomaly, "topology": Topology, "catalogue": Catalogue, "incident": Incident, "metrics": Metrics, "accounts": Accounts,
		"journeys": Journeys, "articles": Articles, "outlook": Outlook, "public": Public, "openslo": OpenSLO,
	}
}

// Of returns the schema of a kind of file, nil where there is none.
func Of(kind string) []byte { return kinds()[kind] }

// Kinds lists the kinds of files that have a schema, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds())) }

// All returns one schema of a file of any kind, which holds all the others.
func All() ([]byte, error) {
	any := []map[string]string{}
	defs := map[string]json.RawMessage{}
	for _, kind := range Kinds() {
		var s map[string]json.RawMessage
		if err := json.Unmarshal(Of(kind), &s); err != nil {
			return nil, err
		}
		id := kind + ".schema.json"
		s["$id"] = json.RawMessage(`"` + id + `"`)
		text, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		any, defs[kind] = append(any, map[string]string{"$ref": id}), text
	}
	text, err := json.MarshalIndent(struct {
		Schema string                     `json:"$schema"`
		Title  string                     `json:"title"`
		AnyOf  []map[string]string        `json:"anyOf"`
		Defs   map[string]json.RawMessage `json:"$defs"`
	}{"https://json-schema.org/draft/2020-12/schema", "A file of any program", any, defs}, "", "  ")
	return append(text, '\n'), err
}
