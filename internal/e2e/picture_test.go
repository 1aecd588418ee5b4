package e2e

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// The pictures of the README are of today's portal: they are taken here when
// EVENKEEL_PICTURES is set, and otherwise compared in size with a view of it.
func TestPictures(t *testing.T) {
	const dir = "../../examples/portal/pictures"
	server, _ := site(t)
	ctx := tab(t)
	look(ctx, t, views[0], at(server, "portal/t/harbour/slo.html"))
	if status := value[bool](ctx, t, "document.querySelector('main h1') !== null"); !status {
		t.Fatal("no page of the portal")
	}
	for _, v := range []view{{"light", 1280}, {"dark", 1280}} {
		show(ctx, t, v)
		taken, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "service-levels-"+v.scheme+".png")
		if os.Getenv("EVENKEEL_PICTURES") != "" {
			if err := os.WriteFile(file, taken, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := png.DecodeConfig(bytes.NewReader(taken))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := png.DecodeConfig(bytes.NewReader(kept)); err != nil || got.Width != want.Width || got.Height != want.Height {
			t.Errorf("%s is %d by %d, %v; the page is %d by %d now: EVENKEEL_PICTURES=1 takes it anew", file, got.Width, got.Height, err, want.Width, want.Height)
		}
	}
}
