package page_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"testing"

	"github.com/evenkeelops/evenkeel/adapters/portal/page"
)

// BenchmarkWrite renders the heavy pages of a year of a customer.
func BenchmarkWrite(b *testing.B) {
	for _, services := range []int{20, 200, 2000} {
		t := sample(b, services)
		for _, name := range []page.Name{page.Status, page.SLO, page.Incidents, page.Credits} {
			b.Run(fmt.Sprintf("%s/services=%d", name, services), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := t.Write(io.Discard, name, page.Options{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// A year of twenty services fits into 25 kB on the way, every page of it.
func TestWeight(t *testing.T) {
	const most = 25 << 10
	tenant := sample(t, 20)
	for _, name := range tenant.Pages(page.Options{}) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if err := tenant.Write(z, name, page.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if b.Len() > most {
			t.Errorf("page %s has %d bytes, want at most %d", name, b.Len(), most)
		}
		t.Logf("%s: %d bytes", name, b.Len())
	}
}
