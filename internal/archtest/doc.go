// Package archtest holds the house rules that a compiler does not: which package
// may import which, which modules may appear where, and what an importer of a
// core package pays. It has no code of its own; the rules are its tests.
package archtest
