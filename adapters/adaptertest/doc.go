// Package adaptertest has what tests of adapters need: stateful fakes of the
// vendors, which are wrong in the ways of the vendors, scripts of faults, and
// conformance suites that adapters of others run too: [Tickets] of the abilities of
// package adapters, [Ledger], and [Seen] of package ingest.
package adaptertest
