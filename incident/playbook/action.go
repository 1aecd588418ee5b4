package playbook

import (
	"fmt"
	"time"
)

// ActionType says what an action is about.
type ActionType string

// The types of actions.
const (
	Diagnostic    ActionType = "diagnostic"    // looks, changes nothing
	Scaling       ActionType = "scaling"       // takes more capacity
	Remediation   ActionType = "remediation"   // changes the service
	Traffic       ActionType = "traffic"       // changes where requests go
	Decision      ActionType = "decision"      // a person decides, then something runs
	Notification  ActionType = "notify"        // tells a team
	Ticket        ActionType = "ticket"        // opens a ticket
	Paging        ActionType = "page"          // wakes somebody
	Escalation    ActionType = "escalate"      // tells the next level
	Collaboration ActionType = "collaboration" // brings people together
)

// reachesPeople reports whether the action calls for help: it neither waits for
// other actions of its stage nor stops because one of them failed.
func (t ActionType) reachesPeople() bool {
	switch t {
	case Notification, Ticket, Paging, Escalation, Collaboration:
		return true
	default:
		return false
	}
}

// changes reports whether the action changes something: [Limits] count those.
func (t ActionType) changes() bool { return t != Diagnostic && !t.reachesPeople() }

func (t ActionType) known() bool {
	switch t {
	case Diagnostic, Scaling, Remediation, Traffic, Decision, Notification, Ticket, Paging, Escalation, Collaboration:
		return true
	}
	return false
}

// Risk is how much harm an action can do.
type Risk string

// The risk levels.
const (
	NoRisk     Risk = "none"
	LowRisk    Risk = "low"
	MediumRisk Risk = "medium"
	HighRisk   Risk = "high"
)

// ApprovalMode says when a person has to agree to an action.
type ApprovalMode string

// The modes.
const (
	ApproveByRisk ApprovalMode = "by_risk" // when a safety check says so
	ApproveAlways ApprovalMode = "always"
	ApproveNever  ApprovalMode = "never" // calls for help; safety checks still apply
)

// ActionSpec is what the engine has to know of an action.
type ActionSpec struct {
	Type           ActionType    `json:"type"`
	Risk           Risk          `json:"risk_level"`
	AffectsTraffic bool          `json:"affects_traffic_routing"`
	Idempotent     bool          `json:"idempotent"` // doing it twice is doing it once
	Timeout        time.Duration `json:"timeout_ns"` // of one attempt; defaults to 1 minute for diagnostics, else 5
	Approval       ApprovalMode  `json:"approval"`   // defaults to ApproveByRisk
	// Operation is what is to be run if it is not the action's name.
	Operation string `json:"operation,omitempty"`
	// Conditions hold for every use of the action, beside those of the playbook.
	Conditions []string `json:"conditions,omitempty"`
	// Compensation is the action that takes this one back; see [Undo]. It is
	// registered like any other and gets the parameters and the result of what it
	// takes back.
	Compensation string `json:"compensation,omitempty"`
	// Approvers and Quorum, where set, count instead of those of the [Config].
	Approvers []string `json:"approvers,omitempty"`
	Quorum    int      `json:"quorum,omitempty"`
	Undo      string   `json:"undo,omitempty"` // how to take it back, for people
	Note      string   `json:"note,omitempty"`
}

// normalized fills in the defaults; want says what is wrong.
func (s ActionSpec) normalized(name string) (_ ActionSpec, want string) {
	switch s.Risk {
	case NoRisk, LowRisk, MediumRisk, HighRisk:
	default:
		return s, fmt.Sprintf("a risk level none, low, medium or high, not %q", s.Risk)
	}
	switch s.Approval {
	case "":
		s.Approval = ApproveByRisk
	case ApproveByRisk, ApproveAlways, ApproveNever:
	default:
		return s, fmt.Sprintf("an approval by_risk, always or never, not %q", s.Approval)
	}
	switch {
	case !s.Type.known():
		return s, fmt.Sprintf("a known type of action, not %q", s.Type)
	case s.Timeout < 0:
		return s, "a timeout of 0 or more"
	case s.Quorum < 0:
		return s, "a quorum of 0 or more"
	case s.Timeout == 0 && s.Type == Diagnostic:
		s.Timeout = time.Minute
	case s.Timeout == 0:
		s.Timeout = 5 * time.Minute
	}
	if s.Operation == "" {
		s.Operation = name
	}
	return s, ""
}

// DefaultActions returns the properties of the 26 actions of the default
// playbooks, and of the five that take some of them back. They are ours: the
// operations guide names the actions, and its safety checks read the properties,
// but it gives none.
func DefaultActions() map[string]ActionSpec {
	diagnostic := ActionSpec{Type: Diagnostic, Risk: NoRisk, Idempotent: true, Timeout: time.Minute, Approval: ApproveByRisk}
	quick := diagnostic
	quick.Timeout = 30 * time.Second
	call := func(t ActionType) ActionSpec {
		return ActionSpec{Type: t, Risk: NoRisk, Idempotent: true, Timeout: time.Minute, Approval: ApproveNever}
	}
	ticket := call(Ticket)
	ticket.Note = "the correlation id of the ticket makes it idempotent"
	warRoom := call(Collaboration)
	warRoom.Operation, warRoom.Conditions = "start_war_room", []string{"current_time in business_hours"}
	warRoom.Note = "the name holds a condition; it is start_war_room with that condition"
	samples := diagnostic
	samples.Note = "error samples may hold personal data: redact before storing"
	restore := func(t ActionType, traffic bool) ActionSpec {
		return ActionSpec{
			Type: t, Risk: MediumRisk, AffectsTraffic: traffic, Idempotent: true, Timeout: 5 * time.Minute, Approval: ApproveByRisk,
			Note: "takes another action back, to the state that its result names",
		}
	}
	return map[string]ActionSpec{
		"capture_performance_snapshot":     quick,
		"identify_top_processes":           diagnostic,
		"check_auto_scaling_status":        quick,
		"capture_connection_pool_status":   diagnostic,
		"identify_long_running_queries":    diagnostic,
		"check_connection_leak_patterns":   diagnostic,
		"capture_error_samples":            samples,
		"analyze_error_patterns":           diagnostic,
		"check_dependency_health":          diagnostic,
		"alert_operations_team":            call(Notification),
		"alert_database_team":              call(Notification),
		"alert_development_team":           call(Notification),
		"create_incident_ticket":           ticket,
		"page_senior_engineer":             call(Paging),
		"page_database_administrator":      call(Paging),
		"page_application_owner":           call(Paging),
		"escalate_to_engineering_manager":  call(Escalation),
		"start_war_room_if_business_hours": warRoom,
		"trigger_horizontal_scaling": {
			Type: Scaling, Risk: MediumRisk, Timeout: 5 * time.Minute, Approval: ApproveByRisk,
			Compensation: "restore_instance_count", Undo: "go back to the count that was recorded before", Note: "idempotent only with an absolute target count",
		},
		"increase_connection_pool_size": {
			Type: Scaling, Risk: MediumRisk, Timeout: 5 * time.Minute, Approval: ApproveByRisk,
			Compensation: "restore_connection_pool_size", Undo: "set the pool size that was recorded before",
		},
		"kill_idle_connections": {
			Type: Remediation, Risk: MediumRisk, Idempotent: true, Timeout: 2 * time.Minute, Approval: ApproveByRisk,
		},
		"enable_connection_throttling": {
			Type: Remediation, Risk: HighRisk, Idempotent: true, Timeout: 2 * time.Minute, Approval: ApproveByRisk,
			Compensation: "disable_connection_throttling", Undo: "switch the throttling off",
		},
		"prepare_read_replica_failover": {
			Type: Remediation, Risk: MediumRisk, Idempotent: true, Timeout: 5 * time.Minute, Approval: ApproveByRisk,
			Note: "only prepares; failing over is another action, of high risk",
		},
		"enable_circuit_breaker": {
			Type: Traffic, Risk: MediumRisk, AffectsTraffic: true, Idempotent: true, Timeout: time.Minute, Approval: ApproveByRisk,
			Compensation: "disable_circuit_breaker", Undo: "close the breaker again",
		},
		"route_traffic_to_healthy_instances": {
			Type: Traffic, Risk: HighRisk, AffectsTraffic: true, Idempotent: true, Timeout: 2 * time.Minute, Approval: ApproveByRisk,
			Compensation: "restore_traffic_routing", Undo: "put the recorded routing back",
		},
		"consider_rollback": {
			Type: Decision, Risk: HighRisk, AffectsTraffic: true, Timeout: 15 * time.Minute, Approval: ApproveAlways,
			Operation: "rollback", Note: "to consider is for a person; the rollback runs on their yes",
		},
		"restore_instance_count":        restore(Remediation, false),
		"restore_connection_pool_size":  restore(Remediation, false),
		"disable_connection_throttling": restore(Remediation, false),
		"disable_circuit_breaker":       restore(Remediation, false),
		"restore_traffic_routing":       restore(Traffic, true),
	}
}
