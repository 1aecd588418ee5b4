package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Who has no mouse comes to the skip link first and then through the page in its
// order; at twice the size nothing is out of sight, and with the colours of the
// system nothing is lost.
func TestKeyboard(t *testing.T) {
	server, _ := site(t)
	ctx := tab(t)
	look(ctx, t, views[0], at(server, "portal/t/harbour/index.html"))
	if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
		t.Fatal(err)
	}
	if got := value[string](ctx, t, "document.activeElement.getAttribute('href')"); got != "#main" {
		t.Errorf("the first stop is %q, want the skip link", got)
	}
	if n := value[int](ctx, t, "document.querySelectorAll('[tabindex]:not([tabindex=\"0\"]):not([tabindex=\"-1\"])').length"); n != 0 {
		t.Errorf("%d elements out of order", n)
	}
	if n := value[int](ctx, t, "document.querySelectorAll('h1').length"); n != 1 {
		t.Errorf("%d headings of the page, want 1", n)
	}

	if err := chromedp.Do(ctx, chromedp.EmulateViewport(640, 422)); err != nil { // 1280 at 200 %
		t.Fatal(err)
	}
	over(ctx, t, "at 200 %")

	forced := axe(t)
	media(ctx, t, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}})
	value[any](ctx, t, forced+";0")
	for _, f := range violations(ctx, t) {
		t.Errorf("forced colours: %s: %s", f.ID, f.Help)
	}
}
