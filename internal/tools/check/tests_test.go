package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// lines makes a stream of events of package p: "test|action|output" each.
func lines(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		f := strings.SplitN(e, "|", 3)
		fmt.Fprintf(&b, `{"Package":"p","Test":%q,"Action":%q,"Output":%q}`+"\n", f[0], f[1], f[2])
	}
	return b.String()
}

// The forms of the streams are those of go test -json of Go 1.26.8.
func TestStream(t *testing.T) {
	for _, tc := range []struct {
		name, events string
		passed       int
		want         []failure
		skipped      []string
	}{
		{
			name: "a test that fails",
			events: lines("TestA|run|", "TestA|output|    a_test.go:3: no\n", "TestA|fail|",
				"TestB|run|", "TestB|pass|", "|output|FAIL\tp\n", "|fail|"),
			passed: 1,
			want:   []failure{{"p TestA", "    a_test.go:3: no\n"}},
		},
		{
			name: "a crash: the trace is the text of the test that was under way",
			events: lines("TestFine|run|", "TestFine|output|fine\n", "TestFine|pass|",
				"TestOuter|run|", "TestOuter|output|=== RUN   TestOuter\n",
				"TestOuter/inner|run|", "TestOuter/inner|output|panic: boom\n", "TestOuter/inner|output|goroutine 10\n",
				"|output|FAIL\tp\t0.007s\n", "|fail|"),
			passed: 1,
			want:   []failure{{"p, in p TestOuter, in p TestOuter/inner", "FAIL\tp\t0.007s\n=== RUN   TestOuter\npanic: boom\ngoroutine 10\n"}},
		},
		{
			name: "a crash after a test that failed",
			events: lines("TestA|run|", "TestA|output|no\n", "TestA|fail|",
				"TestB|run|", "TestB|output|panic: boom\n", "|fail|"),
			want: []failure{{"p TestA", "no\n"}, {"p, in p TestB", "panic: boom\n"}},
		},
		{
			name: "tests of another package are under way",
			events: lines("TestA|run|") + `{"Package":"pq","Test":"TestOther","Action":"output","Output":"other\n"}` + "\n" +
				lines("TestA|output|exit status 3\n", "|fail|"),
			want: []failure{{"p, in p TestA", "exit status 3\n"}},
		},
		{
			name:   "a package that fails outside of its tests",
			events: lines("TestA|run|", "TestA|pass|", "|output|found unexpected goroutines\n", "|fail|"),
			passed: 1,
			want:   []failure{{"p", "found unexpected goroutines\n"}},
		},
		{
			name: "a build that fails counts once",
			events: `{"ImportPath":"p [p.test]","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}
`,
			want: []failure{{"build of p [p.test]", "undefined: x\n"}},
		},
		{
			name:    "skipped",
			events:  lines("TestA|run|", "TestA|output|    a_test.go:3: no server\n", "TestA|skip|", "|pass|"),
			skipped: []string{"p TestA: no server"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &checks{log: io.Discard}
			c.stream(strings.NewReader(tc.events))
			if c.passed != tc.passed || c.failed != len(tc.want) {
				t.Errorf("passed %d, failed %d, want %d, %d", c.passed, c.failed, tc.passed, len(tc.want))
			}
			if got, want := fmt.Sprintf("%q", c.failures), fmt.Sprintf("%q", tc.want); got != want {
				t.Errorf("failures\n%s\nwant\n%s", got, want)
			}
			if got, want := fmt.Sprintf("%q", c.skipped), fmt.Sprintf("%q", tc.skipped); got != want {
				t.Errorf("skipped %s, want %s", got, want)
			}
		})
	}
}

func TestReportRepeatsTheEndOfFailures(t *testing.T) {
	var long strings.Builder
	for i := 1; i <= 50; i++ {
		fmt.Fprintln(&long, "line", i)
	}
	var got bytes.Buffer
	c := &checks{log: &got, passed: 7, failed: 2, skipped: []string{"a tool: not installed"}, failures: []failure{
		{"p TestLong", long.String()},
		{"gofumpt", "exit status 1"},
	}}
	c.report()
	_, after, _ := strings.Cut(long.String(), "line 10\n") // lines 11 to 50 are the last forty
	want := "SKIPPED a tool: not installed\nfailed: p TestLong\n" + after +
		"failed: gofumpt\nexit status 1\n7 passed, 2 failed, 1 skipped\n"
	if got.String() != want {
		t.Errorf("report:\n%swant:\n%s", got.String(), want)
	}
}
