// Package config reads the YAML files of contracts, frameworks and public terms of
// providers, teams, objectives, alert rules, playbooks, service catalogues and cost
// models into the values of the core packages.
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
// [ParseContract], [ParseTeam], [ParseObjectives], [ParseRules], [ParsePlaybooks], [ParseContinuity] and [ParseCosts]
// read the files of the programs and check them as the core packages do; [Parse] reads any
// struct by its yaml or json tags and the same rules, also a whole sla.Contract,
// which can say more than the file of the programs. What a reader accepts it hands
// on; a key that this version cannot honour is an error. [ParseObjectives] reads files of
// OpenSLO as well.
//
// [ParseFramework] reads what a provider promises all its customers, in phrases such
// as "< 2 hours", "€500 per incident" and "€15K-25K/month", and [ParseContract] reads
// the same blocks beside its own keys. There a key counts more than a block, and
// a block more than the reference contract of the tier. In a block null is an
// error.
//
// [ParseTeam] reads an organisation: people, centres, schedules, policies, support
// lines and whom to tell. It takes blocks of the same guide as they stand as well,
// with zones such as "CET/CEST", and maps each problem that package escalation finds to
// its place.
//
// [ParseJourneys] reads what package probe does as users do.
//
// [ParseAccounts] reads a month of showback and chargeback, and closes it. [ParsePortal] and
// [ParseBridge] read what the programs portal and bridge serve and connect.
//
// [ParsePublicSLAs] reads published terms as facts, each with its source and a grade;
// [PublicSLA.Claims] judges a customer's own outage log by them.
//
// Nothing here is kept between calls, so all of it may be used concurrently; a
// [Document] belongs to one goroutine at a time.
package config
