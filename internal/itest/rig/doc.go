// Package rig finds, starts and stops the Debian monitoring servers for tests and recordings.
//
// Look finds the programs, Start runs one, WaitReady polls until it answers and Process.Stop ends exactly the process that
// Start began. OddPort picks the loopback ports. Nothing here looks at processes that somebody else started.
package rig
