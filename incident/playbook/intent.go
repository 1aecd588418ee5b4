package playbook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Intent is something that has to be done outside.
type Intent struct {
	Kind IntentKind `json:"kind"`
	// Key is the idempotency key of the effect: the same for all attempts of an
	// action.
	Key      string `json:"key"`
	Tenant   string `json:"tenant,omitempty"`
	Run      string `json:"run"`
	Playbook string `json:"playbook"`
	Service  string `json:"service"`
	Step     string `json:"step"` // to be named in the events about it
	Stage    string `json:"stage"`
	Action   string `json:"action"`

	Operation  string          `json:"operation,omitempty"` // Do: what to run
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Severity   string          `json:"severity,omitempty"`
	Undoes     string          `json:"undoes,omitempty"`  // key of the step that it takes back
	Result     string          `json:"result,omitempty"`  // what that step reported
	Attempt    int             `json:"attempt,omitempty"` // Do
	Changes    bool            `json:"changes,omitempty"` // Do: it counts for the [Limits]
	Hash       string          `json:"hash,omitempty"`    // Ask: what is approved
	At         time.Time       `json:"at"`
	Deadline   time.Time       `json:"deadline,omitzero"` // of the attempt or the approval
	Why        string          `json:"why"`
}

// IntentKind says what has to be done.
type IntentKind string

// The kinds of intents.
const (
	Do   IntentKind = "do"   // carry the operation out and report
	Ask  IntentKind = "ask"  // ask for an approval
	Tell IntentKind = "tell" // page a person: it needs a look
)

// hashOf identifies what an approval is about.
func hashOf(c Call, spec ActionSpec) string {
	data, err := json.Marshal(struct {
		Call
		Operation string `json:"operation"`
	}{c, spec.Operation})
	if err != nil {
		return "" // a bad parameter, which is reported by its path
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (e *Engine) intent(kind IntentKind, r *Run, step *Step, c *call, at time.Time, why string) Intent {
	return Intent{
		Kind: kind, Key: step.Key, Tenant: e.config.Tenant, Run: r.ID, Playbook: r.Playbook, Service: r.Service,
		Step: step.Key, Stage: step.Stage, Action: step.Action, Parameters: c.Parameters, Severity: c.Severity, At: at, Why: why,
		Undoes: step.Undoes, Result: resultOf(r, step.Undoes),
	}
}

// resultOf returns what a step reported.
func resultOf(r *Run, key string) string {
	for _, s := range r.Steps {
		if key != "" && s.Key == key {
			return s.Result
		}
	}
	return ""
}
