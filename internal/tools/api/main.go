// Command api holds the public packages to what was promised of them:
//
//	go run ./api [-update [-sizes]]
//
// The promise is docs/api, a file for each package with a line for each thing that a
// program may rely on since the last release. A line that is gone or changed is a break
// and fails, unless docs/api/except.txt has it below a reason. -update writes the promise
// of a release, and the exceptions go to the change log.
//
// docs/imports.md, what each package links, is checked and written likewise; its sizes are
// measured by -update alone, as they differ from one toolchain to the next: those of
// packages that link something else than before, and with -sizes all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unpromised are the packages that are no part of the promise, and why. Those below a
// folder named internal are none by the language.
var unpromised = map[string]string{
	"examples/...":               "programs; what is promised of them is their flags and files",
	"adapters/adaptertest":       "for tests: fakes follow the vendors",
	"adapters/notify/notifytest": "for tests: fakes follow the vendors",
	"adapters/stream/streamtest": "for tests: a suite gains cases",
	"adapters/sync/synctest":     "for tests: a suite gains cases",
	"escalation/timertest":       "for tests: a suite gains cases",
	"incident/storetest":         "for tests: a suite gains cases",
}

func main() {
	update := flag.Bool("update", false, "write docs/api and docs/imports.md anew")
	sizes := flag.Bool("sizes", false, "with -update, measure the sizes of all packages")
	flag.Parse()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err == nil {
		err = run(context.Background(), root, *update, *sizes)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, update, sizes bool) error {
	m, err := load(ctx, root)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, "docs", "api")
	if update {
		return errors.Join(writePromise(dir, m), m.writeImports(ctx, root, sizes))
	}
	return errors.Join(checkPromise(dir, m), m.checkImports(root))
}

// promised returns the import paths of the packages of the promise, sorted.
func promised(all []string, module string) []string {
	var out []string
	for _, pkg := range all {
		folder := strings.TrimPrefix(pkg, module+"/")
		if !slices.Contains(strings.Split(folder, "/"), "internal") && !isUnpromised(folder) {
			out = append(out, pkg)
		}
	}
	slices.Sort(out)
	return out
}

func isUnpromised(folder string) bool {
	for pattern := range unpromised {
		base, below := strings.CutSuffix(pattern, "/...")
		if folder == base || below && strings.HasPrefix(folder, base+"/") {
			return true
		}
	}
	return false
}
