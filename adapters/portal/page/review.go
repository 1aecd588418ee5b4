package page

import (
	"io"
	"slices"

	"github.com/evenkeelops/evenkeel/adapters/report"
)

// review writes the agenda of a review, prefilled with the figures, in the language of
// the page.
func (t *Tenant) review(w io.Writer, v *view, pack *report.ReviewPack) error {
	in := *pack
	in.Reports = slices.Clone(pack.Reports)
	for i := range in.Reports {
		in.Reports[i].Locale = v.Lang
	}
	d, err := in.Document()
	if err != nil {
		return err
	}
	return v.document(w, d)
}
