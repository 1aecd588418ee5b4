package adapters

// Ref names something that a vendor keeps. It is opaque to everybody but the
// adapter that made it, can be stored as JSON and compared with ==.
type Ref struct {
	Provider string `json:"provider"`
	Tenant   string `json:"tenant,omitempty"`
	Type     string `json:"type,omitempty"` // the vendor's word: "incident", "Bug", "change_request"
	ID       string `json:"id"`             // what the vendor's API takes
	Number   string `json:"number,omitempty"`
	URL      string `json:"url,omitempty"` // for people; never with a credential
	// Version is what the vendor counts up with each change (an updated_at, a
	// mod_count); "" if it does not or it was not read.
	Version string `json:"version,omitempty"`
}

// IsZero reports whether nothing is named.
func (r Ref) IsZero() bool { return r == Ref{} }

// Same reports whether both name the same thing, whatever its version.
func (r Ref) Same(o Ref) bool {
	return r.Provider == o.Provider && r.Tenant == o.Tenant && r.ID == o.ID
}
