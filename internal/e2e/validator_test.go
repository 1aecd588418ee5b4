package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The Nu validator has nothing to say about any page or the style sheet.
func TestValidator(t *testing.T) {
	jar := os.Getenv("VNU_JAR")
	if jar == "" {
		t.Skip("no validator: npm pack vnu-jar@26.9.27, unpack it, and set VNU_JAR to package/build/dist/vnu.jar; needs Java 17")
	}
	_, names := site(t)
	dir, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-jar", jar, "--format", "json", "--exit-zero-always", "--stdout", "--also-check-css", "--also-check-svg"}
	for _, name := range names {
		args = append(args, filepath.Join(dir, name))
	}
	for _, pattern := range []string{"portal/assets/*.css", "portal/t/*/*.svg"} {
		more, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, more...)
	}
	out, err := exec.CommandContext(t.Context(), "java", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Messages []struct {
			URL     string `json:"url"`
			Line    int    `json:"lastLine"`
			Message string `json:"message"`
			Extract string `json:"extract"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v in %.300s", err, out)
	}
	for _, m := range report.Messages {
		t.Errorf("%s:%d: %s: %s", filepath.Base(m.URL), m.Line, m.Message, m.Extract)
	}
	t.Logf("%d pages and files checked", len(args)-7)
}
