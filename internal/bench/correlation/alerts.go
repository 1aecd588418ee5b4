package main

import (
	"fmt"
	"time"

	"github.com/evenkeelops/evenkeel/correlation"
	"github.com/evenkeelops/evenkeel/correlation/inhibit"
)

// start is when all alerts begin. The peer reads the clock, so it is now.
var start = time.Now()

// labelsOf are the eight labels of alert i.
func labelsOf(name, severity string, i int) map[string]string {
	return map[string]string{
		"alertname": name, "severity": severity, "cluster": fmt.Sprintf("c%d", i), "namespace": fmt.Sprintf("ns%d", i%97),
		"instance": fmt.Sprintf("10.0.%d.%d:9100", i/250, i%250), "job": "node", "region": fmt.Sprintf("r%d", i%7), "team": fmt.Sprintf("t%d", i%31),
	}
}

// with changes labels and returns them.
func with(labels map[string]string, pairs ...string) map[string]string {
	for i := 0; i < len(pairs); i += 2 {
		labels[pairs[i]] = pairs[i+1]
	}
	return labels
}

// many makes n label sets.
func many(n int, labels func(i int) map[string]string) []map[string]string {
	out := make([]map[string]string, n)
	for i := range out {
		out[i] = labels(i)
	}
	return out
}

// sourcesOf are n sources of m rules.
func sourcesOf(n, m int) []map[string]string {
	return many(n, func(i int) map[string]string { return labelsOf(fmt.Sprintf("Src%d", i%m), "critical", i) })
}

// rulesOf are m rules: rule k has sources Src{k} and targets Dst{k} in the same cluster and namespace.
func rulesOf(m int) []inhibit.Rule {
	out := make([]inhibit.Rule, m)
	for k := range out {
		out[k] = inhibit.Rule{
			SourceMatchers: []string{fmt.Sprintf(`alertname="Src%d"`, k), `severity="critical"`},
			TargetMatchers: []string{fmt.Sprintf(`alertname="Dst%d"`, k), `severity="warning"`},
			Equal:          []string{"cluster", "namespace"},
		}
	}
	return out
}

// engineRulesOf are the same in the language of correlation.
func engineRulesOf(m int) []correlation.Rule {
	out := make([]correlation.Rule, m)
	for k := range out {
		out[k] = correlation.Rule{
			Name: fmt.Sprintf("r%d", k), By: []string{"cluster", "namespace"},
			Logic: fmt.Sprintf(`IF node.Src%d WHERE severity="critical" THEN suppress node.Dst%d WHERE severity="warning"`, k, k),
		}
	}
	return out
}

// eventsOf are the alerts for the engine; all labels stay.
func eventsOf(alerts []map[string]string, at time.Time) []correlation.Event {
	out := make([]correlation.Event, len(alerts))
	for i, labels := range alerts {
		out[i] = correlation.Event{Alert: "node." + labels["alertname"], Labels: labels, Status: correlation.Firing, Time: at}
	}
	return out
}

// twoSided is a rule of which every alert of job node that is critical is source and target, and n alerts in one bucket of it.
func twoSided(n int) ([]inhibit.Rule, []map[string]string) {
	rule := inhibit.Rule{SourceMatchers: []string{`severity="critical"`}, TargetMatchers: []string{`job="node"`}, Equal: []string{"region"}}
	return []inhibit.Rule{rule}, many(n, func(i int) map[string]string { return with(labelsOf("X", "critical", i), "region", "r") })
}

// hold makes an inhibitor of ours that holds alerts until an instant.
func hold(rules []inhibit.Rule, alerts []map[string]string, ends time.Time) (*inhibit.Inhibitor, error) {
	in, err := inhibit.New(rules)
	if err != nil {
		return nil, err
	}
	for _, labels := range alerts {
		if err := in.Apply(start, inhibit.Alert{Labels: labels, Ends: ends}); err != nil {
			return nil, err
		}
	}
	return in, nil
}
