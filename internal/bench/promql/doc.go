// Package promql has only tests: they give the rules and the dashboard of package
// promrules to the parser and the query engine of Prometheus 3.10 and compare what
// comes out with counts in whole numbers. What they need of Prometheus is far less
// than a server, so they run with every change, unlike the benchmarks beside them.
package promql
