package anomaly

import (
	"fmt"
	"slices"
	"strings"
)

// Advice is a line of an advice table: what to do when a feature whose name
// contains one of the words deviates to a side.
type Advice struct {
	// Words are compared in lower case with the words of a name, which end at
	// punctuation and where the case changes: "error" fits http_error_rate and
	// httpErrorRate, not terror_level.
	Words []string `json:"words"`
	// Side is High, Low, or Both for either.
	Side Side   `json:"side"`
	Text string `json:"text"`
}

const (
	adviceNormal     = "System operating within normal parameters"
	adviceMinor      = "Minor anomaly detected - monitor closely"
	adviceUnknown    = "Investigate unusual system behavior"
	adviceCPU        = "Check for resource-intensive processes"
	adviceMemory     = "Investigate memory leaks or high allocation"
	adviceLatency    = "Analyze database queries and external dependencies"
	adviceError      = "Review application logs for error patterns"
	adviceThroughput = "Check for traffic spikes or capacity limits"
	adviceNoData     = "No measurement arrived: check collection and network"
)

// DefaultAdvice returns the table used when [Options.Advice] is nil.
func DefaultAdvice() []Advice {
	return []Advice{
		{[]string{"cpu"}, High, adviceCPU},
		{[]string{"memory", "mem"}, High, adviceMemory},
		{[]string{"latency", "latencies", "response", "duration"}, High, adviceLatency},
		{[]string{"error", "errors", "failure", "failures"}, High, adviceError},
		{[]string{"throughput", "rps", "qps", "requests"}, High, adviceThroughput},
		{[]string{"throughput", "rps", "qps", "requests"}, Low, "Look upstream: traffic is lost, or its producer has stopped"},
		{[]string{"cpu", "memory", "mem"}, Low, "Check that work still arrives and that the processes are alive"},
		{[]string{"latency", "latencies", "response", "duration", "error", "errors", "failure", "failures"}, Low, "Lower than usual: for information, unless requests fail early"},
	}
}

// adviceFor returns the texts for a feature that deviates to side.
func adviceFor(table []Advice, f *Feature, side Side) []string {
	switch {
	case side == High && f.AdviceHigh != "":
		return []string{f.AdviceHigh}
	case side == Low && f.AdviceLow != "":
		return []string{f.AdviceLow}
	}
	var texts []string
	words := splitWords(f.Name)
	for _, a := range table {
		if a.Side != Both && a.Side != side {
			continue
		}
		if slices.ContainsFunc(a.Words, func(w string) bool { return slices.Contains(words, strings.ToLower(w)) }) {
			texts = append(texts, a.Text)
		}
	}
	return texts
}

// appendNew appends the texts that dst does not hold yet.
func appendNew(dst []string, texts ...string) []string {
	for _, text := range texts {
		if !slices.Contains(dst, text) {
			dst = append(dst, text)
		}
	}
	return dst
}

// advice tells of the limits and where to look.
func (v Violation) advice() string {
	limits := "within its limits"
	switch {
	case v.Min != nil && v.Max != nil:
		limits = fmt.Sprintf("from %v to %v", *v.Min, *v.Max)
	case v.Min != nil:
		limits = fmt.Sprintf("at least %v", *v.Min)
	case v.Max != nil:
		limits = fmt.Sprintf("at most %v", *v.Max)
	}
	return fmt.Sprintf("%s reads %v, possible is %s: check its source", v.Feature, v.Value, limits)
}
