package playbook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/evenkeelops/evenkeel/internal/threshold"
)

// Book holds playbooks and the rules of their execution, in the key structure
// of the operations guide. The JSON of the guide's blocks, and YAML turned into
// JSON, decode into it.
type Book struct {
	About     string                `json:"about,omitempty"`
	Playbooks map[string]Definition `json:"incident_automation"`
	Response  Response              `json:"response_engine,omitzero"`
	// Delays are those of the stages after the first. Default to 2 and 10
	// minutes after the trigger.
	Delays *LevelDelays `json:"level_delays,omitempty"`
	// Defaults is a remark of the file about choices that are not the guide's.
	Defaults json.RawMessage `json:"our_defaults,omitempty"`
}

// Definition is one playbook.
type Definition struct {
	Trigger Trigger `json:"trigger"`
	Actions Stages  `json:"automated_actions"`
	// UndoOnFailure takes back what the run has done, as [Undo] does, when an action
	// that changes something has failed for good: not when it was skipped, blocked or
	// not approved, nor while its outcome is unknown. From then on the run does
	// nothing but call for help. Defaults to false: a person decides.
	UndoOnFailure bool `json:"undo_on_failure,omitempty"`
}

// Trigger says when a playbook begins.
type Trigger struct {
	Condition   string `json:"condition"`
	ServiceType string `json:"service_type"` // of the services that it is for
}

// Stages are the actions in the order of their time.
type Stages struct {
	Immediate []Call `json:"immediate,omitempty"`
	Level1    []Call `json:"level_1,omitempty"`
	Level2    []Call `json:"level_2,omitempty"`
}

// Call is the use of an action in a playbook.
type Call struct {
	Action     string          `json:"action"`
	Conditions []string        `json:"conditions,omitempty"` // all must hold
	Timeout    string          `json:"timeout,omitempty"`    // of one attempt; defaults to that of the action
	Severity   string          `json:"severity,omitempty"`   // passed on
	Parameters json.RawMessage `json:"parameters,omitempty"` // passed on, an object
}

// Response is how actions are carried out.
type Response struct {
	Framework string        `json:"execution_framework,omitempty"` // "event_driven"
	Retry     RetryPolicy   `json:"retry_policy,omitzero"`
	Safety    []SafetyCheck `json:"safety_checks,omitempty"`
}

// LevelDelays are the delays of the later stages, as durations in words.
type LevelDelays struct {
	StatedFor      string          `json:"stated_for,omitempty"`
	Level1         string          `json:"level_1,omitempty"`
	Level2         string          `json:"level_2,omitempty"`
	StillTriggered *bool           `json:"still_triggered,omitempty"` // only true is supported
	Others         json.RawMessage `json:"default_for_the_other_two,omitempty"`
}

// ParseBook reads a book from JSON. Unknown keys are errors.
func ParseBook(data []byte) (Book, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var b Book
	if err := dec.Decode(&b); err != nil {
		return Book{}, fmt.Errorf("parse playbooks: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Book{}, fmt.Errorf("parse playbooks: text after the JSON value at byte %d", dec.InputOffset())
	}
	return b, nil
}

// DefaultBook returns the three playbooks of the operations guide with its
// retry policy and safety checks.
func DefaultBook() Book {
	return Book{
		Playbooks: map[string]Definition{
			"high_cpu_utilization": {
				Trigger: Trigger{Condition: "cpu_utilization > 85% for 5 minutes", ServiceType: "compute"},
				Actions: Stages{
					Immediate: []Call{
						{Action: "capture_performance_snapshot", Timeout: "30 seconds"},
						{Action: "identify_top_processes", Timeout: "60 seconds"},
						{Action: "check_auto_scaling_status", Timeout: "30 seconds"},
					},
					Level1: []Call{
						{Action: "trigger_horizontal_scaling", Conditions: []string{"auto_scaling_enabled", "load_balancer_healthy"}, Timeout: "5 minutes"},
						{Action: "alert_operations_team", Severity: "warning"},
					},
					Level2: []Call{
						{Action: "create_incident_ticket", Severity: "high"},
						{Action: "page_senior_engineer"},
						{Action: "start_war_room_if_business_hours"},
					},
				},
			},
			"database_connection_exhaustion": {
				Trigger: Trigger{Condition: "db_connections > 90% of pool for 3 minutes", ServiceType: "database"},
				Actions: Stages{
					Immediate: []Call{
						{Action: "capture_connection_pool_status"},
						{Action: "identify_long_running_queries"},
						{Action: "check_connection_leak_patterns"},
					},
					Level1: []Call{
						{Action: "kill_idle_connections", Conditions: []string{"idle_connections > 20"}},
						{Action: "increase_connection_pool_size", Conditions: []string{"auto_scaling_enabled", "memory_available"}},
						{Action: "alert_database_team"},
					},
					Level2: []Call{
						{Action: "enable_connection_throttling"},
						{Action: "page_database_administrator"},
						{Action: "prepare_read_replica_failover"},
					},
				},
			},
			"application_error_spike": {
				Trigger: Trigger{Condition: "error_rate > 5% for 2 minutes", ServiceType: "application"},
				Actions: Stages{
					Immediate: []Call{
						{Action: "capture_error_samples", Parameters: json.RawMessage(`{"count":50,"include_stack_traces":true}`)},
						{Action: "analyze_error_patterns"},
						{Action: "check_dependency_health"},
					},
					Level1: []Call{
						{Action: "enable_circuit_breaker", Conditions: []string{"circuit_breaker_available"}},
						{Action: "route_traffic_to_healthy_instances", Conditions: []string{"load_balancer_healthy", "healthy_instances > 1"}},
						{Action: "alert_development_team"},
					},
					Level2: []Call{
						{Action: "consider_rollback", Conditions: []string{"recent_deployment < 2 hours"}},
						{Action: "page_application_owner"},
						{Action: "escalate_to_engineering_manager"},
					},
				},
			},
		},
		Response: Response{
			Framework: "event_driven",
			Retry:     DefaultRetry(),
			Safety:    DefaultSafety(),
		},
	}
}

// The stages by name, with their default delays.
var stageNames = [...]string{"immediate", "level_1", "level_2"}

// delays returns the delay of each stage after the trigger.
func (b Book) delays(bad func(path, value, want string)) [3]time.Duration {
	out := [3]time.Duration{0, 2 * time.Minute, 10 * time.Minute}
	if b.Delays == nil {
		return out
	}
	for i, text := range [...]string{"", b.Delays.Level1, b.Delays.Level2} {
		if text == "" {
			continue
		}
		d, err := threshold.ParseDuration(text)
		if err != nil {
			bad("level_delays."+stageNames[i], text, err.Error())
			continue
		}
		out[i] = d
	}
	if out[1] > out[2] {
		bad("level_delays.level_2", b.Delays.Level2, "at least the delay of level_1, "+threshold.FormatDuration(out[1]))
	}
	if b.Delays.StillTriggered != nil && !*b.Delays.StillTriggered {
		bad("level_delays.still_triggered", "false", "true: later stages run only while the trigger holds")
	}
	return out
}
