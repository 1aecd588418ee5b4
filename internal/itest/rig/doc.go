// Package rig finds, starts and stops Debian's monitoring servers and PostgreSQL for tests, recordings and measurements.
//
// Look finds the programs, Start runs one, WaitReady polls until it answers and Process.Stop ends exactly the process that
// Start began; StartPostgres makes a cluster of its own. OddPort picks the loopback ports. Nothing here ends processes that
// somebody else started.
package rig
