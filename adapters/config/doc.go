// Package config reads the YAML files of contracts, teams, objectives, alert
// rules, playbooks and cost models into the values of the core packages.
//
// Reading is strict: an unknown or repeated key, a wrong type, a missing
// required key, a second document or an empty file is an error. All problems of
// a file come back at once as [Errors], each with file, line, column, path, what
// was found and what is wanted, and a suggestion where one is near:
//
//	contract.yaml:4:11: timezone: unknown zone "Europe/Amsterdm" (did you mean "Europe/Amsterdam"?)
//
// Decimal values (percentages, money, targets) are read from their text, never
// through a float. null counts as missing. JSON is YAML, so JSON files load too.
//
// [Contract], [Team], [Objectives], [Rules], [Playbooks] and [Costs] read the
// files of the programs; [Read] reads any struct with yaml tags by the same
// rules.
package config
