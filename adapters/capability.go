package adapters

import "slices"

// Capability names something that an instance can do.
type Capability string

// The capabilities, one for each ability of this package and some that have no
// interface because only one vendor has them.
const (
	CanOpen        Capability = "open"
	CanFind        Capability = "find"
	CanRead        Capability = "read"
	CanUpdate      Capability = "update"
	CanAcknowledge Capability = "acknowledge"
	CanResolve     Capability = "resolve"
	CanReopen      Capability = "reopen"
	CanHold        Capability = "hold"
	CanNote        Capability = "note"
	CanReadNotes   Capability = "read_notes"
	CanAttach      Capability = "attach"
	CanAssign      Capability = "assign"
	CanEscalate    Capability = "escalate"
	CanMerge       Capability = "merge"
	CanLink        Capability = "link"
	CanPublish     Capability = "publish"
	CanOnCall      Capability = "on_call"
	CanReadClocks  Capability = "read_clocks"
	CanTopology    Capability = "topology"
	CanExport      Capability = "export"
	CanWatch       Capability = "watch"
	CanWebhook     Capability = "webhook"
)

// Capabilities are what an instance can do, sorted.
type Capabilities []Capability

// Has reports whether all of them are there.
func (c Capabilities) Has(wanted ...Capability) bool {
	for _, w := range wanted {
		if !slices.Contains(c, w) {
			return false
		}
	}
	return true
}

// Capable is implemented by every adapter. What is not listed fails with
// [Unsupported], before anything is sent.
type Capable interface {
	Provider() string
	Capabilities() Capabilities
}
