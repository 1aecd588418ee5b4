package escalation

// The technology domains of a published guide to round-the-clock operations, in
// its spelling. They are names in common use and no more: a skill is any text,
// unless [Roster.Domains] restricts it.
const (
	Kubernetes  = "kubernetes"
	Databases   = "databases"
	Messaging   = "messaging"
	CloudAWS    = "cloud_aws"
	CloudAzure  = "cloud_azure"
	Networking  = "networking"
	Security    = "security"
	Application = "application"
)

// SampleDomains returns the eight technology domains of the guide, in its order.
func SampleDomains() []string {
	return []string{Kubernetes, Databases, Messaging, CloudAWS, CloudAzure, Networking, Security, Application}
}
