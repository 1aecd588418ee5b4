// Package alertmanager has only tests: they give random configuration files to
// Alertmanager 0.34.2 and to adapters/alertmanager, and compare what becomes of random
// alerts and instants: whether the file is taken at all, routes with all their
// options, groups with keys and labels, muting by time intervals and by inhibition.
// The dispatcher, the inhibitor, the stages of muting and the reader of files are
// Alertmanager's own.
package alertmanager
