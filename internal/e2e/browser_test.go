package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browser is the one browser of all tests, nil where there is none.
var browser context.Context

// folder is where all tests together put files; it is removed at their end.
var folder string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "e2e"); err != nil {
		panic(err)
	}
	defer remove(folder)
	binary := find()
	if binary == "" {
		return m.Run()
	}
	var stop func()
	if browser, stop, err = start(binary, filepath.Join(folder, "profile")); err != nil {
		panic(err)
	}
	defer stop()
	return m.Run()
}

// start starts a browser with a profile folder. The first call to it owns it, so it
// has no limit of time.
func start(binary, dir string) (ctx context.Context, stop func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(binary), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(dir))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(allocator)
	return ctx, func() { leave(); end() }, chromedp.Do(ctx, chromedp.Navigate("about:blank"))
}

// find returns the browser's program, "" for none.
func find() string {
	for _, name := range []string{os.Getenv("CHROME_BIN"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// remove takes the profile away, into which the browser still writes while it ends.
func remove(dir string) {
	for range 50 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// view is how a page is looked at.
type view struct {
	scheme string // "light" or "dark"
	width  int64  // in CSS pixels
}

var views = []view{{"light", 1280}, {"dark", 1280}, {"light", 390}, {"dark", 390}}

// tab opens a tab for one test. Without a browser the test is skipped; under CI it
// fails.
func tab(t *testing.T) context.Context {
	t.Helper()
	if browser == nil {
		const why = "no browser: apt-get install -y --no-install-recommends chromium fonts-dejavu-core fonts-liberation"
		if os.Getenv("CI") == "true" || os.Getenv("REQUIRE_BROWSER") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	ctx, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return limited
}

// look opens an address in a view.
func look(ctx context.Context, t *testing.T, v view, address string) {
	t.Helper()
	show(ctx, t, v)
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
}

// show changes the view of what the tab shows.
func show(ctx context.Context, t *testing.T, v view) {
	t.Helper()
	size := chromedp.EmulateViewport(v.width, 844)
	if v.width < 600 {
		size = chromedp.EmulateViewport(v.width, 844, chromedp.EmulateMobile)
	}
	if err := chromedp.Do(ctx, size); err != nil {
		t.Fatal(err)
	}
	media(ctx, t, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}})
}

func media(ctx context.Context, t *testing.T, m emulation.SetEmulatedMediaParams) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, m); err != nil {
		t.Fatal(err)
	}
}

// value evaluates a script in the page.
func value[T any](ctx context.Context, t *testing.T, script string, options ...chromedp.EvaluateOption) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, options...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
