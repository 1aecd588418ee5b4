// Package schema holds the JSON Schemas of the files that the programs read, for
// their -schema flag and for editors.
package schema

import _ "embed"

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
