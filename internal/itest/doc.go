// Package itest holds the tests that need real servers, and the program that records the sample night of
// examples/quickstart. It is a module of its own, never tagged, so that nothing it needs reaches an importer of the library.
//
// The servers are those of Debian 12 (packages prometheus, prometheus-alertmanager, prometheus-node-exporter, postgresql-15 and
// python3-aiosmtpd). They run on the loopback interface, on free odd ports, and only processes that a test or the recorder
// started are ever stopped.
package itest
