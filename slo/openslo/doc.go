// Package openslo reads and writes service level objectives as OpenSLO files.
//
// [Parse] takes a file of one or more documents of OpenSLO v1, or of v1alpha and
// v2alpha, resolves references between them and returns a [File] with the
// objectives: values of package slo, with the indicator, alert policies and
// weights beside them. [Objective.Events] gives the PromQL queries in the form that
// package promrules makes rules of:
//
//	file, err := openslo.Parse("slo.yaml", data)
//	if err != nil {
//		return err // all errors, with line and column
//	}
//	for _, f := range file.Findings {
//		fmt.Println(f) // how what OpenSLO leaves open was read
//	}
//	for _, o := range file.Objectives {
//		status, err := slo.Evaluate(o.Target, evidence)
//		…
//	}
//
// [Append] writes objectives as OpenSLO v1, [File.AppendYAML] a file with all that
// was in it.
//
// Targets and thresholds are read from their text and never become floats. A
// month, a quarter or a year is what the calendar says and never 30, 90 or 365
// days, so a rolling window of them is an error.
//
// # Limits
//
// Nothing is fetched and nothing is asked: references lead to objects of the files
// that are parsed together; data sources and notification targets may be elsewhere. Metrics of sources other than Prometheus are
// handed on as they are. Files of v1alpha and v2alpha are written as v1.
//
// The specification is github.com/OpenSLO/OpenSLO, version 1 as of September
// 2025.
package openslo
