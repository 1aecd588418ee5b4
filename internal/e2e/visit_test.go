package e2e

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const token = "kestrel-harbour-9"

// live starts the portal on a copy of its sample in which the customer has the token
// above, and returns its address.
func live(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "portal")
	if err := goTool("build", "-o", program, "./examples/portal"); err != nil {
		t.Fatal(err)
	}
	sample := filepath.Join(dir, "sample")
	if err := os.CopyFS(sample, os.DirFS(filepath.Join("..", "..", "examples", "portal", "testdata", "sample"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(sample, "portal.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(token))
	text = regexp.MustCompile(`(?m)^    token_sha256: .*$`).ReplaceAll(text, []byte("    token_sha256: "+hex.EncodeToString(sum[:])))
	text = regexp.MustCompile(`(?m)^base_url: .*$`).ReplaceAll(text, []byte("base_url: http://127.0.0.1"))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-config", file, "-listen", "127.0.0.1:0", "-now", "2026-10-14T09:30:00Z")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if _, address, ok := strings.Cut(lines.Text(), "listening on "); ok {
			return strings.TrimSuffix(address, "/")
		}
		t.Log(lines.Text())
	}
	t.Fatal("the portal ended before it listened")
	return ""
}

// A customer is turned away without a token, signs in, goes through every page of the
// navigation, and finds an incident by its title.
func TestVisit(t *testing.T) {
	server := live(t)
	ctx := tab(t)
	text := func() string { return value[string](ctx, t, "document.body?.innerText ?? ''") }

	look(ctx, t, views[0], server+"/t/harbour/")
	if denied := text(); strings.Contains(denied, "Harbour") || !strings.Contains(denied, "There is nothing here") {
		t.Errorf("without a token: %.200q", denied)
	}
	sign := func(secret string) {
		t.Helper()
		look(ctx, t, views[0], server+"/login")
		err := chromedp.Do(ctx,
			chromedp.SendKeys(chromedp.ID("tenant"), "harbour"),
			chromedp.SendKeys(chromedp.ID("token"), secret),
			chromedp.Submit(chromedp.ID("token")))
		if err != nil {
			t.Fatal(err)
		}
	}
	// A form is answered by another page, which takes a while to come.
	shows := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !strings.Contains(text(), want); {
			if time.Now().After(deadline) {
				t.Fatalf("the page does not come to show %q: %.300q", want, text())
			}
		}
	}
	sign("somebody else's")
	shows("There is nothing here, or nothing for you")
	if denied := text(); strings.Contains(denied, "Harbour") {
		t.Errorf("with a wrong token: %.200q", denied)
	}
	sign(token)
	shows("Harbour Books")

	links := value[[]string](ctx, t, "[...document.querySelectorAll('nav a')].map(a=>a.href)")
	if len(links) < 8 {
		t.Fatalf("%d pages in the navigation: %v", len(links), links)
	}
	for _, link := range links {
		look(ctx, t, views[0], link)
		if got := value[string](ctx, t, "document.querySelector('nav [aria-current=page]')?.href ?? ''"); got != link {
			t.Errorf("%s is the page %q of the navigation", link, got)
		}
		if n := value[int](ctx, t, "document.querySelectorAll('h1').length"); n != 1 {
			t.Errorf("%s has %d headings of the page", link, n)
		}
	}

	look(ctx, t, views[0], fmt.Sprintf("%s/t/harbour/search?q=%s", server, "payments"))
	if found := text(); !strings.Contains(found, "HB-231") {
		t.Errorf("a search for payments finds %.300q", found)
	}
}
