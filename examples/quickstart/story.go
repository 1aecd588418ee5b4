package main

import "time"

// item is one line of the story.
type item struct {
	At    time.Time `json:"at"`
	Stage string    `json:"stage"`
	Text  string    `json:"text"`
	Ref   string    `json:"ref"` // incident, composite or objective; "" for none
	Why   string    `json:"why"`
}

// stages in the order of the chain.
var stages = []string{"anomaly", "slo", "alert", "correlate", "incident", "page", "message", "playbook", "resolve", "postmortem", "statement", "roi"}

// totals count what happened.
type totals struct {
	Samples    int `json:"samples"`
	Webhooks   int `json:"webhooks"`
	Alerts     int `json:"alerts"`
	Anomalies  int `json:"anomalies"`
	Composites int `json:"composites"`
	Suppressed int `json:"suppressed"`
	Incidents  int `json:"incidents"`
	Pages      int `json:"pages"`
	Messages   int `json:"messages"`
}

// tell adds a line to the story.
func (m *machine) tell(stage, text, ref, why string) {
	m.mem.Story = append(m.mem.Story, item{At: m.mem.Now, Stage: stage, Text: text, Ref: ref, Why: why})
}
