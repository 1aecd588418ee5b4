// Package recompute holds the numbers of service reports against a script in another
// language that computes them from the same files.
package recompute
