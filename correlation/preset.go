package correlation

// Layer is one level of monitoring with the thresholds that belong to it. Its
// name is the layer of the alerts that they raise.
type Layer struct {
	Name       string           `json:"name"`
	Level      string           `json:"level,omitempty"` // for people
	Scope      string           `json:"scope,omitempty"` // for people
	Thresholds []LayerThreshold `json:"thresholds"`
}

// LayerThreshold is a condition on a metric and the alerts that it raises.
type LayerThreshold struct {
	Metric    string   `json:"metric"`
	Condition string   `json:"condition"`         // such as "> 80% for 5 minutes"
	Clear     string   `json:"clear,omitempty"`   // what ends a firing one, such as "< 70%"; defaults to the first sample that is not in Condition
	Signals   []string `json:"signals,omitempty"` // names of the alerts within the layer; defaults to the metric itself
}

// Layers returns four layers of monitoring, from the machines up to the
// business, with usual thresholds. Signals have the names that [StarterRules]
// use; nothing here raises platform.db_slow and platform.database_down, which
// come from probes or exporters.
func Layers() []Layer {
	return []Layer{
		{Name: "infrastructure", Level: "Layer 1 - Infrastructure", Scope: "hardware, virtual machines, containers, network", Thresholds: []LayerThreshold{
			{Metric: "cpu_utilization", Condition: "> 80% for 5 minutes", Signals: []string{"cpu_high"}},
			{Metric: "memory_usage", Condition: "> 85% for 3 minutes", Signals: []string{"memory_high"}},
			{Metric: "disk_space", Condition: "> 90% used"},
			{Metric: "network_packet_loss", Condition: "> 0.1% for 2 minutes", Signals: []string{"network_issues"}},
		}},
		{Name: "platform", Level: "Layer 2 - Platform Services", Scope: "databases, message queues, load balancers", Thresholds: []LayerThreshold{
			{Metric: "db_connections", Condition: "> 80% of max pool"},
			{Metric: "queue_depth", Condition: "> 1000 messages for 5 minutes"},
			{Metric: "cache_hit_rate", Condition: "< 90% for 10 minutes"},
		}},
		{Name: "application", Level: "Layer 3 - Application Performance", Scope: "business logic, user experience, transactions", Thresholds: []LayerThreshold{
			{Metric: "response_time_p95", Condition: "> 500ms for 3 minutes", Signals: []string{"slow_response", "high_latency"}},
			{Metric: "error_rate", Condition: "> 1% for 2 minutes"},
			{Metric: "transaction_success", Condition: "< 99% for 5 minutes"},
		}},
		{Name: "business", Level: "Layer 4 - Business Impact", Scope: "revenue, satisfaction, key figures", Thresholds: []LayerThreshold{
			{Metric: "revenue_drop", Condition: "> 20% deviation from baseline"},
			{Metric: "active_users", Condition: "> 15% drop from normal levels"},
			{Metric: "conversion_rate", Condition: "> 10% drop from baseline"},
		}},
	}
}

// StarterRules returns three rules to start from: exhausted machines that slow
// down a database and the applications on it, the failure of a database, and
// trouble of one region. As they stand they join all alerts of a tenant; set By,
// or use a variable as in the package comment, where a tenant has more than one
// of these.
func StarterRules() []Rule {
	return []Rule{
		{
			Name: "infrastructure_cascade", Description: "one item instead of a storm when machines run out of CPU and memory",
			Logic: `IF infrastructure.cpu_high AND infrastructure.memory_high AND platform.db_slow
THEN suppress platform.db_slow AND application.slow_response
CREATE composite_alert: "Infrastructure Resource Exhaustion"`,
		},
		{
			Name: "dependency_failure", Description: "hide what fails because the database it depends on is down",
			Logic: `IF platform.database_down
THEN suppress application.* WHERE depends_on="database"
CREATE composite_alert: "Database Service Impact"`,
		},
		{
			Name: "geographic_correlation", Description: "one item for the network and latency trouble of one region",
			Logic: `IF application.high_latency WHERE region="us-east" AND infrastructure.network_issues WHERE region="us-east"
THEN CREATE composite_alert: "US-East Region Performance Issue"`,
		},
	}
}
