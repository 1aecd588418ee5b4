package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe returns the script of axe-core, or skips the test.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("AXE_JS")
	if path == "" {
		t.Skip("no axe-core: npm pack axe-core@4.14.1, unpack it, and set AXE_JS to package/axe.min.js")
	}
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// violation is a rule of axe-core that a page breaks.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML string `json:"html"`
	} `json:"nodes"`
}

// violations runs axe-core, which is in the page that the tab shows already.
func violations(ctx context.Context, t *testing.T) []violation {
	t.Helper()
	text := value[string](ctx, t, "axe.run(document,{resultTypes:['violations']}).then(r=>JSON.stringify(r.violations))", chromedp.EvalAwaitPromise)
	var found []violation
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// Every page, light and dark, wide and narrow: nothing that axe-core finds, nothing
// wider than the screen, on paper neither.
func TestAccessibility(t *testing.T) {
	script := axe(t)
	server, names := site(t)
	shots := os.Getenv("EVENKEEL_SHOTS")
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, ".html"), func(t *testing.T) {
			ctx := tab(t)
			look(ctx, t, views[0], at(server, name))
			value[any](ctx, t, script+";0")
			for _, v := range views {
				show(ctx, t, v)
				for _, f := range violations(ctx, t) {
					t.Errorf("%v: %s: %s: %d times, such as %s", v, f.ID, f.Help, len(f.Nodes), f.Nodes[0].HTML)
				}
				over(ctx, t, fmt.Sprint(v))
				if shots != "" {
					keep(ctx, t, filepath.Join(shots, fmt.Sprintf("%s-%s-%d.png", strings.NewReplacer("/", "-", ".html", "").Replace(name), v.scheme, v.width)))
				}
			}
			media(ctx, t, emulation.SetEmulatedMediaParams{Media: "print"})
			over(ctx, t, "on paper")
		})
	}
}

// over reports a page that is wider than the screen.
func over(ctx context.Context, t *testing.T, where string) {
	t.Helper()
	if wider := value[float64](ctx, t, "document.documentElement.scrollWidth-window.innerWidth"); wider > 0 {
		widest := value[string](ctx, t, `[...document.querySelectorAll('body *')].filter(e=>e.getBoundingClientRect().right>innerWidth+1).slice(0,3).map(e=>e.outerHTML.slice(0,120)).join(' | ')`)
		t.Errorf("%s: %v px wider than the screen: %s", where, wider, widest)
	}
}

func keep(ctx context.Context, t *testing.T, file string) {
	t.Helper()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

// axe-core finds what is wrong with a page that is.
func TestAxeFinds(t *testing.T) {
	ctx, script := tab(t), axe(t)
	look(ctx, t, views[0], `data:text/html,<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"><p style="color:%23ccc;background:%23fff">pale</p></main>`)
	value[any](ctx, t, script+";0")
	var got []string
	for _, f := range violations(ctx, t) {
		got = append(got, f.ID)
	}
	slices.Sort(got)
	if want := []string{"color-contrast", "image-alt"}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}
